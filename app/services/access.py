"""Who is acting and what they may do: the only door to tickets."""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from app.core.errors import NotAllowed, NotFound
from app.domain.words import Cause, Role
from app.store.tables import FormerRef, Inbox, Ticket


class Permission(StrEnum):
    READ = "read"
    REPLY = "reply"
    LEAD = "lead"  # follow-ups, reports of people, deliveries in doubt of others
    ADMIN = "admin"  # inboxes, agents, settings


_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset({Permission.READ, Permission.REPLY}),
    Role.LEAD: frozenset({Permission.READ, Permission.REPLY, Permission.LEAD}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the program itself on somebody's behalf."""

    name: str
    role: Role
    agent_id: int | None = None
    cause: Cause = Cause.PERSON
    language: str = ""
    login_id: int | None = None  # the signed-in browser, when there is one
    theme: str = ""


SYSTEM = Actor(name="Setten", role=Role.ADMIN, cause=Cause.SYSTEM)
RULE = Actor(name="intake", role=Role.ADMIN, cause=Cause.RULE)


def may(actor: Actor, permission: Permission) -> bool:
    return permission in _ALLOWED[actor.role]


def require(actor: Actor, permission: Permission) -> None:
    if not may(actor, permission):
        raise NotAllowed("You may not do this; ask an administrator.", right=permission)


def ticket(session: Session, actor: Actor, ref: str, permission: Permission) -> Ticket:
    """The ticket, locked against other writers where the database can; by a former name as well.

    Raises `NotFound` for what is not there or not to be seen, `NotAllowed` for what is.
    """
    named = select(Ticket).with_for_update(key_share=True)
    found = session.exec(named.where(Ticket.ref == ref)).one_or_none()
    if found is None:
        joined = select(FormerRef.ticket_id).where(FormerRef.ref == ref)
        found = session.exec(named.where(col(Ticket.id).in_(joined))).one_or_none()
    if found is None or not may(actor, Permission.READ):
        raise NotFound("There is no such ticket.")
    require(actor, permission)
    return found


def inbox(session: Session, actor: Actor, inbox_id: int, *, locked: bool = False) -> Inbox:
    """For administrators. Raises `NotFound` for what is not there."""
    require(actor, Permission.ADMIN)
    lock = {"key_share": True} if locked else None
    found = session.get(Inbox, inbox_id, with_for_update=lock)
    if found is None:
        raise NotFound("There is no such inbox.")
    return found

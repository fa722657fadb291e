"""Who answers: invitations, roles, passwords, and the end of an account."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid, NotFound
from app.domain.words import Role
from app.services import changes, sessions
from app.services.access import SYSTEM, Actor, Permission, require
from app.services.sessions import normal_email
from app.store.tables import Agent, Invitation, Login

INVITED_FOR = timedelta(days=7)
RESET_FOR = timedelta(hours=1)

_EMAIL = re.compile(r"[^\s@<>\"(),:;\x00-\x1f\x7f]{1,64}@[^\s@<>\"(),:;\x00-\x1f\x7f]{1,189}")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_GONE = "This link was used already, or it is too old. Ask for a new one."


@dataclass(frozen=True, slots=True)
class NewAgent:
    """`password_hash` comes from `app.core.passwords.make_hash`, outside any transaction."""

    name: str
    email: str
    password_hash: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What a one-time link is for. `email` is fixed unless it is empty."""

    email: str
    role: Role
    first: bool  # makes the first administrator
    reset: bool  # only a new password
    name: str = ""


@dataclass(frozen=True, slots=True)
class AgentView:
    id: int
    name: str
    email: str
    role: Role
    language: str
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PendingInvitation:
    id: int
    email: str
    role: Role
    expires_at: datetime


def first_link(session: Session) -> str | None:
    """A one-time token that makes the first administrator. None once there is one.

    A later start makes a new one, and the one before stops working.
    """
    if _admins(session):
        return None
    session.execute(
        delete(Invitation).where(col(Invitation.agent_id).is_(None), col(Invitation.email) == "")
    )
    return _invitation(session, "", Role.ADMIN, INVITED_FOR)


def _invitation(
    session: Session, email: str, role: Role, length: timedelta, agent_id: int | None = None
) -> str:
    token, now = secrets.new_token(), clock.now()
    session.add(
        Invitation(
            digest=secrets.digest(token),
            agent_id=agent_id,
            email=email,
            role=role,
            created_at=now,
            expires_at=now + length,
        )
    )
    session.flush()
    return token


def _admins(session: Session) -> list[Agent]:
    """Everybody who can administrate, locked: two who remove each other must not both succeed."""
    return list(
        session.exec(
            select(Agent)
            .where(
                Agent.role == Role.ADMIN,
                col(Agent.active).is_(True),
                col(Agent.password_hash) != "",
            )
            .order_by(col(Agent.id))
            .with_for_update()
        ).all()
    )


def invite(session: Session, actor: Actor, email: str, role: Role) -> str:
    """The token of a link for `email`; an older one for the same address stops working.

    No mail is sent: the administrator hands the link over.
    """
    require(actor, Permission.ADMIN)
    address = _checked_email(email)
    if session.exec(select(Agent).where(Agent.email == address)).one_or_none():
        raise Conflict("This address has an account already.", field="email")
    session.execute(
        delete(Invitation).where(
            col(Invitation.email) == address,
            col(Invitation.agent_id).is_(None),
            col(Invitation.used_at).is_(None),
        )
    )
    changes.record(session, actor, None, "agent_invited", role=role)
    return _invitation(session, address, role, INVITED_FOR)


def reset(session: Session, email: str) -> str:
    """The token of a link by which the owner of `email` chooses a new password, within an hour."""
    agent = session.exec(select(Agent).where(Agent.email == normal_email(email))).one_or_none()
    if agent is None:
        raise NotFound(f"There is no agent with the address {email}.")
    _drop_resets(session, agent.id)
    changes.record(session, SYSTEM, None, "password_reset_asked", agent=agent.id)
    return _invitation(session, agent.email, agent.role, RESET_FOR, agent.id)


def _drop_resets(session: Session, agent_id: int) -> None:
    session.execute(
        delete(Invitation).where(
            col(Invitation.agent_id) == agent_id, col(Invitation.used_at).is_(None)
        )
    )


def open_invitation(session: Session, token: str) -> InvitationView:
    """What the link is for. Raises `NotFound` for any that does not work, without saying why."""
    invitation = session.exec(_usable(token)).one_or_none()
    if invitation is None:
        raise NotFound(_GONE)
    agent = session.get(Agent, invitation.agent_id) if invitation.agent_id else None
    return InvitationView(
        email=invitation.email,
        role=invitation.role,
        first=agent is None and not invitation.email,
        reset=agent is not None,
        name=agent.name if agent else "",
    )


def _usable(token: str) -> SelectOfScalar[Invitation]:
    return select(Invitation).where(
        Invitation.digest == secrets.digest(token),
        col(Invitation.used_at).is_(None),
        col(Invitation.expires_at) > clock.now(),
    )


def accept_invitation(session: Session, token: str, wanted: NewAgent) -> Agent:
    """Make the account, or give it its new password. The link works once."""
    # Locked: of two who follow the same link at the same moment one is too late.
    invitation = session.exec(_usable(token).with_for_update()).one_or_none()
    if invitation is None:
        raise NotFound(_GONE)
    invitation.used_at = clock.now()
    session.add(invitation)
    if invitation.agent_id:
        agent = session.get_one(Agent, invitation.agent_id)
        _set_password(session, agent, wanted.password_hash)
        changes.record(session, _as(agent), None, "password_changed", agent=agent.id)
        return agent
    if not invitation.email and _admins(session):
        raise NotFound(_GONE)  # two people followed two first links
    agent = _make(session, wanted, invitation.email or wanted.email, invitation.role)
    changes.record(session, _as(agent), None, "agent_joined", agent=agent.id)
    return agent


def add(session: Session, actor: Actor, wanted: NewAgent, role: Role) -> Agent:
    """Make an account with a password right away, from the command line."""
    require(actor, Permission.ADMIN)
    agent = _make(session, wanted, wanted.email, role)
    changes.record(session, actor, None, "agent_added", agent=agent.id, role=role)
    return agent


def _make(session: Session, wanted: NewAgent, email: str, role: Role) -> Agent:
    address = _checked_email(email)
    if session.exec(select(Agent).where(Agent.email == address)).one_or_none():
        raise Conflict("This address has an account already.", field="email")
    agent = Agent(
        name=_checked_name(wanted.name),
        email=address,
        password_hash=wanted.password_hash,
        role=role,
        language=wanted.language,
        created_at=clock.now(),
    )
    session.add(agent)
    session.flush()
    return agent


def _checked_email(email: str) -> str:
    address = normal_email(email)
    if not _EMAIL.fullmatch(address) or _CONTROL.search(address):
        raise Invalid("This is not a mail address.", field="email")
    return address


def _checked_name(name: str) -> str:
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 100 or _CONTROL.search(tidy):
        raise Invalid("A name has 1 to 100 characters.", field="name")
    return tidy


def _as(agent: Agent) -> Actor:
    return Actor(name=agent.name, role=agent.role, agent_id=agent.id)


def _set_password(session: Session, agent: Agent, password_hash: str) -> None:
    """A new password ends every session and every reset link, and forgives past failures."""
    agent.password_hash = password_hash
    session.add(agent)
    _end_sessions(session, agent.id)
    _drop_resets(session, agent.id)
    sessions.forgive(session, agent.email)


def _end_sessions(session: Session, agent_id: int, *, but: int | None = None) -> None:
    session.execute(
        delete(Login).where(col(Login.agent_id) == agent_id, col(Login.id) != (but or 0))
    )


def own(session: Session, actor: Actor) -> Agent:
    """The actor's own row."""
    agent = session.get(Agent, actor.agent_id) if actor.agent_id else None
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


def change_password(session: Session, actor: Actor, was: str, password_hash: str) -> None:
    """`was` is the hash the old password was compared with. Every other session ends."""
    agent = own(session, actor)
    if agent.password_hash != was:
        raise Conflict("The password was changed somewhere else just now.")
    agent.password_hash = password_hash
    session.add(agent)
    _end_sessions(session, agent.id, but=actor.login_id)
    _drop_resets(session, agent.id)
    changes.record(session, actor, None, "password_changed", agent=agent.id)


def set_preferences(session: Session, actor: Actor, *, language: str, theme: str) -> None:
    """How the actor sees the screens. Empty means: as the browser says."""
    if language not in {"", "en", "de", "ja"} or theme not in {"", "light", "dark"}:
        raise Invalid("There is no such language or look.")
    agent = own(session, actor)
    agent.language, agent.theme = language, theme
    session.add(agent)


def set_role(session: Session, actor: Actor, agent_id: int, role: Role) -> Agent:
    """Raises `Conflict` for the last administrator. Their sessions end: the rights are others."""
    agent = _for_admin(session, actor, agent_id)
    if agent.role is role:
        return agent
    if role is not Role.ADMIN:
        _keep_one_admin(session, agent)
    was, agent.role = agent.role, role
    session.add(agent)
    _end_sessions(session, agent.id, but=actor.login_id)
    changes.record(session, actor, None, "role_changed", agent=agent.id, was=was, role=role)
    return agent


def deactivate(session: Session, actor: Actor, agent_id: int) -> Agent:
    """The account cannot be used any more; what it wrote stays. Raises `Conflict` for the last
    administrator."""
    agent = _for_admin(session, actor, agent_id)
    _keep_one_admin(session, agent)
    agent.active = False
    session.add(agent)
    _end_sessions(session, agent.id)
    _drop_resets(session, agent.id)
    changes.record(session, actor, None, "agent_deactivated", agent=agent.id)
    return agent


def activate(session: Session, actor: Actor, agent_id: int) -> Agent:
    agent = _for_admin(session, actor, agent_id)
    agent.active = True
    session.add(agent)
    changes.record(session, actor, None, "agent_activated", agent=agent.id)
    return agent


def _for_admin(session: Session, actor: Actor, agent_id: int) -> Agent:
    require(actor, Permission.ADMIN)
    agent = session.get(Agent, agent_id)
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


def _keep_one_admin(session: Session, agent: Agent) -> None:
    if [admin.id for admin in _admins(session)] == [agent.id]:
        raise Conflict("This is the last administrator: make somebody else one first.")


def listed(session: Session) -> tuple[AgentView, ...]:
    """Everybody, by name: whoever answers may know their colleagues."""
    rows = session.exec(select(Agent).order_by(col(Agent.name), col(Agent.id))).all()
    return tuple(
        AgentView(a.id, a.name, a.email, a.role, a.language, a.active, a.created_at) for a in rows
    )


def pending(session: Session, actor: Actor) -> tuple[PendingInvitation, ...]:
    require(actor, Permission.ADMIN)
    rows = session.exec(
        select(Invitation)
        .where(
            col(Invitation.used_at).is_(None),
            col(Invitation.agent_id).is_(None),
            Invitation.email != "",
            col(Invitation.expires_at) > clock.now(),
        )
        .order_by(col(Invitation.id))
    ).all()
    return tuple(PendingInvitation(i.id, i.email, i.role, i.expires_at) for i in rows)


def withdraw(session: Session, actor: Actor, invitation_id: int) -> None:
    """Make an invitation nobody accepted yet useless."""
    require(actor, Permission.ADMIN)
    invitation = session.get(Invitation, invitation_id)
    if invitation is None or invitation.used_at or not invitation.email or invitation.agent_id:
        raise NotFound("There is no such invitation.")
    session.delete(invitation)

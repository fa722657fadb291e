"""What people say of inquiries that are nearly the same: of all of them at once, as one act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.core import secrets
from app.core.errors import Conflict, Invalid
from app.domain.words import NO_INQUIRY, Head
from app.services import access, verdicts
from app.services.access import Actor, Permission
from app.store.tables import Ticket

MOST = 200  # inquiries of one act


@dataclass(frozen=True, slots=True)
class Word:
    """A stage, a topic or both; that it is no inquiry; with none of these, that the model is right.

    Right of the first that is, and what it guesses of that holds for all.
    """

    stage: str = ""
    topic: str = ""
    no_inquiry: bool = False

    @property
    def labels(self) -> dict[Head, str]:
        both = {Head.STAGE: self.stage, Head.TOPIC: self.topic}
        return {head: label for head, label in both.items() if label}


@dataclass(frozen=True, slots=True)
class Said:
    act: str  # takes it back
    tickets: tuple[Ticket, ...]  # the one it was said of first
    left: int  # as they are: people had said what these are


def say(session: Session, actor: Actor, refs: Sequence[str], word: Word) -> Said:
    """Of the first of `refs`, and of the others what no person has said of them yet.

    That it is no inquiry: of those others of which no person has said anything.
    """
    if not 0 < len(refs) <= MOST:
        raise Invalid(f"Between 1 and {MOST} inquiries can be labelled at once.")
    # In the order of their names: two who say something at once never wait for each other.
    found = {ref: access.ticket(session, actor, ref, Permission.REPLY) for ref in sorted(refs)}
    first, act = found[refs[0]], secrets.new_ref()
    labels = {} if word.no_inquiry else word.labels or verdicts.open_guesses(session, first)
    others = {ticket.id: ticket for ticket in found.values() if ticket.id != first.id}
    _say(session, actor, first, labels, act)
    told = [first]
    for ticket in others.values():
        left = verdicts.open_heads(ticket)
        wanted = {head: label for head, label in labels.items() if head in left}
        dismissed = word.no_inquiry and not verdicts.touched(ticket)
        if ticket.status not in NO_INQUIRY and (wanted or dismissed):
            _say(session, actor, ticket, wanted, act)
            told.append(ticket)
    return Said(act, tuple(told), 1 + len(others) - len(told))


def _say(
    session: Session, actor: Actor, ticket: Ticket, labels: Mapping[Head, str], act: str
) -> None:
    for head, label in labels.items():
        verdicts.choose(session, actor, ticket.ref, head, label, act)
    if not labels:
        verdicts.dismiss(session, actor, ticket.ref, act)


def take_back(session: Session, actor: Actor, act: str) -> Sequence[Ticket]:
    """Undo what was said in one go, wherever nobody has spoken since."""
    found = verdicts.take_back_act(session, actor, act)
    if not found:
        raise Conflict("There is nothing of yours to take back.")
    return found

"""Inquiries with what people said they are, and the names that are to be left out of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.domain.words import Head
from app.services import called, lessons
from app.services.access import Actor, Permission, require


@dataclass(frozen=True, slots=True)
class Labelled:
    text: str
    label: str  # "" that it is no inquiry
    language: str
    names: frozenset[str]  # of customers who take part in the ticket
    firms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Collection:
    rows: Sequence[Labelled]
    agents: frozenset[str]  # names that any of the texts may address


def collect(session: Session, actor: Actor, head: Head) -> Collection:
    """What people said of this head, the oldest first."""
    require(actor, Permission.ADMIN)
    labelled = [
        lesson
        for lesson in lessons.gather(session).lessons
        if head in lesson.labels and not lesson.labels[head].weak
    ]
    names = called.of_tickets(session, [lesson.ticket_id for lesson in labelled])
    rows = [
        Labelled(
            text=lesson.text.strip(),
            label=lesson.labels[head].label,
            language=lesson.language,
            names=frozenset(names[lesson.ticket_id].names),
            firms=frozenset(names[lesson.ticket_id].firms),
        )
        for lesson in labelled
    ]
    return Collection(rows, called.agents(session))

"""Inquiries with what people said they are, and the names that are to be left out of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import literal, union
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.domain.words import Head
from app.services import lessons
from app.services.access import Actor, Permission, require
from app.store.tables import Address, Agent, Correction, Customer, Message, Participant, Ticket


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
    names, firms = _names(session)
    rows = [
        Labelled(
            text=lesson.text.strip(),
            label=lesson.labels[head].label,
            language=lesson.language,
            names=frozenset(names[lesson.ticket_id]),
            firms=frozenset(firms[lesson.ticket_id]),
        )
        for lesson in lessons.gather(session).lessons
        if head in lesson.labels and not lesson.labels[head].weak
    ]
    return Collection(rows, frozenset(session.exec(select(Agent.name))))


def _names(session: Session) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """By ticket: what its customer and whoever else takes part are called, and their companies."""
    judged = sql_select(col(Correction.ticket_id))
    called = (col(Customer.name), col(Customer.company))
    whose = (
        sql_select(col(Ticket.id), *called)
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .where(col(Ticket.id).in_(judged))
    )
    taking_part = (
        sql_select(col(Participant.ticket_id), *called)
        .join(Address, col(Address.id) == col(Participant.address_id))
        .join(Customer, col(Customer.id) == col(Address.customer_id))
        .where(col(Participant.ticket_id).in_(judged))
    )
    signed = sql_select(col(Message.ticket_id), col(Message.author), literal("")).where(
        col(Message.ticket_id).in_(judged), col(Message.agent_id).is_(None)
    )
    names: dict[int, set[str]] = defaultdict(set)
    firms: dict[int, set[str]] = defaultdict(set)
    for ticket, name, firm in session.execute(union(whose, taking_part, signed)):
        names[ticket].update(filter(None, [name]))
        firms[ticket].update(filter(None, [firm]))
    return names, firms

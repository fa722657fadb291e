"""What those are called who take part in a ticket, so that a text of theirs can be told without."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import literal, union
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.store.tables import Address, Agent, Customer, Message, Participant, Ticket

_AT_ONCE = 5_000  # tickets; a statement may hold some thirty thousand numbers


@dataclass(frozen=True, slots=True)
class Called:
    names: set[str] = field(default_factory=set)
    firms: set[str] = field(default_factory=set)


def of_tickets(session: Session, tickets: Sequence[int]) -> dict[int, Called]:
    """By ticket: the names and companies of its customer and of whoever else wrote."""
    found: dict[int, Called] = defaultdict(Called)
    for begin in range(0, len(tickets), _AT_ONCE):
        _collect(session, tickets[begin : begin + _AT_ONCE], found)
    return found


def agents(session: Session) -> frozenset[str]:
    """Names that any text may address."""
    return frozenset(session.exec(select(Agent.name)))


def _collect(session: Session, tickets: Sequence[int], found: dict[int, Called]) -> None:
    both = (col(Customer.name), col(Customer.company))
    whose = (
        sql_select(col(Ticket.id), *both)
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .where(col(Ticket.id).in_(tickets))
    )
    taking_part = (
        sql_select(col(Participant.ticket_id), *both)
        .join(Address, col(Address.id) == col(Participant.address_id))
        .join(Customer, col(Customer.id) == col(Address.customer_id))
        .where(col(Participant.ticket_id).in_(tickets))
    )
    signed = sql_select(col(Message.ticket_id), col(Message.author), literal("")).where(
        col(Message.ticket_id).in_(tickets), col(Message.agent_id).is_(None)
    )
    for ticket, name, firm in session.execute(union(whose, taking_part, signed)):
        found[ticket].names.update(filter(None, [name]))
        found[ticket].firms.update(filter(None, [firm]))

"""What an answer does to its ticket, when it is sent or when the moment planned for it comes."""

from datetime import datetime

from sqlmodel import Session

from app.core import clock
from app.domain import lifecycle
from app.domain.lifecycle import Move
from app.domain.words import Status
from app.services import touchpoints, withdrawals
from app.store.tables import Message, Ticket

WITHDRAWN = "The ticket was answered again."


def answered(session: Session, ticket: Ticket, message: Message) -> None:
    """The customer has their answer: now it is for them to write, and a first one stops a clock."""
    ticket.status = lifecycle.after(ticket.status, Move.AGENT_REPLIED)
    ticket.first_responded_at = ticket.first_responded_at or message.created_at
    ticket.waiting_since, ticket.snoozed_until = None, None
    if ticket.resolved_at is not None:
        withdrawals.of_ticket(session, ticket, WITHDRAWN)
        ticket.resolved_at = None
    touchpoints.record(session, ticket, message, incoming=False)


def planned(ticket: Ticket, at: datetime) -> None:
    """Nothing is answered yet, and nobody has to look until then. Its clocks go on."""
    if ticket.status in {Status.OPEN, Status.WAITING, Status.SNOOZED}:
        ticket.status, ticket.snoozed_until = Status.SNOOZED, at


def at_last(session: Session, ticket: Ticket, message: Message) -> None:
    """The moment planned for it has come. A ticket resolved meanwhile stays resolved."""
    message.created_at = message.sent_at = ticket.last_activity_at = clock.now()
    if ticket.status is Status.RESOLVED:
        ticket.first_responded_at = ticket.first_responded_at or message.created_at
        touchpoints.record(session, ticket, message, incoming=False)
    else:
        answered(session, ticket, message)

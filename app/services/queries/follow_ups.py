"""Customers who were dissatisfied, and whether somebody answered them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import FollowUpState
from app.services.access import Actor, Permission, require
from app.store.tables import Agent, Answer, Customer, FollowUp, Ticket

CLOSED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    state: FollowUpState
    due_at: datetime
    created_at: datetime
    closed_at: datetime | None
    outcome: str
    owner_id: int | None
    owner: str
    score: int
    comment: str
    wants_contact: bool
    ticket_ref: str
    subject: str
    language: str
    channel: str
    customer: str


@dataclass(frozen=True, slots=True)
class FollowUps:
    live: tuple[Row, ...]
    closed: tuple[Row, ...]


_LIVE = (FollowUpState.OPEN, FollowUpState.CONTACTED)


def view(session: Session, actor: Actor) -> FollowUps:
    """What is to be done, the most urgent first, and what was done last."""
    require(actor, Permission.READ)
    base = (
        sql_select(FollowUp, Answer, Ticket, Customer, col(Agent.name))
        .join(Answer, col(Answer.id) == col(FollowUp.answer_id))
        .join(Ticket, col(Ticket.id) == col(FollowUp.ticket_id))
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .outerjoin(Agent, col(Agent.id) == col(FollowUp.owner_id))
    )
    live = base.where(col(FollowUp.state).in_(_LIVE)).order_by(col(FollowUp.due_at))
    closed = (
        base.where(col(FollowUp.state).not_in(_LIVE))
        .order_by(col(FollowUp.closed_at).desc())
        .limit(CLOSED_SHOWN)
    )
    return FollowUps(
        tuple(_row(*found) for found in session.execute(live)),
        tuple(_row(*found) for found in session.execute(closed)),
    )


def _row(
    follow_up: FollowUp, answer: Answer, ticket: Ticket, customer: Customer, owner: str | None
) -> Row:
    return Row(
        id=follow_up.id,
        state=follow_up.state,
        due_at=follow_up.due_at,
        created_at=follow_up.created_at,
        closed_at=follow_up.closed_at,
        outcome=follow_up.outcome,
        owner_id=follow_up.owner_id,
        owner=owner or "",
        score=answer.score,
        comment=answer.comment,
        wants_contact=answer.wants_contact,
        ticket_ref=ticket.ref,
        subject=ticket.subject,
        language=ticket.language,
        channel=ticket.channel,
        customer=customer.name,
    )

"""What goes out: what waits, what failed, what is in doubt, what was kept back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.words import DeliveryState
from app.services import pauses
from app.services.access import Actor, Permission, require
from app.services.pauses import Pause
from app.store.tables import Delivery, Inbox, Message, Resting, Ticket

SHOWN = 100


class Show(StrEnum):
    TROUBLE = "trouble"
    WAITING = "waiting"
    SENT = "sent"


_STATES = {
    Show.TROUBLE: (DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD),
    Show.WAITING: (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.RETRY),
    Show.SENT: (DeliveryState.SENT, DeliveryState.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    recipient: str
    state: DeliveryState
    words: str
    attempts: int
    next_at: datetime | None
    changed_at: datetime
    provider_id: str  # what the server that took it calls it in its log
    message_id: int
    author: str
    text: str
    language: str
    request: bool
    rendered: bool  # whether the exact bytes exist already
    ticket_ref: str
    subject: str
    channel: str
    inbox: str
    agent_id: int | None
    rests_until: datetime | None  # until then whoever wrote it can take it back
    planned: bool  # for that moment, by choice
    parked: bool  # until its inbox can send again


@dataclass(frozen=True, slots=True)
class Outbox:
    rows: tuple[Row, ...]
    counts: dict[Show, int]
    pauses: tuple[Pause, ...]  # inboxes that cannot send at the moment


def view(session: Session, actor: Actor, show: Show) -> Outbox:
    require(actor, Permission.READ)
    counted = sql_select(col(Delivery.state), func.count()).group_by(col(Delivery.state))
    states = {state: count for state, count in session.execute(counted)}  # noqa: C416 - rows
    found = session.execute(
        sql_select(Delivery, Message, Ticket, col(Inbox.name), Resting)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .join(Inbox, col(Inbox.id) == col(Message.inbox_id))
        .outerjoin(Resting, col(Resting.message_id) == col(Message.id))
        .where(col(Delivery.state).in_(_STATES[show]))
        .order_by(col(Delivery.changed_at).desc(), col(Delivery.id).desc())
        .limit(SHOWN)
    )
    return Outbox(
        tuple(_row(*columns) for columns in found),
        {one: sum(states.get(state, 0) for state in _STATES[one]) for one in Show},
        pauses.listed(session, actor),
    )


def _row(
    delivery: Delivery, message: Message, ticket: Ticket, inbox: str, resting: Resting | None
) -> Row:
    return Row(
        id=delivery.id,
        recipient=delivery.recipient,
        state=delivery.state,
        words=delivery.words,
        attempts=delivery.attempts,
        next_at=delivery.next_at,
        changed_at=delivery.changed_at,
        provider_id=delivery.provider_id,
        message_id=message.id,
        author=message.author,
        text=message.text,
        language=message.language,
        request=message.request,
        rendered=bool(message.rendered_sha256),
        ticket_ref=ticket.ref,
        subject=ticket.subject,
        channel=ticket.channel,
        inbox=inbox,
        agent_id=message.agent_id,
        rests_until=resting.until if resting else None,
        planned=resting.scheduled if resting else False,
        parked=delivery.held_by == pauses.PARKED,
    )


def rendered(session: Session, actor: Actor, message_id: int) -> str:
    """The hash of the exact bytes that are sent. Only for administrators."""
    require(actor, Permission.ADMIN)
    message = session.get(Message, message_id)
    if message is not None and message.raw_deleted_at is not None:
        raise NotFound(f"The raw source was deleted on {message.raw_deleted_at:%Y-%m-%d}.")
    if message is None or not message.rendered_sha256:
        raise NotFound("This message was not made ready for sending yet.")
    return message.rendered_sha256

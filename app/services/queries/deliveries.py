"""What goes out, newest first: each recipient and how far it got."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.words import DeliveryState
from app.services.access import Actor, Permission, require
from app.store.tables import Delivery, Message, Ticket

NEEDS_A_PERSON = (DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD)


@dataclass(frozen=True, slots=True)
class Leaving:
    id: int
    message_id: int
    ticket: str
    subject: str
    recipient: str
    copy: bool
    state: DeliveryState
    words: str
    attempts: int
    next_at: datetime | None
    changed_at: datetime
    provider_id: str  # what the server that took it calls it in its log
    request: bool  # a feedback request


def listed(
    session: Session,
    actor: Actor,
    states: Collection[DeliveryState],
    before: int | None,
    limit: int,
) -> tuple[Leaving, ...]:
    """At most `limit`, those with an id below `before`; one statement."""
    require(actor, Permission.READ)
    wanted = (
        sql_select(Delivery, Message, col(Ticket.ref))
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
    )
    if states:
        wanted = wanted.where(col(Delivery.state).in_(states))
    if before is not None:
        wanted = wanted.where(col(Delivery.id) < before)
    found = session.execute(wanted.order_by(col(Delivery.id).desc()).limit(limit)).all()
    return tuple(_leaving(delivery, message, ref) for delivery, message, ref in found)


def one(session: Session, actor: Actor, delivery_id: int) -> Leaving:
    require(actor, Permission.READ)
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("There is no such delivery.")
    message = session.get_one(Message, delivery.message_id)
    return _leaving(delivery, message, session.get_one(Ticket, message.ticket_id).ref)


def _leaving(delivery: Delivery, message: Message, ref: str) -> Leaving:
    return Leaving(
        id=delivery.id,
        message_id=message.id,
        ticket=ref,
        subject=message.subject,
        recipient=delivery.recipient,
        copy=delivery.is_copy,
        state=delivery.state,
        words=delivery.words,
        attempts=delivery.attempts,
        next_at=delivery.next_at,
        changed_at=delivery.changed_at,
        provider_id=delivery.provider_id,
        request=message.request,
    )

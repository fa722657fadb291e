"""Inboxes that cannot send until a person corrects something: one try at a time, and an alarm."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select, update

from app.core import clock
from app.domain.storable import storable
from app.domain.words import DeliveryState
from app.services.access import Actor, Permission, require
from app.store import jobs
from app.store.tables import Delivery, Inbox, Message

FIRST = timedelta(minutes=5)
LATER = timedelta(minutes=30)  # a provider locks accounts that knock too often
TRYING = timedelta(minutes=15)  # nobody else tries while one does

PARKED = "paused"  # in `held_by` of a delivery that waits for its inbox
_DUE = (DeliveryState.QUEUED, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True)
class Pause:
    """For the people who can end it."""

    inbox_id: int
    inbox: str
    until: datetime
    words: str
    waiting: int


def may_try(session: Session, message: Message) -> bool:
    """Whether this message may go to its server now. While sending is paused, one at a time may,
    and the others wait without an attempt."""
    inbox = session.get_one(Inbox, message.inbox_id)
    if inbox.out_paused_until is None:
        return True
    session.refresh(inbox, with_for_update={"key_share": True})
    now = clock.now()
    if inbox.out_paused_until is None:
        return True
    if inbox.out_paused_until <= now:
        inbox.out_paused_until = now + TRYING
        session.add(inbox)
        return True
    session.exec(
        update(Delivery)
        .where(
            col(Delivery.message_id) == message.id,
            col(Delivery.state).in_(_DUE),
            col(Delivery.next_at) <= now,
        )
        .values(next_at=inbox.out_paused_until, held_by=PARKED)
    )
    return False


def begin(session: Session, inbox: Inbox, words: str) -> datetime:
    """Pause it, or go on pausing; until when."""
    again = inbox.out_paused_until is not None
    inbox.out_paused_until = clock.now() + (LATER if again else FIRST)
    inbox.last_out_error = storable(words)
    session.add(inbox)
    return inbox.out_paused_until


def lift(session: Session, inbox: Inbox) -> None:
    """It sends again: so does everything that waited for it."""
    if inbox.out_paused_until is None:
        return
    inbox.out_paused_until = None
    session.add(inbox)
    _wake(session, inbox, limit=None)


def _wake(session: Session, inbox: Inbox, limit: int | None) -> int:
    """How many messages are tried at once."""
    found = session.exec(
        select(Delivery, Message.id)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(
            Message.inbox_id == inbox.id,
            Delivery.held_by == PARKED,
            col(Delivery.state).in_(_DUE),
        )
        # By turns: one that the server will never take does not stand before all the others.
        .order_by(col(Delivery.changed_at), col(Delivery.id))
        .with_for_update(of=Delivery, skip_locked=True)
    ).all()
    messages = list(dict.fromkeys(message_id for _, message_id in found))[:limit]
    for delivery, message_id in found:
        if message_id in messages:
            delivery.next_at, delivery.held_by = clock.now(), ""
            session.add(delivery)
    for message_id in messages:
        jobs.enqueue(session, "deliver", message_id=message_id)
    return len(messages)


def try_now(session: Session, inbox: Inbox) -> None:
    """One message is tried; if it leaves, all do."""
    inbox.out_paused_until = clock.now()
    session.add(inbox)
    if not _wake(session, inbox, limit=1):
        inbox.out_paused_until = None  # nothing waits: the next message tries


def corrected(session: Session, inbox: Inbox) -> None:
    """Its settings were changed: one message tells whether that helped."""
    if inbox.out_paused_until is not None:
        try_now(session, inbox)


def over(session: Session) -> int:
    """Try one message of every inbox whose pause has ended; how many inboxes."""
    due = session.exec(
        select(Inbox)
        .where(col(Inbox.out_paused_until) <= clock.now(), col(Inbox.enabled).is_(True))
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for inbox in due:
        try_now(session, inbox)
    return len(due)


def listed(session: Session, actor: Actor) -> tuple[Pause, ...]:
    require(actor, Permission.READ)
    found = session.exec(
        select(Inbox).where(col(Inbox.out_paused_until).is_not(None)).order_by(col(Inbox.id))
    ).all()
    return tuple(
        Pause(
            inbox.id,
            inbox.name,
            inbox.out_paused_until,
            inbox.last_out_error,
            _parked(session, inbox),
        )
        for inbox in found
        if inbox.out_paused_until is not None
    )


def _parked(session: Session, inbox: Inbox) -> int:
    return len(
        session.exec(
            select(Delivery.id)
            .join(Message, col(Message.id) == col(Delivery.message_id))
            .where(
                Message.inbox_id == inbox.id,
                Delivery.held_by == PARKED,
                col(Delivery.state).in_(_DUE),
            )
        ).all()
    )

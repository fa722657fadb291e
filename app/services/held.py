"""Feedback requests that were kept back: let go again, or given up."""

from datetime import datetime

from sqlmodel import Session, select

from app.core import clock
from app.core.errors import Conflict
from app.domain import survey as rules
from app.domain.words import DeliveryState, SurveyState
from app.services import changes, eligibility, withdrawals
from app.services.access import SYSTEM
from app.services.withdrawals import PENDING
from app.store import jobs
from app.store.tables import Customer, Delivery, Message, Survey, Ticket

UNREACHABLE = "SETTEN_PUBLIC_URL is not set, so the customer could not open the link."
TOO_LATE = "It waited in the outbox for more than 14 days."


def look_at(session: Session, ticket: Ticket, row: Survey, *, reachable: bool) -> None:
    """Let go what only our missing address held; give up what waited for too long."""
    reason = TOO_LATE if row.expires_at and row.expires_at < clock.now() else ""
    if not reason and (row.reason != UNREACHABLE or not reachable):
        return
    if reason := reason or eligibility.why_not_now(session, ticket, row):
        row.state, row.reason = SurveyState.REVOKED, reason
        withdrawals.stop_deliveries(session, row, DeliveryState.CANCELLED, reason)
        changes.record(session, SYSTEM, ticket, "feedback_not_asked", reason=reason)
    else:
        row.state, row.reason = SurveyState.QUEUED, ""
        at = _leaves_at(session, ticket, row)
        for delivery in session.exec(
            select(Delivery)
            .where(Delivery.message_id == row.message_id, Delivery.state == DeliveryState.HELD)
            .with_for_update()
        ):
            delivery.state, delivery.words = DeliveryState.QUEUED, ""
            delivery.next_at, delivery.changed_at = at, clock.now()
            session.add(delivery)
        wait = (at - clock.now()).total_seconds()
        jobs.enqueue(session, "deliver", delay=wait, message_id=row.message_id)
    session.add(row)


def _leaves_at(session: Session, ticket: Ticket, row: Survey) -> datetime:
    """At once, or when the hours in which people are asked begin."""
    delay, time_zone = eligibility.pace(session, ticket, session.get_one(Customer, row.customer_id))
    return rules.open_at(clock.now(), time_zone) if delay else clock.now()


def release(session: Session, ticket: Ticket, message: Message) -> datetime:
    """A lead lets a held request go; when it leaves.

    Raises `Conflict` when it may not be asked any more.
    """
    row = session.exec(
        select(Survey).where(Survey.message_id == message.id).with_for_update(key_share=True)
    ).one()
    if row.state not in PENDING:
        raise Conflict("This request is over; it cannot be sent again.", state=row.state)
    row.state, row.reason = SurveyState.QUEUED, ""
    row.expires_at = clock.now() + rules.LASTS
    session.add(row)
    return _leaves_at(session, ticket, row)

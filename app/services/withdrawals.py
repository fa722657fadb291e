"""Taking feedback requests back, as far as they have not left yet."""

from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import DeliveryState, SurveyState
from app.store.tables import Customer, Delivery, Survey, Ticket

OBJECTED = "The customer does not want to be asked."
PENDING = (SurveyState.SCHEDULED, SurveyState.HELD, SurveyState.QUEUED)


def of_ticket(session: Session, ticket: Ticket, reason: str) -> None:
    """Take back what has not left yet. The ticket must be locked already."""
    for row in session.exec(
        select(Survey)
        .where(Survey.ticket_id == ticket.id, col(Survey.state).in_(PENDING))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ):
        row.state, row.reason = SurveyState.REVOKED, reason
        session.add(row)
        stop_deliveries(session, row, DeliveryState.CANCELLED, reason)


def stop_deliveries(session: Session, row: Survey, state: DeliveryState, reason: str) -> None:
    # Locked: one that a worker takes at this moment is under way and keeps its state.
    for delivery in session.exec(
        select(Delivery)
        .where(
            Delivery.message_id == row.message_id,
            col(Delivery.state).in_(
                [DeliveryState.QUEUED, DeliveryState.RETRY, DeliveryState.HELD]
            ),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ):
        delivery.state, delivery.words, delivery.next_at = state, reason, None
        delivery.changed_at = clock.now()
        session.add(delivery)


def of_customer(session: Session, customer: Customer) -> None:
    """Note the objection and take back everything that has not left yet."""
    pending = select(Survey.ticket_id).where(
        Survey.customer_id == customer.id, col(Survey.state).in_(PENDING)
    )
    waiting = session.exec(
        select(Ticket)
        .where(col(Ticket.id).in_(pending))
        .order_by(col(Ticket.id))
        .with_for_update(key_share=True)
    ).all()
    session.refresh(customer, with_for_update={"key_share": True})
    customer.may_ask, customer.no_feedback_at = False, clock.now()
    session.add(customer)
    for ticket in waiting:
        of_ticket(session, ticket, OBJECTED)

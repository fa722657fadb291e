"""What was sent from here, and which of it a bounce is about."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.address import EMAIL, normal
from app.domain.words import MessageKind
from app.store.tables import Delivery, Inbox, Message, Ticket
from channels.contract import Failure, Report


def own(session: Session, external_id: str) -> Message | None:
    """What was sent from here under that id, by whichever inbox, and not by a mail program."""
    if not external_id:  # so is whatever was never sent
        return None
    return session.exec(
        select(Message)
        .where(
            # Several may share an account. So asked, there is an index for it.
            col(Message.inbox_id).in_(select(Inbox.id)),
            Message.external_id == external_id,
            Message.kind == MessageKind.OUTBOUND,
            col(Message.arrival_id).is_(None),
        )
        .order_by(col(Message.id))
        .limit(1)
    ).one_or_none()


def named(
    deliveries: Sequence[Delivery], failures: Sequence[Failure]
) -> list[tuple[Delivery, Failure]]:
    """Each of one message's deliveries that is spoken of, with what is said of it."""
    said = {
        normal(EMAIL, address, 0): failure
        for failure in failures
        for address in (failure.address, failure.original)
        if address
    }
    nameless = next((one for one in failures if not one.address), None)
    found = []
    for delivery in deliveries:
        failure = said.get(normal(EMAIL, delivery.recipient, 0))
        if failure is None and len(deliveries) == 1:
            failure = nameless
        if failure is not None:
            found.append((delivery, failure))
    return found


def tells_of(session: Session, ticket: Ticket, report: Report | None) -> bool:
    """Whether it names a message of that ticket and, if anybody, somebody whom it went to."""
    message = own(session, report.original_id) if report else None
    if report is None or message is None or message.ticket_id != ticket.id:
        return False
    deliveries = session.exec(select(Delivery).where(Delivery.message_id == message.id)).all()
    names = any(failure.address or failure.original for failure in report.failures)
    return not names or bool(named(deliveries, report.failures))

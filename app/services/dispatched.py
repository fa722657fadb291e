"""What was sent from here, and which of it a bounce is about."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.address import EMAIL, normal
from app.domain.words import MessageKind
from app.store import inserting
from app.store.tables import Delivery, Inbox, Message, OtherId, Ticket
from channels.contract import Failure, Report

MOST_IDS = 10  # of one message: each attempt at it may give it another
LONGEST_ID = 250  # letters


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


def called(session: Session, message: Message, ids: Sequence[str]) -> None:
    """Note what others call a message of ours, so that answers to that find their ticket."""
    people = {normal(EMAIL, one, 0) for one in (*message.to, *message.cc)}  # servers name them, too
    wanted = [
        one
        for one in dict.fromkeys(ids)
        if one != message.external_id
        and len(one) <= LONGEST_ID
        and normal(EMAIL, one, 0) not in people
    ]
    if not wanted:
        return
    known = session.exec(select(OtherId.external_id).where(OtherId.message_id == message.id)).all()
    rows = [
        OtherId(inbox_id=message.inbox_id, external_id=one, message_id=message.id)
        for one in wanted
        if one not in known
    ]
    inserting.unless_there(session, rows[: max(0, MOST_IDS - len(known))])


def called_by_provider(session: Session, external_id: str, other_id: str) -> None:
    """Its copy among what was sent has another id than ours."""
    message = own(session, external_id) if other_id else None
    if message is not None:
        called(session, message, [other_id])


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

"""What was sent from here, and which of it a bounce is about."""

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.domain.address import EMAIL, normal
from app.domain.words import MessageKind
from app.store import inserting
from app.store.tables import Delivery, Inbox, Message, OtherId, Ticket
from channels.contract import Failure, Report

MOST_IDS = 10  # of one message: each attempt at it may give it another
LONGEST_ID = 250  # letters


# Asked for every mail from an address of ours: made once, because making them costs more than
# running them. Several inboxes may share an account; so asked, there are indexes for it.
_SENT_AS = select(Message).where(
    col(Message.inbox_id).in_(select(Inbox.id)),
    col(Message.external_id) == bindparam("external"),
    Message.kind == MessageKind.OUTBOUND,
    # Not plainly: SQLite would look through all that never arrived, which is half of them.
    func.coalesce(col(Message.arrival_id), 0) == 0,
)
_RELAYED_AS = (
    select(Message)
    .join(OtherId, col(OtherId.message_id) == col(Message.id))
    .where(
        col(OtherId.inbox_id).in_(select(Inbox.id)),
        col(OtherId.external_id) == bindparam("external"),
    )
    .limit(2)
)


def own(session: Session, external_id: str) -> Message | None:
    """What was sent from here and is called so, by us or by a relay in our place."""
    return sent_as(session, external_id) or _relayed_as(session, external_id)


def sent_as(session: Session, external_id: str) -> Message | None:
    """What was sent from here under that id, by whichever inbox, and not by a mail program."""
    if not external_id:  # so is whatever was never sent
        return None
    found = session.exec(_SENT_AS, params={"external": external_id}).all()
    return min(found, key=lambda one: one.id, default=None)


def _relayed_as(session: Session, external_id: str) -> Message | None:
    """None as well for a name that a relay gave to several: it tells none of them."""
    found = session.exec(_RELAYED_AS, params={"external": external_id}).all()
    return found[0] if len(found) == 1 else None


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
    message = sent_as(session, external_id) if other_id else None
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

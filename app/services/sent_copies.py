"""Copies of what was sent, in the folder where people look for such. None is worth a second mail:
whatever becomes of a copy, what it is of stays sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.core import clock
from app.domain.storable import storable
from app.services import changes
from app.services.access import SYSTEM
from app.store import inserting, jobs
from app.store.tables import Inbox, Message, SentCopy, Ticket

_STEPS = (60, 300, 900, 3600)  # seconds between attempts; the last repeats
_AT_MOST = timedelta(minutes=15)  # one attempt lasts; after that whoever began it has died
ATTEMPTS = 24  # most of a day


def want(session: Session, message: Message) -> None:
    """One, once something of it was sent. A feedback request has a link only its reader may see."""
    if message.request:
        return
    wanted = SentCopy(message_id=message.id, next_at=clock.now())
    if inserting.unless_there(session, [wanted]):
        jobs.enqueue(session, "copy", inbox_id=message.inbox_id)


def are_due(session: Session, inbox_id: int) -> bool:
    return session.exec(_due(inbox_id)).first() is not None


def next_due(session: Session, inbox_id: int) -> Message | None:
    """What of the inbox is to be copied now. For a while it is the caller's alone."""
    row = session.exec(
        _due(inbox_id).with_for_update(of=col(SentCopy.id), skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    row.next_at = clock.now() + _AT_MOST
    return session.get_one(Message, row.message_id)


def _due(inbox_id: int) -> SelectOfScalar[SentCopy]:
    return (
        select(SentCopy)
        .where(
            col(SentCopy.next_at) <= clock.now(),
            # So asked, it begins with the few that are due and not with all the inbox ever said.
            select(Message.id)
            .where(Message.id == SentCopy.message_id, Message.inbox_id == inbox_id)
            .exists(),
        )
        .order_by(col(SentCopy.next_at), col(SentCopy.id))
        .limit(1)
    )


def done(session: Session, message_id: int) -> None:
    row = _row(session, message_id)
    if row is None:
        return
    row.next_at = None
    message = session.get_one(Message, message_id)
    note(session, message.inbox_id, "")
    session.add(row)


def failed(session: Session, message_id: int, words: str) -> None:
    """Tried again for a day; after that the ticket says that there is none."""
    message = session.get_one(Message, message_id)
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    row = _row(session, message_id)
    if row is None or row.next_at is None:
        return
    row.attempts += 1
    note(session, message.inbox_id, words)
    if row.attempts >= ATTEMPTS:
        row.next_at = None
        changes.record(session, SYSTEM, ticket, "sent_copy_failed", message=message_id)
    else:
        wait = _STEPS[min(row.attempts, len(_STEPS)) - 1]
        row.next_at = clock.now() + timedelta(seconds=wait)
        jobs.enqueue(session, "copy", delay=wait, inbox_id=message.inbox_id)
    session.add(row)


def stop(session: Session, message_id: int) -> None:
    """Copies are not wanted any more."""
    row = _row(session, message_id)
    if row is not None:
        session.delete(row)


def overdue(session: Session, since: datetime) -> Sequence[int]:
    """Inboxes with a copy that has been due since then: its job was lost, or could do nothing."""
    late = select(SentCopy.message_id).where(col(SentCopy.next_at) < since)
    # Told apart here: with its statistics SQLite would go through all messages for it.
    found = session.exec(select(Message.inbox_id).where(col(Message.id).in_(late))).all()
    return sorted(set(found))


def ours(session: Session, message: Message) -> bool:
    """Whether we ourselves put a copy there, or may have."""
    return _row(session, message.id) is not None


def note(session: Session, inbox_id: int, words: str) -> None:
    """Why the folder cannot be used at the moment, for the administrators; "" when it can."""
    inbox = session.get_one(Inbox, inbox_id)
    if inbox.sent_error != words:
        inbox.sent_error = storable(words)
        session.add(inbox)


def _row(session: Session, message_id: int) -> SentCopy | None:
    return session.exec(
        select(SentCopy).where(SentCopy.message_id == message_id).with_for_update()
    ).one_or_none()

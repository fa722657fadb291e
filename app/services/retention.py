"""Raw sources of what came in and was sent, deleted some time after their tickets were closed.

What is deleted is first written down, in one transaction; its file goes later, and only if no
row has come to name it meanwhile. A worker that dies in between leaves it to the next one.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    literal,
    or_,
    union,
)
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import ArrivalState, DeliveryState, MessageKind, Status
from app.services import changes, organisation
from app.services.access import SYSTEM
from app.store import inserting
from app.store.tables import (
    Arrival,
    Attachment,
    Change,
    Delivery,
    DraftFile,
    DroppedFile,
    Message,
    SentCopy,
    Ticket,
)

AT_ONCE = 500  # files a step looks at

# What nobody can send again. What came back or is in doubt may be, with the same bytes.
_OVER = (DeliveryState.SENT, DeliveryState.CANCELLED)
_OURS: Any = (col(Arrival.sha256), col(Message.rendered_sha256))
_PUT_AWAY = ("marked_spam", "filed_as_spam", "dismissed")


def step(session: Session, after: str, at_most: int = AT_ONCE) -> str:
    """Delete what is due among the next raw sources behind `after`; where to go on, "" at the
    beginning. Every step costs the same, however much there is."""
    house = organisation.current(session)
    if house is None or house.keep_raw_days is None:
        return ""
    until = clock.now() - timedelta(days=house.keep_raw_days)
    names = sorted(set().union(*(_next(session, one, after, at_most) for one in _OURS)))[:at_most]
    _delete(session, set(names) - _wanted(session, names, until), until)
    return names[-1] if len(names) == at_most else ""


def _next(session: Session, column: Any, after: str, at_most: int) -> Sequence[str]:
    filled = column != literal("", literal_execute=True)  # so there is an index for it
    wanted = sql_select(column).where(filled, column > after).group_by(column).order_by(column)
    return session.execute(wanted.limit(at_most)).scalars().all()


def _delete(session: Session, names: Collection[str], until: datetime) -> None:
    if not names:
        return
    # Asked again: the same bytes may have come in anew at this very moment.
    due = session.exec(
        select(Arrival).where(col(Arrival.sha256).in_(names), _due(until)).with_for_update()
    ).all()
    sent = _sent(session, names, until)
    dropped = {one for row in due for one in (row.sha256, row.original_sha256) if one}
    dropped |= {row.rendered_sha256 for row in sent}
    now = clock.now()
    for row in due:
        row.sha256 = row.original_sha256 = ""
        row.raw_deleted_at = now
        session.add(row)
    for message in sent:
        message.rendered_sha256, message.raw_deleted_at = "", now
        session.add(message)
    inserting.unless_there(session, [DroppedFile(sha256=one, at=now) for one in sorted(dropped)])
    if due or sent:
        told = {"sent": len(sent)} if sent else {}
        changes.record(session, SYSTEM, None, "raw_deleted", arrivals=len(due), **told)


def _sent(session: Session, names: Collection[str], until: datetime) -> Sequence[Message]:
    """Those that are due, locked: nobody decides meanwhile that one is sent again."""
    rendered = col(Message.rendered_sha256)
    filled = rendered != literal("", literal_execute=True)  # so there is an index for it
    locked = session.exec(
        select(Message.id)
        .where(filled, rendered.in_(names))
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    return session.exec(
        select(Message)
        .where(col(Message.id).in_(locked), _sent_due(until))
        .execution_options(populate_existing=True)
    ).all()


def _wanted(session: Session, names: Sequence[str], until: datetime) -> set[str]:
    """Those of `names` that something needs which is not due."""
    arrivals = sql_select(col(Arrival.sha256)).where(col(Arrival.sha256).in_(names), ~_due(until))
    sent = _naming(col(Message.rendered_sha256), names).where(~_sent_due(until))
    return set(session.execute(union(arrivals, sent, *_others(names))).scalars())


def _due(until: datetime) -> ColumnElement[bool]:
    """Filed, and everything it became lies on tickets that have been closed since `until`."""
    became = exists().where(col(Message.arrival_id) == col(Arrival.id))
    open_yet = (
        sql_select(literal(1))
        .select_from(Message)
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(~and_(_closed(until), col(Message.unverified).is_(False)))
    )
    own = open_yet.where(col(Message.arrival_id) == col(Arrival.id)).exists()
    repeated = open_yet.where(col(Message.id) == col(Arrival.copy_of_id)).exists()
    # By cases: SQLite would answer one OR the other by going through all that were ever filed.
    over = case(
        (col(Arrival.state) == ArrivalState.FILED, and_(became, ~own)),
        (
            col(Arrival.state) == ArrivalState.COPY,
            and_(col(Arrival.copy_of_id).is_not(None), ~repeated),
        ),
        else_=false(),
    )
    return and_(col(Arrival.received_at) <= until, over)


def _sent_due(until: datetime) -> ColumnElement[bool]:
    """What became of it is certain since `until`, and its ticket has been closed for as long."""
    may_change = exists().where(
        col(Delivery.message_id) == col(Message.id),
        or_(col(Delivery.state).not_in(_OVER), col(Delivery.changed_at) > until),
    )
    to_be_copied = exists().where(
        col(SentCopy.message_id) == col(Message.id), col(SentCopy.next_at).is_not(None)
    )
    closed = exists().where(col(Ticket.id) == col(Message.ticket_id), _closed(until))
    return and_(
        col(Message.kind) == MessageKind.OUTBOUND,
        col(Message.created_at) <= until,
        ~may_change,
        ~to_be_copied,
        closed,
    )


def _closed(until: datetime) -> ColumnElement[bool]:
    of_late = exists().where(
        col(Change.ticket_id) == col(Ticket.id),
        col(Change.what).in_(_PUT_AWAY),
        col(Change.at) > until,
    )
    status, resolved_at = col(Ticket.status), col(Ticket.resolved_at)
    return or_(
        and_(status == Status.RESOLVED, resolved_at.is_not(None), resolved_at <= until),
        and_(status.in_((Status.SPAM, Status.DISMISSED)), ~of_late),
    )


def _others(names: Sequence[str]) -> Iterator[Select[str]]:
    """What else than an arrival's newest source, or a mail that was sent, may name a file."""
    for column in (col(Attachment.sha256), col(DraftFile.sha256)):
        yield sql_select(column).where(column.in_(names))
    yield _naming(col(Arrival.original_sha256), names)


def _naming(column: Any, names: Sequence[str]) -> Select[str]:
    filled = column != literal("", literal_execute=True)  # so there is an index for it
    return sql_select(column).where(filled, column.in_(names))


def dropped(session: Session, at_most: int = AT_ONCE) -> Sequence[str]:
    """Files to be removed, the first that were dropped first."""
    return session.exec(
        select(DroppedFile.sha256).order_by(col(DroppedFile.id)).limit(at_most)
    ).all()


def named(session: Session, names: Sequence[str]) -> set[str]:
    """Those that a row names, and that must stay."""
    arrivals = sql_select(col(Arrival.sha256)).where(col(Arrival.sha256).in_(names))
    sent = _naming(col(Message.rendered_sha256), names)
    return set(session.execute(union(arrivals, sent, *_others(names))).scalars())


def forget(session: Session, names: Collection[str]) -> None:
    """They are off the disk, or needed again."""
    session.execute(delete(DroppedFile).where(col(DroppedFile.sha256).in_(names)))

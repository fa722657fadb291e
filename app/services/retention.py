"""Raw sources of what came in, deleted some time after their tickets were closed.

What is deleted is first written down, in one transaction; its file goes later, and only if no
row has come to name it meanwhile. A worker that dies in between leaves it to the next one.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

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
from app.domain.words import ArrivalState, Status
from app.services import changes, organisation
from app.services.access import SYSTEM
from app.store import inserting
from app.store.tables import (
    Arrival,
    Attachment,
    Change,
    DraftFile,
    DroppedFile,
    Message,
    Ticket,
)

AT_ONCE = 500  # files a step looks at

_PUT_AWAY = ("marked_spam", "filed_as_spam", "dismissed")


def step(session: Session, after: str, at_most: int = AT_ONCE) -> str:
    """Delete what is due among the next raw sources behind `after`; where to go on, "" at the
    beginning. Every step costs the same, however much there is."""
    house = organisation.current(session)
    if house is None or house.keep_raw_days is None:
        return ""
    until = clock.now() - timedelta(days=house.keep_raw_days)
    name = col(Arrival.sha256)
    found = session.execute(
        sql_select(name).where(name > after).group_by(name).order_by(name).limit(at_most)
    )
    names = found.scalars().all()
    _delete(session, set(names) - _wanted(session, names, until), until)
    return names[-1] if len(names) == at_most else ""


def _delete(session: Session, names: Collection[str], until: datetime) -> None:
    if not names:
        return
    # Asked again: the same bytes may have come in anew at this very moment.
    due = session.exec(
        select(Arrival).where(col(Arrival.sha256).in_(names), _due(until)).with_for_update()
    ).all()
    dropped = {one for row in due for one in (row.sha256, row.original_sha256) if one}
    for row in due:
        row.sha256 = row.original_sha256 = ""
        row.raw_deleted_at = clock.now()
        session.add(row)
    now = clock.now()
    inserting.unless_there(session, [DroppedFile(sha256=one, at=now) for one in sorted(dropped)])
    if due:
        changes.record(session, SYSTEM, None, "raw_deleted", arrivals=len(due))


def _wanted(session: Session, names: Sequence[str], until: datetime) -> set[str]:
    """Those of `names` that something needs which is not due."""
    arrivals = sql_select(col(Arrival.sha256)).where(col(Arrival.sha256).in_(names), ~_due(until))
    return set(session.execute(union(arrivals, *_others(names))).scalars())


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
    """What else than an arrival's newest source may name a file."""
    for column in (col(Attachment.sha256), col(DraftFile.sha256)):
        yield sql_select(column).where(column.in_(names))
    for column in (col(Arrival.original_sha256), col(Message.rendered_sha256)):
        filled = column != literal("", literal_execute=True)  # so there is an index for it
        yield sql_select(column).where(filled, column.in_(names))


def dropped(session: Session, at_most: int = AT_ONCE) -> Sequence[str]:
    """Files to be removed, the first that were dropped first."""
    return session.exec(
        select(DroppedFile.sha256).order_by(col(DroppedFile.id)).limit(at_most)
    ).all()


def named(session: Session, names: Sequence[str]) -> set[str]:
    """Those that a row names, and that must stay."""
    arrivals = sql_select(col(Arrival.sha256)).where(col(Arrival.sha256).in_(names))
    return set(session.execute(union(arrivals, *_others(names))).scalars())


def forget(session: Session, names: Collection[str]) -> None:
    """They are off the disk, or needed again."""
    session.execute(delete(DroppedFile).where(col(DroppedFile.sha256).in_(names)))

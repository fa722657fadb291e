"""The inbox as a list: one statement for the rows, one for the counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, String, Text, and_, bindparam, cast, func, literal, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import Invalid
from app.domain.words import ArrivalState, DeliveryState, FollowUpState, Head, Status
from app.services.access import Actor
from app.services.queries.vocabulary import labels_of
from app.store.tables import (
    Address,
    Agent,
    Arrival,
    Customer,
    Delivery,
    FollowUp,
    Seen,
    Ticket,
    Topic,
)

COUNTED_UP_TO = 100
"""A badge says 99+ beyond: counting every one of fifty thousand would cost the page its speed."""


class View(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    TRIAGE = "triage"
    WAITING = "waiting"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    SPAM = "spam"
    DISMISSED = "dismissed"
    UNVERIFIED = "unverified"


class Sort(StrEnum):
    LONGEST = "longest"
    NEWEST = "newest"


_STATUS = {
    View.WAITING: Status.WAITING,
    View.SNOOZED: Status.SNOOZED,
    View.RESOLVED: Status.RESOLVED,
    View.SPAM: Status.SPAM,
    View.DISMISSED: Status.DISMISSED,
}  # every other view shows what waits for us

_DONE = frozenset({View.RESOLVED, View.SPAM, View.DISMISSED})
_BY_ACTIVITY = _DONE | {View.WAITING, View.UNVERIFIED}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: a view or what a search found, in which order, from where on."""

    view: View = View.MINE
    sort: Sort | None = None
    after: str = ""  # where the page before ended
    found: tuple[int, ...] | None = None  # tickets a search found, whatever their status
    refs: tuple[str, ...] = ()  # only these, to draw single rows anew
    flag: Head | None = None  # only what is urgent, or a complaint
    language: str = ""  # only what is written in it
    size: int = 50

    @property
    def order(self) -> Sort:
        newest = self.view in _DONE or self.found is not None
        return self.sort or (Sort.NEWEST if newest else Sort.LONGEST)


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that takes six times as long to make
class Row:
    ref: str
    subject: str
    preview: str
    channel: str
    status: Status
    language: str
    customer: str
    customer_language: str
    assignee_id: int | None
    assignee: str
    unread: bool
    waiting_since: datetime | None
    due_at: datetime | None
    snoozed_until: datetime | None
    last_activity_at: datetime
    first_responded_at: datetime | None
    stage: str
    stage_by: str
    stage_probability: float | None
    stage_basis: str
    topic: Mapping[str, str] | None  # hashable, as `labels_of` makes it
    topic_by: str
    topic_probability: float | None
    topic_basis: str
    urgent: bool
    urgent_by: str
    complaint: bool
    complaint_by: str
    has_files: bool
    sample: bool
    version: int


@dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[Row, ...]
    next: str = ""  # what to ask for to see more


@dataclass(frozen=True, slots=True)
class Counts:
    """How many wait in each view, up to `COUNTED_UP_TO`."""

    views: Mapping[View, int]
    follow_ups: int
    set_aside: int
    outbox: int


# Literals: a database takes an index of some rows only where it sees what they have in common.
_NEEDS_TRIAGE = and_(
    col(Ticket.status) == literal(Status.OPEN.value, String, literal_execute=True),
    or_(col(Ticket.stage) == literal("", literal_execute=True), col(Ticket.topic_id).is_(None)),
)


_UNVERIFIED = col(Ticket.unverified) > literal(0, literal_execute=True)


def _in_view(view: View) -> ColumnElement[bool]:
    """Whose “mine” is meant, the parameter `me` says."""
    if view is View.UNVERIFIED:  # whatever its status: somebody has to look at it
        return and_(_UNVERIFIED, col(Ticket.status) != Status.SPAM)
    status = col(Ticket.status) == _STATUS.get(view, Status.OPEN)
    if view is View.MINE:
        return and_(status, col(Ticket.assignee_id) == bindparam("me"))
    if view is View.UNASSIGNED:
        return and_(status, col(Ticket.assignee_id).is_(None))
    if view is View.TRIAGE:
        return _NEEDS_TRIAGE
    return status


# A customer without a name is called by the address they first wrote from.
_ADDRESS = (
    sql_select(col(Address.value))
    .where(col(Address.customer_id) == col(Customer.id))
    .order_by(col(Address.id))
    .limit(1)
    .scalar_subquery()
)

# Columns, not whole tickets: making fifty of those takes longer than finding them. In the order
# of `Row`, and behind them what a row does not show.
_ROWS = (
    sql_select(
        *map(
            col,
            (
                Ticket.ref, Ticket.subject, Ticket.preview, Ticket.channel, Ticket.status,
                Ticket.language,
            ),
        ),
        func.coalesce(func.nullif(col(Customer.name), ""), _ADDRESS, ""),
        func.coalesce(func.nullif(col(Customer.language), ""), col(Ticket.language)),
        col(Ticket.assignee_id),
        func.coalesce(col(Agent.name), ""),
        and_(
            col(Ticket.last_inbound_at).is_not(None),
            or_(col(Seen.at).is_(None), col(Ticket.last_inbound_at) > col(Seen.at)),
        ),
        *map(
            col,
            (
                Ticket.waiting_since, Ticket.due_at, Ticket.snoozed_until, Ticket.last_activity_at,
                Ticket.first_responded_at, Ticket.stage, Ticket.stage_by, Ticket.stage_probability,
                Ticket.stage_basis,
            ),
        ),
        cast(col(Topic.labels), Text),
        *map(
            col,
            (
                Ticket.topic_by, Ticket.topic_probability, Ticket.topic_basis, Ticket.urgent,
                Ticket.urgent_by, Ticket.complaint, Ticket.complaint_by, Ticket.has_files,
                Ticket.sample, Ticket.version, Ticket.id,
            ),
        ),
    )
    .join(Customer, col(Customer.id) == col(Ticket.customer_id))
    .outerjoin(Agent, col(Agent.id) == col(Ticket.assignee_id))
    .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
    .outerjoin(
        Seen, and_(col(Seen.ticket_id) == col(Ticket.id), col(Seen.agent_id) == bindparam("me"))
    )
    .limit(bindparam("size"))
)  # fmt: skip
_TOPIC = 20  # place of the topic's labels in it


def rows(session: Session, actor: Actor, selection: Selection) -> Rows:
    """The rows of a page, one statement whatever their number."""
    statement = _plain(selection.view, selection.order, selection.flag, selection.language)
    if selection.refs or selection.found is not None or selection.after:
        statement = _ordered(_ROWS.where(*_wanted(selection)), selection.view, selection.order)
    found = (
        session.connection()
        .execute(statement, {"me": actor.agent_id, "size": selection.size + 1})
        .all()
    )
    shown = tuple(map(_row, found[: selection.size]))
    more = len(found) > selection.size
    next_ = _cursor(selection, shown[-1], found[selection.size - 1][-1]) if more else ""
    return Rows(rows=shown, next=next_)


@lru_cache(maxsize=64)
def _plain(view: View, order: Sort, flag: Head | None, language: str) -> Any:
    """The beginning of a view: made once, because making it costs as much as running it."""
    return _ordered(_ROWS.where(_in_view(view), *_filters(flag, language)), view, order)


def _filters(flag: Head | None, language: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if flag is not None:
        found.append(col(Ticket.urgent if flag is Head.URGENT else Ticket.complaint).is_(True))
    if language:
        found.append(col(Ticket.language) == language)
    return found


def _ordered(statement: Any, view: View, order: Sort) -> Any:
    if order is Sort.LONGEST:
        return statement.order_by(_longest_key(view).asc().nulls_last(), col(Ticket.id))
    return statement.order_by(col(Ticket.last_activity_at).desc(), col(Ticket.id).desc())


def _wanted(selection: Selection) -> Sequence[ColumnElement[bool]]:
    if selection.refs:
        return [col(Ticket.ref).in_(selection.refs)]
    which = (
        _in_view(selection.view) if selection.found is None else col(Ticket.id).in_(selection.found)
    )
    filters = _filters(selection.flag, selection.language)
    return [which, *filters, *([_beyond(selection)] if selection.after else [])]


def _longest_key(view: View) -> Any:
    if view in _BY_ACTIVITY:
        return col(Ticket.last_activity_at)
    return col(Ticket.snoozed_until if view is View.SNOOZED else Ticket.waiting_since)


def _moment_of(selection: Selection, row: Row) -> datetime | None:
    if selection.order is Sort.NEWEST or selection.view in _BY_ACTIVITY:
        return row.last_activity_at
    return row.snoozed_until if selection.view is View.SNOOZED else row.waiting_since


def _cursor(selection: Selection, row: Row, number: int) -> str:
    at = _moment_of(selection, row)
    return f"{at.timestamp():.6f}-{number}" if at else f"-{number}"


_MARK = re.compile(r"([0-9]{1,10}\.[0-9]{6})?-([0-9]{1,18})")


def _beyond(selection: Selection) -> ColumnElement[bool]:
    mark = _MARK.fullmatch(selection.after)
    if mark is None or (not mark[1] and selection.order is Sort.NEWEST):
        raise Invalid("This list cannot be continued from there.")
    last = int(mark[2])
    at = datetime.fromtimestamp(float(mark[1]), UTC) if mark[1] else None
    beyond = col(Ticket.id) > last
    if selection.order is Sort.NEWEST:
        key = col(Ticket.last_activity_at)
        return or_(key < at, and_(key == at, col(Ticket.id) < last))
    longest = _longest_key(selection.view)
    if at is None:
        return and_(longest.is_(None), beyond)
    return or_(longest > at, and_(longest == at, beyond), longest.is_(None))


def _row(found: Sequence[Any]) -> Row:
    *values, _ = found
    topic = values[_TOPIC]
    values[_TOPIC] = labels_of(topic) if topic else None
    return Row(*values)


_NEEDS_A_PERSON = (DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD)


@cache
def _counting(samples: bool) -> tuple[tuple[str, ...], Any]:
    """The names of the badges, and the statement that counts all of them; made once.

    Where there are no samples, none has to be left out: that would ask for every row.
    """
    badges: dict[str, tuple[Any, ColumnElement[bool]]] = {
        **{view.value: (Ticket, _in_view(view)) for view in View if view not in _DONE},
        "follow_ups": (
            FollowUp,
            col(FollowUp.state).in_((FollowUpState.OPEN, FollowUpState.CONTACTED)),
        ),
        "set_aside": (Arrival, col(Arrival.state) == ArrivalState.SET_ASIDE),
        "outbox": (Delivery, col(Delivery.state).in_(_NEEDS_A_PERSON)),
    }
    counted = [
        sql_select(func.count())
        .select_from(
            sql_select(literal(1).label("one"))
            .select_from(table)
            .where(condition, *(_real(table) if samples else []))
            .limit(COUNTED_UP_TO)
            .subquery()
        )
        .scalar_subquery()
        .label(name)
        for name, (table, condition) in badges.items()
    ]
    return tuple(badges), sql_select(*counted)


def _real(table: Any) -> Sequence[ColumnElement[bool]]:
    """What nobody made up. What is in the outbox or set aside is shown with its reason."""
    if table is Ticket:
        return [col(Ticket.sample).is_(False)]
    if table is FollowUp:
        ours = sql_select(col(Ticket.id)).where(col(Ticket.sample).is_(True))
        return [col(FollowUp.ticket_id).not_in(ours)]
    return []


def counts(session: Session, actor: Actor, *, samples: bool = False) -> Counts:
    """Every badge of the navigation in one statement; `samples`: there are some, not counted."""
    names, statement = _counting(samples)
    found = session.connection().execute(statement, {"me": actor.agent_id}).one()
    values = dict(zip(names, found, strict=True))
    return Counts(
        views={view: values[view.value] for view in View if view not in _DONE},
        follow_ups=values["follow_ups"],
        set_aside=values["set_aside"],
        outbox=values["outbox"],
    )

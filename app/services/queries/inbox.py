"""The inbox as a list: one statement for the rows, one for the counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlalchemy import Row as Found
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import Invalid
from app.domain.words import ArrivalState, DeliveryState, FollowUpState, Status
from app.services.access import Actor
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


class Sort(StrEnum):
    LONGEST = "longest"
    NEWEST = "newest"


_STATUS = {
    View.WAITING: Status.WAITING,
    View.SNOOZED: Status.SNOOZED,
    View.RESOLVED: Status.RESOLVED,
    View.SPAM: Status.SPAM,
}  # every other view shows what waits for us

_DONE = frozenset({View.RESOLVED, View.SPAM})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: a view or what a search found, in which order, from where on."""

    view: View = View.MINE
    sort: Sort | None = None
    after: str = ""  # where the page before ended
    found: tuple[int, ...] | None = None  # tickets a search found, whatever their status
    refs: tuple[str, ...] = ()  # only these, to draw single rows anew
    size: int = 50

    @property
    def order(self) -> Sort:
        newest = self.view in _DONE or self.found is not None
        return self.sort or (Sort.NEWEST if newest else Sort.LONGEST)


@dataclass(frozen=True, slots=True)
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
    topic: Mapping[str, str] | None
    topic_by: str
    topic_probability: float | None
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


def _in_view(actor: Actor, view: View) -> ColumnElement[bool]:
    status = col(Ticket.status) == _STATUS.get(view, Status.OPEN)
    if view is View.MINE:
        return and_(status, col(Ticket.assignee_id) == actor.agent_id)
    if view is View.UNASSIGNED:
        return and_(status, col(Ticket.assignee_id).is_(None))
    if view is View.TRIAGE:
        return and_(status, or_(col(Ticket.stage) == "", col(Ticket.topic_id).is_(None)))
    return status


# Columns, not whole tickets: making fifty of those takes longer than finding them.
_SHOWN = (
    Ticket.id, Ticket.ref, Ticket.subject, Ticket.preview, Ticket.channel, Ticket.status,
    Ticket.language, Ticket.assignee_id, Ticket.waiting_since, Ticket.due_at, Ticket.snoozed_until,
    Ticket.last_activity_at, Ticket.last_inbound_at, Ticket.first_responded_at, Ticket.stage,
    Ticket.stage_by, Ticket.stage_probability, Ticket.topic_by, Ticket.topic_probability,
    Ticket.has_files, Ticket.sample, Ticket.version,
)  # fmt: skip


def rows(session: Session, actor: Actor, selection: Selection) -> Rows:
    """The rows of a page, one statement whatever their number."""
    # A customer without a name is called by the address they first wrote from.
    address = (
        sql_select(col(Address.value))
        .where(col(Address.customer_id) == col(Customer.id))
        .order_by(col(Address.id))
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sql_select(
            *map(col, _SHOWN),
            col(Customer.name).label("customer"),
            col(Customer.language).label("customer_language"),
            col(Agent.name).label("assignee"),
            col(Topic.labels).label("topic"),
            col(Seen.at).label("seen_at"),
            address.label("address"),
        )
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .outerjoin(Agent, col(Agent.id) == col(Ticket.assignee_id))
        .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
        .outerjoin(
            Seen, and_(col(Seen.ticket_id) == col(Ticket.id), col(Seen.agent_id) == actor.agent_id)
        )
        .where(*_wanted(actor, selection))
        .limit(selection.size + 1)
    )
    if selection.order is Sort.LONGEST:
        key = _longest_key(selection.view)
        statement = statement.order_by(key.asc().nulls_last(), col(Ticket.id))
    else:
        statement = statement.order_by(col(Ticket.last_activity_at).desc(), col(Ticket.id).desc())
    found = session.execute(statement).all()
    shown = found[: selection.size]
    more = len(found) > selection.size
    return Rows(
        rows=tuple(_row(one) for one in shown),
        next=_cursor(selection, shown[-1]) if more else "",
    )


def _wanted(actor: Actor, selection: Selection) -> Sequence[ColumnElement[bool]]:
    if selection.refs:
        return [col(Ticket.ref).in_(selection.refs)]
    which = (
        _in_view(actor, selection.view)
        if selection.found is None
        else col(Ticket.id).in_(selection.found)
    )
    return [which, *([_beyond(selection)] if selection.after else [])]


def _longest_key(view: View) -> Any:
    if view in {View.WAITING, View.RESOLVED, View.SPAM}:
        return col(Ticket.last_activity_at)
    return col(Ticket.snoozed_until if view is View.SNOOZED else Ticket.waiting_since)


def _moment_of(selection: Selection, ticket: Found[Any]) -> Any:
    if selection.order is Sort.NEWEST or selection.view in {
        View.WAITING, View.RESOLVED, View.SPAM
    }:  # fmt: skip
        return ticket.last_activity_at
    return ticket.snoozed_until if selection.view is View.SNOOZED else ticket.waiting_since


def _cursor(selection: Selection, ticket: Found[Any]) -> str:
    at = _moment_of(selection, ticket)
    return f"{at.timestamp():.6f}-{ticket.id}" if at else f"-{ticket.id}"


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


def _row(ticket: Found[Any]) -> Row:
    inbound, seen_at = ticket.last_inbound_at, ticket.seen_at
    return Row(
        ref=ticket.ref,
        subject=ticket.subject,
        preview=ticket.preview,
        channel=ticket.channel,
        status=ticket.status,
        language=ticket.language,
        customer=ticket.customer or ticket.address or "",
        customer_language=ticket.customer_language or ticket.language,
        assignee_id=ticket.assignee_id,
        assignee=ticket.assignee or "",
        unread=inbound is not None and (seen_at is None or inbound > seen_at),
        waiting_since=ticket.waiting_since,
        due_at=ticket.due_at,
        snoozed_until=ticket.snoozed_until,
        last_activity_at=ticket.last_activity_at,
        first_responded_at=ticket.first_responded_at,
        stage=ticket.stage,
        stage_by=ticket.stage_by,
        stage_probability=ticket.stage_probability,
        topic=ticket.topic,
        topic_by=ticket.topic_by,
        topic_probability=ticket.topic_probability,
        has_files=ticket.has_files,
        sample=ticket.sample,
        version=ticket.version,
    )


_NEEDS_A_PERSON = (DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD)


def counts(session: Session, actor: Actor) -> Counts:
    """Every badge of the navigation in one statement."""
    badges = {
        **{view.value: (Ticket, _in_view(actor, view)) for view in View if view not in _DONE},
        "follow_ups": (
            FollowUp,
            col(FollowUp.state).in_((FollowUpState.OPEN, FollowUpState.CONTACTED)),
        ),
        "set_aside": (Arrival, col(Arrival.state) == ArrivalState.SET_ASIDE),
        "outbox": (Delivery, col(Delivery.state).in_(_NEEDS_A_PERSON)),
    }
    found = session.execute(
        sql_select(
            *(
                sql_select(func.count())
                .select_from(
                    sql_select(literal(1).label("one"))
                    .select_from(table)
                    .where(condition)
                    .limit(COUNTED_UP_TO)
                    .subquery()
                )
                .scalar_subquery()
                .label(name)
                for name, (table, condition) in badges.items()
            )
        )
    ).one()
    values = dict(zip(badges, found, strict=True))
    return Counts(
        views={view: values[view.value] for view in View if view not in _DONE},
        follow_ups=values["follow_ups"],
        set_aside=values["set_aside"],
        outbox=values["outbox"],
    )

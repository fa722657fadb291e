"""Unusually many inquiries about one topic: what goes on, what was, and since when we watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, and_, bindparam, cast
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import NotFound
from app.domain import surge as rules
from app.domain.surge import Span
from app.services import surges
from app.services.access import Actor, Permission, require
from app.services.queries.vocabulary import labels_of
from app.store.tables import Surge, SurgeSeen, Ticket, Topic

_LISTED = 20
FOUND_UP_TO = 200


@dataclass(frozen=True, slots=True)
class Alarm:
    id: int
    topic: str  # its key; "" where the model was unsure
    names: Mapping[str, str] | None
    since: datetime
    ended_at: datetime | None
    count: int
    expected: float  # in the same hours of earlier weeks
    seen: bool  # by whoever asks


@dataclass(frozen=True, slots=True)
class Overview:
    alarms: Sequence[Alarm]  # the newest first, also those that are over
    begins_at: datetime | None  # when enough is known of what is usual; None: it is


# Made once: every page of the inbox asks this.
_ALARMS = (
    sql_select(
        col(Surge.id), col(Topic.key), cast(col(Topic.labels), Text), col(Surge.since),
        col(Surge.ended_at), col(Surge.count), col(Surge.expected),
        col(SurgeSeen.id).is_not(None),
    )
    .outerjoin(Topic, col(Topic.id) == col(Surge.topic_id))
    .outerjoin(
        SurgeSeen,
        and_(
            col(SurgeSeen.surge_id) == col(Surge.id), col(SurgeSeen.agent_id) == bindparam("me")
        ),
    )
    .order_by(col(Surge.id).desc())
)  # fmt: skip
_GOING_ON = _ALARMS.where(col(Surge.ended_at).is_(None))
_NEWEST = _ALARMS.limit(_LISTED)
_ONE = _ALARMS.where(col(Surge.id) == bindparam("surge"))


def going_on(session: Session, actor: Actor) -> tuple[Alarm, ...]:
    found = session.connection().execute(_GOING_ON, {"me": actor.agent_id})
    return tuple(_alarm(row) for row in found)


def untold(session: Session, actor: Actor) -> tuple[Alarm, ...]:
    """What goes on and this person has not said they know of."""
    return tuple(alarm for alarm in going_on(session, actor) if not alarm.seen)


def one(session: Session, actor: Actor, surge_id: int) -> Alarm:
    found = session.connection().execute(_ONE, {"me": actor.agent_id, "surge": surge_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such alarm.")
    return _alarm(row)


def overview(session: Session, actor: Actor) -> Overview:
    require(actor, Permission.READ)
    found = session.connection().execute(_NEWEST, {"me": actor.agent_id})
    return Overview([_alarm(row) for row in found], _begins_at(session))


def tickets(session: Session, actor: Actor, surge_id: int) -> tuple[int, ...]:
    """The inquiries themselves, the newest of them."""
    require(actor, Permission.READ)
    row = surges.by_id(session, surge_id)
    span = Span(row.since, row.ended_at or clock.now() + timedelta(seconds=1))
    return tuple(
        session.exec(
            select(Ticket.id)
            .where(*surges.within(row.topic_id, span))
            .order_by(col(Ticket.id).desc())
            .limit(FOUND_UP_TO)
        )
    )


def _begins_at(session: Session) -> datetime | None:
    first = surges.began(session) or clock.now()
    begins = first + timedelta(weeks=rules.FEWEST_WEEKS, hours=min(rules.HOURS))
    return begins if begins > clock.now() else None


def _alarm(row: Sequence[Any]) -> Alarm:
    number, key, labels, *rest = row
    return Alarm(number, key or "", labels_of(labels) if labels else None, *rest)

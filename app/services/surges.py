"""Unusually many inquiries about one topic: noticed once, followed, and over again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, literal, union_all
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import NotFound
from app.domain import surge as rules
from app.domain.surge import Look, Span
from app.domain.words import NO_INQUIRY
from app.services import changes, organisation
from app.services.access import SYSTEM, Actor, Permission, require
from app.store.inserting import unless_there
from app.store.tables import Arrival, Message, Surge, SurgeSeen, Ticket, Topic

Watched = Mapping[int | None, datetime]
"""Topics, and the model's being unsure as None, each with how far back its past reaches."""

_IMPORTED = (
    sql_select(col(Message.id))
    .join(Arrival, col(Arrival.id) == col(Message.arrival_id))
    .where(col(Message.ticket_id) == col(Ticket.id), col(Arrival.backlog).is_(True))
    .exists()
)
_COUNTS = (
    col(Ticket.sample).is_(False),
    col(Ticket.automatic).is_(False),
    col(Ticket.status).not_in(NO_INQUIRY),
    ~_IMPORTED,  # old mail that is brought in comes all at once
)


def began(session: Session) -> datetime | None:
    """When the first inquiry came: before that, none says nothing."""
    return session.exec(
        select(Ticket.created_at)
        .where(col(Ticket.sample).is_(False), col(Ticket.automatic).is_(False))
        .order_by(col(Ticket.created_at))
        .limit(1)
    ).one_or_none()


def within(topic_id: int | None, span: Span) -> tuple[ColumnElement[bool], ...]:
    """The inquiries of one topic that count."""
    topic = col(Ticket.topic_id)
    return (*_in(span), topic.is_(None) if topic_id is None else topic == topic_id)


def _in(span: Span) -> tuple[ColumnElement[bool], ...]:
    created = col(Ticket.created_at)
    return (created >= span.start, created < span.end, *_COUNTS)


def watch(session: Session) -> None:
    """Raise an alarm for what has become unusual, follow what goes on, and end what is over."""
    house, first = organisation.current(session), began(session)
    if house is None or first is None:
        return
    zone, watched = ZoneInfo(house.time_zone), _watched(session, first)
    looks = _looks(session, zone, watched)
    going = session.exec(select(Surge).where(col(Surge.ended_at).is_(None))).all()
    for one in going:
        if any(look.goes_on for look in looks.get(one.topic_id, ())):
            _follow(session, one, zone, watched[one.topic_id])
        else:
            one.ended_at = clock.now()
            session.add(one)
    for topic_id in looks.keys() - {one.topic_id for one in going}:
        for hours, look in zip(rules.HOURS, looks[topic_id], strict=False):
            if look.alarming:
                _raise(session, topic_id, rules.until(clock.now(), hours), look)
                break


def _watched(session: Session, first: datetime) -> Watched:
    topics = session.exec(select(Topic.id, Topic.added_at).where(col(Topic.active).is_(True)))
    return {None: first, **{number: max(first, added or first) for number, added in topics}}


def _looks(session: Session, zone: tzinfo, watched: Watched) -> dict[int | None, list[Look]]:
    """What there is to say of each topic, the shortest time first."""
    found: dict[int | None, list[Look]] = defaultdict(list)
    tests = len(rules.HOURS) * len(watched)
    for hours in rules.HOURS:
        span = rules.until(clock.now(), hours)
        before = rules.earlier(span, zone, min(watched.values()))
        counted = _counted(session, [span, *before])
        for topic_id, first in watched.items():
            now, *weeks = counted.get(topic_id, [0] * (1 + len(before)))
            past = [n for n, one in zip(weeks, before, strict=True) if one.start >= first]
            if look := rules.judge(now, past, tests):
                found[topic_id].append(look)
    return found


def _counted(session: Session, spans: Sequence[Span]) -> dict[int | None, list[int]]:
    """How many there were of each topic, span by span."""
    parts = [
        sql_select(literal(place), col(Ticket.topic_id), func.count())
        .where(*_in(span))
        .group_by(col(Ticket.topic_id))
        for place, span in enumerate(spans)
    ]
    found: dict[int | None, list[int]] = defaultdict(lambda: [0] * len(spans))
    for place, topic_id, count in session.execute(union_all(*parts)):
        found[topic_id][place] = count
    return found


def _raise(session: Session, topic_id: int | None, span: Span, look: Look) -> None:
    since = session.exec(select(func.min(Ticket.created_at)).where(*within(topic_id, span))).one()
    made = Surge(
        topic_id=topic_id,
        since=since,
        found_at=clock.now(),
        count=look.count,
        expected=look.expected,
    )
    session.add(made)
    session.flush()
    changes.record(session, SYSTEM, None, "surge_began", surge=made.id, count=look.count)


def _follow(session: Session, surge: Surge, zone: tzinfo, first: datetime) -> None:
    span = Span(surge.since, clock.now())
    before = rules.earlier(span, zone, first)
    now, *weeks = _counted(session, [span, *before]).get(surge.topic_id, [0] * (1 + len(before)))
    surge.count = now
    if weeks:
        surge.expected = rules.usual(weeks)
    session.add(surge)


def by_id(session: Session, surge_id: int) -> Surge:
    found = session.get(Surge, surge_id)
    if found is None:
        raise NotFound("There is no such alarm.")
    return found


def seen(session: Session, actor: Actor, surge_id: int) -> None:
    """This person knows. Everybody else is told as before."""
    require(actor, Permission.READ)
    by_id(session, surge_id)
    if actor.agent_id:
        row = SurgeSeen(surge_id=surge_id, agent_id=actor.agent_id, at=clock.now())
        unless_there(session, [row])

"""The organisation's own topics: made, renamed, merged, put out of use; none loses history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid, NotFound
from app.domain.words import LANGUAGES
from app.services import changes
from app.services.access import Actor, Permission, require
from app.store.tables import Ticket, Topic

LONGEST = 80  # characters of a name
MOST = 100  # topics; nobody finds their way among more, and each costs the model


@dataclass(frozen=True, slots=True)
class Known:
    key: str
    labels: Mapping[str, str]
    tickets: int


def listed(session: Session) -> list[Known]:
    """Those in use, in their order."""
    return _counted(session, col(Topic.active).is_(True))


def out_of_use(session: Session) -> list[Known]:
    """Those that can be used again; what was merged is another one now."""
    return _counted(session, col(Topic.active).is_(False), col(Topic.merged_into).is_(None))


def _counted(session: Session, *which: ColumnElement[bool]) -> list[Known]:
    counted = (
        select(Topic, func.count(col(Ticket.id)))
        .outerjoin(Ticket, col(Ticket.topic_id) == col(Topic.id))
        .where(*which)
        .group_by(col(Topic.id))
        .order_by(col(Topic.position), col(Topic.id))
    )
    return [Known(topic.key, topic.labels, number) for topic, number in session.exec(counted)]


def add(session: Session, actor: Actor, labels: Mapping[str, str]) -> Topic:
    """A new one. Its names are the first thing the model learns of it."""
    require(actor, Permission.ADMIN)
    there = _in_use(session)
    named = _checked(labels, there)
    _leave_room(there)
    last = session.exec(select(func.max(Topic.position))).one() or 0
    # Not made from its name: that may change, and what is stored must not.
    key = f"t_{secrets.new_ref()}"
    made = Topic(key=key, position=last + 1, labels=named, added_at=clock.now())
    session.add(made)
    session.flush()
    changes.record(session, actor, None, "topic_added", topic=made.key)
    return made


def rename(session: Session, actor: Actor, key: str, labels: Mapping[str, str]) -> Topic:
    """Only what it is called changes: tickets, labels and predictions keep meaning it."""
    require(actor, Permission.ADMIN)
    found = _there(session, key)
    others = [topic for topic in _in_use(session) if topic.id != found.id]
    found.labels = _checked(labels, others)
    session.add(found)
    changes.record(session, actor, None, "topic_renamed", topic=key)
    return found


def merge(session: Session, actor: Actor, key: str, into: str) -> Topic:
    """One of two: tickets move, and what people said of the one is learned for the other."""
    require(actor, Permission.ADMIN)
    gone, stays = _there(session, key), _there(session, into)
    if gone.id == stays.id:
        raise Conflict("That is the same topic.")
    gone.active, gone.merged_into = False, stays.id
    session.add(gone)
    for moving in (
        update(Topic).where(col(Topic.merged_into) == gone.id).values(merged_into=stays.id),
        update(Ticket).where(col(Ticket.topic_id) == gone.id).values(topic_id=stays.id),
    ):
        session.execute(moving.execution_options(synchronize_session="fetch"))
    changes.record(session, actor, None, "topics_merged", topic=key, into=into)
    return stays


def put_out_of_use(session: Session, actor: Actor, key: str) -> Topic:
    """Nobody chooses it and nothing is learned of it any more; its tickets keep it."""
    require(actor, Permission.ADMIN)
    there = _in_use(session)
    gone = _there(session, key)
    if len(there) == 1:
        raise Conflict("At least one topic stays in use.")
    gone.active = False
    session.add(gone)
    changes.record(session, actor, None, "topic_out_of_use", topic=key)
    return gone


def use_again(session: Session, actor: Actor, key: str) -> Topic:
    """As if it had never been out of use, with all that was said of it before."""
    require(actor, Permission.ADMIN)
    there = _in_use(session)
    back = session.exec(select(Topic).where(Topic.key == key).with_for_update()).one_or_none()
    if back is None or back.merged_into is not None:
        raise NotFound("There is no such topic.")
    if back.active:
        raise Conflict("This topic is in use.")
    _checked(back.labels, there)
    _leave_room(there)
    back.active = True
    session.add(back)
    changes.record(session, actor, None, "topic_used_again", topic=key)
    return back


def _leave_room(there: Sequence[Topic]) -> None:
    if len(there) >= MOST:
        raise Conflict(f"There are {MOST} topics already; merge some first.")


def _in_use(session: Session) -> Sequence[Topic]:
    # Locked: of two that are added at once under one name the second must see the first.
    return session.exec(
        select(Topic).where(col(Topic.active).is_(True)).order_by(col(Topic.id)).with_for_update()
    ).all()


def _there(session: Session, key: str) -> Topic:
    found = session.exec(select(Topic).where(Topic.key == key).with_for_update()).one_or_none()
    if found is None or not found.active:
        raise NotFound("There is no such topic.")
    return found


def _checked(labels: Mapping[str, str], others: Sequence[Topic]) -> dict[str, str]:
    """Names in the languages of the screens; those that are missing are borrowed."""
    named = {one: labels.get(one, "").strip() for one in LANGUAGES}
    given = [name for name in named.values() if name]
    if not given:
        raise Invalid("The topic needs a name.", field="name")
    if max(map(len, given)) > LONGEST:
        raise Invalid(f"A name has {LONGEST} characters at most.", field="name")
    taken = {name.casefold() for topic in others for name in topic.labels.values()}
    if twice := next((name for name in given if name.casefold() in taken), ""):
        raise Conflict(f"There is a topic called “{twice}” already.")
    return {one: name or named["en"] or given[0] for one, name in named.items()}

"""What people said of inquiries, as a model learns it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.domain.shares import capped
from app.domain.text import judged
from app.domain.words import FLAGS, TAGS, Head, MessageKind, Status, Verdict
from app.store.seeds import TOPICS
from app.store.tables import Change, Correction, Customer, Message, Ticket, Topic, Touchpoint

NEWEST = 20_000  # tickets that are learned from
_OF_MODEL = ("model", "suggestion")  # set by itself, or only suggested
_NOBODY = 0  # number of no agent
_RESOLVED = 0.3  # weight of what nobody objected to
_WEIGHTS = {Verdict.CORRECTED: 2.0, Verdict.ACCEPTED: 1.0, Verdict.NO_INQUIRY: 2.0}


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one head. No `label`: that it is no inquiry."""

    label: str
    weight: float
    agent_id: int
    said: int  # number of the verdict; 0 where nobody said anything
    weak: bool = False  # the model's own, with which somebody resolved the ticket


@dataclass(frozen=True, slots=True)
class Lesson:
    message_id: int  # of joined tickets there are several
    ticket_id: int
    text: str
    customer_id: int  # texts of one customer resemble each other
    language: str
    labels: Mapping[Head, Label]


@dataclass(frozen=True, slots=True)
class Curriculum:
    """All there is to learn from, the oldest first."""

    lessons: tuple[Lesson, ...]
    topics: Mapping[str, Mapping[str, str]]  # key → names; only these may be predicted
    merged: Mapping[str, str]  # key of a topic gone → the one it became
    through: int  # the last verdict there is
    verdicts: int  # that there are
    fingerprint: str  # of the topics

    def count(self, head: Head) -> int:
        """Inquiries of which somebody said it."""
        said = (lesson.labels.get(head) for lesson in self.lessons)
        return sum(one is not None and not one.weak for one in said)


def gather(session: Session) -> Curriculum:
    """The newest word of people on each inquiry, weighed, in the topics of today."""
    known = session.exec(select(Topic)).all()
    keys = {topic.id: topic.key for topic in known}
    merged = {topic.key: keys[topic.merged_into] for topic in known if topic.merged_into}
    in_use = {topic.key: topic.labels for topic in known if topic.active}
    lessons = []
    for lesson in _lessons(session):
        labels = {
            head: replace(said, label=merged.get(said.label, said.label))
            for head, said in lesson.labels.items()
        }
        about = labels.get(Head.TOPIC)
        if about and about.label and about.label not in in_use:
            del labels[Head.TOPIC]
        if labels:
            lessons.append(replace(lesson, labels=labels))
    through = session.exec(select(func.max(Correction.id))).one() or 0
    return Curriculum(
        lessons=_weighed(lessons),
        topics=in_use,
        merged=merged,
        through=through,
        verdicts=verdicts(session, through),
        fingerprint=_fingerprint(known),
    )


def fingerprint(session: Session) -> str:
    """Changes with every topic that is new, renamed, merged or out of use."""
    return _fingerprint(session.exec(select(Topic)).all())


@cache
def untouched() -> str:
    """That of the topics an installation starts with."""
    return _fingerprint(
        [Topic(key=key, position=0, labels=_named(*words)) for key, *words in TOPICS]
    )


def _named(ja: str, de: str, en: str) -> dict[str, str]:
    return {"ja": ja, "de": de, "en": en}


def _fingerprint(known: Sequence[Topic]) -> str:
    rows = sorted((one.key, sorted(one.labels.items()), one.active) for one in known)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def verdicts(session: Session, through: int) -> int:
    """How many there are to learn from up to this one: what is taken back is there no more."""
    return session.exec(
        select(func.count()).where(
            Correction.id <= through,
            teaches(),
        )
    ).one()


def teaches() -> ColumnElement[bool]:
    """Of a verdict: whether something is learned from it, so that nobody counts another."""
    learned = (
        sql_select(col(Ticket.id))
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .where(_learned_from())
    )
    # The language is found out by rules.
    return and_(col(Correction.head) != Head.LANGUAGE, col(Correction.ticket_id).in_(learned))


def _learned_from() -> ColumnElement[bool]:
    return and_(
        col(Ticket.status) != Status.SPAM, col(Ticket.sample).is_(False), col(Customer.may_learn)
    )


def taught_since(session: Session, customer_id: int) -> datetime | None:
    """When the first inquiry of a customer came that somebody judged; None: there is none."""
    judged = sql_select(col(Correction.id)).where(col(Correction.ticket_id) == col(Ticket.id))
    return session.exec(
        select(func.min(Ticket.created_at)).where(
            Ticket.customer_id == customer_id,
            or_(judged.exists(), col(Ticket.resolutions) > 0),
        )
    ).one()


def outdated(session: Session, curriculum: Curriculum) -> bool:
    """Whether it holds what must not be learned any more: it was refused meanwhile, or is gone."""
    there = set(
        session.exec(
            select(Ticket.id)
            .join(Customer, col(Customer.id) == col(Ticket.customer_id))
            .where(col(Customer.may_learn))
        )
    )
    return any(lesson.ticket_id not in there for lesson in curriculum.lessons)


def _lessons(session: Session) -> list[Lesson]:
    newest = (
        sql_select(func.max(col(Correction.id)).label("id"))
        .group_by(col(Correction.ticket_id), col(Correction.message_id), col(Correction.head))
        .subquery()
    )
    # What went to a ticket of its own since is not what was judged on this one.
    words = and_(
        col(Message.id) == col(Correction.message_id),
        col(Message.ticket_id) == col(Correction.ticket_id),
    )
    said: dict[int, dict[Head, Label]] = defaultdict(dict)
    order: dict[int, int] = {}
    for row, message in session.exec(
        select(Correction, Message.id)
        .join(newest, newest.c.id == col(Correction.id))
        .join(Message, words)
        .where(Correction.head != Head.LANGUAGE)  # which is found out by rules
        .order_by(col(Correction.id))
    ):
        said[message][row.head] = Label(row.label, _WEIGHTS[row.verdict], row.agent_id, row.id)
        order[message] = row.id
    judged = sorted(order, key=order.__getitem__)
    resolved = _resolved(session)
    texts = _texts(session)
    wanted = [*(one for one in resolved if one not in order), *judged][-NEWEST:]
    return [
        replace(texts[one], labels=resolved.get(one, {}) | said.get(one, {}))
        for one in wanted
        if one in texts
    ]


def _left_so() -> Select[int]:
    """Tickets that an agent resolved without a word on what the model had said, the newest."""
    by_agent = sql_select(col(Change.id)).where(
        col(Change.ticket_id) == col(Ticket.id),
        col(Change.what) == "resolved",
        col(Change.agent_id).is_not(None),
    )
    return (
        sql_select(col(Ticket.id))
        .where(
            col(Ticket.status) == Status.RESOLVED,
            or_(col(Ticket.stage_by).in_(_OF_MODEL), col(Ticket.topic_by).in_(_OF_MODEL)),
            by_agent.exists(),
        )
        .order_by(col(Ticket.resolved_at).desc(), col(Ticket.id).desc())
        .limit(NEWEST)
    )


def _left_words() -> Subquery:
    """What the customer said first on each of those."""
    return (
        sql_select(
            col(Touchpoint.ticket_id).label("ticket"),
            func.min(col(Touchpoint.message_id)).label("message"),
        )
        .where(col(Touchpoint.direction) == "in", col(Touchpoint.ticket_id).in_(_left_so()))
        .group_by(col(Touchpoint.ticket_id))
        .subquery()
    )


def _resolved(session: Session) -> dict[int, dict[Head, Label]]:
    """What the model said of those words, the oldest first."""
    words = _left_words()
    found = session.exec(
        select(Ticket, Topic.key, words.c.message)
        .join(words, words.c.ticket == col(Ticket.id))
        .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
        .order_by(col(Ticket.resolved_at), col(Ticket.id))
    ).all()
    return {
        message: {
            head: Label(label, _RESOLVED, _NOBODY, 0, weak=True)
            for head, label, by in (
                (Head.STAGE, ticket.stage, ticket.stage_by),
                (Head.TOPIC, key, ticket.topic_by),
            )
            if by in _OF_MODEL and label
        }
        for ticket, key, message in found
    }


def _texts(session: Session) -> dict[int, Lesson]:
    """What customers said, by its number, wherever there is something to learn from."""
    found = session.execute(
        sql_select(
            *map(
                col,
                (
                    Message.id, Ticket.id, Ticket.customer_id, Message.subject, Message.text,
                    Message.reply_text, Message.language, Message.kind,
                ),
            )
        )
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .where(
            or_(
                col(Message.id).in_(sql_select(col(Correction.message_id))),
                col(Message.id).in_(sql_select(_left_words().c.message)),
            ),
            _learned_from(),
        )
    )  # fmt: skip
    return {
        number: Lesson(number, ticket, said, customer, language, {})
        for number, ticket, customer, subject, text, new, language, kind in found
        if (said := judged(subject, new, text, call=kind == MessageKind.CALL)).strip()
    }


def _weighed(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Nobody alone decides what a head learns, and the model does not outweigh people."""
    factors = {head: _factors(lessons, head) for head in (*TAGS, *FLAGS)}
    return tuple(
        replace(
            lesson,
            labels={
                head: replace(said, weight=said.weight * factors[head][said.agent_id])
                for head, said in lesson.labels.items()
            },
        )
        for lesson in lessons
    )


def _factors(lessons: Sequence[Lesson], head: Head) -> dict[int, float]:
    """By what to multiply the words of each agent, and those of nobody."""
    weights: dict[int, float] = defaultdict(float)
    numbers: dict[int, int] = defaultdict(int)
    left_so = 0.0
    for lesson in lessons:
        said = lesson.labels.get(head)
        if said and said.weak:
            left_so += said.weight
        elif said:
            weights[said.agent_id] += said.weight
            numbers[said.agent_id] += 1
    factors = capped(weights, numbers)
    together = sum(weight * factors[agent] for agent, weight in weights.items())
    return {**factors, _NOBODY: min(1.0, together / left_so) if left_so else 1.0}

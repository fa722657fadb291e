"""What people said of inquiries, as a model learns it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.domain.shares import capped
from app.domain.text import inquiry
from app.domain.words import Head, Status, Verdict
from app.store.seeds import TOPICS
from app.store.tables import Correction, Message, Ticket, Topic, Touchpoint

NEWEST = 20_000  # tickets that are learned from
_WEIGHTS = {Verdict.CORRECTED: 2.0, Verdict.ACCEPTED: 1.0, Verdict.NO_INQUIRY: 2.0}


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one head. No `label`: that it is no inquiry."""

    label: str
    weight: float
    agent_id: int
    said: int  # number of the verdict


@dataclass(frozen=True, slots=True)
class Lesson:
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
    fingerprint: str  # of the topics

    def count(self, head: Head) -> int:
        return sum(head in lesson.labels for lesson in self.lessons)


def gather(session: Session) -> Curriculum:
    """The newest word of people on each ticket, weighed, in the topics of today."""
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
    return Curriculum(
        lessons=_weighed(lessons),
        topics=in_use,
        merged=merged,
        through=latest(session),
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


def latest(session: Session) -> int:
    return session.exec(select(func.max(Correction.id))).one() or 0


def _lessons(session: Session) -> list[Lesson]:
    newest = (
        sql_select(func.max(col(Correction.id)).label("id"))
        .group_by(col(Correction.ticket_id), col(Correction.head))
        .subquery()
    )
    said: dict[int, dict[Head, Label]] = defaultdict(dict)
    order: dict[int, int] = {}
    for row in session.exec(
        select(Correction)
        .join(newest, newest.c.id == col(Correction.id))
        .order_by(col(Correction.id))
    ):
        said[row.ticket_id][row.head] = Label(
            row.label, _WEIGHTS[row.verdict], row.agent_id, row.id
        )
        order[row.ticket_id] = row.id
    wanted = sorted(order, key=order.__getitem__)[-NEWEST:]
    texts = _texts(session)
    return [replace(texts[one], labels=said[one]) for one in wanted if one in texts]


def _texts(session: Session) -> dict[int, Lesson]:
    """What the customer said first, on every ticket a person judged."""
    first = (
        sql_select(
            col(Touchpoint.ticket_id).label("ticket"),
            func.min(col(Touchpoint.message_id)).label("message"),
        )
        .where(
            col(Touchpoint.direction) == "in",
            col(Touchpoint.ticket_id).in_(sql_select(col(Correction.ticket_id))),
        )
        .group_by(col(Touchpoint.ticket_id))
        .subquery()
    )
    found = session.execute(
        sql_select(
            *map(
                col,
                (
                    Ticket.id, Ticket.customer_id, Message.subject, Message.text,
                    Message.reply_text, Message.language,
                ),
            )
        )
        .join(first, first.c.message == col(Message.id))
        .join(Ticket, col(Ticket.id) == first.c.ticket)
        .where(col(Ticket.status) != Status.SPAM, col(Ticket.sample).is_(False))
    )  # fmt: skip
    return {
        ticket: Lesson(ticket, f"{subject}\n{inquiry(new, text)}", customer, language, {})
        for ticket, customer, subject, text, new, language in found
    }


def _weighed(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Nobody alone decides what a head learns."""
    factors: dict[Head, dict[int, float]] = {}
    for head in Head:
        weights: dict[int, float] = defaultdict(float)
        numbers: dict[int, int] = defaultdict(int)
        for lesson in lessons:
            if said := lesson.labels.get(head):
                weights[said.agent_id] += said.weight
                numbers[said.agent_id] += 1
        factors[head] = capped(weights, numbers)
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

"""The report card of triage: what was guessed, beside what people said of it afterwards."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Text, cast
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock
from app.domain import findings, report_card
from app.domain.drawing import drawn
from app.domain.findings import Finding
from app.domain.report_card import Card, Guessed
from app.domain.words import TAGS, Decision, Head, Status
from app.services.access import Actor, Permission, require
from app.services.queries import models, vocabulary
from app.services.queries.models import Version
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import Correction, PredictionRow, Ticket, Topic

NEWEST = 20_000  # predictions, and as many words of people
DAYS = 90
_BEGINNING = datetime.min.replace(tzinfo=UTC)

Name = Callable[[str], str]
"""What an answer counts as: two anchors of one stage are the same, and so are merged topics."""


@dataclass(frozen=True, slots=True)
class HeadReport:
    findings: tuple[Finding, ...]
    card: Card


@dataclass(frozen=True, slots=True)
class Report:
    days: int  # 0: all there is
    stage: HeadReport
    topic: HeadReport
    versions: tuple[Version, ...]

    def of(self, head: Head) -> HeadReport:
        return self.stage if head is Head.STAGE else self.topic


@dataclass(frozen=True, slots=True)
class _Word:
    """The newest thing a person said of one ticket and head."""

    label: str
    prediction_id: int | None
    at: datetime


_Words = Mapping[tuple[int, Head], _Word]

# What was tried out silently beside it, samples and spam say nothing about what people saw.
_GUESSED = (
    sql_select(
        *map(
            col,
            (
                PredictionRow.id, PredictionRow.ticket_id, PredictionRow.head,
                PredictionRow.decision, PredictionRow.novelty, PredictionRow.model,
                PredictionRow.at, Ticket.ref, Ticket.language,
            ),
        ),
        cast(col(PredictionRow.top), Text).label("top"),
    )
    .join(Ticket, col(Ticket.id) == col(PredictionRow.ticket_id))
    .where(
        col(PredictionRow.head).in_(TAGS),
        col(PredictionRow.shadow).is_(False),
        col(PredictionRow.model) != "none",
        col(Ticket.sample).is_(False),
        col(Ticket.status) != Status.SPAM,
    )
    .order_by(col(PredictionRow.id).desc())
    .limit(NEWEST)
)  # fmt: skip
_SAID = (
    sql_select(
        *map(
            col,
            (
                Correction.ticket_id, Correction.head, Correction.label,
                Correction.prediction_id, Correction.at,
            ),
        )
    )
    .join(Ticket, col(Ticket.id) == col(Correction.ticket_id))
    .where(col(Ticket.sample).is_(False), col(Ticket.status) != Status.SPAM)
    .order_by(col(Correction.id).desc())
    .limit(NEWEST)
)  # fmt: skip


def view(session: Session, actor: Actor, words: Vocabulary, days: int = DAYS) -> Report:
    """Of the inquiries of the last `days`, among the newest 20,000 predictions."""
    require(actor, Permission.ADMIN)
    said = _said(session)
    names = _names(session, words)
    rows: list[Any] = list(session.connection().execute(_GUESSED))
    since = clock.now() - timedelta(days=days) if days else _BEGINNING
    found = {}
    for head in TAGS:
        name = names[head]
        examples = Counter(
            name(word.label) for (_, of), word in said.items() if of is head and word.label
        )
        known = {one.key: examples[one.key] for one in _known(words, head)}
        guessed = list(_guessed([row for row in rows if row[2] is head], said, name))
        card = report_card.of_head(guessed, {**examples, **known}, clock.now(), since)
        found[head] = HeadReport(findings.of_card(card), card)
    versions = tuple(models.versions(session, actor))
    return Report(days, found[Head.STAGE], found[Head.TOPIC], versions)


def _known(
    words: Vocabulary, head: Head
) -> tuple[vocabulary.StageName, ...] | tuple[vocabulary.TopicName, ...]:
    return words.stages if head is Head.STAGE else words.topics


def _names(session: Session, words: Vocabulary) -> dict[Head, Name]:
    stages = {anchor: stage.key for stage in words.stages for anchor in stage.anchors}
    topics = session.exec(select(Topic.id, Topic.key, Topic.merged_into)).all()
    keys = {number: key for number, key, _ in topics}
    merged = {key: keys[into] for _, key, into in topics if into}
    return {
        Head.STAGE: lambda label: stages.get(label, label),
        Head.TOPIC: lambda label: merged.get(label, label),
    }


def _said(session: Session) -> _Words:
    found: dict[tuple[int, Head], _Word] = {}
    rows: Iterable[Any] = session.connection().execute(_SAID)
    for ticket, head, label, prediction, at in rows:
        found.setdefault((ticket, head), _Word(label, prediction, at))
    return found


def _guessed(rows: list[Any], said: _Words, name: Name) -> Iterator[Guessed]:
    """One of each ticket: the newest, or the one a person spoke about. What was said of it after
    that may have been learned from them, and shows nothing."""
    seen: set[int] = set()
    for number, ticket, head, decision, novelty, model, at, ref, language, written in rows:
        word = said.get((ticket, head))
        if ticket in seen or (word and word.prediction_id != number):
            continue
        seen.add(ticket)
        top = [(name(label), share) for label, share in json.loads(written)]
        if not top:
            continue
        best = top[0][0]
        yield Guessed(
            at=at,
            language=language,
            drawn=drawn(ref),
            guess=best,
            probability=min(1.0, sum(share for label, share in top if label == best)),
            given=decision is not Decision.ABSTAIN,
            novelty=novelty,
            model=model,
            truth=name(word.label) if word else None,
            judged_at=word.at if word else None,
        )

"""What the model said of a ticket, in the words of the vocabulary in force."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import Head
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import PredictionRow, Ticket, Topic


@dataclass(frozen=True, slots=True)
class Guess:
    label: str  # what is stored when it is chosen: an anchor, or a topic's key
    names: Mapping[str, str]
    probability: float


@dataclass(frozen=True, slots=True)
class HeadView:
    """One question: what is set, by whom, and what the model would say."""

    label: str
    names: Mapping[str, str] | None
    by: str
    probability: float | None
    guesses: tuple[Guess, ...]
    unsure: bool


@dataclass(frozen=True, slots=True)
class Triage:
    stage: HeadView
    topic: HeadView
    reasons: tuple[str, ...]
    basis: str
    asked: bool  # whether a model has looked at all

    @property
    def open(self) -> bool:
        """Whether something is left for a person to say."""
        return not (self.stage.by == self.topic.by == "person")


_SAID = (
    sql_select(PredictionRow)
    .where(
        col(PredictionRow.ticket_id) == bindparam("ticket"), col(PredictionRow.shadow).is_(False)
    )
    .order_by(col(PredictionRow.id).desc())
)


def view(session: Session, ticket: Ticket, topic: Topic | None, vocabulary: Vocabulary) -> Triage:
    rows = session.scalars(_SAID, {"ticket": ticket.id}).all()
    newest = {head: next((row for row in rows if row.head is head), None) for head in Head}
    stage, about = newest[Head.STAGE], newest[Head.TOPIC]
    name = vocabulary.stage(ticket.stage)
    return Triage(
        stage=HeadView(
            label=ticket.stage,
            names=name.labels if name else None,
            by=ticket.stage_by,
            probability=ticket.stage_probability,
            guesses=_stage_guesses(stage, vocabulary),
            unsure=stage is not None and not stage.label,
        ),
        topic=HeadView(
            label=topic.key if topic else "",
            names=topic.labels if topic else None,
            by=ticket.topic_by,
            probability=ticket.topic_probability,
            guesses=_topic_guesses(about, vocabulary),
            unsure=about is not None and not about.label,
        ),
        reasons=_reasons(stage, about),
        basis=stage.basis if stage else "",
        asked=bool(rows),
    )


def _reasons(*rows: PredictionRow | None) -> tuple[str, ...]:
    found = [reason for row in rows if row is not None for reason in row.reasons[:3]]
    return tuple(dict.fromkeys(found))


def _top(row: PredictionRow | None) -> list[tuple[str, float]]:
    if row is None:
        return []
    return [(str(label), float(str(probability))) for label, probability in row.top]


def _stage_guesses(row: PredictionRow | None, vocabulary: Vocabulary) -> tuple[Guess, ...]:
    # A stage may merge several anchors: their probabilities add up, and choosing the stage
    # stores the likeliest of its anchors.
    merged: dict[str, Guess] = {}
    for anchor, probability in _top(row):
        stage = vocabulary.stage(anchor)
        if stage is None:
            continue
        first = merged.get(stage.key)
        merged[stage.key] = Guess(
            label=first.label if first else anchor,
            names=stage.labels,
            probability=probability + (first.probability if first else 0.0),
        )
    return tuple(merged.values())


def _topic_guesses(row: PredictionRow | None, vocabulary: Vocabulary) -> tuple[Guess, ...]:
    return tuple(
        Guess(key, name.labels, probability)
        for key, probability in _top(row)
        if (name := vocabulary.topic(key)) is not None
    )

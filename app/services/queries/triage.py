"""What the model said of a ticket and why, in the words of the vocabulary in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import FLAGS, TAGS, Decision, Head
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import PredictionRow, Ticket, Topic
from classifier import corpus

_NEAREST = 3  # texts; more is no reason, but a list
_NOT_LET = "not_let"  # it was sure enough, and is not to act by itself
_WORDS = 3  # of each head: what is marked everywhere is marked nowhere


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
    basis: str = ""  # of the guesses: sample texts, or the organisation's own
    why: str = ""  # it held back: a word of `classifier.contract.Why`, or that it is not let
    reasons: tuple[str, ...] = ()  # words that spoke for the best guess
    against: tuple[str, ...] = ()
    beaten_by: tuple[str, ...] = ()  # words that the second guess has no use for


@dataclass(frozen=True, slots=True)
class Like:
    """A text that a person or we labelled, and that means nearly the same."""

    text: str
    language: str
    names: tuple[Mapping[str, str], ...]  # of its stage and its topic, as far as they are known
    ref: str = ""  # of its ticket; a sample has none


@dataclass(frozen=True, slots=True)
class FlagView:
    """Whether it is urgent, or a complaint, and who says so."""

    name: Head
    raised: bool
    by: str
    probability: float | None  # of the model, when it has raised it
    reasons: tuple[str, ...]
    basis: str = ""  # of the probability


@dataclass(frozen=True, slots=True)
class Triage:
    stage: HeadView
    topic: HeadView
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    nearest: tuple[Like, ...]
    asked: bool  # whether a model has looked at all
    judged: int | None  # the message it looked at
    flags: tuple[FlagView, ...]

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
    newest = {head: next((row for row in rows if row.head is head), None) for head in TAGS}
    stage = stage_view(ticket, newest[Head.STAGE], vocabulary)
    about = topic_view(ticket, topic, newest[Head.TOPIC], vocabulary)
    reasons = tuple(dict.fromkeys((*stage.reasons, *about.reasons)))
    against = dict.fromkeys((*stage.against, *about.against))
    first = newest[Head.STAGE]
    return Triage(
        stage=stage,
        topic=about,
        reasons=reasons,
        against=tuple(word for word in against if word not in reasons),
        nearest=_nearest(session, newest, vocabulary, ticket.language),
        asked=bool(rows),
        judged=first.message_id if first else None,
        flags=tuple(_flag(ticket, head, rows) for head in FLAGS),
    )


def _flag(ticket: Ticket, head: Head, rows: Sequence[PredictionRow]) -> FlagView:
    said = next((row for row in rows if row.head is head), None)
    return FlagView(
        name=head,
        raised=getattr(ticket, head),
        by=getattr(ticket, f"{head}_by"),
        probability=said.probability if said else None,
        reasons=tuple(said.reasons) if said else (),
        basis=said.basis if said else "",
    )


def stage_view(ticket: Ticket, row: PredictionRow | None, vocabulary: Vocabulary) -> HeadView:
    name = vocabulary.stage(ticket.stage)
    guesses = _stage_guesses(row, vocabulary)
    return HeadView(
        label=ticket.stage,
        names=name.labels if name else None,
        by=ticket.stage_by,
        probability=ticket.stage_probability,
        guesses=guesses,
        **_said(row, guesses, ticket.stage_by),
    )


def topic_view(
    ticket: Ticket, topic: Topic | None, row: PredictionRow | None, vocabulary: Vocabulary
) -> HeadView:
    guesses = _topic_guesses(row, vocabulary)
    return HeadView(
        label=topic.key if topic else "",
        names=topic.labels if topic else None,
        by=ticket.topic_by,
        probability=ticket.topic_probability,
        guesses=guesses,
        **_said(row, guesses, ticket.topic_by),
    )


def _said(row: PredictionRow | None, guesses: Sequence[Guess], by: str) -> dict[str, Any]:
    if row is None:
        return {"unsure": False}
    # Of what the vocabulary in force makes one stage, neither half beats the other.
    top = [label for label, _ in _top(row)[:2]]
    apart = top == [guess.label for guess in guesses[:2]]
    return {
        "unsure": not row.label,
        "basis": row.basis,
        "why": _NOT_LET if row.decision == Decision.AUTO and by == "suggestion" else row.why,
        "reasons": tuple(row.reasons[:_WORDS]),
        "against": tuple(row.against[:_WORDS]),
        "beaten_by": tuple(row.beaten_by[:_WORDS]) if apart else (),
    }


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


@dataclass(slots=True)
class _Near:
    similarity: float = 0.0
    names: list[Mapping[str, str]] = field(default_factory=list)


def _nearest(
    session: Session,
    rows: Mapping[Head, PredictionRow | None],
    vocabulary: Vocabulary,
    spoken: str,
) -> tuple[Like, ...]:
    """Of the three nearest by stage and the three by topic; first those in the same language."""
    found: dict[str, _Near] = {}
    for head, row in rows.items():
        for ref, label, similarity in row.nearest if row else ():
            known = vocabulary.stage if head is Head.STAGE else vocabulary.topic
            if name := known(str(label)):
                near = found.setdefault(str(ref), _Near())
                near.similarity = max(near.similarity, float(str(similarity)))
                near.names.append(name.labels)
    texts = _texts(session, list(found))
    # Nobody can tell whether it is alike in a language they may not read.
    order = sorted(texts, key=lambda ref: (texts[ref][1] != spoken, -found[ref].similarity))
    return tuple(
        Like(text, language, tuple(found[ref].names), ticket)
        for ref in order[:_NEAREST]
        for text, language, ticket in [texts[ref]]
    )


_CALLED = sql_select(
    col(Ticket.id), col(Ticket.ref), col(Ticket.subject), col(Ticket.preview), col(Ticket.language)
).where(col(Ticket.id).in_(bindparam("tickets", expanding=True)))


def _texts(session: Session, refs: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Text, language and ticket of what a model calls so; what is gone is left out."""
    found: dict[str, tuple[str, str, str]] = {}
    numbers = [int(ref.removeprefix("ticket-")) for ref in refs if ref.startswith("ticket-")]
    if numbers:
        for number, ticket, subject, preview, language in session.connection().execute(
            _CALLED, {"tickets": numbers}
        ):
            found[f"ticket-{number}"] = (subject or preview, language, ticket)
    if len(numbers) < len(refs):
        for ref in refs:
            if sample := corpus.by_ref().get(ref):
                found[ref] = (sample.text, sample.language, "")
    return found

"""Stages, topics, what the model said of them and what people said of that."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from app.domain.words import Decision, Head, ModelState, Verdict
from app.store.row import Row
from app.store.types import BIG, link, maybe_link, maybe_moment, moment, primary_key, word


class StageVocabulary(Row, table=True):
    __tablename__ = "stage_vocabulary"

    id: int = primary_key()
    key: str = Field(unique=True)
    active: bool = False


class Stage(Row, table=True):
    """What a screen calls one or more canonical anchors."""

    __tablename__ = "stage"

    id: int = primary_key()
    vocabulary_id: int = link("stage_vocabulary")
    position: int
    key: str
    anchors: list[str] = Field(sa_type=JSON)
    labels: dict[str, str] = Field(sa_type=JSON)
    weight: float = 0.0


class Topic(Row, table=True):
    __tablename__ = "topic"

    id: int = primary_key()
    key: str = Field(unique=True)
    position: int
    labels: dict[str, str] = Field(sa_type=JSON)
    active: bool = True
    merged_into: int | None = maybe_link("topic")  # what was said of this one holds for that
    added_at: datetime | None = maybe_moment()  # None: it was there from the beginning


class PredictionRow(Row, table=True):
    __tablename__ = "prediction"
    __table_args__ = (Index("ix_prediction_ticket", "ticket_id", "head"),)

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    message_id: int = link("message")
    head: Head = Field(sa_type=word(Head))
    label: str = ""  # "" when unsure
    probability: float
    decision: Decision = Field(sa_type=word(Decision))
    top: list[list[object]] = Field(sa_type=JSON)  # [label, probability], best first
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    against: list[str] = Field(default_factory=list, sa_type=JSON)  # what spoke against the best
    beaten_by: list[str] = Field(default_factory=list, sa_type=JSON)  # what the second lacks
    nearest: list[list[object]] = Field(default_factory=list, sa_type=JSON)
    """[ref, label, similarity] of the labelled texts most like it, most alike first."""
    novelty: float = 0.0  # how familiar it was: the lower, the stranger
    why: str = ""  # not more than this decision
    model: str
    basis: str  # of the probability: samples, or the organisation's own texts
    shadow: bool = False  # said beside what was shown, to be compared
    at: datetime = moment()


class Meaning(Row, table=True):
    """What the first words on a ticket mean, as a vector."""

    __tablename__ = "meaning"
    __table_args__ = (
        Index(
            "ix_meaning_uncompared",
            "id",
            sqlite_where=text("compared_at IS NULL"),
            postgresql_where=text("compared_at IS NULL"),
        ),
        Index(
            "ix_meaning_alike",
            "alike",
            sqlite_where=text("alike IS NOT NULL"),
            postgresql_where=text("alike IS NOT NULL"),
        ),
    )

    id: int = primary_key()
    ticket_id: int = link("ticket", unique=True)
    message_id: int = link("message")
    space: str  # only vectors of one space can be compared
    vector: bytes = Field(sa_type=LargeBinary)
    alike: int | None = Field(default=None, sa_type=BIG)  # shared where texts are nearly the same
    compared_at: datetime | None = maybe_moment()  # with those before it


class Neighbour(Row, table=True):
    """Two tickets whose first words mean nearly the same; the later one found the earlier."""

    __tablename__ = "neighbour"
    __table_args__ = (UniqueConstraint("ticket_id", "other_id"),)

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    other_id: int = link("ticket")
    likeness: float


class Correction(Row, table=True):
    __tablename__ = "correction"
    # The number of a verdict that was taken back never means another one.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int = primary_key()
    ticket_id: int = link("ticket")
    prediction_id: int | None = maybe_link("prediction")
    message_id: int | None = maybe_link("message")  # whose words it was said of
    joined: bool = False  # it was said of another ticket, before both became one
    agent_id: int = link("agent")
    head: Head = Field(sa_type=word(Head))
    verdict: Verdict = Field(sa_type=word(Verdict))
    was: str = ""
    label: str  # "" when it is no inquiry
    act: str = Field(index=True)  # what was said in one go, and is taken back in one go
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # the verdict
    at: datetime = moment()


class ModelVersion(Row, table=True):
    """A model trained on what people said, or why there is none."""

    __tablename__ = "model"
    __table_args__ = (
        # Of each of these there is one.
        Index(
            "ix_model_in_force",
            "state",
            unique=True,
            sqlite_where=text("state IN ('champion', 'shadow', 'challenger')"),
            postgresql_where=text("state IN ('champion', 'shadow', 'challenger')"),
        ),
    )

    id: int = primary_key()
    name: str = Field(unique=True)  # as predictions name it
    state: ModelState = Field(sa_type=word(ModelState))
    trained_at: datetime = moment()
    since: datetime = moment()  # in this state
    through: int = Field(default=0, sa_type=BIG)  # the last verdict it knows of
    verdicts: int = 0  # that there were up to that one
    topics: str = ""  # fingerprint of the topics there were
    learned: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # texts, by head
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # to texts held out
    problem: str = ""


class ModelFile(Row, table=True):
    """A model itself. In the database, because every worker must find it."""

    __tablename__ = "model_file"

    id: int = primary_key()
    model_id: int = link("model", unique=True)
    weights: bytes = Field(sa_type=LargeBinary)
    card: bytes = Field(sa_type=LargeBinary)
    sha256: str  # of the weights


class Surge(Row, table=True):
    """Unusually many inquiries about one topic, from when it began until it was over."""

    __tablename__ = "surge"

    id: int = primary_key()
    topic_id: int | None = maybe_link("topic", index=False)  # None: the model was unsure
    since: datetime = moment()  # the first of them
    found_at: datetime = moment()
    ended_at: datetime | None = maybe_moment(index=True)
    count: int
    expected: float  # in the same hours of earlier weeks


class SurgeSeen(Row, table=True):
    """Who does not need to be told of it any more."""

    __tablename__ = "surge_seen"
    __table_args__ = (UniqueConstraint("surge_id", "agent_id"),)

    id: int = primary_key()
    surge_id: int = link("surge", index=False)
    agent_id: int = link("agent", index=False)
    at: datetime = moment()

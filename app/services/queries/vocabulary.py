"""What screens call stages and topics: the vocabulary in force."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Text, cast
from sqlalchemy import select as sql_select
from sqlmodel import Session, col
from typing_extensions import override

from app.store.tables import Segment, Stage, StageVocabulary, Topic


class Labels(dict[str, str]):
    """One name in several languages. Nobody changes it, so it can be part of a key."""

    @override
    def __hash__(self) -> int:  # type: ignore[override] # a dict has none
        return hash(tuple(self.items()))


@lru_cache(maxsize=1024)
def labels_of(written: str) -> Labels:
    """As the database keeps them: every request reads the same few dozen."""
    return Labels(json.loads(written))


@dataclass(frozen=True, slots=True)
class StageName:
    key: str
    anchors: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicName:
    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SegmentName:
    id: int
    key: str
    labels: Mapping[str, str]


def _of(stages: Sequence[StageName], anchor: str) -> StageName | None:
    return next((stage for stage in stages if anchor in stage.anchors), None)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The same object for as long as nobody changes it, see `current`."""

    stages: tuple[StageName, ...]
    topics: tuple[TopicName, ...]

    def stage(self, anchor: str) -> StageName | None:
        return _of(self.stages, anchor)

    def topic(self, key: str) -> TopicName | None:
        return next((topic for topic in self.topics if topic.key == key), None)


# Made once: every page asks this, and making a statement costs as much as running it.
_STAGES = (
    sql_select(col(Stage.key), cast(col(Stage.anchors), Text), cast(col(Stage.labels), Text))
    .join(StageVocabulary, col(StageVocabulary.id) == col(Stage.vocabulary_id))
    .where(col(StageVocabulary.active).is_(True))
    .order_by(col(Stage.position))
)
_TOPICS = (
    sql_select(col(Topic.key), cast(col(Topic.labels), Text))
    .where(col(Topic.active).is_(True))
    .order_by(col(Topic.position))
)
_SEGMENTS = sql_select(col(Segment.id), col(Segment.key), cast(col(Segment.labels), Text)).order_by(
    col(Segment.position)
)

Written = tuple[tuple[str, ...], ...]


def current(session: Session) -> Vocabulary:
    topics = session.connection().execute(_TOPICS).all()
    return _made(_stages(session), tuple(map(tuple, topics)))


def stage_of(session: Session, anchor: str) -> StageName | None:
    """Without the topics, for who needs no more."""
    return _of(_named(_stages(session)), anchor)


def _stages(session: Session) -> Written:
    return tuple(map(tuple, session.connection().execute(_STAGES)))


@lru_cache(maxsize=8)
def _named(stages: Written) -> tuple[StageName, ...]:
    return tuple(
        StageName(key, tuple(json.loads(anchors)), labels_of(labels))
        for key, anchors, labels in stages
    )


@lru_cache(maxsize=8)
def _made(stages: Written, topics: Written) -> Vocabulary:
    return Vocabulary(
        stages=_named(stages),
        topics=tuple(TopicName(key, labels_of(labels)) for key, labels in topics),
    )


def segments(session: Session) -> Sequence[SegmentName]:
    found = session.connection().execute(_SEGMENTS)
    return [SegmentName(number, key, labels_of(labels)) for number, key, labels in found]

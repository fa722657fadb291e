"""What screens call stages and topics: the vocabulary in force."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.store.tables import Segment, Stage, StageVocabulary, Topic


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


@dataclass(frozen=True, slots=True)
class Vocabulary:
    stages: tuple[StageName, ...]
    topics: tuple[TopicName, ...]

    def stage(self, anchor: str) -> StageName | None:
        return next((stage for stage in self.stages if anchor in stage.anchors), None)

    def topic(self, key: str) -> TopicName | None:
        return next((topic for topic in self.topics if topic.key == key), None)


def current(session: Session) -> Vocabulary:
    stages = session.exec(
        select(Stage)
        .join(StageVocabulary, col(StageVocabulary.id) == col(Stage.vocabulary_id))
        .where(col(StageVocabulary.active).is_(True))
        .order_by(col(Stage.position))
    )
    topics = session.exec(
        select(Topic).where(col(Topic.active).is_(True)).order_by(col(Topic.position))
    )
    return Vocabulary(
        stages=tuple(StageName(row.key, tuple(row.anchors), row.labels) for row in stages),
        topics=tuple(TopicName(row.key, row.labels) for row in topics),
    )


def segments(session: Session) -> tuple[SegmentName, ...]:
    found = session.exec(select(Segment).order_by(col(Segment.position)))
    return tuple(SegmentName(row.id, row.key, row.labels) for row in found)

"""Versions of the model: what a new one has to show, which one answers, and how to go back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from app.core import clock
from app.core.errors import Conflict, NotFound
from app.domain import contest
from app.domain.contest import Outcome, Trial
from app.domain.words import TAGS, Head, ModelState, Promotion
from app.services import changes, lessons, organisation
from app.services.access import SYSTEM, Actor, Permission, require
from app.services.lessons import Curriculum, Label, Lesson
from app.store import jobs
from app.store.tables import Change, ModelFile, ModelVersion, Organisation

KEPT = 5  # versions one can go back to
LEASE = "training"  # one at a time, whatever the number of workers
_SEEN_BROKEN = "model_unreadable"
_WAITS = timedelta(days=1)  # before another one is trained for one that cannot be read
_TRIED = timedelta(days=1)  # in silence, before it is shown
_DOUBTFUL = 0.05
_LISTED = 200  # verdicts in doubt
UNLEARNED = "It was deleted, for it had learned from inquiries that are to be forgotten."
UNREADABLE = (
    "It cannot be read any more, as after an upgrade. Until a new version is trained, "
    "the model of the samples answers."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part of the model that has not seen the text says of it."""

    label: str
    probability: float
    given: float  # probability of what people said


@dataclass(frozen=True, slots=True)
class Trained:
    """A model as the training hands it over."""

    name: str
    weights: bytes
    card: bytes
    sha256: str
    learned: Mapping[str, int]
    answers: Mapping[Head, Mapping[int, Answer]]  # by message
    beside: str = ""  # the own version it was compared with; none: that of the samples
    former: Mapping[Head, Mapping[int, str]] = field(default_factory=dict)  # what that one says
    refused: float | None = None  # share of what is no inquiry on which it says nothing


def newest(session: Session) -> ModelVersion | None:
    return session.exec(
        select(ModelVersion).order_by(col(ModelVersion.id).desc()).limit(1)
    ).one_or_none()


def in_state(session: Session, state: ModelState) -> ModelVersion | None:
    return session.exec(
        select(ModelVersion)
        .where(ModelVersion.state == state)
        .order_by(col(ModelVersion.id).desc())
        .limit(1)
    ).one_or_none()


def in_force(session: Session) -> tuple[str, str]:
    """Names of the version that answers and of the one that is tried out; "" for none."""
    found = dict(
        session.exec(
            select(ModelVersion.state, ModelVersion.name)
            .where(col(ModelVersion.state).in_((ModelState.CHAMPION, ModelState.SHADOW)))
            .order_by(col(ModelVersion.id))
        ).all()
    )
    return found.get(ModelState.CHAMPION, ""), found.get(ModelState.SHADOW, "")


def file_of(session: Session, name: str) -> ModelFile | None:
    return session.exec(
        select(ModelFile)
        .join(ModelVersion, col(ModelVersion.id) == col(ModelFile.model_id))
        .where(ModelVersion.name == name)
    ).one_or_none()


def ask(session: Session, actor: Actor) -> None:
    """Have a new version trained now."""
    require(actor, Permission.ADMIN)
    house = organisation.current(session)
    if house is None:
        raise Conflict("The organisation is not set up yet.")
    train_soon(session, house)
    changes.record(session, actor, None, "training_asked")


def opened(session: Session, name: str, *, readable: bool) -> None:
    """A worker tried to read a version that is meant to answer.

    One that was made with other parts than are there now, as before an upgrade, answers no more:
    another one is trained. Not for ever: if the last one was no better, somebody must look.
    """
    found = session.exec(
        select(ModelVersion).where(ModelVersion.name == name).with_for_update()
    ).one_or_none()
    house = organisation.current(session)
    if found is None or house is None or bool(found.problem) is not readable:
        return
    found.problem = "" if readable else UNREADABLE
    session.add(found)
    if readable:
        return
    lately = select(Change.data).where(
        Change.what == _SEEN_BROKEN, col(Change.at) > clock.now() - _WAITS
    )
    # An upgrade breaks all of them, and hours may lie between the first and the last that is read.
    others = any(data["model"] != name for data in session.exec(lately))
    changes.record(session, SYSTEM, None, _SEEN_BROKEN, model=name)
    if not others:
        train_soon(session, house)


def train_soon(session: Session, house: Organisation) -> None:
    """Whatever else there is: at once, or when the one under way is done."""
    house.training_asked_at = clock.now()
    session.add(house)
    jobs.enqueue(session, "train")


def failed(session: Session, curriculum: Curriculum, began: datetime, problem: str) -> ModelVersion:
    """Remember that it went wrong: the same is not tried again before there is something new."""
    made = ModelVersion(
        name=f"none-{began:%Y%m%d%H%M%S%f}",
        state=ModelState.FAILED,
        trained_at=began,
        since=clock.now(),
        through=curriculum.through,
        verdicts=curriculum.verdicts,
        topics=curriculum.fingerprint,
        problem=problem,
    )
    session.add(made)
    session.flush()
    _forget_old(session)
    changes.record(session, SYSTEM, None, "training_failed")
    return made


def keep(
    session: Session, trained: Trained, curriculum: Curriculum, began: datetime
) -> ModelVersion:
    """Store a new version, and let it answer if it is no worse than the one before."""
    _alone(session)
    house = organisation.current(session)
    if house and lessons.outdated(session, curriculum):
        train_soon(session, house)
        return failed(session, curriculum, began, UNLEARNED)
    champion = in_state(session, ModelState.CHAMPION)
    compared = champion if champion and champion.name == trained.beside else None
    outcomes = {head: _compare(curriculum, head, trained, compared) for head in TAGS}
    made = ModelVersion(
        name=trained.name,
        state=ModelState.REJECTED,
        trained_at=began,
        since=clock.now(),
        through=curriculum.through,
        verdicts=curriculum.verdicts,
        topics=curriculum.fingerprint,
        learned=dict(trained.learned),
        figures={
            **{head.value: asdict(outcome) for head, outcome in outcomes.items()},
            "beside": trained.beside,
            "refused": trained.refused,
        },
        answers=_remembered(curriculum, trained),
    )
    session.add(made)
    session.flush()
    session.add(
        ModelFile(
            model_id=made.id, weights=trained.weights, card=trained.card, sha256=trained.sha256
        )
    )
    if not any(outcome.objections for outcome in outcomes.values()):
        _take_over(session, made, _next_state(session))
    _forget_old(session)
    changes.record(session, SYSTEM, None, "model_trained", model=made.name, state=made.state)
    return made


def _next_state(session: Session) -> ModelState:
    house = organisation.current(session)
    return {
        Promotion.AT_ONCE: ModelState.CHAMPION,
        Promotion.AFTER_A_DAY: ModelState.SHADOW,
        Promotion.BY_HAND: ModelState.CHALLENGER,
    }[house.promotion if house else Promotion.AT_ONCE]


def _compare(
    curriculum: Curriculum, head: Head, trained: Trained, champion: ModelVersion | None
) -> Outcome:
    own = list(_own(curriculum, head))
    trials = []
    for lesson, label in own[-contest.held_out(len(own)) :]:
        answer = trained.answers.get(head, {}).get(lesson.message_id)
        former = _former(head, lesson, label, trained, champion)
        if answer is not None and former is not None:
            former = curriculum.merged.get(former, former)
            trials.append(Trial(label.label, former, answer.label, answer.probability))
    return contest.judge(trials, len(own))


def _own(curriculum: Curriculum, head: Head) -> Sequence[tuple[Lesson, Label]]:
    """What people said. What they left as it was says nothing of who is right."""
    return [
        (lesson, lesson.labels[head])
        for lesson in curriculum.lessons
        if head in lesson.labels and lesson.labels[head].label and not lesson.labels[head].weak
    ]


def _former(
    head: Head, lesson: Lesson, label: Label, trained: Trained, champion: ModelVersion | None
) -> str | None:
    """What the version before says of a text it has not learned from.

    Of those it has learned from, what its parts said that had not seen them.
    """
    if champion is None or label.said > champion.through:
        return trained.former.get(head, {}).get(lesson.message_id)
    kept = champion.answers.get(head.value, {}).get(str(lesson.message_id))
    return str(kept) if kept is not None else None


def _remembered(curriculum: Curriculum, trained: Trained) -> dict[str, object]:
    """What later versions are compared with, and what of the verdicts is in doubt."""
    kept: dict[str, object] = {}
    doubted: list[list[object]] = []
    for head in TAGS:
        own, said = _own(curriculum, head), trained.answers.get(head, {})
        kept[head.value] = {
            str(lesson.message_id): said[lesson.message_id].label
            for lesson, _ in own[-contest.MOST :]
            if lesson.message_id in said
        }
        doubted += [
            [label.said, said[lesson.message_id].label]
            for lesson, label in own
            if lesson.message_id in said and said[lesson.message_id].given < _DOUBTFUL
        ]
    kept["doubted"] = sorted(doubted, key=lambda one: int(str(one[0])))[-_LISTED:]
    return kept


def promote(session: Session, actor: Actor, model_id: int) -> ModelVersion:
    """Let this version answer: a new one, or one from before."""
    found = _with_file(session, actor, model_id)
    if found.state is not ModelState.CHAMPION:
        found.problem = ""  # whether it can be read is seen anew
    later = select(ModelVersion.id).where(
        ModelVersion.id > found.id,
        col(ModelVersion.state).not_in((ModelState.REJECTED, ModelState.FAILED)),
    )
    if session.exec(later).first() is not None:
        _wait_for_somebody(session, actor)
    _take_over(session, found, ModelState.CHAMPION)
    changes.record(session, actor, None, "model_promoted", model=found.name)
    return found


def try_out(session: Session, actor: Actor, model_id: int) -> ModelVersion:
    """Let this version answer silently, beside the one that is shown."""
    found = _with_file(session, actor, model_id)
    if found.state is ModelState.CHAMPION:
        raise Conflict("This version answers already.")
    _take_over(session, found, ModelState.SHADOW)
    changes.record(session, actor, None, "model_tried", model=found.name)
    return found


def retire(session: Session, actor: Actor, model_id: int) -> ModelVersion:
    """Let it answer no more. Without any version of one's own the samples' model answers."""
    found = _with_file(session, actor, model_id)
    if found.state is ModelState.CHAMPION:
        _wait_for_somebody(session, actor)
    found.state, found.since = ModelState.RETIRED, clock.now()
    session.add(found)
    changes.record(session, actor, None, "model_retired", model=found.name)
    return found


def set_promotion(session: Session, actor: Actor, promotion: Promotion) -> None:
    require(actor, Permission.ADMIN)
    house = organisation.current(session)
    if house is None:
        raise Conflict("The organisation is not set up yet.")
    house.promotion = promotion
    session.add(house)
    changes.record(session, actor, None, "promotion_changed", promotion=promotion)


def _wait_for_somebody(session: Session, actor: Actor) -> None:
    """Who goes back does not want the next version to undo that."""
    house = organisation.current(session)
    if house is not None and house.promotion is not Promotion.BY_HAND:
        set_promotion(session, actor, Promotion.BY_HAND)


def tried(session: Session) -> None:
    """What answered silently for a day is shown from now on, where that is wanted."""
    house = organisation.current(session)
    if house is None or house.promotion is not Promotion.AFTER_A_DAY:
        return
    _alone(session)
    shadow = on_trial(session)
    if shadow and shadow.since <= clock.now() - _TRIED:
        promote(session, SYSTEM, shadow.id)


def on_trial(session: Session) -> ModelVersion | None:
    shadow = in_state(session, ModelState.SHADOW)
    return shadow if shadow and not shadow.problem else None


def _with_file(session: Session, actor: Actor, model_id: int) -> ModelVersion:
    require(actor, Permission.ADMIN)
    _alone(session)
    found = session.get(ModelVersion, model_id, populate_existing=True)
    there = select(ModelFile.id).where(ModelFile.model_id == model_id)
    if found is None or session.exec(there).first() is None:
        raise NotFound("There is no such version of the model.")
    return found


def _alone(session: Session) -> None:
    """Of two who say at once which versions answer, the second sees what the first one did."""
    session.exec(select(ModelVersion.id).order_by(col(ModelVersion.id)).with_for_update()).all()


def _take_over(session: Session, version: ModelVersion, state: ModelState) -> None:
    """Of each state that is not over there is one."""
    other = in_state(session, state)
    if other is not None:
        other.state, other.since = ModelState.RETIRED, clock.now()
        session.add(other)
        session.flush()  # before it has a successor
    version.state, version.since = state, clock.now()
    session.add(version)
    session.flush()


def _forget_old(session: Session) -> None:
    """All but the newest, and whatever still answers or waits."""
    order = select(ModelVersion.id).order_by(col(ModelVersion.id).desc()).limit(KEPT)
    kept = {*session.exec(order)} | {
        *session.exec(
            select(ModelVersion.id).where(
                col(ModelVersion.state).in_(
                    (ModelState.CHAMPION, ModelState.SHADOW, ModelState.CHALLENGER)
                )
            )
        )
    }
    session.execute(delete(ModelFile).where(col(ModelFile.model_id).not_in(kept)))
    session.execute(delete(ModelVersion).where(col(ModelVersion.id).not_in(kept)))

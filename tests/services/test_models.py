"""When a model is trained, whether it takes over, and the way back."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.errors import Conflict, NotAllowed, NotFound
from app.domain.words import Head, ModelState, Promotion
from app.services import leases, lessons, models, occasions, organisation, topics, verdicts
from app.services.access import SYSTEM
from app.services.models import Answer, Trained
from app.store.tables import Correction, Message, ModelFile, ModelVersion, Ticket, Topic
from tests.inquiries import Desk, guess, inquiry
from tests.services.conftest import Forward

DAY = timedelta(days=1)
SOON = timedelta(minutes=3)
_WORDS = ("When does it arrive?", "It is broken.", "What does it cost?")


def judged(desk: Desk, number: int, stage: str = "D") -> list[Ticket]:
    """That many inquiries whose stage somebody has said."""
    made = []
    for n in range(number):
        message = inquiry(f"c{n}@customers.test", _WORDS[n % 3])
        ticket = desk.ticket(message, prediction=guess(stage, None))
        desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, stage)
        made.append(ticket)
    return made


def trained(desk: Desk, name: str, stage: str = "D", **given: Any) -> ModelVersion:
    """A version that takes every inquiry for `stage`."""
    with desk.db.reading() as session:
        curriculum = lessons.gather(session)
    said: Mapping[int, Answer] = {
        lesson.message_id: Answer(stage, 0.99, 0.99 if stage == "D" else 0.01)
        for lesson in curriculum.lessons
    }
    fields: dict[str, Any] = {
        "learned": {"samples": 100, "stage": len(said)},
        "answers": {Head.STAGE: said},
    } | given
    made = Trained(name, f"weights of {name}".encode(), b"{}", "ab" * 32, **fields)
    version: ModelVersion = desk.do(models.keep, made, curriculum, clock.now())
    return version


def words(desk: Desk, tickets: Sequence[Ticket]) -> list[int]:
    """The messages they began with."""
    first = {one.ticket_id: one.id for one in reversed(desk.all(Message))}
    return [first[ticket.id] for ticket in tickets]


def states(desk: Desk) -> dict[str, str]:
    return {version.name: version.state for version in desk.all(ModelVersion)}


def due(desk: Desk) -> bool:
    with desk.db.reading() as session:
        return occasions.due(session)


@pytest.fixture(autouse=True)
def default_topics(desk: Desk) -> Iterator[None]:
    """The PostgreSQL database is shared, and keeps its topics from test to test."""
    before = {topic.key: dict(topic.labels) for topic in desk.all(Topic)}
    yield
    with desk.db.transaction() as session:
        session.execute(update(Ticket).values(topic_id=None))
        for key, labels in before.items():
            session.execute(update(Topic).where(Topic.key == key).values(labels=labels))


def test_nothing_is_trained_on_nothing(desk: Desk, forward: Forward) -> None:
    forward(2 * DAY)

    assert not due(desk)


@pytest.mark.parametrize(
    ("number", "later", "is_due"),
    [
        (1, SOON, False),
        (1, DAY + SOON, True),  # no word waits longer than a day
        (24, SOON, False),
        (25, timedelta(minutes=1), False),  # somebody is at it
        (25, SOON, True),
    ],
)
def test_enough_that_is_new_and_a_moment_of_quiet(
    desk: Desk, forward: Forward, number: int, later: timedelta, is_due: bool
) -> None:
    judged(desk, number)

    forward(later)

    assert due(desk) is is_due


def test_what_is_known_already_is_not_new(desk: Desk, forward: Forward) -> None:
    judged(desk, 25)
    forward(SOON)
    trained(desk, "own-1", learned={"samples": 75, "stage": 25})
    after = due(desk)
    judged(desk, 5)  # a twentieth of a hundred

    forward(SOON)

    assert (after, due(desk)) == (False, True)


def test_what_was_taken_back_is_new_as_well(desk: Desk, forward: Forward) -> None:
    made = judged(desk, 26)
    forward(SOON)
    trained(desk, "own-1", learned={"samples": 75_000, "stage": 26})
    desk.do(verdicts.take_back, desk.ann, made[0].ref)
    soon = due(desk)
    forward(DAY + SOON)
    after_a_day = due(desk)
    trained(desk, "own-2", learned={"samples": 75_000, "stage": 25})
    known = due(desk)
    for ticket in made[1:]:
        desk.do(verdicts.take_back, desk.ann, ticket.ref)

    assert (soon, after_a_day, known, due(desk)) == (False, True, False, True)


def test_what_is_said_after_taking_back_has_a_number_of_its_own(
    desk: Desk, forward: Forward
) -> None:
    last = judged(desk, 3)[-1]
    version = trained(desk, "own-1")
    desk.do(verdicts.take_back, desk.ann, last.ref)
    desk.do(verdicts.choose, desk.ann, last.ref, Head.STAGE, "H")

    forward(DAY + SOON)

    assert desk.all(Correction)[-1].id > version.through
    assert due(desk)


def test_other_topics_are_learned_at_once(desk: Desk) -> None:
    desk.do(topics.rename, SYSTEM, "delivery", {"en": "Shipping"})
    before = due(desk)

    trained(desk, "own-1")

    assert (before, due(desk)) == (True, False)


def test_asked_for_it_is_due_until_it_is_done(desk: Desk, forward: Forward) -> None:
    desk.do(models.ask, SYSTEM)
    before, jobs = due(desk), desk.jobs()

    forward(SOON)
    trained(desk, "own-1")

    assert (before, jobs, due(desk)) == (True, 1, False)


def test_while_one_is_trained_no_other_is(desk: Desk, forward: Forward) -> None:
    desk.do(models.ask, SYSTEM)
    desk.do(leases.take, models.LEASE, "worker", timedelta(minutes=30))
    meanwhile = due(desk)

    forward(timedelta(minutes=31))

    assert (meanwhile, due(desk)) == (False, True)


def test_a_failure_is_not_repeated_before_there_is_something_new(
    desk: Desk, forward: Forward
) -> None:
    judged(desk, 25)
    forward(SOON)
    with desk.db.reading() as session:
        curriculum = lessons.gather(session)

    desk.do(models.failed, curriculum, clock.now(), "There was no room.")

    [version] = desk.all(ModelVersion)
    assert (version.state, version.problem) == (ModelState.FAILED, "There was no room.")
    assert (due(desk), desk.all(ModelFile)) == (False, [])


@pytest.mark.parametrize(
    ("stage", "state"), [("D", ModelState.CHAMPION), ("A", ModelState.REJECTED)]
)
def test_the_first_is_compared_with_the_model_of_the_samples(
    desk: Desk, stage: str, state: ModelState
) -> None:
    tickets = judged(desk, 12)

    version = trained(
        desk, "own-1", stage, former={Head.STAGE: dict.fromkeys(words(desk, tickets[:11]), "D")}
    )

    assert version.state is state
    assert version.figures["stage"]["texts"] == 11
    assert version.figures["stage"]["champion"] == 1.0
    [file] = desk.all(ModelFile)
    assert (file.weights, file.card) == (b"weights of own-1", b"{}")


def test_what_the_champion_learned_from_it_is_not_asked_again(desk: Desk) -> None:
    judged(desk, 12)
    trained(desk, "own-1")
    new = judged(desk, 3)

    # It knows the twelve by heart, and answers new ones wrong.
    version = trained(
        desk,
        "own-2",
        beside="own-1",
        former={Head.STAGE: dict.fromkeys(words(desk, new), "A")},
    )

    assert version.figures["stage"] | {"luck": 0} == {
        "texts": 15,
        "champion": 12 / 15,
        "challenger": 1.0,
        "luck": 0,
        "calibration_error": pytest.approx(0.01),
        "lost": (),
        "objections": (),
    }
    assert states(desk) == {"own-1": "retired", "own-2": "champion"}


@pytest.mark.parametrize(
    ("promotion", "state", "next_day"),
    [
        (Promotion.AT_ONCE, "champion", "champion"),
        (Promotion.AFTER_A_DAY, "shadow", "champion"),
        (Promotion.BY_HAND, "challenger", "challenger"),
    ],
)
def test_the_organisation_decides_how_a_version_takes_over(
    desk: Desk, forward: Forward, promotion: Promotion, state: str, next_day: str
) -> None:
    desk.do(models.set_promotion, SYSTEM, promotion)
    trained(desk, "own-1")
    at_first = states(desk)
    desk.do(models.tried)
    soon = states(desk)

    forward(DAY)
    desk.do(models.tried)

    assert (at_first, soon) == ({"own-1": state}, {"own-1": state})
    assert states(desk) == {"own-1": next_day}


def test_back_to_a_version_from_before_and_to_the_samples(desk: Desk) -> None:
    first, second = trained(desk, "own-1"), trained(desk, "own-2")

    desk.do(models.promote, SYSTEM, first.id)
    rolled_back = states(desk)
    desk.do(models.try_out, SYSTEM, second.id)
    beside = states(desk)
    desk.do(models.retire, SYSTEM, first.id)

    assert rolled_back == {"own-1": "champion", "own-2": "retired"}
    assert beside == {"own-1": "champion", "own-2": "shadow"}
    assert states(desk) == {"own-1": "retired", "own-2": "shadow"}


def test_there_is_never_a_second_version_that_answers(desk: Desk) -> None:
    first, _ = trained(desk, "own-1"), trained(desk, "own-2")
    again = update(ModelVersion).where(ModelVersion.id == first.id)  # type: ignore[arg-type]

    with pytest.raises(IntegrityError), desk.db.transaction() as session:
        session.execute(again.values(state=ModelState.CHAMPION))


def test_two_who_let_different_versions_answer_at_once(desk: Desk) -> None:
    versions = [trained(desk, f"own-{n}") for n in range(3)]
    together = Barrier(2)

    def promote(version: ModelVersion) -> None:
        together.wait(10)
        desk.do(models.promote, SYSTEM, version.id)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(promote, versions[:2]))

    assert sorted(states(desk).values()) == ["champion", "retired", "retired"]


def test_five_versions_are_kept_and_whichever_answers(desk: Desk) -> None:
    first = trained(desk, "own-0")
    desk.do(models.set_promotion, SYSTEM, Promotion.BY_HAND)

    for n in range(1, 8):
        trained(desk, f"own-{n}")

    assert states(desk) == {
        "own-0": "champion",
        **{f"own-{n}": "retired" for n in range(3, 7)},
        "own-7": "challenger",
    }
    kept = {file.model_id for file in desk.all(ModelFile)}
    assert (len(kept), first.id in kept) == (6, True)


def test_a_version_that_cannot_be_read_has_another_one_trained_once(
    desk: Desk, forward: Forward
) -> None:
    desk.do(models.opened, trained(desk, "own-1").name, readable=True)
    fine = due(desk)
    forward(SOON)
    for _ in range(2):
        desk.do(models.opened, "own-1", readable=False)
    noticed, jobs = due(desk), desk.jobs()
    forward(SOON)
    trained(desk, "own-2")
    desk.do(models.opened, "own-2", readable=False)

    # The new one is no better: training it over and over would not help.
    assert (fine, noticed, jobs, due(desk)) == (False, True, 1, False)
    assert [(one.state, one.problem) for one in desk.all(ModelVersion)] == [
        (ModelState.RETIRED, models.UNREADABLE),
        (ModelState.CHAMPION, models.UNREADABLE),
    ]


def test_what_one_upgrade_made_unreadable_has_one_trained_in_all(
    desk: Desk, forward: Forward
) -> None:
    trained(desk, "own-1")
    desk.do(models.set_promotion, SYSTEM, Promotion.AFTER_A_DAY)
    trained(desk, "own-2")
    forward(2 * DAY)
    desk.do(models.opened, "own-1", readable=False)
    noticed = due(desk)
    forward(SOON)
    trained(desk, "own-3")
    forward(SOON)
    desk.do(models.opened, "own-2", readable=False)

    assert (noticed, due(desk)) == (True, False)


def test_whether_a_version_can_be_read_is_seen_anew_when_it_is_to_answer(desk: Desk) -> None:
    desk.do(models.set_promotion, SYSTEM, Promotion.BY_HAND)
    version = trained(desk, "own-1")
    desk.do(models.opened, "own-1", readable=False)

    desk.do(models.promote, SYSTEM, version.id)
    promoted = desk.one(ModelVersion, version.id).problem
    desk.do(models.opened, "own-1", readable=False)
    desk.do(models.opened, "own-1", readable=True)
    desk.do(models.opened, "a version that is gone", readable=False)

    assert (promoted, desk.one(ModelVersion, version.id).problem) == ("", "")


def test_what_cannot_be_read_is_not_shown_after_its_day(desk: Desk, forward: Forward) -> None:
    desk.do(models.set_promotion, SYSTEM, Promotion.AFTER_A_DAY)
    trained(desk, "own-1")
    desk.do(models.opened, "own-1", readable=False)

    forward(DAY)
    desk.do(models.tried)

    assert states(desk) == {"own-1": "shadow"}


def test_verdicts_the_model_cannot_believe_are_listed(desk: Desk) -> None:
    judged(desk, 2)

    version = trained(desk, "own-1", "A")

    assert [label for _, label in version.answers["doubted"]] == ["A", "A"]


@pytest.mark.parametrize("act", [models.promote, models.try_out, models.retire])
def test_versions_are_the_business_of_administrators(desk: Desk, act: Any) -> None:
    version = trained(desk, "own-1")

    with pytest.raises(NotAllowed):
        desk.do(act, desk.ann, version.id)
    with pytest.raises(NotFound):
        desk.do(act, SYSTEM, version.id + 1)
    with pytest.raises(NotAllowed):
        desk.do(models.ask, desk.lead)

    assert states(desk) == {"own-1": "champion"}


def test_what_is_shown_needs_no_trial(desk: Desk) -> None:
    version = trained(desk, "own-1")

    with pytest.raises(Conflict):
        desk.do(models.try_out, SYSTEM, version.id)


def test_an_organisation_that_is_not_there_has_no_versions(desk: Desk) -> None:
    with desk.db.transaction() as session:
        session.delete(organisation.current(session))

    assert not due(desk)
    with pytest.raises(Conflict):
        desk.do(models.ask, SYSTEM)

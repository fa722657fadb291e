"""The job that trains: once, on what people said, and every worker finds what came of it."""

import asyncio
import hashlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.words import Head, ModelState
from app.services import leases, models, verdicts
from app.services.access import SYSTEM
from app.store.tables import Lease, ModelVersion, PredictionRow
from app.worker import training
from app.worker.file import file
from app.worker.trainer import Apart, NotTrained
from app.worker.triage import Triage
from classifier.contract import Classifier, Prediction
from classifier.storage import BadModel
from tests.fakes import FakeTrainer, raw
from tests.inquiries import guess, inquiry
from tests.worker.conftest import Plant

WITHIN = 20.0  # seconds
SOON = timedelta(minutes=3)


class Says:
    """A model that always says the same."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return guess(self.stage, "delivery")


def samples(_: Path) -> Classifier:
    return Says("A")


def own(path: Path) -> Classifier:
    """A version of one's own, whose name is all its weights."""
    assert path.with_suffix(".json").read_bytes() == b"{}"
    if path.read_bytes() == b"broken":
        raise BadModel("model.npz was made with another encoder.")
    return Says("H")


@pytest.fixture
def school(plant: Plant, tmp_path: Path) -> Plant:
    """Where thirty inquiries were judged, and nobody has learned from it yet."""
    for n in range(30):
        ticket = plant.desk.ticket(inquiry(f"c{n}@customers.test"), prediction=guess("D", None))
        plant.desk.do(verdicts.choose, plant.desk.ann, ticket.ref, Head.STAGE, "D")
    plant.forward(SOON)
    return plant.with_triage(
        Triage(tmp_path / "triage", switched_on=True, load=samples, load_own=own)
    )


def trainer_of(plant: Plant) -> FakeTrainer:
    assert isinstance(plant.works.trainer, FakeTrainer)
    return plant.works.trainer


def versions(plant: Plant) -> list[ModelVersion]:
    return plant.desk.all(ModelVersion)


def test_what_people_said_is_taught_once(school: Plant) -> None:
    for _ in range(2):
        asyncio.run(training.train(school.works))

    [asked] = trainer_of(school).asked
    [version] = versions(school)
    assert (version.state, version.name) == (ModelState.CHAMPION, asked["name"])
    assert version.learned == {"samples": 7, "stage": 30, "topic": 0}
    assert [(lesson["labels"], lesson["weak"]) for lesson in asked["lessons"]] == [
        ({"stage": ["D", 1.0]}, [])
    ] * 30
    assert [(lesson["names"], lesson["firms"]) for lesson in asked["lessons"]] == [
        (["Yumi"], [])
    ] * 30
    assert asked["agents"] == ["Ann Bell", "Leo Field"]
    assert trainer_of(school).beside == [b""]


def test_the_next_version_is_compared_with_the_one_that_answers(school: Plant) -> None:
    asyncio.run(training.train(school.works))
    school.forward(SOON)
    school.desk.do(models.ask, SYSTEM)
    asyncio.run(training.train(school.works))

    first, second = versions(school)
    assert trainer_of(school).beside == [b"", first.name.encode()]
    assert second.figures["beside"] == first.name


def test_while_another_worker_trains_this_one_does_not(school: Plant) -> None:
    school.desk.do(leases.take, models.LEASE, "another", timedelta(minutes=1))

    asyncio.run(training.train(school.works))

    assert (trainer_of(school).asked, versions(school)) == ([], [])


def test_two_jobs_of_one_worker_train_once(school: Plant) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go_on.wait(WITHIN)

    trainer_of(school).before = hold

    async def both() -> None:
        first = asyncio.create_task(training.train(school.works))
        await asyncio.to_thread(begun.wait, WITHIN)
        await training.train(school.works)
        go_on.set()
        await first

    asyncio.run(both())

    assert len(trainer_of(school).asked) == 1
    [lease] = school.desk.all(Lease, name=models.LEASE)
    assert lease.until <= school.desk.all(ModelVersion)[0].since


def test_by_hand_it_is_trained_without_a_reason(plant: Plant) -> None:
    version = training.by_hand(plant.works)
    plant.desk.do(leases.take, models.LEASE, "another", timedelta(minutes=1))

    assert version is not None
    assert (version.state, version.learned["samples"]) == (ModelState.CHAMPION, 7)
    assert training.by_hand(plant.works) is None


def test_why_there_is_no_version_is_remembered(school: Plant) -> None:
    trainer_of(school).trouble = "There is not enough memory."

    for _ in range(2):
        asyncio.run(training.train(school.works))

    [version] = versions(school)
    assert (version.state, version.problem) == (ModelState.FAILED, "There is not enough memory.")
    assert len(trainer_of(school).asked) == 1


def test_a_training_that_the_end_of_the_worker_cut_short_is_begun_anew(school: Plant) -> None:
    trainer_of(school).trouble = "killed"
    school.works.triage.close()

    asyncio.run(training.train(school.works))

    assert versions(school) == []


def test_switched_off_nothing_is_trained(plant: Plant) -> None:
    plant.desk.do(models.ask, SYSTEM)

    asyncio.run(training.train(plant.works))
    asyncio.run(training.serve(plant.works))

    assert versions(plant) == []


def said(triage: Triage) -> str:
    found = triage.wait("Hello", language="en")
    assert found is not None
    return str(found.stage.label)


def test_every_worker_answers_with_the_version_that_is_meant_to(school: Plant) -> None:
    triage = school.works.triage
    before = said(triage)
    asyncio.run(training.train(school.works))
    [version] = versions(school)

    asyncio.run(training.serve(school.works))
    triage.settled(WITHIN)
    taught = said(triage)
    school.desk.do(models.retire, SYSTEM, version.id)
    asyncio.run(training.serve(school.works))
    triage.settled(WITHIN)

    assert (before, taught, said(triage)) == ("A", "H", "A")
    triage.close()


def test_a_broken_version_answers_nothing_and_stops_nobody(
    school: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(training.train(school.works))
    with school.desk.db.transaction() as session:
        found = models.file_of(session, versions(school)[0].name)
        assert found is not None
        found.weights = b"not what was stored"

    asyncio.run(training.serve(school.works))

    assert said(school.works.triage) == "A"
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == [
        "a version cannot be used"
    ]
    school.works.triage.close()


def test_a_version_from_before_an_upgrade_is_replaced_by_itself(school: Plant) -> None:
    asyncio.run(training.train(school.works))
    with school.desk.db.transaction() as session:
        found = models.file_of(session, versions(school)[0].name)
        assert found is not None
        found.weights, found.sha256 = b"broken", hashlib.sha256(b"broken").hexdigest()

    asyncio.run(training.serve(school.works))
    meanwhile = said(school.works.triage)
    school.forward(SOON)
    asyncio.run(training.serve(school.works))  # tells what the loading found
    asyncio.run(training.train(school.works))
    asyncio.run(training.serve(school.works))
    school.works.triage.settled(WITHIN)

    assert (meanwhile, said(school.works.triage)) == ("A", "H")
    assert [(one.state, one.problem) for one in versions(school)] == [
        (ModelState.RETIRED, models.UNREADABLE),
        (ModelState.CHAMPION, ""),
    ]
    school.works.triage.close()


def test_what_is_tried_out_is_kept_and_acts_on_nothing(school: Plant) -> None:
    asyncio.run(training.train(school.works))
    [version] = versions(school)
    with school.desk.db.transaction() as session:
        session.get_one(ModelVersion, version.id).state = ModelState.SHADOW
    asyncio.run(training.serve(school.works))
    said(school.works.triage)
    seen = len(school.desk.all(PredictionRow))

    school.kept(raw("new"))
    asyncio.run(file(school.works, school.inbox_id))

    rows = school.desk.all(PredictionRow)[seen:]
    assert [(row.head, row.label, row.shadow) for row in rows] == [
        (Head.STAGE, "A", False),
        (Head.TOPIC, "delivery", False),
        (Head.STAGE, "H", True),
        (Head.TOPIC, "delivery", True),
    ]
    school.works.triage.close()


def test_the_process_that_trains_ends_with_the_worker(tmp_path: Path) -> None:
    apart = Apart(tmp_path / "triage", "plain")
    apart.close()

    with pytest.raises(NotTrained, match="The worker ends"):
        apart.learn({"name": "x"}, None)

    assert list((tmp_path / "triage").iterdir()) == []


def test_what_its_process_says_last_is_why(tmp_path: Path) -> None:
    with pytest.raises(NotTrained, match="KeyError: 'lessons'"):
        Apart(tmp_path / "triage", "plain").learn({"name": "x"}, None)

    assert list((tmp_path / "triage").iterdir()) == []

"""Arrivals that are read and judged together: each gets its own answer, and none stops another."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from app.store.tables import Arrival, Message, PredictionRow
from app.worker.file import file
from app.worker.understanding import TOGETHER, TOGETHER_BYTES, together
from channels.contract import Raw
from classifier.contract import Prediction
from tests.fakes import raw
from tests.inquiries import guess
from tests.worker.conftest import Plant, answered_by

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
STAGES = "ABCDEFGH"


class Several:
    """Judges by the last letter of a text, and remembers what it was asked at once."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return self.predict_all([text], [language])[0]

    def predict_all(self, texts: Sequence[str], languages: Sequence[str]) -> Sequence[Prediction]:
        self.asked.append([text.split()[-1] for text in texts])
        if any("a bug" in text for text in texts):
            raise RuntimeError("a bug of the model")
        return [guess(text[-1], "delivery") for text in texts]


@pytest.fixture
def several(plant: Plant) -> tuple[Plant, Several]:
    model = Several()
    ready = answered_by(lambda _: model)
    ready.wait("nothing A", language="")
    model.asked.clear()
    return plant.with_triage(ready), model


def letters(*names: str) -> list[Raw]:
    return [raw(f"m{n}", text=f"Inquiry {name}") for n, name in enumerate(names)]


def said(plant: Plant) -> dict[str, str]:
    """The stage that was kept with each message, by its text."""
    stages = {
        row.message_id: row.label
        for row in plant.desk.all(PredictionRow)
        if row.head == "stage" and row.model != "none"
    }
    return {row.text: stages.get(row.id, "") for row in plant.desk.all(Message)}


async def test_those_that_wait_are_judged_at_once(several: tuple[Plant, Several]) -> None:
    plant, model = several
    plant.kept(*letters(*STAGES, "C", "B"))

    await file(plant.works, plant.inbox_id)

    assert model.asked == [list(STAGES), ["C", "B"]]
    assert said(plant) == {f"Inquiry {letter}": letter for letter in STAGES}


async def test_what_cannot_be_read_among_them_gives_no_other_its_answer(
    several: tuple[Plant, Several],
) -> None:
    plant, model = several
    plant.kept(raw("one", text="The A"), Raw("two", b"junk"), raw("three", text="The C"))

    await file(plant.works, plant.inbox_id)

    assert model.asked == [["A", "C"]]
    assert said(plant) == {"The A": "A", "The C": "C"}
    assert [state for _, state in plant.states()] == ["filed", "set_aside", "filed"]


@on_sqlite
async def test_a_bug_with_one_leaves_them_all_to_be_tagged_later(
    several: tuple[Plant, Several],
) -> None:
    plant, _ = several
    plant.kept(*letters("A", "a bug", "C"))
    before = plant.desk.jobs()

    await file(plant.works, plant.inbox_id)

    assert [state for _, state in plant.states()] == ["filed"] * 3
    assert said(plant) == {"Inquiry A": "", "Inquiry a bug": "", "Inquiry C": ""}
    assert plant.desk.jobs() - before == 3


def arrival(size: int, *, slow: bool = False) -> Arrival:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Arrival(inbox_id=1, external_id="", sha256="", size=size, slow=slow, received_at=now)


@pytest.mark.parametrize(
    ("waiting", "parts"),
    [
        ([], []),
        ([1] * 3, [3]),
        ([1] * TOGETHER, [TOGETHER]),
        ([1] * (2 * TOGETHER + 1), [TOGETHER, TOGETHER, 1]),
        ([TOGETHER_BYTES + 1, 1, 1], [1, 2]),
        ([1, TOGETHER_BYTES + 1, 1], [1, 1, 1]),
        ([TOGETHER_BYTES // 2] * 5, [2, 2, 1]),
    ],
)
def test_few_and_small_ones_are_read_together(waiting: list[int], parts: list[int]) -> None:
    arrivals = [arrival(size) for size in waiting]

    found = list(together(arrivals))

    assert [len(part) for part in found] == parts
    assert [one for part in found for one in part] == arrivals


def test_each_slow_one_is_alone() -> None:
    assert [len(part) for part in together([arrival(1, slow=True) for _ in range(3)])] == [1, 1, 1]

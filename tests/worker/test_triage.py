"""The classifier in a worker: never in the way of whoever asks."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.worker.triage import Asked
from classifier.contract import Classifier, Prediction
from tests.inquiries import guess
from tests.worker.conftest import answered_by

WITHIN = 20.0  # seconds
SAID = guess("G", "delivery")


class Model:
    def predict(self, text: str, *, language: str = "") -> Prediction:
        if text == "a bug":
            raise RuntimeError("a bug of the model")
        return SAID


class Several(Model):
    def __init__(self, said: Sequence[Prediction]) -> None:
        self.said = said

    def predict_all(self, texts: Sequence[str], languages: Sequence[str]) -> Sequence[Prediction]:
        return self.said


class Held:
    """A model, or the loading of one, that goes on only when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.loads = 0

    def predict(self, text: str, *, language: str = "") -> Prediction:
        self.begun.set()
        if text == "hard":
            assert self.go_on.wait(WITHIN)
        return SAID

    def load(self, _: Path) -> Classifier:
        self.loads += 1
        self.begun.set()
        assert self.go_on.wait(WITHIN)
        return Model()


def test_switched_off_it_loads_nothing_and_says_nothing() -> None:
    held = Held()
    off = answered_by(held.load, on=False)

    off.warm()
    said = off.predict("Hello", language="en"), off.wait("Hello", language="en")
    off.close()

    assert said == (None, None)
    assert (off.ready, held.loads) == (False, 0)


def test_it_says_nothing_until_the_model_is_there_and_loads_it_once() -> None:
    held = Held()
    triage = answered_by(held.load)

    assert [triage.predict("Hello", language="en") for _ in range(3)] == [None] * 3
    held.go_on.set()
    assert triage.wait("Hello", language="en") == SAID
    assert triage.predict("Hello", language="en") == SAID
    triage.close()

    assert (triage.ready, held.loads) == (True, 1)


def test_whoever_waits_gets_its_answer_when_the_model_is_there() -> None:
    held = Held()
    triage = answered_by(held.load)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(triage.wait, "Hello", language="en")
        assert held.begun.wait(WITHIN)
        held.go_on.set()
        assert waiting.result(WITHIN) == SAID
    triage.close()


def test_whoever_waits_is_let_go_when_the_worker_ends() -> None:
    held = Held()
    triage = answered_by(held.load)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(triage.wait, "Hello", language="en")
        assert held.begun.wait(WITHIN)
        triage.close()
        assert waiting.result(WITHIN) is None
    held.go_on.set()


def test_a_model_that_cannot_be_loaded_is_as_good_as_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Path) -> Classifier:
        raise RuntimeError("not a model")

    triage = answered_by(fail)

    said = triage.wait("Hello", language="en"), triage.predict("Hello", language="en")
    triage.close()

    assert (said, triage.ready) == ((None, None), False)
    assert [record.getMessage() for record in caplog.records] == [
        "no classifier; tickets are filed without stage and topic"
    ]


def test_a_model_that_fails_on_one_text_answers_the_next(caplog: pytest.LogCaptureFixture) -> None:
    triage = answered_by(lambda _: Model())
    triage.wait("Hello", language="en")

    said = [triage.predict(text, language="en") for text in ("a bug", "Hello")]
    triage.close()

    assert said == [None, SAID]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "classifier failed"
    ]


@pytest.mark.parametrize("said", [[], [SAID], [SAID] * 3, [SAID, "C"], [None, None]])
def test_a_model_that_answers_something_else_than_each_text_says_nothing(
    said: list[Prediction],
) -> None:
    triage = answered_by(lambda _: Several(said))
    triage.wait("Hello", language="en")

    found = triage.predict_all([Asked("Hello", "en"), Asked("Hallo", "de")])
    triage.close()

    assert found == [(None, None)] * 2


def test_a_model_that_hangs_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    triage = answered_by(lambda _: held)
    triage.wait("Hello", language="en")

    said = triage.predict("hard", language="en")
    held.go_on.set()
    again = triage.predict("Hello", language="en")
    triage.close()

    assert (said, again) == (None, SAID)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "classifier too slow"
    ]


def test_once_closed_it_says_nothing_and_stops_nobody() -> None:
    triage = answered_by(lambda _: Model())
    triage.wait("Hello", language="en")

    triage.close()

    assert triage.predict("Hello", language="en") is None

"""Models in a process of their own: they say what they say anywhere, and outlive their process."""

import contextlib
import errno
import hashlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from app.worker.answering import Answering, Gone
from app.worker.triage import Triage, Version
from classifier import storage, train
from classifier.contract import Prediction
from classifier.encoders import Nothing, of_profile
from classifier.model import Identity, Model
from tests.classifier.conftest import fit_small
from tests.servers.setten import until
from tests.worker.conftest import no_model
from tests.worker.test_hostile_models import Samples

TEXTS = ("Unsere Pumpe ist undicht, bitte reparieren", "荷物はいつ届きますか。", "", "\0")


@pytest.fixture(scope="module")
def small() -> Model:
    return fit_small(Nothing())


@pytest.fixture
def plain() -> Iterator[Answering]:
    made = Answering("plain", answers_within=5.0)
    yield made
    made.close()


def stored(model: Model, folder: Path, name: str) -> Path:
    path = folder / f"{name}.npz"
    storage.save(replace(model, identity=Identity(name, 1)), path)
    return path


def processes() -> set[int]:
    """Of our children, those in which models answer."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"classifier.serving" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


@pytest.mark.parametrize("profile", train.PROFILES)
def test_a_model_answers_as_it_would_here(profile: str, tmp_path: Path) -> None:
    encoder, answering = of_profile(profile), Answering(profile)
    path = stored(fit_small(encoder), tmp_path, "small")
    model = storage.load(path, encoder)
    before = processes()

    apart = answering.own(path)

    assert len(processes() - before) == 1
    assert [apart.predict(text) for text in TEXTS] == [model.predict(text) for text in TEXTS]
    assert apart.predict(TEXTS[1], language="de") == model.predict(TEXTS[1], language="de")
    answering.close()
    assert processes() == before


def test_several_models_answer_in_one_process(
    small: Model, plain: Answering, tmp_path: Path
) -> None:
    before = processes()
    one, two = (plain.own(stored(small, tmp_path, name)) for name in ("one", "two"))

    assert [model.predict("Hello").model for model in (one, two, one)] == ["one", "two", "one"]
    assert len(processes() - before) == 1


def test_what_is_no_model_is_named_and_the_others_go_on(
    small: Model, plain: Answering, tmp_path: Path
) -> None:
    fine = plain.own(stored(small, tmp_path, "fine"))
    broken = stored(small, tmp_path, "broken")
    broken.write_bytes(b"nothing")

    with pytest.raises(storage.BadModel, match="broken"):
        plain.own(broken)

    assert fine.predict("Hello").model == "fine"


def test_what_is_logged_there_is_logged_here(
    plain: Answering, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"{train.default_name(Nothing())}.json").write_text("{}")
    (tmp_path / f"{train.default_name(Nothing())}.npz").mkdir()

    with caplog.at_level(logging.INFO), pytest.raises(RuntimeError, match="NoModel"):
        plain.samples(tmp_path)

    assert [(one.name, one.getMessage()) for one in caplog.records] == [
        ("classifier.train", "kept model not usable, fitting again")
    ]
    assert vars(caplog.records[0])["reason"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_ended_or_hangs_is_said_and_another_begun(
    how: signal.Signals, small: Model, tmp_path: Path
) -> None:
    answering = Answering("plain", answers_within=2.0)
    path, others = stored(small, tmp_path, "small"), processes()
    before = answering.own(path)
    [pid] = processes() - others
    os.kill(pid, how)

    with pytest.raises(Gone):
        before.predict("Hello")

    after = answering.own(path)
    assert after.predict("Hello").model == "small"
    assert pid not in processes()
    with pytest.raises(Gone):
        before.predict("Hello")
    answering.close()


def test_when_its_process_ends_the_version_is_opened_again_by_itself(
    small: Model, plain: Answering, tmp_path: Path
) -> None:
    path = stored(small, tmp_path, "own")
    weights, card = path.read_bytes(), path.with_suffix(".json").read_bytes()
    triage = Triage(tmp_path, switched_on=True, load=lambda _: Samples(), load_own=plain.own)
    others = processes()
    triage.serve(Version("own", weights, card, hashlib.sha256(weights).hexdigest()), None)
    first = triage.wait("Hello", language="en")
    [pid] = processes() - others
    os.kill(pid, signal.SIGKILL)

    assert triage.predict("Hello", language="en") is None
    until(lambda: triage.ready, "another process", 20.0)
    again = triage.wait("Hello", language="en")
    triage.close()

    assert [said.model if said else None for said in (first, again)] == ["own", "own"]


def test_what_could_not_be_begun_is_begun_later(tmp_path: Path) -> None:
    tried = []

    def short_of_memory_at_first(_: Path) -> Samples:
        tried.append(1)
        if len(tried) == 1:
            raise OSError(errno.ENOMEM, "no memory")
        return Samples()

    triage = Triage(
        tmp_path, switched_on=True, load=short_of_memory_at_first, load_own=no_model, again=0.0
    )

    _try_once(triage)
    said = triage.wait("Hello", language="en")
    triage.close()

    assert (said is not None, len(tried)) == (True, 2)


def test_a_version_that_ends_its_process_gives_way_to_the_samples(tmp_path: Path) -> None:
    def dies(_: Path) -> Samples:
        raise Gone

    triage = Triage(tmp_path, switched_on=True, load=lambda _: Samples(), load_own=dies, again=0.0)
    triage.serve(Version("own", b"x", b"{}", hashlib.sha256(b"x").hexdigest()), None)

    _try_once(triage)
    said = triage.wait("Hello", language="en")
    triage.close()

    assert said is not None
    assert list(triage.news()) == [("own", False)]


def _try_once(triage: Triage) -> None:
    """To load what is to answer, in vain."""
    triage.warm()
    until(lambda: not triage.loading, "the first try", 20.0)
    assert not triage.ready


def test_whoever_waits_for_an_answer_is_let_go_when_the_worker_ends(
    small: Model, tmp_path: Path
) -> None:
    answering, path, others = Answering("plain"), stored(small, tmp_path, "own"), processes()
    model = answering.own(path)
    [pid] = processes() - others
    os.kill(pid, signal.SIGSTOP)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(model.predict, "Hello")
        until(asked.running, "the question", 20.0)
        answering.stop()
        assert isinstance(asked.exception(10.0), Gone)
    with pytest.raises(Gone):
        answering.own(path)


def test_a_question_nobody_waits_for_is_not_asked_any_more(tmp_path: Path) -> None:
    begun, go_on, asked = threading.Event(), threading.Event(), []

    class Slow(Samples):
        @override
        def predict(self, text: str, *, language: str = "") -> Prediction:
            asked.append(text)
            if text == "slow":
                begun.set()
                assert go_on.wait(20.0)
            return super().predict(text, language=language)

    triage = Triage(tmp_path, switched_on=True, load=lambda _: Slow(), load_own=no_model)
    triage.wait("first", language="")

    said = [triage.predict(text, language="") for text in ("slow", "given up")]
    go_on.set()
    last = triage.predict("last", language="")
    triage.close()

    assert (said, last is not None) == ([None, None], True)
    assert asked == ["first", "slow", "last"]

"""A model file that is missing, broken or malicious never keeps a mail from being filed."""

import asyncio
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from app.core import clock
from app.domain.words import ModelState
from app.store.tables import ModelFile, ModelVersion, PredictionRow
from app.worker import training
from app.worker.answering import Answering
from app.worker.file import file
from app.worker.triage import Triage
from classifier import storage
from classifier.contract import Classifier, Prediction
from classifier.encoders import Nothing
from tests.fakes import raw
from tests.inquiries import guess
from tests.worker.conftest import Plant

_PARTS = [f"{name}.npy" for name in storage._ARRAYS]


class Samples:
    """The model that Setten comes with; any other says something else."""

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return guess("A", "delivery")


class Malice:
    """What runs as soon as it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def archive(content: bytes, says: int = 0) -> bytes:
    """All parts of a model, and how large it says that each of them is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name in _PARTS:
            made.writestr(name, content)
        for info in made.filelist:
            info.file_size = says or len(content)
    return packed.getvalue()


def pickled(trace: Path) -> bytes:
    part = io.BytesIO()
    np.save(part, np.array([Malice(trace)], dtype=object), allow_pickle=True)
    return archive(part.getvalue())


def card(content: bytes, **other: object) -> bytes:
    known = storage.versions(Nothing()) | {"sha256": hashlib.sha256(content).hexdigest()}
    return json.dumps(known | other).encode()


def hostile(trace: Path) -> dict[str, tuple[bytes, bytes]]:
    """What lies in the database as weights and card, by what is said of it."""
    evil = pickled(trace)
    huge = archive(b"small", says=10 * 1024 * 1024)
    return {
        "has the wrong shape or type": (evil, card(evil)),
        "cannot be unpacked": (evil[:-40], card(evil[:-40])),
        "does not match its checksum": (evil, card(evil, sha256="ab" * 32)),
        "would unpack to more than any model": (huge, card(huge)),
        "does not describe a model": (evil, b"[" * 60_000),
        "was made with encoder 'another'": (evil, card(evil, encoder="another")),
        "was made with scikit_learn '0.1'": (evil, card(evil, scikit_learn="0.1")),
    }


def answer_with(plant: Plant, name: str, weights: bytes, its_card: bytes) -> None:
    """As if a version of this content were meant to answer."""
    with plant.desk.db.transaction() as session:
        for other in plant.desk.all(ModelVersion):
            session.get_one(ModelVersion, other.id).state = ModelState.RETIRED
        now = clock.now()
        made = ModelVersion(
            name=name, state=ModelState.CHAMPION, trained_at=now, since=now, topics=""
        )
        session.add(made)
        session.flush()
        if weights:
            digest = hashlib.sha256(weights).hexdigest()
            session.add(ModelFile(model_id=made.id, weights=weights, card=its_card, sha256=digest))


def filed(plant: Plant, number: int) -> list[str]:
    """What a mail that comes now is filed with."""
    before = len(plant.desk.all(PredictionRow))
    plant.kept(raw(f"mail {number}", text=f"Mail number {number}"))
    asyncio.run(file(plant.works, plant.inbox_id))
    assert plant.states()[-1] == (f"mail {number}", "filed")
    return [row.label for row in plant.desk.all(PredictionRow)[before:]]


def test_whatever_lies_there_as_a_model_mail_is_filed_with_the_samples(
    plant: Plant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = Answering("plain").own
    works = Triage(tmp_path, switched_on=True, load=lambda _: Samples(), load_own=own)
    plant = plant.with_triage(works)
    works.warm()
    works.wait("Hello", language="en")
    cases = {**hostile(tmp_path / "executed"), "": (b"", b"")}
    labels = []

    for number, (weights, its_card) in enumerate(cases.values()):
        answer_with(plant, f"own-{number}", weights, its_card)
        asyncio.run(training.serve(plant.works))
        works.settled(20.0)
        labels.append(filed(plant, number))
    works.close()

    assert labels == [["A", "delivery"]] * len(cases)
    said = [vars(one)["reason"] for one in caplog.records if one.levelname == "ERROR"]
    assert [why for why, one in zip(cases, said, strict=False) if why not in one] == []
    assert len(said) == len(cases) - 1
    assert not (tmp_path / "executed").exists()


def test_without_any_model_mail_is_filed_untagged(plant: Plant, tmp_path: Path) -> None:
    def none(_: Path) -> Classifier:
        raise storage.BadModel("There is nothing to read.")

    works = Triage(tmp_path, switched_on=True, load=none, load_own=none)
    plant = plant.with_triage(works)
    works.wait("Hello", language="en")

    assert filed(plant, 1) == []
    works.close()

"""The shipped model: made once, kept, made again when what is kept cannot be used."""

import os
from pathlib import Path

import pytest

from classifier import corpus, storage, train
from classifier.contract import Basis, Decision
from classifier.encoders import Nothing, Usem3
from classifier.model import Model


def profile_of(model: Model) -> str:
    return "encoder" if model.encoder.width else "plain"


def test_the_shipped_model_is_marked_as_learned_from_samples(shipped_model: Model) -> None:
    said = shipped_model.predict("Where is my parcel?", language="en")

    name = train.default_name(shipped_model.encoder)
    assert (said.model, said.basis) == (name, Basis.SAMPLES)
    assert {head.decision for head in (said.stage, said.topic)} <= {
        Decision.SUGGEST,
        Decision.ABSTAIN,
    }
    assert shipped_model.identity.samples == len(corpus.load())


def test_a_kept_model_is_not_fitted_again(shipped_model: Model, model_folder: Path) -> None:
    kept = model_folder / f"{train.default_name(shipped_model.encoder)}.npz"
    before = kept.stat().st_mtime_ns

    again = train.fit_default(model_folder, profile_of(shipped_model))

    assert kept.stat().st_mtime_ns == before
    assert again.predict("返品したい") == shipped_model.predict("返品したい")


def test_a_kept_model_is_small(shipped_model: Model, model_folder: Path) -> None:
    kept = model_folder / f"{train.default_name(shipped_model.encoder)}.npz"

    assert kept.stat().st_size < 10_000_000


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(train.NoModel, match="Training"):
        train._fit_apart(tmp_path / "file" / "model.txt", "plain")


def test_main_refuses_another_ending(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main([f"model{os.extsep}pickle"])

    assert "the file must end in .npz" in capsys.readouterr().err


def test_the_shipped_model_agrees_with_most_of_its_samples(shipped_model: Model) -> None:
    # It has learned from them: this only shows that file and program fit each other.
    samples = corpus.load()[::10]

    said = [shipped_model.predict(sample.text, language=sample.language) for sample in samples]

    right = sum(p.stage.top[0].label == s.stage for p, s in zip(said, samples, strict=True))
    assert right / len(samples) > 0.9


def test_the_name_tells_versions_apart() -> None:
    names = {train.default_name(encoder) for encoder in (Nothing(), Usem3())}

    assert len(names) == 2
    assert all(name.startswith("samples-") for name in names)
    assert storage.versions(Nothing())["format"] == storage.FORMAT

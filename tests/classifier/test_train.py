"""The shipped model: made once, kept, made again when what is kept cannot be used."""

import os
from pathlib import Path

import pytest

from classifier import storage, train
from classifier.apart import environment
from classifier.encoders import Nothing, Usem3


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(train.NoModel, match="Training"):
        train._fit_apart(tmp_path / "file" / "model.txt", "plain")


def test_who_has_to_wait_for_the_samples_to_be_learned_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    told: list[str] = []

    with pytest.raises(train.NoModel):
        train.fit_default(tmp_path / "file", "plain", before=lambda: told.append("now"))

    assert told == ["now"]


def test_a_process_that_learns_finds_our_code_before_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")

    ours, others = environment()["PYTHONPATH"].split(os.pathsep)

    assert Path(ours, "classifier", "learning.py").exists()
    assert others == "elsewhere"


def test_main_refuses_another_ending(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main([f"model{os.extsep}pickle"])

    assert "the file must end in .npz" in capsys.readouterr().err


def test_the_name_tells_versions_apart() -> None:
    names = {train.default_name(encoder) for encoder in (Nothing(), Usem3())}

    assert len(names) == 2
    assert all(name.startswith("samples-") for name in names)
    assert storage.versions(Nothing())["format"] == storage.FORMAT

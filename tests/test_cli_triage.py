"""`setten triage`: what is said of texts in a file, for people and for programs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.cli import triage
from app.core.errors import Conflict, Invalid
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import leases, models
from app.store.database import Database

TEXTS = [
    ("Please refund my money", "money"),
    ("I want my money back now", "money"),
    ("Refund the whole amount please", "money"),
    ("Where is my parcel today", "parcel"),
    ("The parcel has not come yet", "parcel"),
    ("My parcel is late again", "parcel"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    learned, asked = tmp_path / "a.csv", tmp_path / "b.csv"
    rows = "".join(f"{text},{label},en\n" for text, label in TEXTS)
    learned.write_text(f"text,label,lang\n{rows}", encoding="utf-8")
    asked.write_text(f"text,label,lang\n{rows}zebra,oos,en\n", encoding="utf-8")
    return str(learned), str(asked)


def run(settings: Settings, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    asked = cli._parser().parse_args(["triage", *words])
    assert getattr(triage, asked.run.partition(":")[2])(asked, settings) == 0
    return capsys.readouterr().out.splitlines()


def test_one_file_is_learned_and_another_asked(
    settings: Settings, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("evaluate", "--train", files[0], "--test", files[1], "--profile", "plain")

    found: dict[str, Any] = json.loads(run(settings, capsys, *asked, "--json")[0])
    shown = run(settings, capsys, *asked)

    assert list(found) == [
        "n", "accuracy", "macro_f1", "ece", "coverage_at", "oos", "per_label", "per_lang",
    ]  # fmt: skip
    assert (found["n"], found["accuracy"]) == (6, 1.0)
    assert [line.split()[0] for line in shown] == ["b", "all", "en", "of"]


def test_what_cannot_be_evaluated_is_said(
    settings: Settings, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Invalid, match="one file, or two"):
        run(settings, capsys, "evaluate", "--train", files[0])
    with pytest.raises(Invalid, match="cannot be read"):
        run(settings, capsys, "evaluate", f"{files[0]}.gone", "--profile", "plain")


def test_nothing_is_trained_twice_at_once(
    settings: Settings, keys: Keys, sqlite_db: Database
) -> None:
    with sqlite_db.transaction() as session:
        leases.take(session, models.LEASE, "a worker", timedelta(minutes=1))
    asked = cli._parser().parse_args(["triage", "train"])

    with pytest.raises(Conflict, match="is being trained"):
        triage.train(asked, settings)

    assert keys is not None

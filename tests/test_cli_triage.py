"""`setten triage`: what is said of texts in a file, for people and for programs."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.cli import report, triage
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.secrets import Keys
from app.core.settings import Settings
from app.domain.words import Head, ModelState
from app.services import leases, models, verdicts
from app.store.database import Database
from app.store.tables import ModelFile, ModelVersion
from classifier import storage, tables
from classifier.encoders import Nothing
from classifier.model import Identity
from tests.classifier.conftest import fit_small
from tests.factories import (
    make_agent,
    make_customer,
    make_guess,
    make_inbox,
    make_message,
    make_ticket,
    make_touchpoint,
)

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
    module, _, name = asked.run.partition(":")
    assert getattr({"triage": triage, "report": report}[module], name)(asked, settings) == 0
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


def test_what_has_no_label_is_left_out_and_said(
    settings: Settings, tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    some, none, strange = (tmp_path / name for name in ("some.csv", "none.csv", "strange.csv"))
    some.write_text("text;label\nmy money;money\nmy parcel;\n ;money\n", encoding="utf-8")
    none.write_text("text,label\nmy parcel,\n", encoding="utf-8")
    strange.write_text("text\tlabel\nzebra\toos\n", encoding="utf-8")
    asked = ("evaluate", "--profile", "plain", "--train", files[0], "--test")

    parsed = cli._parser().parse_args(["triage", *asked, str(some), "--json"])
    assert triage.evaluate(parsed, settings) == 0
    out, told = capsys.readouterr()
    found = json.loads(out)
    assert (found["n"], found["per_label"].keys(), found["coverage_at"]) == (
        1,
        {"money"},
        {"0.90": 1.0, "0.95": 1.0},
    )
    assert "some.csv: 1 rows without a label were left out." in told
    assert "some.csv: 1 rows without a text were left out." in told
    assert "Learning from 6 texts" in told
    assert len(run(settings, capsys, *asked, str(strange))) == 2  # the head, and how many refused
    with pytest.raises(Invalid, match="no row with a label"):
        run(settings, capsys, *asked, str(none))


def test_texts_are_asked_of_the_version_that_answers(
    settings: Settings,
    keys: Keys,
    sqlite_db: Database,
    files: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = replace(fit_small(Nothing()), identity=Identity("own-7", 6))
    path = settings.data_dir / "own.npz"
    storage.save(own, path)
    weights, now = path.read_bytes(), clock.now()
    with sqlite_db.transaction() as session:
        row = ModelVersion(
            name="own-7", state=ModelState.CHAMPION, trained_at=now, since=now, topics=""
        )
        session.add(row)
        session.flush()
        digest, card = hashlib.sha256(weights).hexdigest(), path.with_suffix(".json").read_bytes()
        session.add(ModelFile(model_id=row.id, weights=weights, card=card, sha256=digest))
    settings = settings.model_copy(update={"triage": "plain"})

    found = [json.loads(line) for line in run(settings, capsys, "predict", files[0], "--json")]

    assert [line["model"] for line in found] == ["own-7"] * len(TEXTS)
    # Nobody of the organisation labelled what this one learned.
    assert {line[head]["basis"] for line in found for head in ("stage", "topic")} == {"samples"}
    assert keys is not None


def labelled(database: Database) -> None:
    """Six inquiries whose stage Ann said, the last of them no inquiry."""
    with database.transaction() as session:
        ann, inbox = make_agent(session), make_inbox(session)
        yumi = make_customer(session, "Yumi Takahashi")
        for number, (text, label) in enumerate(TEXTS, 1):
            ticket = make_ticket(session, inbox, yumi, at=clock.now())
            said = f"{text}, order 4711{number}, Yumi Takahashi"
            message = make_message(session, ticket, said, subject="=Question")
            make_touchpoint(session, ticket, "D", message_id=message.id)
            make_guess(session, message, Head.STAGE, [("D", 0.9)])
            stage = {"money": "G", "parcel": "D"}[label]
            if number < len(TEXTS):
                verdicts.choose(session, ann, ticket.ref, Head.STAGE, stage)
            else:
                verdicts.dismiss(session, ann, ticket.ref)


def test_the_report_says_the_same_in_words_and_for_programs(
    settings: Settings, keys: Keys, sqlite_db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(sqlite_db)

    shown = run(settings, capsys, "report")
    found = json.loads("".join(run(settings, capsys, "report", "--json", "--days", "0")))

    assert shown[0] == "STAGE"
    assert "- Do not rely on “Conversion” yet: 2 examples." in shown
    assert "en        5       not enough data: 5  not enough data: 5  not enough data: 5" in shown
    assert (found["days"], found["stage"]["card"]["judged"]) == (0, 6)
    assert keys is not None


def test_what_is_exported_is_read_back_without_the_names(
    settings: Settings,
    keys: Keys,
    sqlite_db: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labelled(sqlite_db)
    path = tmp_path / "out.csv"

    run(settings, capsys, "export", "--head", "stage", "--out", str(path))
    written = path.read_text("utf-8-sig")
    evaluated = ("evaluate", "--train", str(path), "--test", str(path), "--profile", "plain")
    found = json.loads(run(settings, capsys, *evaluated, "--json")[0])
    printed = run(settings, capsys, "export", "--head", "topic")

    assert '"\'=Question\nPlease refund my money, order 11111,  xxname   xxname","G"' in written
    assert [each.label for each in tables.read(path)] == ["G", "G", "G", "D", "D", "oos"]
    assert tables.read(path)[0].text.startswith("=Question")
    assert (found["n"], found["accuracy"], sorted(found["per_label"])) == (5, 1.0, ["D", "G"])
    assert len(printed) == 3  # the heading, and that it is no inquiry, which has two lines
    assert keys is not None


@pytest.mark.usefixtures("sqlite_db")
def test_nothing_is_written_where_nothing_can_be(
    settings: Settings, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        run(settings, capsys, "export", "--out", str(settings.data_dir))
    assert keys is not None


def test_nothing_is_trained_twice_at_once(
    settings: Settings, keys: Keys, sqlite_db: Database
) -> None:
    with sqlite_db.transaction() as session:
        leases.take(session, models.LEASE, "a worker", timedelta(minutes=1))
    asked = cli._parser().parse_args(["triage", "train"])

    with pytest.raises(Conflict, match="is being trained"):
        triage.train(asked, settings)

    assert keys is not None

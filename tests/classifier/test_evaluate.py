"""The report: figures that mean what they say, and a CSV read or refused."""

from dataclasses import astuple
from pathlib import Path

import pytest

from classifier import evaluate
from classifier.evaluate import Answer, BadFile, Figures

from .conftest import small_samples


def test_figures() -> None:
    said = [
        *[Answer("en", "a", "a", 0.8, given=True)] * 30,
        *[Answer("en", "b", "a", 0.8, given=True)] * 10,
        *[Answer("en", "b", "b", 0.1, given=False)] * 10,
    ]

    found = evaluate.figures(said)

    rounded = Figures(*(round(value, 4) for value in astuple(found)))
    assert rounded == Figures(
        texts=50,
        accuracy=0.8,
        macro_f1=round((60 / 70 + 20 / 30) / 2, 4),
        calibration_error=round(0.8 * 0.05 + 0.2 * 0.9, 4),
        coverage_at_90=0.0,
        given=0.8,
        precision=0.75,
    )


def test_a_csv_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    lines = [f'"{s.text}",{s.topic},{s.language}' for s in small_samples()]
    file.write_text("text,label,lang\n" + "\n".join(lines), encoding="utf-8")

    code = evaluate.main([str(file)])

    table = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in table[:5]] == [
        ["mine", "texts"],
        ["all", "30"],
        ["de", "10"],
        ["en", "10"],
        ["ja", "10"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\na,b\n", "mine.csv lacks the column lang"),
        (b"", "mine.csv lacks the column label, lang, text"),
        (b"text,label,lang\n\xff,b,c\n", "mine.csv cannot be read"),
        (b"text,label,lang\na,b,en\n", "mine.csv has too few texts or labels to compare"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)

    with pytest.raises(BadFile, match=message):
        evaluate.csv_rows(file, at_most=100)


def test_alike_texts_are_of_one_group(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = [
        "Order 12 late,a,en",
        "order 99 LATE,a,en",
        *(f"other{n * 'x'},b,en" for n in range(9)),
    ]
    file.write_text("\n".join(["text,label,lang", *lines]))

    rows = evaluate.csv_rows(file, at_most=100)

    assert [row.group for row in rows][:2] == ["order 00 late"] * 2

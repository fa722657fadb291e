"""The report: figures that mean what they say, and files read or refused."""

from pathlib import Path

import pytest

from classifier import evaluate, tables
from classifier.contract import Decision
from classifier.encoders import Nothing
from classifier.evaluate import Answer
from classifier.tables import BadFile, Example

from .conftest import small_samples

GIVEN, REFUSED = Decision.SUGGEST, Decision.ABSTAIN


def test_figures() -> None:
    said = [
        *[Answer("en", "a", "a", 0.8, 2.0, GIVEN)] * 30,
        *[Answer("en", "b", "a", 0.8, 2.0, GIVEN)] * 10,
        *[Answer("en", "b", "b", 0.1, 1.0, REFUSED)] * 10,
        *[Answer("en", "oos", "b", 0.9, 0.5, REFUSED)] * 3,
        Answer("en", "oos", "b", 0.9, 2.0, GIVEN),
    ]

    found = evaluate.figures(said)

    f1 = {"a": 60 / 70, "b": 20 / 30}
    ece = 0.8 * 0.05 + 0.2 * 0.9
    assert found == {
        "n": 50,
        "accuracy": 0.8,
        "macro_f1": pytest.approx((f1["a"] + f1["b"]) / 2),
        "ece": pytest.approx(ece),
        "coverage_at": {"0.90": 0.0, "0.95": 0.0},
        "oos": {
            "auroc": pytest.approx((50 * 3 + 20) / 200),
            "recall": 0.75,
            "refused_in_scope": 0.2,
        },
        "per_label": {
            "a": {"n": 30, "precision": 0.75, "recall": 1.0, "f1": pytest.approx(f1["a"])},
            "b": {"n": 20, "precision": 1.0, "recall": 0.5, "f1": pytest.approx(f1["b"])},
        },
        "per_lang": {
            "en": {
                "n": 50,
                "accuracy": 0.8,
                "macro_f1": pytest.approx((f1["a"] + f1["b"]) / 2),
                "ece": pytest.approx(ece),
                "coverage_at": {"0.90": 0.0, "0.95": 0.0},
                "refused": 0.2,
            }
        },
    }


def test_texts_that_belong_nowhere_are_never_a_label() -> None:
    examples = [Example(s.text, s.topic, s.language) for s in small_samples()]
    strange = [Example(f"strange text {n}", "oos", "en") for n in range(9)]

    model = evaluate.fit([*examples, *strange], (), Nothing())

    assert model.heads["label"].labels == tuple(sorted({each.label for each in examples}))
    assert model.identity.samples == len(examples)


def test_each_text_is_asked_once_and_in_its_place() -> None:
    examples = [Example(s.text, s.topic, s.language, s.firm) for s in small_samples()]

    said = evaluate.ask_in_folds([*examples, Example("zebra", "oos", "en")], (), Nothing())

    assert [(each.truth, each.language) for each in said] == [
        *((each.label, each.language) for each in examples),
        ("oos", "en"),
    ]


def test_names_of_labels_are_learned_from(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(
        "label,lang,name,description\ndelivery,en,Shipping,When does it come\nunused,en,Nothing,\n",
        encoding="utf-8",
    )
    examples = [Example(s.text, s.topic, s.language) for s in small_samples()]

    names = tables.read_names(file)
    model = evaluate.fit(examples, names, Nothing())

    assert [(label, text.text) for label, text in names] == [
        ("delivery", "Shipping"),
        ("delivery", "When does it come"),
        ("unused", "Nothing"),
    ]
    assert "shipping" in model.vocabulary.blocks[0]
    assert "unused" not in model.heads["label"].labels


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,lang\na,b\n", "mine.csv lacks the column label"),
        (b"", "mine.csv lacks the column label, text"),
        (b"text,label,lang\n\xff,b,c\n", "mine.csv is not UTF-8, nor Shift_JIS with kana in it"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)

    with pytest.raises(BadFile, match=message):
        tables.read(file)


def test_a_text_may_be_of_any_length_and_columns_parted_by_other_signs(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    for sign in ",;\t":
        file.write_text(f"text{sign}label\n{'x' * 1_100_000}{sign}a\n", encoding="utf-8-sig")
        assert [(len(one.text), one.label) for one in tables.read(file)] == [(1_100_000, "a")]


def test_one_label_is_too_few() -> None:
    with pytest.raises(BadFile, match="too few labels"):
        evaluate.fit([Example("a", "x", "en"), Example("b", "oos", "en")], (), Nothing())


def test_alike_texts_are_of_one_group() -> None:
    examples = [Example("Order 12 late", "a", "en"), Example("order 99 LATE", "a", "en")]

    assert [text.group for text in tables.texts(examples)] == ["order 00 late"] * 2

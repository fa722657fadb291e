"""Fitting: the numbers of scikit-learn without it, honest folds, and classes too small to test."""

import numpy as np
import pytest

from classifier import calibration, features, fitting
from classifier.fitting import Row
from classifier.model import Model

from .conftest import rows_of, small_samples


def row(text: str, label: str, group: str = "g") -> Row:
    return Row(features.document(text), label, group, "en")


def test_a_look_has_the_numbers_of_scikit_learn() -> None:
    rows = rows_of(small_samples(), "topic")
    union = fitting.fit_union([row.document for row in rows])
    vocabulary = fitting.vocabulary_of(union)
    texts = [sample.text for sample in small_samples()] + [
        "",
        "靴 shoes shoes \uff33\uff28\uff2f\uff25\uff33 ñandú",
    ]

    expected = union.transform([features.document(text) for text in texts]).toarray()

    found = np.zeros_like(expected)
    for line, text in zip(found, texts, strict=True):
        look = vocabulary.look(text)
        line[look.columns] = look.values
    assert np.allclose(found, expected, atol=1e-6)


def test_the_shortcut_finds_the_weights_of_plain_logistic_regression() -> None:
    rows = rows_of(small_samples(), "topic")
    union = fitting.fit_union([row.document for row in rows])
    matrix = union.transform([row.document for row in rows])
    answers = [row.label for row in rows]

    quick, quick_bias = fitting._regressions(matrix, answers, (3.0,))[3.0]
    plain, plain_bias = fitting._plain(matrix, answers, 3.0)

    assert np.allclose(matrix @ quick + quick_bias, matrix @ plain + plain_bias, atol=0.02)


def test_no_group_is_on_both_sides() -> None:
    # Each firm has a word of its own for its one label: only a leak could know it.
    rows = [row(f"firm{n} firm{n} again", "AB"[n % 2], f"firm{n}") for n in range(20) for _ in "12"]

    held_out = fitting.out_of_fold(rows, ["A", "B"])

    scores = held_out.scores[held_out.best()]
    assert (scores.argmax(axis=1) == held_out.truth).mean() < 0.7


def test_described_rows_are_never_tested() -> None:
    rows = [row(f"text {n} number", "AB"[n % 2], f"f{n}") for n in range(10)]
    words = Row(features.document("described"), "A", "taxonomy", "en", described=True)

    assert len(fitting.out_of_fold([*rows, words], ["A", "B"]).truth) == 10


@pytest.mark.parametrize(
    "rows",
    [
        [row("only one text", "A")],
        [row("one", "A", "x"), row("two", "B", "y")],
        [row("alike", "A", "x"), row("alike", "A", "y"), row("alike", "B", "z")],
        [row("one firm", "A"), row("one firm only", "B"), row("no other firm", "A")],
        [*(row(f"word{n} here", "A", f"x{n}") for n in range(9)), row("rare", "B", "z")],
    ],
)
def test_too_little_to_learn_from_is_unsure_and_no_crash(rows: list[Row]) -> None:
    union = fitting.fit_union([each.document for each in rows])

    head = fitting.fit_head(rows, union)

    said = head.predict("one", fitting.vocabulary_of(union).look("one"), "en")
    assert said.label is None
    assert head.rules[""].threshold == calibration.NEVER


def test_fitting_twice_gives_the_same_weights(small_model: Model) -> None:
    rows = rows_of(small_samples(), "topic")

    again = fitting.fit_head(rows, fitting.fit_union([row.document for row in rows]))

    assert again.labels == small_model.topic.labels
    assert again.rules == small_model.topic.rules
    assert np.array_equal(again.weights, small_model.topic.weights)


def test_temperature_finds_how_bold_the_scores_are() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(4_000, 3))
    honest = calibration.softmax(scores, 1.0)
    truth = np.array([random.choice(3, p=line) for line in honest], dtype=np.intp)

    assert calibration.fit_temperature(scores * 5, truth) == pytest.approx(5, rel=0.1)


def test_threshold_keeps_its_precision() -> None:
    probability = np.linspace(1, 0, 101)
    right = probability >= 0.6

    limit = calibration.threshold(probability, right, 0.8)

    assert right[probability >= limit].mean() >= 0.8
    assert right[probability >= limit - 0.02].mean() < 0.8


def test_threshold_wants_twenty_answers() -> None:
    assert calibration.threshold(np.ones(19), np.ones(19, dtype=np.bool_), 0.5) == calibration.NEVER


def test_calibration_error_is_the_gap_between_promise_and_truth() -> None:
    probability = np.full(100, 0.9)
    right = np.arange(100) < 70

    assert calibration.calibration_error(probability, right) == pytest.approx(0.2)

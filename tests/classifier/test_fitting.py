"""Fitting: the numbers of scikit-learn without it, honest folds, and classes too small to test."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import ComplementNB

from classifier import calibration, fitting, fusion, sources
from classifier.contract import Decision, Why
from classifier.encoders import Encoder, Nothing
from classifier.evaluate import fit
from classifier.fitting import Terms
from classifier.fusion import Row
from classifier.material import Text, gather
from classifier.model import Identity, Model
from classifier.sources import Lesson
from classifier.tables import Example

from .conftest import chars_of, fit_small, small_samples, words_of

Taught = tuple[str, str, str]  # text, label, group


def small(taught: list[Taught], encoder: Encoder, *, rarest: int = 1) -> Model:
    texts = [Text(text, group, "en") for text, _, group in taught]
    rows = [Row(place, label) for place, (_, label, _) in enumerate(taught)]
    identity = Identity("x", len(rows))
    return fitting.fit_model(texts, {"label": rows}, identity, encoder, Terms(rarest))


def test_a_look_has_the_numbers_of_scikit_learn() -> None:
    learned = [sample.text for sample in small_samples()]
    vocabulary = fit_small(Nothing()).vocabulary
    texts = [sample.text for sample in small_samples()] + [
        "",
        "靴 shoes shoes \uff33\uff28\uff2f\uff25\uff33 ñandú",
    ]

    expected = np.hstack(
        [
            TfidfVectorizer(analyzer=read, sublinear_tf=True)
            .fit(learned)
            .transform(texts)
            .toarray()
            for read in (words_of, chars_of)
        ]
    )

    found = np.zeros_like(expected)
    for line, text in zip(found, texts, strict=True):
        look = vocabulary.look(text)
        line[look.columns] = look.values
    assert np.allclose(found, expected, atol=1e-6)


def test_what_a_score_is_made_of_adds_up_to_it(small_model: Model) -> None:
    for text in [*(sample.text for sample in small_samples()), "", "Shoes? 返品 und Rabatt!"]:
        seen = next(small_model.see([text], [""]))
        for head in small_model.heads.values():
            parts = [head.contributions(seen, label).total for label in head.labels]

            assert np.allclose(parts, head.scores(seen), atol=1e-5)


def test_one_text_and_many_get_the_same_scores(small_model: Model) -> None:
    texts = [sample.text for sample in small_samples()]
    head = small_model.heads["topic"]

    together = [head.scores(seen) for seen in small_model.see(texts, [""] * len(texts))]
    alone = [head.scores(next(small_model.see([text], [""]))) for text in texts]

    assert np.allclose(together, alone, atol=1e-3)


def test_no_group_is_on_both_sides() -> None:
    # Each firm has a word of its own for its one label: only a leak could know it.
    texts = [Text(f"firm{n} firm{n} again", f"firm{n}", "en") for n in range(20) for _ in "12"]
    rows = [Row(place, "AB"[place // 2 % 2]) for place in range(len(texts))]

    held_out = fusion.out_of_fold(gather(texts, Nothing()), rows, ["A", "B"], 1)

    scores = held_out.parts["words"]
    assert (scores.argmax(axis=1) == held_out.truth).mean() < 0.7


def test_described_rows_are_never_tested() -> None:
    texts = [Text(f"text {n} number", f"f{n}", "en") for n in range(10)]
    texts.append(Text("described", "taxonomy", "en", described=True))
    rows = [Row(place, "AB"[place % 2]) for place in range(11)]

    held_out = fusion.out_of_fold(gather(texts, Nothing()), rows, ["A", "B"], 1)

    assert len(held_out.truth) == 10


def test_a_word_of_one_customer_is_not_learned_but_one_of_ours_is() -> None:
    texts = [
        Text("Miller wants a refund, Miller", "one", "en"),
        Text("and Miller waits for it", "one", "en"),
        Text("no refund for Schmidt", "two", "en"),
        Text("reimbursement", "taxonomy", "en", described=True),
    ]
    rows = [Row(place, "AB"[place % 2]) for place in range(4)]

    model = fitting.fit_model(texts, {"label": rows}, Identity("x", 3), Nothing(), Terms(2))

    assert sorted(model.vocabulary.blocks[0]) == ["for", "refund", "reimbursement"]
    assert [name for name in model.vocabulary.blocks[1] if "ille" in name or "chm" in name] == []


@pytest.mark.parametrize(
    "taught",
    [
        [("only one text", "A", "g")],
        [("one", "A", "x"), ("two", "B", "y")],
        [("alike", "A", "x"), ("alike", "A", "y"), ("alike", "B", "z")],
        [("one firm", "A", "g"), ("one firm only", "B", "g"), ("no other firm", "A", "g")],
        [*((f"word{n} here", "A", f"x{n}") for n in range(9)), ("rare", "B", "z")],
    ],
)
def test_too_little_to_learn_from_is_unsure_and_no_crash(
    taught: list[Taught], encoder: Encoder
) -> None:
    model = small(taught, encoder)

    said = model.judge("label", next(model.see(["one"], ["en"])))

    assert (said.label, said.decision) == (None, Decision.ABSTAIN)
    assert model.heads["label"].rules[""].auto == calibration.NEVER


def test_fitting_twice_gives_the_same_weights(small_model: Model) -> None:
    again, before = fit_small(small_model.encoder).heads["topic"], small_model.heads["topic"]

    assert (again.labels, again.rules, again.floor) == (before.labels, before.rules, before.floor)
    assert np.array_equal(again.sparse, before.sparse)
    assert np.array_equal(again.dense, before.dense)


def many(human: int, *, language: str = "en") -> list[Example]:
    """Two labels that are told apart by one word, so that a head can be as sure as it likes."""
    words = ("refund", "invoice")
    return [
        Example(f"about the {words[n % 2]} n{n}x", words[n % 2], language) for n in range(human)
    ]


@pytest.mark.parametrize(
    ("learned", "language", "decision", "why"),
    [
        (many(99), "en", Decision.SUGGEST, Why.FEW_LABELS),
        (many(200), "en", Decision.AUTO, None),
        (many(200), "de", Decision.SUGGEST, Why.FEW_LABELS),
        ([*many(200), *many(49, language="de")], "de", Decision.SUGGEST, Why.FEW_LABELS),
        ([*many(200), *many(50, language="de")], "de", Decision.AUTO, None),
    ],
)
def test_no_head_acts_before_people_have_labelled_enough(
    learned: list[Example], language: str, decision: Decision, why: Why | None
) -> None:
    model = fit(learned, (), Nothing())

    said = model.judge("label", next(model.see(["about the refund n5x"], [language])))

    assert (said.label, said.decision, said.why) == ("refund", decision, why)


def test_what_was_learned_from_samples_never_acts_by_itself() -> None:
    learned = many(200)
    texts = [Text(each.text, each.text, "en") for each in learned]
    rows = [Row(place, each.label) for place, each in enumerate(learned)]

    model = fitting.fit_model(texts, {"label": rows}, Identity("x", 200), Nothing())

    assert model.heads["label"].trusted == frozenset()


def test_labels_nobody_can_tell_apart_are_not_acted_on() -> None:
    learned = [replace(each, label="AB"[n // 2 % 2]) for n, each in enumerate(many(240))]
    model = fit(learned, (), Nothing())

    said = model.judge("label", next(model.see([learned[0].text], ["en"])))

    assert said.decision is not Decision.AUTO
    assert model.heads["label"].rules[""].auto == calibration.NEVER


def test_a_text_unlike_all_others_is_refused_however_likely_its_label(encoder: Encoder) -> None:
    model = fit(many(200), (), encoder)

    said = model.judge("label", next(model.see(["Zebras graze quietly under the moon"], ["en"])))

    assert (said.label, said.why) == (None, Why.STRANGE)


def test_weights_are_never_negative_and_leave_less_surprise_than_the_usual_ones() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 500)
    good = random.normal(size=(500, 3)) + 2 * np.eye(3)[truth]
    bad = -good + random.normal(size=(500, 3))

    weights = calibration.fit_weights([good, bad], truth, [1.0, 1.0])

    assert min(weights) >= 0
    assert weights[1] == pytest.approx(0, abs=1e-6)
    assert calibration.surprise(weights[0] * good, truth) < calibration.surprise(good + bad, truth)


def test_naive_bayes_is_the_one_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    counts = csr_matrix(random.poisson(0.4, size=(60, 25)).astype(np.float64))
    truth = random.choice([0, 1, 3], 60)
    weights = random.uniform(0.5, 2.0, 60)

    found = sources.bayes(Lesson(counts, np.zeros((60, 0)), truth, weights, width=4))

    known = ComplementNB(alpha=0.3).fit(counts, truth, sample_weight=weights).feature_log_prob_
    expected = np.zeros((25, 4))
    expected[:, [0, 1, 3]] = (known - known.mean(axis=0)).T
    assert found.weights == pytest.approx(expected, abs=1e-6)
    assert found.bias == pytest.approx([0, 0, -2, 0])


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


def test_a_sure_threshold_allows_for_luck() -> None:
    probability = np.linspace(1, 0, 31)
    right = np.ones(31, dtype=np.bool_)

    assert calibration.threshold(probability, right, 0.9) == 0.0
    assert calibration.threshold(probability, right, 0.9, surely=True) == 0.0
    assert (
        calibration.threshold(probability[:24], right[:24], 0.9, surely=True) == calibration.NEVER
    )


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    inside, outside = np.array([3.0, 2.0, 2.0]), np.array([1.0, 2.0])

    assert calibration.separation(inside, outside) == pytest.approx((2 + 1.5 + 1.5) / 6)


def test_calibration_error_is_the_gap_between_promise_and_truth() -> None:
    probability = np.full(100, 0.9)
    right = np.arange(100) < 70

    assert calibration.calibration_error(probability, right) == pytest.approx(0.2)

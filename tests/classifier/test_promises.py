"""Whom a head believes about itself: people and samples, never what it said itself."""

import random
from collections.abc import Sequence

import pytest

from classifier import calibration, fitting
from classifier.contract import Basis, Decision, HeadPrediction, Why
from classifier.encoders import Nothing
from classifier.fusion import Row
from classifier.material import Text
from classifier.model import Identity, Model

WORDS = {"refund": "shoes sole leather heel", "invoice": "euro account bank tax"}
Taught = tuple[str, str, str, Row]  # language, group, text, and what it teaches


def lines(
    count: int, language: str = "en", *, chance: bool = False, **whose: object
) -> list[Taught]:
    """Texts with words of one label. `chance`: every second is labelled against them."""
    drawn = random.Random(f"{count} {language} {whose}")
    found = []
    for n in range(count):
        spoken, other = ("refund", "invoice") if n % 2 else ("invoice", "refund")
        said = " ".join(drawn.sample(WORDS[spoken].split(), 3))
        label = other if chance and n // 2 % 2 else spoken
        group = f"{language}{count}{whose}{n}"
        found.append((language, group, said, Row(0, label, **whose)))  # type: ignore[arg-type]
    return found


def fit(taught: Sequence[Taught]) -> Model:
    texts = [Text(text, group, language) for language, group, text, _ in taught]
    rows = [
        Row(n, row.label, row.weight, human=row.human, weak=row.weak)
        for n, (*_, row) in enumerate(taught)
    ]
    return fitting.fit_model(texts, {"label": rows}, Identity("x", len(rows)), Nothing())


def ask(model: Model, text: str, language: str = "en") -> HeadPrediction:
    return model.judge("label", next(model.see([text], [language])))


def test_that_nobody_objected_makes_it_no_surer() -> None:
    people = lines(120, chance=True, human=True)
    model = fit([*people, *lines(600, weak=True, weight=0.05)])

    said = ask(model, "shoes sole leather")

    assert {rule.auto for rule in model.heads["label"].rules.values()} == {calibration.NEVER}
    assert said.decision is not Decision.AUTO
    assert said.probability < 0.65


def test_what_nobody_objected_to_is_still_learned() -> None:
    taught = [*lines(40, human=True), *(("en", f"w{n}", "zebra", Row(0, "refund", weak=True))
                                        for n in range(9))]  # fmt: skip

    assert ask(fit(taught), "zebra").top[0].label == "refund"


@pytest.mark.parametrize(
    ("people", "language", "decision", "why"),
    [
        (lines(100, chance=True, human=True), "en", Decision.SUGGEST, Why.NO_THRESHOLD),
        (lines(100, human=True), "en", Decision.AUTO, None),
        (
            [*lines(100, human=True), *lines(50, "de", chance=True, human=True)],
            *("de", Decision.SUGGEST, Why.NO_THRESHOLD),
        ),
        ([*lines(100, human=True), *lines(50, "de", human=True)], "de", Decision.AUTO, None),
    ],
    ids=["people are unlike", "people are alike", "unlike in one language", "alike in it"],
)
def test_samples_alone_never_let_it_act(
    people: list[Taught], language: str, decision: Decision, why: Why | None
) -> None:
    model = fit([*people, *lines(800, language)])

    said = ask(model, "shoes sole leather", language)

    assert (said.decision, said.why) == (decision, why)


def test_the_least_likely_suggestion_is_more_likely_right_than_wrong() -> None:
    """Three in four texts are plain, so seven in ten are right however many guesses are added."""
    taught = lines(300)
    taught += [
        ("en", f"v{n}", "green colour large size", Row(0, label))
        for n, label in enumerate(["refund", "invoice", "other", "more", "rest"] * 20)
    ]
    model = fit(taught)

    plain, vague = ask(model, "shoes sole leather"), ask(model, "green colour large size")

    assert plain.decision is Decision.SUGGEST
    assert (vague.decision, vague.why, vague.probability < 0.5) == (
        Decision.ABSTAIN, Why.UNSURE, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("people", "language", "basis"),
    [
        ([], "en", Basis.SAMPLES),
        (lines(99, human=True), "en", Basis.SAMPLES),
        (lines(100, human=True), "en", Basis.OWN),
        (lines(100, human=True), "de", Basis.SAMPLES),
        ([*lines(60, human=True), *lines(50, "de", human=True)], "de", Basis.OWN),
        ([*lines(60, human=True), *lines(49, "de", human=True)], "de", Basis.SAMPLES),
        (lines(200, weak=True), "en", Basis.SAMPLES),
    ],
    ids=range(7),
)
def test_whose_texts_stand_behind_a_probability(
    people: list[Taught], language: str, basis: Basis
) -> None:
    assert ask(fit([*people, *lines(20)]), "shoes sole", language).basis is basis

"""A new model must not be worse; that it is better, nobody can show on a few hundred texts."""

from collections.abc import Sequence
from dataclasses import asdict

import pytest

from app.domain.contest import Objection, Outcome, Trial, held_out, judge

SURE = 0.95


def trials(
    both: int, worse: int = 0, better: int = 0, neither: int = 0, sure: float | None = None
) -> list[Trial]:
    """That many texts of a class each, on which both, only the old, only the new … were right."""
    right = both + better
    said = right / (both + worse + better + neither) if sure is None else sure

    def some(number: int, *, old: bool, new: bool) -> list[Trial]:
        classes = [f"class {n % 12}" for n in range(number)]
        return [Trial(c, c if old else "other", c if new else "other", said) for c in classes]

    return [
        *some(both, old=True, new=True),
        *some(worse, old=True, new=False),
        *some(better, old=False, new=True),
        *some(neither, old=False, new=False),
    ]


@pytest.mark.parametrize(
    ("texts", "compared"),
    [(0, 0), (12, 12), (59, 59), (60, 60), (299, 60), (500, 100), (2_500, 500), (20_000, 500)],
)
def test_the_newest_fifth_is_held_out(texts: int, compared: int) -> None:
    assert held_out(texts) == compared


@pytest.mark.parametrize(
    ("found", "objections"),
    [
        (trials(80, neither=20), ()),
        (trials(80, better=10), ()),
        (trials(80, worse=3, neither=17), ()),  # bad luck, for all anybody knows
        (trials(80, worse=4, better=1, neither=15), ()),
        (trials(80, worse=4, neither=16), (Objection.WORSE,)),
        (trials(80, worse=12, better=4), (Objection.WORSE,)),
        (trials(80, neither=20, sure=0.95), (Objection.UNCALIBRATED,)),
    ],
)
def test_it_may_not_be_worse_beyond_bad_luck(
    found: Sequence[Trial], objections: tuple[Objection, ...]
) -> None:
    assert judge(found, 400).objections == objections


@pytest.mark.parametrize(("here", "lost"), [(9, ()), (10, ("rare",))])
def test_no_class_may_be_lost_for_the_sake_of_the_others(here: int, lost: tuple[str, ...]) -> None:
    found = trials(60, better=20)
    found += [Trial("rare", "rare", "rare", SURE)] * (here - 2) + [
        Trial("rare", "rare", "other", SURE)
    ] * 2

    assert judge(found, 400).lost == lost


@pytest.mark.parametrize(
    ("worse", "better", "objections"),
    [(1, 0, (Objection.WORSE,)), (1, 1, ()), (0, 3, ())],
)
def test_among_few_texts_it_is_only_counted(
    worse: int, better: int, objections: tuple[Objection, ...]
) -> None:
    found = judge(trials(20, worse=worse, better=better, sure=0.5), 40)

    assert found.objections == objections


def test_the_figures_are_those_of_the_comparison() -> None:
    found = judge(trials(70, worse=2, better=8, neither=20, sure=0.75), 400)

    assert asdict(found) == {
        "texts": 100,
        "champion": 0.72,
        "challenger": 0.78,
        "luck": pytest.approx(1013 / 1024),
        "calibration_error": pytest.approx(0.03),
        "lost": (),
        "objections": (),
    }


def test_without_anything_to_compare_there_is_nothing_against_it() -> None:
    assert judge([], 0) == Outcome(0)

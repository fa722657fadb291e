"""What moved, and what only chance moves."""

import random
from collections import Counter
from collections.abc import Mapping

import pytest

from app.domain.drift import Moved, Shift, of_kinds, of_values

CALM, MOVED, UNKNOWN = Moved.CALM, Moved.MOVED, Moved.UNKNOWN


@pytest.mark.parametrize(
    ("before", "now", "least", "expected"),
    [
        ({}, {}, 0.1, Shift(0, 0)),
        ({"a": 900}, {"a": 49}, 0.1, Shift(900, 49, 0.0, 0.0, UNKNOWN)),
        ({"a": 60}, {"a": 60}, 0.1, Shift(60, 60, 0.0, 0.0, CALM)),
        ({"a": 50, "b": 50}, {"a": 50, "b": 50}, 0.1, Shift(100, 100, 0.0, 0.1317, CALM)),
        # the same shares as below, but of few
        ({"a": 80, "b": 20}, {"a": 30, "b": 20}, 0.1, Shift(100, 50, 0.1931, 0.1976, CALM)),
        ({"a": 500, "b": 500}, {"a": 350, "b": 150}, 0.1, Shift(1000, 500, 0.1687, 0.0198, MOVED)),
        # more than chance, and too little to matter unless it is asked for
        ({"a": 800, "b": 200}, {"a": 360, "b": 140}, 0.1, Shift(1000, 500, 0.0354, 0.0198, CALM)),
        ({"a": 800, "b": 200}, {"a": 360, "b": 140}, 0.02, Shift(1000, 500, 0.0354, 0.0198, MOVED)),
        # what is rare counts as one kind
        ({"a": 49, "b": 1}, {"a": 49, "c": 1}, 0.1, Shift(50, 50, 0.0, 0.2634, CALM)),
    ],
)
def test_counts_moved_when_it_is_more_than_chance_and_matters(
    before: Mapping[str, int], now: Mapping[str, int], least: float, expected: Shift
) -> None:
    assert of_kinds(before, now, least) == expected


def test_figures_are_parted_into_fifths() -> None:
    even = [n / 100 for n in range(100)]

    assert of_values(even, even[::-1]).state is CALM
    assert of_values(even, even[:50] * 2).state is MOVED
    assert of_values([0.0] * 60, [0.0] * 60).state is CALM
    assert of_values([], []).state is UNKNOWN


@pytest.mark.parametrize(("kinds", "before", "now"), [(2, 50, 50), (5, 150, 50), (13, 200, 60)])
def test_without_a_change_it_hardly_ever_cries(kinds: int, before: int, now: int) -> None:
    chance = random.Random(7)

    def drawn(number: int) -> Counter[str]:
        return Counter(str(kind) for kind in chance.choices(range(kinds), k=number))

    cried = sum(of_kinds(drawn(before), drawn(now), 0.0).state is MOVED for _ in range(400))

    assert cried <= 10  # one in a hundred is meant

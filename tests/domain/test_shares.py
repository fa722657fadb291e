"""Nobody alone decides what a model learns."""

from collections.abc import Mapping

import pytest

from app.domain.shares import capped

Weights = Mapping[int, float]


def weighed(weights: Weights, labels: Mapping[int, int]) -> dict[int, float]:
    factors = capped(weights, labels)
    return {one: weights[one] * factors[one] for one in weights}


@pytest.mark.parametrize(
    ("weights", "weigh"),
    [
        ({}, {}),
        ({1: 300}, {1: 300}),
        ({1: 90, 2: 30}, {1: 30, 2: 30}),
        ({1: 30, 2: 90}, {1: 30, 2: 30}),
        ({1: 200, 2: 200, 3: 200}, {1: 200, 2: 200, 3: 200}),
        ({1: 100, 2: 20, 3: 20}, {1: 20, 2: 20, 3: 20}),
        ({1: 100, 2: 50, 3: 30, 4: 20}, {1: 50, 2: 50, 3: 30, 4: 20}),
        ({1: 100, 2: 20, 3: 20, 4: 20, 5: 20}, {1: 40, 2: 20, 3: 20, 4: 20, 5: 20}),
        ({1: 20, 2: 19, 3: 18, 4: 17}, {1: 20, 2: 19, 3: 18, 4: 17}),
    ],
)
def test_nobody_has_more_than_half_among_two_or_a_third_among_three(
    weights: Weights, weigh: Weights
) -> None:
    labels = {person: int(weight) for person, weight in weights.items()}

    assert weighed(weights, labels) == pytest.approx(weigh)


@pytest.mark.parametrize(
    ("labels", "weigh"),
    [
        # Too little of the others to hold against somebody.
        ({1: 500, 2: 9}, {1: 1000, 2: 18}),
        ({1: 500, 2: 5, 3: 4}, {1: 1000, 2: 10, 3: 8}),
        # Together they are enough, but twenty of anybody count in any case.
        ({1: 500, 2: 10}, {1: 40, 2: 20}),
        ({1: 500, 2: 9, 3: 9}, {1: 40, 2: 18, 3: 18}),
        ({1: 500, 2: 40, 3: 9}, {1: 98, 2: 80, 3: 18}),
        ({1: 500, 2: 10, 3: 10}, {1: 40, 2: 20, 3: 20}),
        ({1: 500, 2: 300, 3: 30}, {1: 60, 2: 60, 3: 60}),
    ],
)
def test_few_labels_of_others_neither_lift_the_limit_nor_take_all_away(
    labels: Mapping[int, int], weigh: Weights
) -> None:
    weights = {person: 2.0 * number for person, number in labels.items()}

    assert weighed(weights, labels) == pytest.approx(weigh)

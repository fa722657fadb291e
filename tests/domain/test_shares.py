"""Nobody alone decides what a model learns."""

from collections.abc import Mapping

import pytest

from app.domain.shares import capped

MANY = 10


@pytest.mark.parametrize(
    ("weights", "weigh"),
    [
        ({}, {}),
        ({1: 30}, {1: 30}),
        ({1: 90, 2: 10}, {1: 90, 2: 10}),
        ({1: 20, 2: 20, 3: 20}, {1: 20, 2: 20, 3: 20}),
        ({1: 100, 2: 20, 3: 20}, {1: 20, 2: 20, 3: 20}),
        ({1: 100, 2: 50, 3: 30, 4: 20}, {1: 50, 2: 50, 3: 30, 4: 20}),
        ({1: 100, 2: 20, 3: 20, 4: 20, 5: 20}, {1: 40, 2: 20, 3: 20, 4: 20, 5: 20}),
        ({1: 20, 2: 19, 3: 18, 4: 17}, {1: 20, 2: 19, 3: 18, 4: 17}),
    ],
)
def test_nobody_has_more_than_a_third_among_three(
    weights: Mapping[int, float], weigh: Mapping[int, float]
) -> None:
    factors = capped(weights, dict.fromkeys(weights, MANY))

    assert {one: weights[one] * factors[one] for one in weights} == pytest.approx(weigh)


def test_who_said_next_to_nothing_is_not_one_of_three() -> None:
    found = capped({1: 100.0, 2: 20.0, 3: 2.0}, {1: 50, 2: MANY, 3: MANY - 1})

    assert found == {1: 1.0, 2: 1.0, 3: 1.0}

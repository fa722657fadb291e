"""However many hostile mails come together, the others are not kept waiting for long."""

from collections.abc import Callable

import pytest

from app.worker.patience import AGAIN, LEAST, MOST, Patience

AN_AGE = 1000.0  # seconds


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    "takes",
    [
        pytest.param(lambda patience: patience, id="as long as it is let"),
        pytest.param(lambda patience: patience * 0.9, id="nearly as long as it is let"),
        pytest.param(lambda patience: min(patience, 0.5), id="half a second"),
    ],
)
def test_a_hundred_slow_ones_cost_the_others_less_than_ten_seconds(
    takes: Callable[[float], float],
) -> None:
    watch = Watch()
    patience = Patience(now=watch)

    for _ in range(100):
        took = takes(patience.seconds)
        watch.at += took
        patience.spend(took)

    assert watch.at < 10.0


def test_ordinary_ones_cost_nothing_and_what_was_spent_comes_back() -> None:
    watch = Watch()
    patience = Patience(now=watch)
    for _ in range(1000):
        patience.spend(LEAST)
    fresh = patience.seconds
    patience.spend(AN_AGE)
    spent = patience.seconds
    watch.at += 20.0
    later = patience.seconds
    watch.at += AN_AGE

    assert (fresh, spent, later, patience.seconds) == (
        MOST / 2,
        LEAST,
        20.0 * AGAIN / 2,
        MOST / 2,
    )


def test_what_is_too_large_for_the_time_that_is_left_is_not_begun() -> None:
    patience = Patience(now=Watch())
    sizes = (10_000, 50_000_000)
    fresh = [patience.suffices(size) for size in sizes]

    patience.spend(AN_AGE)

    assert (fresh, [patience.suffices(size) for size in sizes]) == ([True, True], [True, False])

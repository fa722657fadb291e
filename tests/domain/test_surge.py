"""When so many are an alarm: what is usual, what is luck, and which hours are compared."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain import surge
from app.domain.surge import Span

TESTS = 22  # ten topics and the model's being unsure, over two lengths of time


@pytest.mark.parametrize(
    ("count", "before", "alarming"),
    [
        (8, [0, 0, 0], True),
        (7, [0] * 8, False),  # too few to be worth it
        (16, [3, 4, 5, 3, 4, 5, 4, 4], True),
        (12, [3, 4, 5, 3, 4, 5, 4, 4], False),  # happens by chance, with so many topics
        (16, [3, 5, 4], False),  # three weeks say less than eight
        (20, [3, 5, 4], True),
        (20, [0, 12, 1, 15, 0, 9], False),  # the weeks differ anyway
        (1900, [1000] * 8, False),  # no luck, and no alarm: not twice as many
        (2000, [1000] * 8, True),
        (30, [60, 5, 5, 5, 5, 5, 5, 5], True),  # the alarm of one week does not hide the next
        (60, [60, 60, 5, 5, 5, 5, 5, 5], False),  # twice is what one has to expect
    ],
)
def test_alarm_is_what_chance_does_not_make(
    count: int, before: Sequence[int], alarming: bool
) -> None:
    look = surge.judge(count, before, TESTS)

    assert look is not None
    assert (look.count, look.alarming) == (count, alarming)


@pytest.mark.parametrize("before", [[], [5], [5, 5]])
def test_too_few_weeks_say_nothing(before: Sequence[int]) -> None:
    assert surge.judge(100, before, TESTS) is None


@pytest.mark.parametrize(
    ("count", "before", "goes_on"),
    [(4, [0, 0, 0], True), (3, [0, 0, 0], False), (15, [10] * 4, True), (14, [10] * 4, False)],
)
def test_alarm_ends_lower_than_it_begins(count: int, before: Sequence[int], goes_on: bool) -> None:
    look = surge.judge(count, before, TESTS)

    assert look is not None
    assert (look.alarming, look.goes_on) == (False, goes_on)


@pytest.mark.parametrize(
    ("count", "before", "chance"),
    [
        (0, [4, 4, 4], 1.0),
        (1, [0] * 8, 1 - (8 / 9) ** 0.5),
        (9, [3, 4, 5], 0.048142176592845795),
        (3, [9, 9, 9], 0.9881343999144887),
        (50, [0, 30, 2], 0.048988799272146055),
        (900, [800] * 8, 0.0005797305391208472),
        (16, [3, 4, 5, 3, 4, 5, 4, 4], 3.1462168405564265e-05),
    ],
)
def test_chance_is_that_of_a_negative_binomial(
    count: int, before: Sequence[int], chance: float
) -> None:
    # As SciPy has it: `nbinom.sf(count - 1, mean**2 / (variance - mean), mean / variance)`.
    assert surge.chance(count, before) == pytest.approx(chance, rel=1e-9)


def test_enormous_numbers_are_neither_slow_nor_too_small() -> None:
    assert surge.chance(1_000_000, [1] * 8) == 0.0
    assert surge.chance(90_000, [100_000] * 8) == pytest.approx(1.0)


def test_the_same_hours_are_those_of_the_clock_on_the_wall() -> None:
    # Clocks were put back in the night to 25 October: ten o'clock came an hour later from then on.
    span = Span(datetime(2026, 10, 28, 6, tzinfo=UTC), datetime(2026, 10, 28, 9, tzinfo=UTC))
    first = datetime(2026, 10, 7, 5, tzinfo=UTC)

    found = surge.earlier(span, ZoneInfo("Europe/Berlin"), first)

    ends = [datetime(2026, 10, day, 8, tzinfo=UTC) for day in (21, 14, 7)]
    assert found == [Span(end - timedelta(hours=3), end) for end in ends]


def test_no_more_than_eight_weeks_are_looked_back_on() -> None:
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)

    found = surge.earlier(surge.until(now, 24), UTC, now - timedelta(days=400))

    assert [span.end for span in found] == [now - timedelta(weeks=n) for n in range(1, 9)]

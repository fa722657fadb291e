"""Probabilities against what came true, worked out by hand."""

import pytest

from app.domain.reliability import Bin, Said, Step, bins, calibration_error, steps
from app.domain.score import share

SAID: Said = [(0.95, True), (0.91, True), (0.9, False), (0.55, True), (0.5, False), (1.0, True)]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([(1.0, True)], 0.0),
        ([(1.0, False)], 1.0),
        ([(0.75, True)] * 3 + [(0.75, False)], 0.0),
        ([(0.5, True)] * 4 + [(0.9, True)] * 4, 0.3),
        (SAID, (0.05 + 0.81 + 0.45 + 0.5) / 6),
    ],
)
def test_calibration_error_is_how_far_off_it_is_on_average(said: Said, error: float) -> None:
    assert calibration_error(said) == pytest.approx(error)


def test_bins_hold_what_was_said_and_what_was_right() -> None:
    assert bins(SAID, 10) == (
        Bin(0.5, 0.6, (0.55 + 0.5) / 2, share(1, 2)),
        Bin(0.9, 1.0, (0.95 + 0.91 + 0.9 + 1.0) / 4, share(3, 4)),
    )
    assert bins([]) == ()


def test_a_threshold_lets_fewer_through_the_higher_it_is() -> None:
    assert steps(SAID, (0.95, 0.6, 0.0)) == (
        Step(0.95, share(2, 6), share(2, 2)),
        Step(0.6, share(4, 6), share(3, 4)),
        Step(0.0, share(6, 6), share(4, 6)),
    )
    assert steps([(0.3, True)], (0.9,)) == (Step(0.9, share(0, 1), None),)
    assert steps([], (0.9,)) == ()

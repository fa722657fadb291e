"""The interval of a share, against figures worked out elsewhere."""

import pytest

from app.domain.score import Share, share


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (5, 5, 56.6, 100.0),
        (4, 5, 37.6, 96.4),
        (9, 10, 59.6, 98.2),
        (27, 30, 74.4, 96.5),
        (90, 100, 82.6, 94.5),
        (900, 1000, 88.0, 91.7),
        (0, 4, 0.0, 49.0),
    ],
)
def test_share_has_the_wilson_interval(hits: int, n: int, low: float, high: float) -> None:
    assert share(hits, n) == Share(hits, n, low, high)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_share_of_nothing_is_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        share(hits, n)


def test_share_of_nine_is_too_few_for_a_rate() -> None:
    assert (share(9, 9).few, share(10, 10).few) == (True, False)

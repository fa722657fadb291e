"""Whom people are asked about next: seven, two and one of ten, and nobody twice."""

from app.domain.drawing import drawn
from app.domain.lesson_order import Because, Candidate, order

U, F, D = Because.UNCERTAIN, Because.UNFAMILIAR, Because.DRAWN
LOT = next(f"t{n}" for n in range(100) if drawn(f"t{n}"))


def test_a_page_mixes_them_and_always_alike() -> None:
    # The surest are the strangest, so that nobody is both; the drawn one is neither.
    known = [Candidate(f"c{n}", n, n / 100, -n) for n in range(30) if not drawn(f"c{n}")]
    lot = Candidate(LOT, 99, 0.5, 0.5)

    found = order([lot, *known], 10)

    assert [why for _, why in found] == [U, U, F, U, U, D, U, U, F, U]
    refs = [one.ref for one in known]
    assert [one.ref for one, _ in found] == [
        *refs[:2], refs[-1], *refs[2:4], LOT, *refs[4:6], refs[-2], refs[6],
    ]  # fmt: skip
    assert found == order([lot, *known], 10)


def test_one_stands_for_all_that_are_nearly_the_same() -> None:
    found = order([Candidate("a", 1, 0.4, 1.0), Candidate("b", 1, 0.1, 1.0)], 10)

    assert [(one.ref, why) for one, why in found] == [("b", U)]


def test_what_no_model_has_seen_comes_last() -> None:
    found = order([Candidate("x", 1), Candidate("a", 2, 0.9, 0.0), Candidate("y", 3)], 2)

    assert [(one.ref, why) for one, why in found] == [("a", U), ("x", Because.UNSEEN)]
    assert order([], 5) == []

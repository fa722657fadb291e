"""The random part: about a tenth, and nothing about a ticket says whether it is in it."""

from app.domain.drawing import drawn


def test_about_a_tenth_is_drawn() -> None:
    found = [n for n in range(10_000) if drawn(f"t{n}")]

    assert 900 < len(found) < 1_100
    assert [n for n in range(40) if drawn(f"t{n}")] == [25, 28]

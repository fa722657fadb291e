"""Time stands still, moves on when told, and goes on afterwards."""

from datetime import UTC, datetime, timedelta, timezone

from app.core import clock


def test_time_is_held_moved_and_let_go() -> None:
    tokyo = datetime(2026, 11, 20, 21, tzinfo=timezone(timedelta(hours=9)))
    with clock.at(tokyo) as forward:
        assert (clock.now(), clock.now().tzinfo) == (tokyo, UTC)
        forward(timedelta(hours=1))
        with clock.at(tokyo):
            assert clock.now() == tokyo
        assert clock.now() == tokyo + timedelta(hours=1)

    assert clock.now() - tokyo != timedelta(hours=1)
    assert clock.now().tzinfo is UTC

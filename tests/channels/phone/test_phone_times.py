"""Dates and durations as three countries and their programs write them."""

# ruff: noqa: RUF001  (signs that look alike are what is tested)

from datetime import UTC, datetime, timedelta, timezone

import pytest

from channels.phone import times

NINE_FIVE = datetime(2026, 4, 1, 9, 5)  # noqa: DTZ001  (a log tells no zone)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-04-01 09:05", "2026-04-01T09:05:00", "2026/4/1 9:05", "2026/04/01 09:05:00.000"),
        *(
            "2026年4月1日 9時5分",
            "2026年4月1日 9時5分0秒",
            "2026年４月１日　９：０５",
            "2026/4/1(水) 9:05",
        ),
        *("令和8年4月1日 9:05", "R8.4.1 9:05", "r8/4/1 9:05", "2026/4/1 午前9:05"),
        *("01.04.2026 09:05", "1.4.26 9:05", "01.04.2026, 09:05 Uhr", "Mi., 01.04.2026 09:05"),
        *("20260401 09:05", "2026-04-01 9:05 AM", "2026-04-01 9.05"),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str) -> None:
    assert times.read_at(text, day_comes_first=None) == NINE_FIVE


@pytest.mark.parametrize(
    ("text", "day_comes_first", "at"),
    [
        ("1/4/2026 9:05", True, NINE_FIVE),
        ("4/1/2026 9:05 AM", False, NINE_FIVE),
        ("4/1/26 9:05 a.m.", False, NINE_FIVE),
        ("01-04-2026 09:05", True, NINE_FIVE),
        ("4/1/2026 9:05 PM", False, NINE_FIVE + timedelta(hours=12)),
        ("4/1/2026 12:05 AM", False, NINE_FIVE - timedelta(hours=9)),
        ("2026/4/1 午後9:05", None, NINE_FIVE + timedelta(hours=12)),
        ("平成31年4月1日", None, datetime(2019, 4, 1)),  # noqa: DTZ001
        ("令和元年5月1日", None, datetime(2019, 5, 1)),  # noqa: DTZ001
        ("2026-04-01", None, datetime(2026, 4, 1)),  # noqa: DTZ001
        ("2026-04-01T09:05:00Z", None, NINE_FIVE.replace(tzinfo=UTC)),
        ("2026-04-01 09:05 +0900", None, NINE_FIVE.replace(tzinfo=timezone(timedelta(hours=9)))),
        ("2026-04-01T09:05-03:30", None, NINE_FIVE.replace(tzinfo=timezone(-timedelta(hours=3.5)))),
        ("1775034300", None, NINE_FIVE.replace(tzinfo=UTC)),
        ("1775034300123", None, NINE_FIVE.replace(tzinfo=UTC)),
    ],
)
def test_a_date_with_two_readings_follows_its_column(
    text: str, day_comes_first: bool | None, at: datetime
) -> None:
    assert times.read_at(text, day_comes_first=day_comes_first) == at


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13-01", "31.02.2026", "2026-04-01 25:00", "1/2", "9999999", " " * 9999],
)
def test_what_is_no_date_is_not_made_one(text: str) -> None:
    with pytest.raises(times.Unclear):
        times.read_at(text, day_comes_first=None)


@pytest.mark.parametrize(
    ("texts", "region", "first"),
    [
        (["2026-04-01", "01.04.2026"], "", None),
        (["1/4/2026", "13/4/2026"], "US", True),
        (["1/4/2026", "4/13/2026"], "DE", False),
        (["4/1/2026 9:05 PM"], "", False),
        (["4/1/2026 9:05"], "US", False),
        (["4/1/2026 9:05"], "DE", True),
    ],
)
def test_a_column_tells_its_own_order(texts: list[str], region: str, first: bool | None) -> None:
    assert times.day_first(texts, region) is first


def test_a_column_that_tells_nothing_is_not_guessed() -> None:
    with pytest.raises(times.Unclear, match="set the country"):
        times.day_first(["4/1/2026 9:05", "5/2/2026 9:05"], "")


@pytest.mark.parametrize(
    ("text", "minutes", "seconds"),
    [
        ("", False, None),
        ("0:03:12", False, 192),
        ("00:03:12", False, 192),
        ("3:12", False, 192),
        ("192", False, 192),
        ("192,4", False, 192),
        ("１分２３秒", False, 83),
        ("1時間2分3秒", False, 3723),
        ("3m 12s", False, 192),
        ("3 min", False, 180),
        ("2 Minuten 5 Sek.", False, 125),
        ("3", True, 180),
        ("2,5", True, 150),
    ],
)
def test_a_duration_is_seconds(text: str, minutes: bool, seconds: int | None) -> None:
    assert times.read_seconds(text, minutes=minutes) == seconds


@pytest.mark.parametrize("text", ["long", "-5", "1:2:3:4", "3 Wochen"])
def test_what_is_no_duration_is_not_made_one(text: str) -> None:
    with pytest.raises(times.Unclear):
        times.read_seconds(text)

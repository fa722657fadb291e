"""May we ask, and when: the words of each reason, and the moment in the customer's zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.survey import Circumstances, delay_for, open_at, when, why_not, zone

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINE = Circumstances(
    wanted=True,
    policy="de-strict",
    agreed=False,
    notice=True,
    objected=False,
    automatic=False,
    sample=False,
    answer_reached=True,
    has_address=True,
    waiting=False,
    last_asked=None,
    cooling=timedelta(days=30),
)
DAY = timedelta(days=1)


def test_nothing_speaks_against_it() -> None:
    assert why_not(FINE, NOW) == ""


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(FINE, sample=True, automatic=True), "This is a sample inquiry."),
        (replace(FINE, automatic=True), "Only machines wrote on this ticket."),
        (
            replace(FINE, answer_reached=False),
            "No answer of a person has reached the customer.",
        ),
        (replace(FINE, objected=True, agreed=True), "The customer does not want to be asked."),
        (replace(FINE, wanted=False), "Feedback requests are switched off."),
        (
            replace(FINE, notice=False),
            (
                "Strict policy: the customer has not agreed, and the organisation has not stated "
                "that its notice mentions such requests."
            ),
        ),
        (
            replace(FINE, has_address=False),
            "There is no channel on which the customer can be asked.",
        ),
        (replace(FINE, waiting=True), "Another request to this customer is waiting."),
        (
            replace(FINE, last_asked=NOW - 30 * DAY + timedelta(seconds=1)),
            "The customer was asked less than 30 days ago.",
        ),
        (replace(FINE, last_asked=NOW - 30 * DAY), ""),
        (replace(FINE, notice=False, agreed=True), ""),
        (replace(FINE, notice=False, policy="opt-out"), ""),
    ],
)
def test_each_reason_in_a_sentence(facts: Circumstances, reason: str) -> None:
    assert why_not(facts, NOW) == reason


@pytest.mark.parametrize(
    ("resolved", "zone_name", "due"),
    [
        # within the day
        ("2026-11-18 12:00", "UTC", "2026-11-19 12:00"),
        ("2026-11-18 09:00", "UTC", "2026-11-19 09:00"),
        ("2026-11-18 17:59", "UTC", "2026-11-19 17:59"),
        # before and after hours
        ("2026-11-18 08:59", "UTC", "2026-11-19 09:00"),
        ("2026-11-18 00:00", "UTC", "2026-11-19 09:00"),
        ("2026-11-18 18:00", "UTC", "2026-11-20 09:00"),
        ("2026-11-18 23:59", "UTC", "2026-11-20 09:00"),
        # weekends
        ("2026-11-19 18:00", "UTC", "2026-11-23 09:00"),
        ("2026-11-20 12:00", "UTC", "2026-11-23 09:00"),
        ("2026-11-21 12:00", "UTC", "2026-11-23 09:00"),
        ("2026-11-22 12:00", "UTC", "2026-11-23 12:00"),
        # Tokyo, nine hours ahead
        ("2026-11-18 00:30", "Asia/Tokyo", "2026-11-19 00:30"),
        ("2026-11-18 09:00", "Asia/Tokyo", "2026-11-20 00:00"),
        ("2026-11-18 23:00", "Asia/Tokyo", "2026-11-20 00:00"),
        ("2026-11-19 15:00", "Asia/Tokyo", "2026-11-23 00:00"),
        # Los Angeles, behind
        ("2026-11-18 18:00", "America/Los_Angeles", "2026-11-19 18:00"),
        ("2026-11-19 02:00", "America/Los_Angeles", "2026-11-20 17:00"),
        ("2026-11-20 20:00", "America/Los_Angeles", "2026-11-23 17:00"),
        # Berlin puts its clocks back on 25 October and forward on 28 March
        ("2026-10-22 18:00", "Europe/Berlin", "2026-10-26 08:00"),
        ("2026-10-25 07:30", "Europe/Berlin", "2026-10-26 08:00"),
        ("2026-10-25 08:30", "Europe/Berlin", "2026-10-26 08:30"),
        ("2027-03-26 12:00", "Europe/Berlin", "2027-03-29 07:00"),
        ("2027-03-28 07:30", "Europe/Berlin", "2027-03-29 07:30"),
        ("2027-03-28 16:00", "Europe/Berlin", "2027-03-30 07:00"),
        # zones of half and three quarters of an hour
        ("2026-11-18 03:30", "Asia/Kolkata", "2026-11-19 03:30"),
        ("2026-11-18 03:29", "Asia/Kolkata", "2026-11-19 03:30"),
        ("2026-11-18 03:15", "Asia/Kathmandu", "2026-11-19 03:15"),
        ("2026-11-18 03:14", "Asia/Kathmandu", "2026-11-19 03:15"),
        # the other side of the date line
        ("2026-11-19 23:00", "Pacific/Kiritimati", "2026-11-22 19:00"),
        # no zone anybody knows
        ("2026-11-18 12:00", "Mars/Base", "2026-11-19 12:00"),
        ("2026-11-18 12:00", "", "2026-11-19 12:00"),
    ],
)
def test_a_day_later_moved_into_working_hours(resolved: str, zone_name: str, due: str) -> None:
    moment = datetime.fromisoformat(resolved).replace(tzinfo=UTC)

    found = when(moment, DAY, zone_name)

    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("by_mail", "minutes", "waits"), [(True, 1440, 1440), (False, 1440, 60), (False, 30, 30)]
)
def test_a_call_or_a_chat_is_asked_about_within_the_hour(
    *, by_mail: bool, minutes: int, waits: int
) -> None:
    found = delay_for(timedelta(minutes=minutes), by_mail=by_mail)

    assert found == timedelta(minutes=waits)


def test_what_is_let_go_waits_for_the_hours_too() -> None:
    night = datetime(2026, 11, 20, 22, tzinfo=UTC)  # a Friday

    assert open_at(night, "UTC") == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert open_at(night, "America/Los_Angeles") == night


def test_no_delay_is_at_once_even_at_night() -> None:
    night = datetime(2026, 11, 21, 3, tzinfo=UTC)

    assert when(night, timedelta(0), "UTC") == night


@given(
    moment=st.datetimes(
        datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants them naive
        datetime(2040, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    minutes=st.integers(1, 60 * 24 * 30),
    name=st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Asia/Tehran"]),
)
def test_always_on_a_weekday_between_nine_and_six(
    moment: datetime, minutes: int, name: str
) -> None:
    delay = timedelta(minutes=minutes)

    due = when(moment, delay, name)

    local = due.astimezone(zone(name))
    assert due >= moment + delay
    assert due - moment - delay < timedelta(days=3)
    assert local.weekday() < 5
    assert 9 <= local.hour < 18


@pytest.mark.parametrize("name", ["Europe", "../etc/passwd", "/etc/passwd", "\x00", "Nowhere"])
def test_a_zone_nobody_knows_is_utc(name: str) -> None:
    assert zone(name).key == "UTC"

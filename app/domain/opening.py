"""Whether somebody is there: the days and minutes of business hours."""

from datetime import datetime
from zoneinfo import ZoneInfo


def is_open(at: datetime, time_zone: str, days: str, opens: int, closes: int) -> bool:
    """`days` as digits, Monday is 1; minutes since midnight on the wall clock there."""
    there = at.astimezone(ZoneInfo(time_zone))
    minute = there.hour * 60 + there.minute
    return str(there.isoweekday()) in days and opens <= minute < closes

"""Dates and durations as call logs write them in three countries."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

# Where 4/1 is the first of April; the rest of the world that writes slashes means January.
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW", "GU", "AS", "MP", "VI", "PR"})

LONGEST = 100  # no date needs more, and a pattern must not walk through a whole novel

_ERA_BEGINS = {"令和": 2018, "r": 2018, "平成": 1988, "h": 1988}

_CLOCK = (
    r"(?:[T, ]{1,3}(?P<half>午前|午後)? ?(?P<hour>\d{1,2}) ?[:時.] ?(?P<minute>\d{1,2})"
    r"(?: ?[:分.] ?(?P<second>\d{1,2})(?:[.,]\d+)?)? ?[分秒]? ?(?P<m>[ap]\.?m\.?)? ?(?:uhr)?"
    r" ?(?P<offset>z|utc|gmt|[+-]\d\d:?\d\d)?)?"
)
_PATTERNS = tuple(
    re.compile(day + _CLOCK, re.IGNORECASE)
    for day in (
        r"(?P<y>\d{4})[-/.年]\s?(?P<mo>\d{1,2})[-/.月]\s?(?P<d>\d{1,2})日?",
        r"(?P<era>令和|平成|r|h)\s?(?P<y>\d{1,2}|元)[.年/-]\s?(?P<mo>\d{1,2})[.月/-]\s?(?P<d>\d{1,2})日?",
        r"(?P<d>\d{1,2})\.\s?(?P<mo>\d{1,2})\.\s?(?P<y>\d{4}|\d{2})",
        r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})",
    )
)
_SLASHES = re.compile(
    r"(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<y>\d{4}|\d{2})" + _CLOCK, re.IGNORECASE
)
_EPOCH = re.compile(r"(\d{10})(?:\.\d+|\d{3})?")
_WEEKDAY = re.compile(r"\s*\([^()]{1,9}\)")
_DAY_NAME = re.compile(r"^[^\W\d]{2,10}\.?,\s*")

_COLONS = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:[.,]\d+)?")
_NAMED = re.compile(
    r"(?:(\d+)\s*(?:時間|hours?|hrs?|h|std\.?|stunden?))?\s*"
    r"(?:(\d+)\s*(?:分|minutes?|mins?\.?|minuten?|m))?\s*"
    r"(?:(\d+)\s*(?:秒|seconds?|secs?\.?|sekunden?|sek\.?|s))?",
    re.IGNORECASE,
)


class Unclear(ValueError):
    """Not a date, not a duration, or one that can be read in two ways; the words say which."""


def day_first(texts: Sequence[str], region: str) -> bool | None:
    """How this column orders day and month with slashes; None when it never uses them.

    One row alone can be read both ways, so all of them decide. Raises `Unclear`.
    """
    found = [match for text in texts if (match := _SLASHES.fullmatch(_plain(text)))]
    if not found:
        return None
    if any(int(match["a"]) > 12 for match in found):
        return True
    if any(int(match["b"]) > 12 or match["m"] for match in found):
        return False
    if region:
        return region not in MONTH_FIRST
    raise Unclear(
        "no date tells whether the day or the month comes first: set the country of the inbox, "
        "or write dates as 2026-04-01"
    )


def has_clock(text: str) -> bool:
    return bool(re.search(r"\d\s*[:時]\s*\d|T\d{4}", _plain(text)))


def read_at(text: str, *, day_comes_first: bool | None) -> datetime:
    """Naive unless the text tells an offset. Raises `Unclear`."""
    plain = _plain(text)
    if epoch := _EPOCH.fullmatch(plain):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    for pattern in _PATTERNS:
        if match := pattern.fullmatch(plain):
            return _moment(match, match["mo"], match["d"], plain)
    if match := _SLASHES.fullmatch(plain):
        day, month = (match["a"], match["b"]) if day_comes_first else (match["b"], match["a"])
        return _moment(match, month, day, plain)
    raise Unclear(f"not a date: {plain[:40]}" if plain else "no date")


def read_seconds(text: str, *, minutes: bool = False) -> int | None:
    """None for an empty cell; a bare number is minutes when its heading says so."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).strip()
    if not plain:
        return None
    if match := _COLONS.fullmatch(plain):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    if re.fullmatch(r"\d{1,7}(?:[.,]\d+)?", plain):
        return round(float(plain.replace(",", ".")) * (60 if minutes else 1))
    if (match := _NAMED.fullmatch(plain)) and any(match.groups()):
        hours, mins, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + mins * 60 + seconds
    raise Unclear(f"not a duration: {plain[:40]}")


def _plain(text: str) -> str:
    folded = " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).split())
    return _DAY_NAME.sub("", _WEEKDAY.sub("", folded))


def _moment(match: re.Match[str], month: str, day: str, plain: str) -> datetime:
    groups = match.groupdict()
    try:
        naive = datetime(_year(groups), int(month), int(day))  # noqa: DTZ001  (the inbox knows)
        return _with_clock(naive, groups)
    except (ValueError, OverflowError) as error:
        raise Unclear(f"not in the calendar: {plain[:40]}") from error


def _year(groups: dict[str, str | None]) -> int:
    written, era = groups["y"] or "", groups.get("era")
    if era:
        return _ERA_BEGINS[era.lower()] + (1 if written == "元" else int(written))
    return int(written) + (2000 if len(written) == 2 else 0)


def _with_clock(naive: datetime, groups: dict[str, str | None]) -> datetime:
    if groups["hour"] is None:
        return naive
    hour = int(groups["hour"])
    half = groups["half"] or groups["m"] or ""
    if half:
        hour = hour % 12 + (12 if half == "午後" or half.lower().startswith("p") else 0)
    at = naive.replace(
        hour=hour, minute=int(groups["minute"] or 0), second=int(groups["second"] or 0)
    )
    return at.replace(tzinfo=_offset(groups["offset"])) if groups["offset"] else at


def _offset(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))

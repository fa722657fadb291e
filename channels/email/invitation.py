"""What an invitation says, in lines a person can read: what, when, where and with whom."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.text import clean

TYPES = {"text/calendar", "application/ics", "text/x-vcalendar"}
MAX_EVENTS = 10
MAX_LINES = 20_000
MAX_GUESTS = 12
MAX_WORDS = 300  # letters of one value that are shown

_METHODS = {
    "REQUEST": "Invitation",
    "PUBLISH": "Event",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
    "DECLINECOUNTER": "The other time is declined",
    "ADD": "More dates",
    "REFRESH": "Asks for the newest state",
}
_ANSWERS = {"ACCEPTED": "accepts", "DECLINED": "declines", "TENTATIVE": "may come"}
_NAME = re.compile(
    r"([A-Za-z0-9-]{1,60})((?:;[A-Za-z0-9-]{1,60}=(?:\"[^\"]{0,1000}\"|[^;:\"]{0,1000}))*):"
)
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,60})=("[^"]*"|[^;:"]*)')
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?$")
_LENGTH = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:\d{1,5}S)?)?$"
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def words(self) -> str:
        text = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)
        return " ".join(clean(text).split())[:MAX_WORDS]


@dataclass(slots=True)
class _Event:
    lines: dict[str, list[_Line]] = field(default_factory=dict)

    def first(self, name: str) -> _Line | None:
        return next(iter(self.lines.get(name, ())), None)

    def words(self, name: str) -> str:
        line = self.first(name)
        return line.words if line else ""


def summary(text: str) -> str:
    """Some lines for each event; "" when there is none in it."""
    method, events = "", list[_Event]()
    depth: list[str] = []
    for line in _lines(text):
        if line.name == "BEGIN":
            depth.append(line.value.upper())
            if depth[-1] == "VEVENT":
                events.append(_Event())
        elif line.name == "END":
            if depth:
                depth.pop()
        elif line.name == "METHOD" and len(depth) <= 1:
            method = line.value.strip().upper()
        elif depth and depth[-1] == "VEVENT":
            events[-1].lines.setdefault(line.name, []).append(line)
    told = [_told(event, method) for event in events[:MAX_EVENTS]]
    return "\n\n".join(one for one in told if one)


def _lines(text: str) -> Iterator[_Line]:
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for whole in unfolded.splitlines()[:MAX_LINES]:
        found = _NAME.match(whole[:20_000])
        if found is None:
            continue
        given = _PARAMETER.findall(found[2])
        parameters = {name.upper(): value.strip('"') for name, value in given}
        yield _Line(found[1].upper(), parameters, whole[found.end() : found.end() + 20_000])


def _told(event: _Event, method: str) -> str:
    heading = _METHODS.get(method, "Event")
    if event.words("STATUS").upper() == "CANCELLED":
        heading = _METHODS["CANCEL"]
    elif method == "REQUEST" and event.words("SEQUENCE") not in {"", "0"}:
        heading = "Invitation, changed"
    rows = [f"{heading}: {event.words('SUMMARY') or '(no title)'}"]
    if when := _when(event):
        rows.append(f"When: {when}")
    if event.first("RRULE"):
        rows.append(f"Repeats: {event.words('RRULE')}")
    if where := event.words("LOCATION"):
        rows.append(f"Where: {where}")
    if organiser := event.first("ORGANIZER"):
        rows.append(f"Organiser: {_person(organiser)}")
    guests = [_guest(line) for line in event.lines.get("ATTENDEE", ())]
    if guests:
        more = f" and {len(guests) - MAX_GUESTS} more" if len(guests) > MAX_GUESTS else ""
        rows.append(f"With: {', '.join(guests[:MAX_GUESTS])}{more}")
    return "\n".join(rows)


def _person(line: _Line) -> str:
    address = re.sub(r"(?i)^mailto:", "", line.value.strip())[:200]
    name = clean(line.parameters.get("CN", "")).strip()[:100]
    return f"{name} <{address}>" if name and name.lower() != address.lower() else clean(address)


def _guest(line: _Line) -> str:
    answer = _ANSWERS.get(line.parameters.get("PARTSTAT", "").upper(), "")
    return _person(line) + (f" ({answer})" if answer else "")


def _when(event: _Event) -> str:
    start, end = event.first("DTSTART"), event.first("DTEND")
    if start is None:
        return ""
    begins = _moment(start)
    ends = _moment(end) if end else None
    if begins is None:
        return start.words
    zone = "UTC" if start.value.strip().endswith("Z") else start.parameters.get("TZID", "")
    if "T" not in start.value:
        last = ends - timedelta(days=1) if ends else begins
        days = f"{begins:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last > begins else "")
        return f"{days} (all day)"
    if ends is None and (length := event.first("DURATION")):
        ends = _after(begins, length.value.strip())
    shown = f"{begins:%Y-%m-%d %H:%M}"
    if ends and ends > begins:
        shown += f"–{ends:%H:%M}" if ends.date() == begins.date() else f" to {ends:%Y-%m-%d %H:%M}"
    return f"{shown} {clean(zone)[:60] or '(their time)'}"


def _moment(line: _Line) -> datetime | None:
    found = _TIME.match(line.value.strip())
    if found is None:
        return None
    numbers = [int(one) for one in found.groups()[:5] if one is not None]
    try:
        return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001  # the zone is said beside it
    except ValueError:
        return None


def _after(begins: datetime, length: str) -> datetime | None:
    found = _LENGTH.match(length)
    if found is None:
        return None
    weeks, days, hours, minutes = (int(one or 0) for one in found.groups())
    try:
        return begins + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    except OverflowError:
        return None

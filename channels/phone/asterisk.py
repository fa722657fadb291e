"""Master.csv of Asterisk: no headings, and several rows for one call."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.phone import numbers
from channels.phone.table import Row

# cdr_csv.c writes these sixteen; the rest are switched on one by one in cdr.conf.
_SOURCE, _DESTINATION, _CALLER_ID, _APPLICATION = 1, 2, 4, 7
_START, _ANSWER, _END, _DISPOSITION = 9, 10, 11, 14
_FEWEST, _MOST = 16, 21
_UNIQUE, _LINKED = 16, -2

_UNIQUE_ID = re.compile(r"(.+-)?\d{8,11}\.\d+")
_DISPOSITIONS = {"NO ANSWER", "CONGESTION", "FAILED", "BUSY", "ANSWERED"}
_NAMED = re.compile(r"\"?([^\"<]*)(?:\"\s*)?<[^>]*>\"?")
# Asterisk calls it answered when a machine of its own picked up.
_MACHINES = {"voicemail", "playback", "background", "busy", "congestion", "hangup"}


def is_master(cells: Sequence[str]) -> bool:
    return (
        _FEWEST <= len(cells) <= _MOST
        and _at(cells[_START]) is not None
        and cells[_DISPOSITION] in _DISPOSITIONS
    )


def calls(legs: Sequence[Row]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every call with the line it begins on. Rows that were one call for the caller are one."""
    whole: dict[str, list[Row]] = {}
    for row in legs:
        whole.setdefault(_call_id(row.cells) or f"line {row.line}", []).append(row)
    for parts in whole.values():
        yield parts[0].line, _call([row.cells for row in parts])


def _call_id(cells: Sequence[str]) -> str:
    """`linkedid`, else `uniqueid`, else nothing: older versions log neither."""
    if len(cells) >= 19 and _UNIQUE_ID.fullmatch(cells[_LINKED]):
        return cells[_LINKED]
    if len(cells) > _UNIQUE and _UNIQUE_ID.fullmatch(cells[_UNIQUE]):
        return cells[_UNIQUE]
    return ""


def _call(parts: Sequence[Sequence[str]]) -> Mapping[str, Any]:
    first = min(parts, key=lambda cells: cells[_START])
    seconds = _talked(parts)
    party, direction = _other_side(first)
    named = _NAMED.fullmatch(first[_CALLER_ID])
    call = {
        "party": party,
        "name": named[1].strip() if named and direction == "in" else "",
        "direction": direction,
        "started_at": first[_START].replace(" ", "T"),
        "seconds": seconds,
        "answered": seconds > 0,
    }
    call_id = _call_id(parts[0])
    return {**call, "call_id": call_id} if call_id else call


def _talked(parts: Sequence[Sequence[str]]) -> int:
    """From the first answer to the last end: parts of one call overlap, and a transfer has gaps."""
    spans = [
        (answered, ended)
        for cells in parts
        if cells[_DISPOSITION] == "ANSWERED"
        and cells[_APPLICATION].lower() not in _MACHINES
        and (answered := _at(cells[_ANSWER]))
        and (ended := _at(cells[_END]))
    ]
    if not spans:
        return 0
    span = max(ended for _, ended in spans) - min(answered for answered, _ in spans)
    return max(int(span.total_seconds()), 0)


def _at(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  (the inbox knows)
    except ValueError:
        return None


def _other_side(cells: Sequence[str]) -> tuple[str, str]:
    source, destination = cells[_SOURCE], cells[_DESTINATION]
    if _is_outside(source):
        return source, "in"
    if _is_outside(destination):
        return destination, "out"
    if numbers.is_withheld(source):
        return "", "in"
    return source, "internal"


def _is_outside(number: str) -> bool:
    """An extension is shorter than any number of the outside that matters to a customer."""
    return len(re.sub(r"\D", "", numbers.clean(number))) >= 6

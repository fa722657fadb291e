"""Rows under headings into calls: whatever an exchange or an office exports as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from channels.contract import BadRow
from channels.phone import headings, times
from channels.phone.table import Row

# Some exports begin with a title and the name of the customer.
LOOK_FOR_HEADINGS_IN = 10

Call = tuple[int, Mapping[str, Any], Mapping[str, str]]
"""The line, the call, and its cells by heading for a person who wants to compare."""


@dataclass(frozen=True, slots=True)
class Sheet:
    titles: Sequence[str]
    columns: Mapping[str, int]
    rows: Sequence[Row]
    day_first: bool | None = None

    def cell(self, row: Row, field: str) -> str:
        index = self.columns.get(field, len(row.cells))
        return row.cells[index] if index < len(row.cells) else ""

    def moment(self, row: Row) -> str:
        return f"{self.cell(row, 'started')} {self.cell(row, 'clock')}".strip()


def find(rows: Sequence[Row]) -> Sheet | None:
    """The sheet below the first row that names a time and somebody; None when there is none."""
    for index, row in enumerate(rows[:LOOK_FOR_HEADINGS_IN]):
        columns = headings.columns(row.cells)
        somebody = columns.keys() & {"number", "caller", "callee", "name", "email"}
        if "started" in columns and somebody:
            return _with_time_settled(Sheet(row.cells, columns, rows[index + 1 :]))
    return None


def calls(sheet: Sheet, region: str) -> Iterator[Call | BadRow]:
    """Raises `times.Unclear` when no row tells the day from the month."""
    moments = [sheet.moment(row) for row in sheet.rows]
    dated = replace(sheet, day_first=times.day_first(moments, region))
    for row in dated.rows:
        if any(row.cells[len(dated.titles) :]):
            yield BadRow(row.line, "more cells than headings")
            continue
        try:
            yield row.line, _call(dated, row), _by_title(dated, row)
        except ValueError as error:
            yield BadRow(row.line, str(error))


def _with_time_settled(sheet: Sheet) -> Sheet:
    """A column called "time" is the time of day beside bare dates, and else how long it took."""
    columns = dict(sheet.columns)
    index = columns.pop("time", None)
    if index is None:
        return sheet
    dates_only = not any(times.has_clock(sheet.moment(row)) for row in sheet.rows)
    columns.setdefault("clock" if dates_only else "seconds", index)
    return replace(sheet, columns=columns)


def _call(sheet: Sheet, row: Row) -> Mapping[str, Any]:
    direction = _direction(sheet.cell(row, "direction"))
    call = {
        "party": _party(sheet, row, direction),
        "name": sheet.cell(row, "name"),
        "direction": direction,
        "started_at": times.read_at(sheet.moment(row), day_comes_first=sheet.day_first).isoformat(),
        "seconds": _seconds(sheet, row),
        "answered": headings.was_answered(sheet.cell(row, "result")),
        "notes": sheet.cell(row, "notes"),
        "agent": sheet.cell(row, "agent"),
        "email": sheet.cell(row, "email"),
    }
    call_id = sheet.cell(row, "call_id")
    return {**call, "call_id": call_id} if call_id else call


def _direction(text: str) -> str:
    if not text:
        return "in"
    if known := headings.direction(text):
        return known
    raise ValueError(f"not a direction: {text[:40]}")


def _party(sheet: Sheet, row: Row, direction: str) -> str:
    own = sheet.cell(row, "number")
    other = sheet.cell(row, "callee" if direction == "out" else "caller")
    return own or other


def _seconds(sheet: Sheet, row: Row) -> int | None:
    seconds = times.read_seconds(sheet.cell(row, "seconds"))
    if seconds is not None:
        return seconds
    return times.read_seconds(sheet.cell(row, "minutes"), minutes=True)


def _by_title(sheet: Sheet, row: Row) -> Mapping[str, str]:
    titles = (title or f"column {index}" for index, title in enumerate(sheet.titles, start=1))
    return dict(zip(titles, row.cells, strict=False))

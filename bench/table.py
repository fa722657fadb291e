"""The one table: what was measured, what we aim at, and how it compares with the machine."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from typing_extensions import override

_HEAD = ("measure", "value", "unit", "aim", "x anchor", "load")


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound that the value keeps; `stretch` is only printed."""

    at_most: float | None = None
    at_least: float | None = None
    stretch: float | None = None
    relative: bool = False  # the bound is for the multiple of the anchor

    def kept(self, value: float) -> bool:
        below = self.at_most is None or value <= self.at_most
        return below and (self.at_least is None or value >= self.at_least)

    @override
    def __str__(self) -> str:
        bound = f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"
        bound += "x" if self.relative else ""
        return bound + (f" ({self.stretch:g})" if self.stretch is not None else "")


@dataclass(frozen=True, slots=True)
class Row:
    measure: str
    value: float
    unit: str
    aim: Aim | None = None
    anchor: str = ""  # the measure of the same run it is compared with
    load: float = 0.0


@dataclass
class Table:
    """Rows in the order they were measured. `note` hears of each as it comes."""

    note: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _loads: list[float] = field(default_factory=list)

    def add(
        self, measure: str, value: float, unit: str, aim: Aim | None = None, anchor: str = ""
    ) -> None:
        now = os.getloadavg()[0]
        load = (self._loads[-1] + now) / 2 if self._loads else now
        self.rows.append(Row(measure, value, unit, aim, anchor, load))
        self.note(f"  {measure}: {_number(value)} {unit}")

    @contextmanager
    def under_way(self, what: str) -> Iterator[None]:
        """Rows added inside carry the mean of the load at the beginning and at their end."""
        self.note(what)
        self._loads.append(os.getloadavg()[0])
        try:
            yield
        finally:
            self._loads.pop()

    def skip(self, words: str) -> None:
        self.skipped.append(words)
        self.note(words)

    def value(self, measure: str) -> float:
        return next(row.value for row in self.rows if row.measure == measure)

    def multiple(self, row: Row) -> float | None:
        known: Mapping[str, float] = {other.measure: other.value for other in self.rows}
        anchor = known.get(row.anchor)
        return row.value / anchor if anchor else None

    def missed(self) -> list[str]:
        return [row.measure for row in self.rows if row.aim and not self._kept(row, row.aim)]

    def _kept(self, row: Row, aim: Aim) -> bool:
        if not aim.relative:
            return aim.kept(row.value)
        multiple = self.multiple(row)
        return multiple is not None and aim.kept(multiple)

    def lines(self) -> list[str]:
        cells = [_HEAD, *(self._cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place in {0, 2, 3} else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "-" * max(map(len, lines)))
        missed = self.missed()
        said = f"Aims missed: {'; '.join(missed)}." if missed else "Every aim was kept."
        return [*lines, "", *self.skipped, said]

    def _cells(self, row: Row) -> tuple[str, ...]:
        multiple = self.multiple(row)
        mark = "" if row.aim is None else "" if self._kept(row, row.aim) else " MISSED"
        return (
            row.measure,
            _number(row.value),
            row.unit,
            f"{row.aim}{mark}" if row.aim else "",
            "" if multiple is None else _number(multiple),
            f"{row.load:.1f}",
        )


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 10_000_000:
        return f"{int(value):,}"
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"

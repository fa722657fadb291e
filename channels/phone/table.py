"""Text into rows and cells, whichever program exported it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from channels.contract import BadRow
from channels.phone import headings

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 200
SAMPLE = 50

_DECLARED = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_FORMULA = re.compile(r"=\s*\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # where it begins; a cell may go over several lines
    cells: Sequence[str]


def rows(text: str) -> Iterator[Row | BadRow]:
    """Every row that holds something. A quote nobody closes ends the file, with a `BadRow`."""
    declared = _DECLARED.match(text)
    skipped = 1 if declared else 0
    body = text[declared.end() :] if declared else text
    delimiter = declared[1] if declared else _likeliest(body)
    for row in _read(body, delimiter):
        line = row.line + skipped
        if isinstance(row, BadRow):
            yield BadRow(line, row.words)
        elif len(row.cells) > MOST_COLUMNS:
            yield BadRow(line, f"more than {MOST_COLUMNS} columns")
        elif any(row.cells):
            yield Row(line, row.cells)


def _read(text: str, delimiter: str) -> Iterator[Row | BadRow]:
    source = io.StringIO(text, newline="")  # keeps line ends inside quotes, and knows a bare CR
    reader = csv.reader(source, delimiter=delimiter)
    begins = 1
    try:
        for cells in reader:
            yield Row(begins, [_unwrapped(cell) for cell in cells])
            begins = reader.line_num + 1
    except csv.Error:
        yield BadRow(begins, "a quote is opened here and not closed, or a cell is far too long")


def _likeliest(text: str) -> str:
    """The one that finds headings we know; else the one that cuts all rows into as many cells."""
    return max(DELIMITERS, key=lambda delimiter: _fit(text[:200_000], delimiter))


def _fit(text: str, delimiter: str) -> tuple[int, float, int]:
    sample = [row for row in islice(_read(text, delimiter), SAMPLE) if isinstance(row, Row)]
    known = max((len(headings.columns(row.cells)) for row in sample[:10]), default=0)
    widths = Counter(len(row.cells) for row in sample if len(row.cells) > 1)
    if not widths:
        return (known, 0.0, 0)
    width, times = widths.most_common(1)[0]
    return (known, times / len(sample), width)


def _unwrapped(cell: str) -> str:
    """Spreadsheets write ="090" to keep a zero; what is meant is 090."""
    stripped = cell.strip()
    formula = _FORMULA.fullmatch(stripped)
    return formula[1] if formula else stripped

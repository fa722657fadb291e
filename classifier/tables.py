"""Labelled texts in CSV files, and the names and descriptions of their labels."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from classifier import features
from classifier.material import Text

OUT_OF_SCOPE = "oos"  # belongs to no label: never learned, only refused or not

_LONGEST = 2**31 - 1  # characters of a field, the most there can be: only the beginning is read
_PARTED = ",;\t"  # by which programs that write CSV part columns
_EMPTY = re.compile(r"[ \t\ufeff]*(?:sep=(?P<sep>[,;\t|])[ \t,;]*)?(?:\r\n|\r|\n)")
_KANA = re.compile("[ぁ-んァ-ヶ]")
_SAVE = "Save it as UTF-8, in a spreadsheet as “CSV UTF-8”."

Tell = Callable[[str], None]  # a sentence for whoever gave the file

# What a spreadsheet would take for a formula, and what was guarded against that already. Some
# understand wide signs as well.
_SIGN = r"[=+@\-\uff1d\uff0b\uff20\uff0d]"
_FORMULA = re.compile(rf"'*(?:{_SIGN}|[ \t\r\n]+{_SIGN}|[\t\r\n])")
_GUARDED = re.compile(rf"'+(?:{_SIGN}|[ \t\r\n]+{_SIGN}|[\t\r\n])")


class BadFile(Exception):
    """A CSV that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    label: str
    language: str
    group: str = ""  # examples of one group are never on both sides of a test; else its own text


def _silent(_sentence: str) -> None:
    pass


def read(path: Path, *, labelled: bool = True, tell: Tell = _silent) -> list[Example]:
    """Examples in the order of the file, empty texts too. Raises `BadFile`.

    What had to be taken one way or another is told in a sentence.
    """
    wanted = {"text", "label"} if labelled else {"text"}
    return [
        Example(_bare(row["text"]), row.get("label", "").strip(), _language(row))
        for row in _rows(path, wanted, tell)
    ]


def write(file: TextIO, examples: Iterable[Example]) -> int:
    """So that `read` gives the same examples; how many there were.

    A text that a spreadsheet would run as a formula begins with an apostrophe there, which makes
    it text; reading takes one off again. All is quoted: a program that parts columns at semicolons
    leaves a text whole, too.
    """
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(("text", "label", "lang"))
    number = 0
    for each in examples:
        text = f"'{each.text}" if _FORMULA.match(each.text) else each.text
        writer.writerow((text, each.label, each.language))
        number += 1
    return number


def _bare(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text


def read_names(path: Path, *, tell: Tell = _silent) -> list[tuple[str, Text]]:
    """Names and descriptions as (label, text), to learn from and never to test. `BadFile`."""
    return [
        (row["label"].strip(), Text(row[column], "names", _language(row), described=True))
        for row in _rows(path, {"label", "name"}, tell)
        for column in ("name", "description")
        if row.get(column)
    ]


def _language(row: Mapping[str, str]) -> str:
    return row.get("lang", "").strip().lower()


def texts(examples: Iterable[Example]) -> list[Text]:
    """Alike texts stay together, also those that differ in numbers only."""
    return [
        Text(
            each.text,
            each.group or features.clean(each.text).text.strip(),
            each.language,
            ref=f"row-{number}",
        )
        for number, each in enumerate(examples)
    ]


def _rows(path: Path, wanted: set[str], tell: Tell = _silent) -> list[dict[str, str]]:
    csv.field_size_limit(_LONGEST)
    text = _decoded(path, tell)
    skipped, delimiter = 0, ""
    while first := _EMPTY.match(text):  # blank lines, and what Excel says of the sign that parts
        skipped += 1
        delimiter = first["sep"] or delimiter
        text = text[first.end() :]
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if not delimiter:
        delimiter = max(_PARTED, key=lambda sign: len(wanted & set(_names(head, sign))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    try:
        names = [_name(cell) for cell in next(reader, [])]
        if missing := wanted - set(names):
            raise BadFile(f"{path.name} lacks the column {', '.join(sorted(missing))}.")
        if twice := {name for name in wanted if names.count(name) > 1}:
            raise BadFile(f"{path.name} has the column {', '.join(sorted(twice))} twice.")
        found: list[tuple[int, list[str]]] = []
        began = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells[len(names) :]):
                raise BadFile(
                    f"{path.name}, line {began + skipped}: {len(cells)} cells under "
                    f'{len(names)} headings. A text with "{delimiter}" in it belongs in quotes.'
                )
            if any(cell.strip() for cell in cells):
                found.append((began + skipped, cells))
            began = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(
            f"{path.name}, line {began + skipped}: a quote begins or ends where none may "
            f"({error}). A quote within a text is written twice."
        ) from error
    rows = [(line, dict(zip(names, [*cells, *[""] * len(names)], strict=False)))
            for line, cells in found]  # fmt: skip
    _refuse_swallowed(path, rows, names, delimiter)
    return [row for _, row in rows]


def _refuse_swallowed(
    path: Path, rows: Sequence[tuple[int, dict[str, str]]], names: Sequence[str], delimiter: str
) -> None:
    """A lone quote makes one text of all rows to the next one, and nothing else tells."""
    if "label" not in names or len(names) < 2:
        return
    place = names.index("label")
    labels = {row["label"].strip() for _, row in rows} - {""}
    for line, row in rows:
        for cell in row.values():
            parts = [part.split(delimiter) for part in cell.splitlines()]
            alike = [
                len(cells) == len(names) and cells[place].strip().strip('"') in labels
                for cells in parts
            ]
            # One line of a longer text may look like a row by chance.
            if len(parts) > 1 and sum(alike) * 2 >= len(parts):
                raise BadFile(
                    f"{path.name}, line {line}: a quote is not closed, so that the text holds "
                    "the rows below it. A quote within a text is written twice."
                )


def _decoded(path: Path, tell: Tell) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read: {error.strerror}.") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            return content.decode("utf-16")
        raise BadFile(f"{path.name} begins as UTF-16 and is broken further on. {_SAVE}")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    with suppress(UnicodeDecodeError):
        text = content.decode("cp932")
        # Any letters of Western Europe can be read as Japanese ones, but not as kana.
        if _KANA.search(text):
            tell(f"{path.name} is no UTF-8 and was read as Shift_JIS.")
            return text
    raise BadFile(
        f"{path.name} is not UTF-8, nor Shift_JIS with kana in it, by which that is known; "
        f"nothing else was tried. {_SAVE}"
    )


def _names(head: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([head], delimiter=delimiter), [])
    return [_name(cell) for cell in cells]


def _name(cell: str) -> str:
    return cell.strip().casefold()

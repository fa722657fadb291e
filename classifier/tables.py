"""Labelled texts in CSV files, and the names and descriptions of their labels."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from classifier import features
from classifier.material import Text

OUT_OF_SCOPE = "oos"  # belongs to no label: never learned, only refused or not

_LONGEST = 2**31 - 1  # characters of a field, the most there can be: only the beginning is read
_PARTED = ",;\t"  # by which programs that write CSV part columns

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


def read(path: Path, *, labelled: bool = True) -> list[Example]:
    """Examples in the order of the file, empty texts too. Raises `BadFile`."""
    wanted = {"text", "label"} if labelled else {"text"}
    rows = _rows(path, wanted)
    return [
        Example(_bare(row["text"]), row.get("label") or "", row.get("lang") or "") for row in rows
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


def read_names(path: Path) -> list[tuple[str, Text]]:
    """Names and descriptions as (label, text), to learn from and never to test. `BadFile`."""
    return [
        (row["label"], Text(row[column], "names", row.get("lang") or "", described=True))
        for row in _rows(path, {"label", "name"})
        for column in ("name", "description")
        if row.get(column)
    ]


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


def _rows(path: Path, wanted: set[str]) -> Sequence[dict[str, str]]:
    csv.field_size_limit(_LONGEST)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            delimiter = max(_PARTED, key=lambda sign: len(wanted & _names(head, sign)))
            reader = csv.DictReader(file, restval="", delimiter=delimiter)
            missing = wanted - set(reader.fieldnames or ())
            if missing:
                raise BadFile(f"{path.name} lacks the column {', '.join(sorted(missing))}.")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name} cannot be read: {error}.") from error


def _names(head: str, delimiter: str) -> set[str]:
    return set(next(csv.reader([head.rstrip("\r\n")], delimiter=delimiter), ()))

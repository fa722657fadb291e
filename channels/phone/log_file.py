"""A file of many calls into arrivals: a spreadsheet's CSV, Asterisk's, or JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from pydantic import ValidationError

from channels.contract import LARGEST_FILE, BadRow, Raw
from channels.payload import sentence
from channels.phone import asterisk, numbers, spreadsheet, times
from channels.phone.call import CallLog, as_raw
from channels.phone.config import PhoneConfig
from channels.phone.decoding import Undecodable, decode
from channels.phone.table import Row, rows

MOST_ROWS = 100_000

Item = TypeVar("Item")


def read(config: PhoneConfig, body: bytes, *, most_rows: int = MOST_ROWS) -> Sequence[Raw | BadRow]:
    if len(body) > LARGEST_FILE:
        return [BadRow(1, f"larger than {LARGEST_FILE // 1024 // 1024} MB: split the file")]
    try:
        text = decode(body, config.encoding)
    except Undecodable as error:
        return [BadRow(1, f"cannot be read as text: {error}")]
    if text.lstrip()[:1] in {"[", "{"}:
        return _no_more_than(most_rows, _from_json(text))
    return _from_rows(config, _no_more_than(most_rows + 1, rows(text)))  # and the headings


def _from_rows(config: PhoneConfig, read_rows: Sequence[Row | BadRow]) -> Sequence[Raw | BadRow]:
    good = [row for row in read_rows if isinstance(row, Row)]
    bad: list[Raw | BadRow] = [row for row in read_rows if isinstance(row, BadRow)]
    if not good:
        return bad or [BadRow(1, "the file is empty")]
    if asterisk.is_master(good[0].cells):
        legs = [row for row in good if asterisk.is_master(row.cells)]
        bad += [
            BadRow(row.line, "not a row of Asterisk like the first one")
            for row in good
            if not asterisk.is_master(row.cells)
        ]
        return [_arrival(line, call, {}) for line, call in asterisk.calls(legs)] + bad
    sheet = spreadsheet.find(good)
    if sheet is None:
        seen = ", ".join(cell for cell in good[0].cells if cell)[:200]
        return [BadRow(1, f"no headings for the time of a call and its number; found: {seen}")]
    try:
        found = list(spreadsheet.calls(sheet, config.region))
    except times.Unclear as error:
        return [BadRow(1, str(error))]
    return [_row_or_arrival(item) for item in found] + bad


def _row_or_arrival(item: spreadsheet.Call | BadRow) -> Raw | BadRow:
    if isinstance(item, BadRow):
        return item
    line, call, cells = item
    return _arrival(line, call, {"row": cells})


def _from_json(text: str) -> Iterator[Raw | BadRow]:
    """One array, or one object a line; an item of an array counts as a line."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _from_json_lines(text)
        return
    for number, item in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield _item(number, item)


def _from_json_lines(text: str) -> Iterator[Raw | BadRow]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            yield BadRow(number, "not JSON")
        else:
            yield _item(number, item)


def _item(number: int, item: object) -> Raw | BadRow:
    return _arrival(number, item, {}) if isinstance(item, dict) else BadRow(number, "not an object")


def _arrival(line: int, call: Mapping[str, Any], evidence: Mapping[str, Any]) -> Raw | BadRow:
    try:
        raw = as_raw(call, **evidence)
        checked = CallLog.model_validate({**call, "call_id": raw.external_id.removeprefix("call:")})
        numbers.clean(checked.party)
    except ValidationError as error:
        return BadRow(line, sentence(error))
    except numbers.Damaged as error:
        return BadRow(line, str(error))
    return raw


def _no_more_than(most: int, found: Iterator[Item | BadRow]) -> list[Item | BadRow]:
    kept = list(islice(found, most))
    if next(found, None) is not None:
        kept.append(BadRow(most + 1, "too many calls for one file: split it"))
    return kept

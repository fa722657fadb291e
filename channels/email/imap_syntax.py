"""What IMAP writes between parentheses: lists of strings, quoted, literal or bare."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Value: TypeAlias = "bytes | list[Value] | None"  # None is NIL

MAX_DEPTH = 100  # no mail is nested deeper, only an attack

_LITERAL_FOLLOWS = re.compile(rb"~?\{\d{1,12}\+?\}$")
_TOKEN = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()"]+))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def read(parts: Sequence[bytes]) -> list[Value]:
    """The values of one response, whose every other part is a literal. Raises `ValueError`."""
    top: list[Value] = []
    path = [top]
    for value, bare in _tokens(parts):
        if bare and value == b"(":
            inner: list[Value] = []
            path[-1].append(inner)
            path.append(inner)
            if len(path) > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif bare and value == b")":
            if len(path) == 1:
                raise ValueError("more is closed than was opened")
            path.pop()
        else:
            path[-1].append(None if bare and value.upper() == b"NIL" else value)
    if len(path) > 1:
        raise ValueError("not everything is closed")
    return top


def _tokens(parts: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each string, and whether it is a bare word or a parenthesis."""
    for number, part in enumerate(parts):
        if number % 2:
            yield part, False
            continue
        text = _LITERAL_FOLLOWS.sub(b"", part) if number + 1 < len(parts) else part
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            opened, closed, quoted, word = found.groups()
            if quoted is not None:
                yield _ESCAPED.sub(rb"\1", quoted), False
            else:
                yield opened or closed or word, True
        if text[at:].strip():
            raise ValueError("a quotation without an end")


def text_of(value: Value) -> str:
    """A string as text, or nothing."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

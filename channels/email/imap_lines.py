"""Cuts what an IMAP server sends into responses, whatever the pieces it comes in."""

import re
from collections.abc import Iterator

MAX_LINE = 8_000_000
MAX_LITERAL = 100_000_000  # twice the largest mail that is fetched

_LITERAL = re.compile(rb"~?\{(\d{1,12})\+?\}$")


class Lines:
    """Each response is its text, literal, text, … Reads in a loop, however many lines come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._literal: bytearray | None = None
        self._missing = 0
        self._parts: list[bytes] = []

    @property
    def begun(self) -> bool:
        """Whether something came that is no whole response yet."""
        return bool(self._buffer or self._parts)

    def feed(self, received: bytes) -> Iterator[list[bytes]]:
        """The responses that are whole by now. Raises `ValueError` where it would never end."""
        self._buffer += received
        while self._read_on():
            if self._literal is None:
                parts, self._parts = self._parts, []
                yield parts

    def _read_on(self) -> bool:
        """Take one literal or one line out of the buffer. False when more bytes are needed."""
        if self._literal is not None:
            taken = self._buffer[: self._missing - len(self._literal)]
            self._literal += taken
            del self._buffer[: len(taken)]
            if len(self._literal) < self._missing:
                return False
            self._parts.append(bytes(self._literal))
            self._literal = None
        end = self._buffer.find(b"\r\n", self._scanned)
        if end < 0:
            self._scanned = max(0, len(self._buffer) - 1)
            if len(self._buffer) > MAX_LINE:
                raise ValueError("a line without an end")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._scanned = 0
        self._parts.append(line)
        if found := _LITERAL.search(line):
            self._literal, self._missing = bytearray(), int(found.group(1))
            if self._missing > MAX_LITERAL:
                raise ValueError("more than was asked for")
        return True

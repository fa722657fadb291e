"""The text or the HTML inside compressed RTF, as Outlook keeps it."""

import re
import struct
from dataclasses import dataclass

from channels.email import charset

MAX_RAW = 8_000_000  # bytes

_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])|([\r\n]+)|([^\\{}\r\n]+)",
    re.DOTALL,
)
_SKIPPED = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer"}
_SPECIAL = {
    "par": "\n",
    "line": "\n",
    "tab": "\t",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "endash": "–",
    "emdash": "—",
}


def decompressed(packed: bytes) -> bytes:
    """Raises `ValueError` or `struct.error` on what is no compressed RTF."""
    _size, raw_size, kind = struct.unpack_from("<III", packed)
    if kind == 0x414C454D:  # stored as it is
        return packed[16 : 16 + min(raw_size, MAX_RAW)]
    if kind != 0x75465A4C:
        raise ValueError("not compressed RTF")
    window = bytearray(_START) + bytearray(4096 - len(_START))
    write, at, out = len(_START), 16, bytearray()
    limit = min(raw_size, MAX_RAW)
    while at < len(packed) and len(out) < limit:
        flags = packed[at]
        at += 1
        for bit in range(8):
            if at >= len(packed) or len(out) >= limit:
                break
            if not flags >> bit & 1:
                window[write] = packed[at]
                out.append(packed[at])
                write, at = (write + 1) % 4096, at + 1
                continue
            token = int.from_bytes(packed[at : at + 2], "big")
            at += 2
            read, length = token >> 4, (token & 15) + 2
            if read == write:
                return bytes(out)
            for step in range(length):
                byte = window[(read + step) % 4096]
                window[write] = byte
                out.append(byte)
                write = (write + 1) % 4096
    return bytes(out)


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    is_html: bool


@dataclass(slots=True)
class _Group:
    """What holds until the brace closes."""

    skipped: bool = False
    marked: bool = False  # HTML that RTF only carries
    hidden: bool = False  # RTF that stands in for HTML
    skip: int = 1  # letters to leave out after a \\u


class Rtf:
    """Reads once, from the first byte to the last."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._is_html = b"\\fromhtml" in body[:2000]
        self._code_page = "cp1252"
        self._out: list[str] = []
        self._held = bytearray()
        self._groups = [_Group()]
        self._leave_out = 0

    def read(self) -> Words:
        for found in _TOKEN.finditer(self._body):
            coded, word, number, symbol, brace, _line, text = found.groups()
            if coded:
                self._byte(int(coded, 16))
            elif word:
                self._flush()
                self._word(word.decode("ascii"), int(number) if number else None)
            elif symbol:
                self._symbol(symbol)
            elif brace == b"{":
                self._flush()
                now = self._groups[-1]
                self._groups.append(_Group(now.skipped, now.marked, now.hidden, now.skip))
            elif brace:
                self._flush()
                if len(self._groups) > 1:
                    self._groups.pop()
            elif text:
                self._write(text)
        self._flush()
        text = "".join(self._out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Words(text.strip("\x00\n "), self._is_html)

    def _word(self, word: str, number: int | None) -> None:
        now = self._groups[-1]
        if word == "ansicpg" and number:
            self._code_page = f"cp{number}"
        elif word == "htmltag":
            now.skipped, now.marked = not self._is_html, True
        elif word in _SKIPPED:
            now.skipped = True
        elif word == "htmlrtf":
            now.hidden = number != 0
        elif word == "uc":
            now.skip = number or 0
        elif word == "u" and number is not None:
            self._say(chr(number % 65536))
            self._leave_out = now.skip
        elif word in _SPECIAL:
            self._say(_SPECIAL[word])

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._groups[-1].skipped = True  # unless the word that follows is one we know
        elif symbol in b"\\{}":
            self._write(symbol)
        elif symbol == b"~":
            self._say("\u00a0")

    def _silent(self) -> bool:
        now = self._groups[-1]
        return now.skipped or (now.hidden and self._is_html and not now.marked)

    def _say(self, text: str) -> None:
        self._flush()
        if not self._silent():
            self._out.append(text)

    def _byte(self, value: int) -> None:
        if self._leave_out:
            self._leave_out -= 1
        elif not self._silent():
            self._held.append(value)

    def _write(self, text: bytes) -> None:
        if self._leave_out:
            text, self._leave_out = text[self._leave_out :], max(0, self._leave_out - len(text))
        if not self._silent():
            self._held += text

    def _flush(self) -> None:
        if self._held:
            self._out.append(charset.decode(bytes(self._held), self._code_page).text)
            self._held.clear()

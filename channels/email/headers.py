"""Header fields as people read them: unfolded, decoded, with their parameters."""

import base64
import binascii
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from channels.email import charset
from channels.text import clean

MAX_VALUE = 65_536  # bytes of one field that are read
MAX_PARAMETERS = 200

ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_FOLD = re.compile(r"\r\n|\r|\n")
_WORD_GAP = re.compile(r"[ \t\r\n]*")
_CONTROLS = dict.fromkeys({*range(32), 127} - {*map(ord, "\t\n\r\x1b")})  # escapes: ISO 2022
_SPACES = re.compile(r"[\s\x00]+")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_PARAMETER = re.compile(r"^([^*=\s]+)(\*\d+)?(\*)?$")


class Headers:
    """The fields of one part in their order; a name given twice keeps both."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = [(name.strip().lower(), value) for name, value in fields]

    def raw(self, name: str) -> str:
        """The first such field as it came, or ""; bytes beyond ASCII are surrogates."""
        return next((value for key, value in self._fields if key == name), "")[:MAX_VALUE]

    def every(self, name: str) -> Iterator[str]:
        return (value[:MAX_VALUE] for key, value in self._fields if key == name)

    def in_order(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """Every field of these names as they follow each other."""
        return ((key, value[:MAX_VALUE]) for key, value in self._fields if key in names)

    def text(self, name: str) -> str:
        return text_of(self.raw(name))

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self._fields)


def text_of(raw: str) -> str:
    """One decoded line."""
    return one_line(decode_words(unicode_of(raw)))


def one_line(text: str) -> str:
    return _SPACES.sub(" ", clean(text)).strip()


def unicode_of(raw: str) -> str:
    """Unfolded, with bytes that should have been encoded read as what they probably are."""
    text = _FOLD.sub("", raw).translate(_CONTROLS)
    if text.isascii() and "\x1b" not in text:
        return text
    return charset.decode(text.encode("utf-8", "surrogateescape")).text


def decode_words(text: str) -> str:
    """With every encoded word decoded. Neighbours are joined as bytes first, because programs
    cut characters and escape sequences in two between words."""
    if "=?" not in text:
        return text
    out: list[str] = []
    label, held, end = "", b"", 0
    for word in ENCODED_WORD.finditer(text):
        between = text[end : word.start()]
        now, body = word.group(1).partition("*")[0], _word_bytes(word.group(2), word.group(3))
        adjacent = end > 0 and _WORD_GAP.fullmatch(between) is not None
        if adjacent and charset.codec_for(now) == charset.codec_for(label):
            held += body
        else:
            out.append(charset.decode(held, label).text)
            out.append("" if adjacent else between)
            held, label = body, now
        end = word.end()
    out.append(charset.decode(held, label).text)
    out.append(text[end:])
    return "".join(out)


def _word_bytes(how: str, content: str) -> bytes:
    raw = content.encode("utf-8", "surrogateescape")
    if how in "bB":
        return base64_bytes(raw)
    return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)


def base64_bytes(raw: bytes, start: int = 0, end: int = sys.maxsize) -> bytes:
    """Base64 as it comes: junk in between, padding missing or in the middle."""
    padding = raw.find(b"=", start, end)
    try:
        if padding < 0 or not raw[padding:end].strip(b"= \t\r\n"):
            return binascii.a2b_base64(memoryview(raw)[start:end])
    except binascii.Error:
        pass
    return b"".join(_padded(piece) for piece in re.split(rb"=+", raw[start:end]))


def _padded(piece: bytes) -> bytes:
    letters = _NOT_BASE64.sub(b"", piece)
    if len(letters) % 4 == 1:  # six bits are no byte
        letters = letters[:-1]
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


@dataclass(frozen=True, slots=True)
class Valued:
    """A field such as Content-Type: one value and named parameters."""

    value: str
    parameters: dict[str, str]


def valued(raw: str) -> Valued:
    """The value in lower case and the parameters decoded: RFC 2231 and what people do instead."""
    first, *rest = _split(unicode_of(raw[:MAX_VALUE]))
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for item in rest[:MAX_PARAMETERS]:
        name, equals, value = item.partition("=")
        found = _PARAMETER.match(name.strip().lower())
        if not equals or found is None:
            continue
        order = int(found.group(2)[1:7]) if found.group(2) else -1
        extended = found.group(3) is not None
        pieces.setdefault(found.group(1), []).append((order, extended, _unquoted(value)))
    return Valued(
        _SPACES.sub("", first).lower(),
        {name: one_line(_joined(parts)) for name, parts in pieces.items()},
    )


def _joined(parts: list[tuple[int, bool, str]]) -> str:
    if all(order < 0 and not extended for order, extended, _ in parts):
        return decode_words(parts[0][2])  # the first of two equal names
    label, out = "", b""
    marked = [part for part in parts if part[0] >= 0 or part[1]]
    for order, extended, value in sorted(marked, key=lambda part: part[0]):
        if not extended:
            out += value.encode("utf-8", "replace")
            continue
        if order <= 0 and value.count("'") >= 2:
            label, _, value = value.split("'", 2)  # noqa: PLW2901
        out += unquote_to_bytes(value.encode("utf-8", "replace"))
    return decode_words(charset.decode(out, label).text)


def _split(text: str) -> list[str]:
    """Parts between semicolons that stand outside quotes."""
    if '"' not in text:
        return text.split(";")
    parts, start, quoted, at = [], 0, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def _unquoted(value: str) -> str:
    value = value.strip()
    if not value.startswith('"'):
        return value
    value = value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:]
    # Only a quote or a backslash is really escaped: Windows programs send C:\path as it is.
    return re.sub(r'\\(["\\])', r"\1", value)

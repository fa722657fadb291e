"""Files that stand in the middle of a text, as before there was MIME."""

import binascii
import mimetypes
import re
from collections.abc import Iterator

from channels.contract import InboundFile

MAX_FILES = 100

_BEGIN = re.compile(r"^begin(?:-base64)? [0-7]{3,4} (\S[^\r\n]{0,250})$", re.MULTILINE)


def taken_out(text: str, most: int = MAX_FILES) -> tuple[str, list[InboundFile]]:
    """The text without such files, and the files. What only looks like one stays in the text."""
    if "begin" not in text:
        return text, []
    files: list[InboundFile] = []
    kept: list[str] = []
    at = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < at or len(files) >= min(most, MAX_FILES):
            continue
        found = _body(text, begin.end() + 1, in_base64=begin.group().startswith("begin-base64"))
        if found is None:
            continue
        body, end = found
        name = begin.group(1).strip()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        files.append(InboundFile(name, kind, body))
        kept.append(text[at : begin.start()].rstrip("\n"))
        at = end
    kept.append(text[at:].strip("\n") if files else text)
    return "\n\n".join(part for part in kept if part.strip()), files


def _body(text: str, start: int, *, in_base64: bool) -> tuple[bytes, int] | None:
    """The bytes, and where the text goes on; None where no line of it can be read."""
    out, at = bytearray(), start
    for line, end in _lines(text, start):
        at = end
        if line in {"end", "===="}:
            return bytes(out), at
        try:
            out += binascii.a2b_base64(line) if in_base64 else _line(line)
        except (binascii.Error, ValueError):
            return None  # it was prose
    return (bytes(out), at) if out else None


def _lines(text: str, at: int) -> Iterator[tuple[str, int]]:
    while at < len(text):
        end = text.find("\n", at)
        end = end if end >= 0 else len(text)
        yield text[at:end].rstrip("\r"), end + 1
        at = end + 1


def _line(line: str) -> bytes:
    coded = line.encode("ascii")
    if not coded.strip(b" `"):
        return b""
    return decoded_line(coded)


def decoded_line(coded: bytes) -> bytes:
    """Raises `ValueError` for what is no such line."""
    length = coded[0] - 32 & 63
    if not 32 < coded[0] <= 96 or len(coded) > 100:
        raise ValueError("not uuencoded")
    # Some programs write one letter too many, drop the blanks at the end of a line or leave
    # anything in the bits behind the last byte: whole groups are read, and cut.
    groups = (length + 2) // 3
    if len(coded) < 4 * groups - 3:
        raise ValueError("too short")
    whole = bytes((32 + 3 * groups,)) + coded[1 : 1 + 4 * groups].ljust(4 * groups)
    return binascii.a2b_uu(whole)[:length]

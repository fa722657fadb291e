"""A mail taken apart: its fields and its tree of parts, within limits."""

import binascii
import contextlib
import re
from dataclasses import dataclass, field
from string import ascii_letters, digits

from channels.contract import Unreadable
from channels.email import uuencoded
from channels.email.headers import MAX_VALUE, Headers, base64_bytes, valued

MAX_HEADER_BLOCK = 1_000_000
MAX_FIELDS = 2000
MAX_PARTS = 1000
MAX_DEPTH = 50
MAX_FLAT = 2_000_000  # bytes in which a text is looked for when nothing else works

_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_KNOWN = re.compile(
    rb"(?:received|from|to|subject|date|message-id|mime-version|content-[a-z-]{3,30}"
    rb"|delivered-to|return-path|dkim-signature|reply-to)[ \t]*:",
    re.IGNORECASE,
)
_OF_BODY = re.compile(rb"(?:content-type|mime-version)[ \t]{0,9}:", re.IGNORECASE)
_OF_BODY_WELL = re.compile(
    rb"content-type[ \t]{0,9}:[ \t\r\n]{0,9}[a-z]{1,20}/[a-z0-9]"
    rb"|mime-version[ \t]{0,9}:[ \t]{0,9}\d",
    re.IGNORECASE,
)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")
_LINE_REST = re.compile(rb"(--)?[ \t]{0,100}(?:\r\n|\r|\n|$)")
_FOLDED = re.compile(rb"(?:[ \t][^\r\n]*(?:\r\n|\r|\n))*")
_DIGESTED = "message/rfc822"  # what a part of a digest is that says nothing of itself
_OF_CONTENT = ("content-type", "content-transfer-encoding")
_BASE64 = (ascii_letters + digits + "+/=").encode()
# A line of words: base64 has neither blanks nor these.
_NO_BASE64_LINE = re.compile(
    rb"^[^\r\n]{0,200}?(?:[!-*,-.:-<>-@[-`{-~]|\S[ \t]{1,20}\S)", re.MULTILINE
)
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
_PLAIN_PART = re.compile(rb"(?<=\n)content-type:[ \t]*text/plain", re.IGNORECASE)
_NEXT_PART = re.compile(rb"\r?\n--")
_BODY_START = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")
_LOOKS_LIKE_PART = re.compile(
    rb"^(--[^\s-][^\s]{0,200}|--[^\s]{1,200}[^\s-])[ \t]{0,20}\r?\ncontent-[a-z-]{3,30}[ \t]{0,9}:",
    re.IGNORECASE | re.MULTILINE,
)
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"\r\n]{1,200})|([^\s;"]{1,200}))', re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")


@dataclass(frozen=True, slots=True)
class Part:
    """One node: a container has children, a leaf has content as it was before transfer."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    disposition: str
    disposition_parameters: dict[str, str]
    content: bytes
    children: tuple["Part", ...] = field(default=())

    @property
    def is_attached(self) -> bool:
        return self.disposition == "attachment"


FIELDS_CUT = "header fields cut: There are more or longer header fields than are read."
PARTS_CUT = "parts cut: It has too many parts, or parts too deep in parts; the whole is attached."
STRUCTURE = "structure: Its parts could not be taken apart; the whole mail is attached."


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail taken apart, and what had to be left out of it."""

    root: Part
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of the mail that is not copied: the whole may be large, and is here once."""

    raw: bytes
    start: int
    end: int

    @property
    def body(self) -> bytes:
        return self.raw[self.start : self.end]


@dataclass(slots=True)
class _Count:
    parts: int = 0
    is_cut: bool = False


def taken_apart(raw: bytes) -> Taken:
    """Raises `Unreadable` when there is no mail in it at all."""
    raw = _without_preface(raw)
    fields, at, is_cut = _within_limits(raw, 0, len(raw))
    if not fields:
        raise Unreadable("This is no mail: it has no header fields at all.")
    warnings = (FIELDS_CUT,) if is_cut else ()
    count = _Count()
    root = _tree(headers_of(fields), _Span(raw, at, len(raw)), count)
    if count.is_cut:
        root = _beside(root, _whole(fields, raw[at:]))
        warnings = (*warnings, PARTS_CUT)
    return Taken(root, warnings)


def flat(raw: bytes) -> Taken:
    """Header fields, the first plain text there seems to be, and the mail itself as a file.

    Needs none of the parser, and no more time than it takes to look at each byte a few times.
    """
    raw = _without_preface(raw)
    fields, at, _ = _within_limits(raw, 0, len(raw))
    if not fields:
        raise Unreadable("This is no mail: it has no header fields at all.")
    return Taken(_flat(fields, raw[at:]), (STRUCTURE,))


def head_and_start(raw: bytes) -> tuple[bytes, int]:
    """Header block, cut at the first empty line, and where what follows it begins."""
    found = _BODY_START.search(raw)
    return (raw[: found.start()], found.end()) if found else (raw, len(raw))


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Header block and body."""
    head, at = head_and_start(raw)
    return head, raw[at:]


def header_lines(block: bytes) -> list[bytes]:
    """One item per field, folded lines kept together."""
    fields: list[list[bytes]] = []
    for found in _LINE.finditer(block):
        line = found.group()
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        elif line:
            fields.append([line])
    return [b"".join(pieces) for pieces in fields]


def _without_preface(raw: bytes) -> bytes:
    # A byte order mark, the line of an mbox file, empty lines, or one line of a human or a
    # program before the first field: all seen in real mails.
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \x00")
    for _ in range(3):
        line = _LINE.match(raw)
        if line is None or _FIELD.match(raw):
            break
        rest = raw[line.end() :].lstrip(b"\r\n")
        if raw.startswith((b"From ", b">From ")) or _FIELD.match(rest):
            raw = rest
    return raw


def _within_limits(raw: bytes, at: int, until: int) -> tuple[bytes, int, bool]:
    """Header fields that may be read, where they end, and whether some were left out."""
    kept: list[bytes] = []
    size = count = 0
    is_cut = False
    for found in _LINE.finditer(raw, at, until):
        line = found.group()
        folded = line[:1] in (b" ", b"\t") and bool(kept)
        if not line.strip(b"\r\n"):
            at = found.end()
            if (
                kept
                and not is_cut
                and _OF_BODY_WELL.match(raw, at, until)
                and not any(_OF_BODY.match(one) for one in kept)
            ):
                continue  # a line was left empty by mistake
            break
        if not folded and not _FIELD.match(line):
            folds = _FOLDED.match(raw, found.end(), until)
            if folds and _KNOWN.match(raw, folds.end(), until):
                continue  # one line of garbage among fields
            at = found.start()  # the empty line is missing: this is text already
            break
        at = found.end()
        if len(line) > MAX_VALUE:
            line, is_cut = line[:MAX_VALUE] + b"\r\n", True
        size += len(line)
        if size > 4 * MAX_HEADER_BLOCK:
            end = _BODY_START.search(raw, at, until)
            return b"".join(kept), end.end() if end else until, True
        if size > MAX_HEADER_BLOCK or (count >= MAX_FIELDS and not folded):
            is_cut = True
            continue
        if folded:
            kept.append(line)
        else:
            count += 1
            name, _, value = line.partition(b":")
            kept.append(name.rstrip() + b":" + value)  # "Subject : x" is a field too
    if kept and not kept[-1].endswith((b"\r", b"\n")):
        kept.append(b"\r\n")
    return b"".join(kept), at, is_cut


def _tree(headers: Headers, span: _Span, count: _Count, depth: int = 0, default: str = "") -> Part:
    count.parts += 1
    declared = headers.raw("content-type")[:10_000]
    kind = declared[:200].strip(" \t\"'").lower()
    if not kind.startswith("multipart"):
        return _part(headers, span, (), default)
    room = max(0, MAX_PARTS - count.parts) if depth < MAX_DEPTH else 0
    extents = _announced(declared, span, room + 1) or _by_look(span, room + 1)
    if not extents:
        return _part(headers, span, (), default)
    if len(extents) > room:
        count.is_cut = True
        if not room:
            return _part(headers, _Span(b"", 0, 0), ())
    inner = _DIGESTED if kind.startswith("multipart/digest") else ""
    children = []
    for start, end in extents[:room]:
        if count.parts >= MAX_PARTS:
            count.is_cut = True
            break
        fields, at, is_cut = _within_limits(span.raw, start, end)
        count.is_cut |= is_cut
        part = _Span(span.raw, at, end)
        children.append(_tree(headers_of(fields), part, count, depth + 1, inner))
    return _part(headers, span, tuple(children))


def _announced(declared: str, span: _Span, most: int) -> list[tuple[int, int]]:
    boundary = _BOUNDARY.search(declared)
    if boundary is None:
        return []
    marker = "--" + (boundary.group(1) or boundary.group(2)).rstrip()
    return _extents(span, marker.encode("ascii", "surrogateescape"), most)


def _by_look(span: _Span, most: int) -> list[tuple[int, int]]:
    """For a mail that announces another boundary than it has, or none."""
    found = _LOOKS_LIKE_PART.search(span.raw, span.start, min(span.start + MAX_FLAT, span.end))
    return _extents(span, found.group(1), most) if found else []


def _extents(span: _Span, marker: bytes, most: int) -> list[tuple[int, int]]:
    """Where each part between the lines with the marker begins and ends."""
    out: list[tuple[int, int]] = []
    body, until = span.raw, span.end
    start, at = -1, body.find(marker, span.start, until)
    while at >= 0 and len(out) < most:
        line_end = _LINE_REST.match(body, at + len(marker), until)
        if line_end is None or (at > span.start and body[at - 1] not in b"\r\n"):
            at = body.find(marker, at + 1, until)
            continue
        if start >= 0:
            end = at - 1 if at > start else start
            end -= body[end - 1 : end + 1] == b"\r\n" and end > start
            out.append((start, max(start, end)))
            start = -1
        if line_end.group(1):
            break
        start = line_end.end()
        at = body.find(marker, start, until)
    if start >= 0 and len(out) < most:
        # The last one is not closed.
        tail = body[max(start, until - 2) : until]
        end = until - (2 if tail == b"\r\n" else tail.endswith((b"\r", b"\n")))
        out.append((start, max(start, end)))
    return out


def _part(headers: Headers, span: _Span, children: tuple[Part, ...], default: str = "") -> Part:
    declared = valued(headers.raw("content-type"))
    disposition = valued(headers.raw("content-disposition"))
    kind = declared.value or default
    if kind == "plain/text":
        kind = "text/plain"
    if not _TYPE.fullmatch(kind):
        kind = "text/plain" if not kind or kind.startswith("text") else "application/octet-stream"
    if kind.startswith("multipart/") and not children:
        kind = "text/plain"  # a container without parts is a text somebody announced wrongly
    encoding = headers.text("content-transfer-encoding").lower().strip("\"' ;")
    is_text = kind.startswith("text/") and disposition.value != "attachment"
    content = b"" if children else _decoded(span, encoding, is_text=is_text)
    return Part(
        headers,
        kind,
        declared.parameters,
        disposition.value,
        disposition.parameters,
        content,
        children,
    )


def _decoded(span: _Span, encoding: str, *, is_text: bool) -> bytes:
    if encoding == "base64" and is_text:
        return _text_of_base64(span.body)
    if encoding == "base64":
        return base64_bytes(span.raw, span.start, span.end)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(span.body)
    if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        return _uudecoded(span.body)
    return span.body


def _text_of_base64(raw: bytes) -> bytes:
    """With what a list server wrote below it as it is; a text that is no base64 stays a text."""
    words = _NO_BASE64_LINE.search(raw)
    if words is None or _is_noisy_base64(raw[words.start() :]):
        return base64_bytes(raw)
    above, below = raw[: words.start()], raw[words.start() :]
    if not above.strip():
        return raw
    ends = above.rstrip().endswith(b"=") or len(b"".join(above.split())) % 4 == 0
    return base64_bytes(above) + b"\n" + below if ends else base64_bytes(raw)


def _is_noisy_base64(raw: bytes) -> bool:
    """Whether it is base64 with a few letters of noise: one word a line, and a text behind it."""
    tight = b"".join(raw.split())
    return (
        len(raw.split()) <= raw.count(b"\n") + 1
        and 10 * len(tight.translate(None, _BASE64)) <= len(tight)
        and _NO_TEXT.search(base64_bytes(raw)) is None
    )


def _uudecoded(raw: bytes) -> bytes:
    out = bytearray()
    for line in raw.splitlines():
        if line.startswith((b"begin ", b"end")) or not line.strip(b" `"):
            continue
        with contextlib.suppress(ValueError):
            out += uuencoded.decoded_line(line)
    return bytes(out)


def _flat(fields: bytes, body: bytes) -> Part:
    """Fields, and all the rest as one file: better a mail that shows little than none."""
    headers = headers_of(fields)
    children = [_whole(fields, body)]
    if text := _first_text(headers, body):
        children.insert(0, text)
    return Part(headers, "multipart/mixed", {}, "", {}, b"", tuple(children))


def _first_text(headers: Headers, body: bytes) -> Part | None:
    """The body if it is text, else the first part in it that says it is plain text."""
    if not headers.raw("content-type").strip().lower().startswith(("multipart/", "message/")):
        own = [(name, headers.raw(name)) for name in _OF_CONTENT if name in headers]
        return _part(Headers(own), _Span(body, 0, min(len(body), MAX_FLAT)), ())
    found = _PLAIN_PART.search(body, 0, MAX_FLAT)
    if found is None:
        return None
    block, text = split(body[found.start() : found.start() + MAX_FLAT].lstrip(b"\r\n"))
    text = _NEXT_PART.split(text, maxsplit=1)[0]
    return _part(headers_of(block), _Span(text, 0, len(text)), ())


def headers_of(block: bytes) -> Headers:
    """The fields of a block, folded lines kept."""
    return Headers(
        (name.decode("ascii", "surrogateescape"), value.strip().decode("ascii", "surrogateescape"))
        for name, _, value in (line.partition(b":") for line in header_lines(block))
    )


def _whole(fields: bytes, body: bytes) -> Part:
    content = fields + b"\r\n" + body
    attached = {"filename": "mail.eml"}
    return Part(Headers(()), "message/rfc822", {}, "attachment", attached, content)


def _beside(root: Part, whole: Part) -> Part:
    return Part(root.headers, "multipart/mixed", {}, "", {}, b"", (root, whole))

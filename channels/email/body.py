"""What of a mail is its text and what is a file."""

import html
import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from channels import hidden
from channels.contract import InboundFile, Unreadable
from channels.email import charset, invitation, mime, secured, tnef, uuencoded
from channels.email.headers import Headers, text_of
from channels.email.mime import Part
from channels.text import clean, html_to_text

MAX_TEXT = 1_000_000  # characters shown; a longer text is attached whole
MAX_TEXT_BYTES = 4 * MAX_TEXT  # of one part that are decoded
MAX_NAME = 180
MAX_FILES = 500
_COMPARED = 200_000  # characters of HTML
MAX_STAND_IN = 1000  # characters of a plain form that may only stand in for the HTML
MAX_OPENED = 3  # signed mails inside signed mails

TEXT_CUT = "text cut: The text is very long; all of it is attached as a file."
FILES_CUT = "files cut: It has too many files; the whole mail is attached as well."
HIDDEN = "hidden text: It has words that nobody is shown; they are left out of its text."
NOT_UNPACKED = "winmail: What is in this winmail.dat could not be unpacked; it is here as it came."

_UNSAFE = re.compile('[\x00-\x1f\x7f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_CHARSET_IN_HTML = re.compile(
    rb"<meta[^>]{1,200}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_-]{2,30})", re.IGNORECASE
)
_USUAL_NAMES = {
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "read-receipt.txt",
    "text/rfc822-headers": "headers.txt",
    "text/calendar": "invitation.ics",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "pgp.txt",
    "application/pkcs7-signature": "smime.p7s",
}
_NO_WORD = re.compile(r"\W+")
_SAME = 5  # letters in a row that two texts hardly have in common by chance
_FLOWED_QUOTE = re.compile(r"^>*")


@dataclass(slots=True)
class Piece:
    """One stretch of the text, in one or both of its forms."""

    plain: str = ""
    html: str = ""


@dataclass(slots=True)
class Content:
    pieces: list[Piece] = field(default_factory=list)
    files: list[InboundFile] = field(default_factory=list)
    suspect: bool = False
    warnings: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)  # what invitations say
    spare: list[Piece] = field(default_factory=list)  # a text for a mail that has none of its own
    opened: int = 0  # signed mails inside signed mails

    def warn(self, words: str) -> None:
        if words and words not in self.warnings:
            self.warnings.append(words)

    @property
    def text(self) -> str:
        parts = (piece.plain or html_to_text(piece.html) for piece in self.pieces)
        return "\n\n".join(part for part in parts if part.strip()).strip("\n")

    @property
    def html(self) -> str:
        if not any(piece.html for piece in self.pieces):
            return ""
        return "\n".join(piece.html or _as_html(piece.plain) for piece in self.pieces)


def content_of(root: Part, raw: bytes) -> Content:
    """The text in both forms and every other part as a file. No part is lost."""
    content = Content()
    content.pieces = _pieces(root, content)
    if not content.text.strip():
        content.pieces += content.spare
    content.pieces += [Piece(plain=event) for event in content.events]
    for piece in content.pieces:
        piece.plain, found = uuencoded.taken_out(piece.plain, MAX_FILES + 1 - len(content.files))
        content.files += [replace(file, name=safe_name(file.name) or "file") for file in found]
        if len(piece.plain) > MAX_TEXT:
            content.warn(TEXT_CUT)
            body = piece.plain.encode("utf-8", "replace")
            content.files.append(InboundFile("text.txt", "text/plain; charset=utf-8", body))
            piece.plain = piece.plain[:MAX_TEXT]
        if len(piece.html) > 2 * MAX_TEXT:
            content.warn(TEXT_CUT)
            body = piece.html.encode("utf-8", "replace")
            content.files.append(InboundFile("text.html", "text/html; charset=utf-8", body))
            piece.html = piece.html[: 2 * MAX_TEXT]
    if len(content.files) > MAX_FILES:
        content.warn(FILES_CUT)
        whole = InboundFile("mail.eml", "message/rfc822", raw)
        content.files = [*content.files[: MAX_FILES - 1], whole]
    return content


def _pieces(part: Part, content: Content) -> list[Piece]:
    content.warn(secured.word_of(part))
    if part.children:
        if part.content_type == "multipart/alternative":
            return _alternative(part, content)
        return [piece for child in part.children for piece in _pieces(child, content)]
    if _is_text(part):
        return _text_piece(part, content)
    file = _file(part, len(content.files) + 1)
    content.files.append(file)
    if part.disposition == "inline" and part.content_type == "text/plain" and not content.spare:
        content.spare += _text_piece(part, content)
    if file.content_type in invitation.TYPES:
        _take_events(part, content)
    elif tnef.looks_like_one(file.content_type, file.name, file.body):
        _take_package(file, content)
    elif file.name.lower().endswith(".p7m") and content.opened < MAX_OPENED:
        return _signed_pieces(file, content)
    return []


def _take_events(part: Part, content: Content) -> None:
    label = part.parameters.get("charset", "") or "utf-8"
    event = invitation.summary(charset.decode(part.content[:MAX_TEXT], label).text)
    if event and event not in content.events:
        content.events.append(event)


def _take_package(file: InboundFile, content: Content) -> None:
    try:
        package = tnef.unpacked(file.body)
    except tnef.Broken:
        content.warn(NOT_UNPACKED)
        return
    content.files += [
        replace(one, name=safe_name(one.name) or f"part-{number}.bin")
        for number, one in enumerate(package.files, len(content.files) + 1)
    ]
    if package.plain or package.html:
        content.spare.append(Piece(plain=clean(package.plain), html=clean(package.html)))


def _signed_pieces(file: InboundFile, content: Content) -> list[Piece]:
    """The mail that stands inside an opaque signature."""
    inner = secured.signed_content(file.body)
    if inner is None:
        return []
    content.opened += 1
    try:
        taken = mime.taken_apart(inner)
    except Unreadable:
        return []
    for words in taken.warnings:
        content.warn(words)
    return _pieces(taken.root, content)


def _alternative(part: Part, content: Content) -> list[Piece]:
    # Each child says the same in another form. Programs nest them freely (Apple Mail puts the
    # attachments beside the HTML form), so each child is read as if it were alone.
    forms = [form for child in part.children if (form := _pieces(child, content))]
    plain = next((form for form in forms if _plain(form)), None)
    rich = next((form for form in reversed(forms) if any(piece.html for piece in form)), None)
    if rich is None or plain is None or rich is plain:
        return rich or plain or (forms[0] if forms else [])
    joined = "\n".join(piece.html or _as_html(piece.plain) for piece in rich)
    words = _plain(plain)
    return [Piece(plain="" if _stands_in(words, joined) else words, html=joined)]


def _stands_in(plain: str, html: str) -> bool:
    """Whether the plain form only says that there is another, or is broken."""
    if len(plain) > MAX_STAND_IN:
        return False
    # Its beginning tells: a plain form that says the same is as short as that.
    whole = _NO_WORD.sub("", html_to_text(html[:_COMPARED])).casefold()[: 20 * MAX_STAND_IN]
    said = _NO_WORD.sub("", plain).casefold()
    if not said or not whole:
        return bool(whole)
    if len(whole) <= len(said) or said in whole:
        return False
    pieces = [said[at : at + _SAME] for at in range(max(len(said) - _SAME + 1, 1))]
    return sum(piece in whole for piece in pieces) < 0.3 * len(pieces)


def _plain(form: Iterable[Piece]) -> str:
    return "\n\n".join(piece.plain for piece in form if piece.plain.strip())


def _is_text(part: Part) -> bool:
    if part.is_attached or part.content_type not in {"text/plain", "text/html", "text/enriched"}:
        return False
    # "inline" with a name is how some programs attach a .txt or a .html file.
    return not (part.disposition_parameters.get("filename") or part.parameters.get("name"))


def _text_piece(part: Part, content: Content) -> list[Piece]:
    if len(part.content) > MAX_TEXT_BYTES:
        ending = "html" if part.content_type == "text/html" else "txt"
        content.warn(TEXT_CUT)
        content.files.append(InboundFile(f"text.{ending}", part.content_type, part.content))
        part = replace(part, content=_up_to_a_line(part.content))
    label = part.parameters.get("charset", "")
    if part.content_type == "text/html" and not charset.codec_for(label):
        found = _CHARSET_IN_HTML.search(part.content[:4000])
        label = found.group(1).decode("ascii") if found else label
    decoded = charset.decode(part.content, label)
    content.suspect = content.suspect or decoded.suspect
    text = clean(decoded.text)
    if part.content_type == "text/html":
        if hidden.is_there(text):
            content.warn(HIDDEN)
        return [Piece(html=text)] if text.strip() else []
    if part.content_type == "text/enriched":
        text = html_to_text(text.replace("<<", "&lt;").replace("\n", "<br>"))
    if part.parameters.get("format", "").lower() == "flowed":
        text = _unflowed(text, joins=part.parameters.get("delsp", "").lower() == "yes")
    return [Piece(plain=text)] if text.strip() else []


def _up_to_a_line(body: bytes) -> bytes:
    end = body.rfind(b"\n", 0, MAX_TEXT_BYTES) + 1
    return body[: end or MAX_TEXT_BYTES]


def _unflowed(text: str, *, joins: bool) -> str:
    """Lines that were broken only for the wire are one line again (RFC 3676)."""
    out: list[str] = []
    depth_before, open_line = 0, False
    for line in text.split("\n"):
        depth = _FLOWED_QUOTE.match(line).end()  # type: ignore[union-attr]  # it always matches
        bare = line[depth:].removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        if flows and joins:
            bare = bare[:-1]
        if open_line and depth == depth_before:
            out[-1] += bare
        else:
            out.append((">" * depth + " " if depth else "") + bare)
        open_line, depth_before = flows, depth
    return "\n".join(out)


def _as_html(plain: str) -> str:
    return "<p>" + html.escape(plain, quote=False).replace("\n", "<br>\n") + "</p>"


def _file(part: Part, number: int) -> InboundFile:
    content_id = text_of(part.headers.raw("content-id")).strip("<> ")
    return InboundFile(
        name=_file_name(part, number, content_id),
        content_type=part.content_type,
        body=part.content,
        content_id=content_id,
        inline=part.disposition == "inline" or (bool(content_id) and not part.is_attached),
    )


def _file_name(part: Part, number: int, content_id: str) -> str:
    for name in (
        part.disposition_parameters.get("filename", ""),
        part.parameters.get("name", ""),
        _attached_subject(part),
        _USUAL_NAMES.get(part.content_type, ""),
        text_of(part.headers.raw("content-location")).rsplit("/", 1)[-1].partition("?")[0],
        text_of(part.headers.raw("content-description")),
    ):
        if safe := safe_name(name):
            return safe
    ending = mimetypes.guess_extension(part.content_type) or ".bin"
    return (safe_name(content_id.partition("@")[0]) or f"part-{number}") + ending


def _attached_subject(part: Part) -> str:
    if part.content_type != "message/rfc822":
        return ""
    block, _ = mime.split(part.content[:65_536].lstrip(b"\r\n"))
    fields = Headers(
        (name.decode("ascii", "replace"), value.decode("ascii", "surrogateescape"))
        for name, _, value in (line.partition(b":") for line in mime.header_lines(block))
    )
    return (fields.text("subject").replace("/", "-")[: MAX_NAME - 10] or "mail") + ".eml"


def safe_name(name: str) -> str:
    """A name that is no path, hides nothing and is allowed on every system; "" if none is left."""
    name = clean(name).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", name).strip(" .\u3000")
    if len(name) > MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        name = stem[: MAX_NAME - 12] + dot + ending[:11] if dot else name[:MAX_NAME]
    return f"_{name}" if _RESERVED.match(name) else name


def with_own_names(files: Iterable[InboundFile]) -> tuple[InboundFile, ...]:
    """So that two files of one mail are told apart, and can lie in one folder."""
    taken: set[str] = set()
    out = []
    for file in files:
        name, number = file.name, 1
        while name.casefold() in taken:
            number += 1
            stem, dot, ending = file.name.rpartition(".")
            name = f"{stem} ({number}).{ending}" if dot else f"{file.name} ({number})"
        taken.add(name.casefold())
        out.append(replace(file, name=name))
    return tuple(out)

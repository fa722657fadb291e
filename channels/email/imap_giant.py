"""The beginning of a mail that is too large to fetch: its header fields and its first text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from channels.contract import Withheld
from channels.email import imap_fetch, imap_syntax
from channels.email.imap_session import Session
from channels.email.imap_syntax import Value

MOST = 1_000_000  # bytes of header fields, and of text

_FIELD_ENDS = re.compile(rb"\r?\n(?![ \t])")
_OF_CONTENT = re.compile(rb"(?:content-[a-z0-9-]+|lines)[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Text:
    section: str
    subtype: str


async def beginning(session: Session, number: int) -> bytes | None:
    """A mail of its own, as if the sender had written nothing else. None when nothing came."""
    header = await imap_fetch.piece(session, number, f"BODY.PEEK[HEADER]<0.{MOST}>")
    if header is None or not header.body:
        return None
    structure = await _structure(session, number)
    text = first_text(structure)
    if text is None:
        return _without_content(header.body) + b"\r\n"
    body = await imap_fetch.piece(session, number, f"BODY.PEEK[{text.section}]<0.{MOST}>")
    if body is None:
        raise Withheld(f"{session.host} hands out only a part of mail {number}.")
    if not _is_multipart(structure):
        return header.body.rstrip(b"\r\n") + b"\r\n\r\n" + body.body
    fields = await imap_fetch.piece(session, number, f"BODY.PEEK[{text.section}.MIME]<0.{MOST}>")
    own = fields.body.strip(b"\r\n") + b"\r\n" if fields and fields.body.strip() else b""
    return _without_content(header.body) + own + b"\r\n" + body.body


async def _structure(session: Session, number: int) -> list[Value]:
    answer = await session.run("FETCH", str(number), "(UID BODYSTRUCTURE)", uid=True)
    for parts in imap_fetch.about(answer, number):
        try:
            values = imap_syntax.read(parts)
        except ValueError:
            break  # the header fields alone are an inquiry, too
        told = next((value for value in values if isinstance(value, list)), [])
        for name, value in pairwise(told):
            if imap_syntax.text_of(name).upper() == "BODYSTRUCTURE" and isinstance(value, list):
                return value
    return []


def first_text(structure: list[Value]) -> _Text | None:
    """The first plain text that is no attachment, else the first HTML."""
    found = list(_texts(structure, ""))
    return next((text for text in found if text.subtype == "plain"), next(iter(found), None))


def _texts(structure: list[Value], section: str) -> Iterator[_Text]:
    if _is_multipart(structure):
        for number, child in enumerate(structure, 1):
            if not isinstance(child, list):
                return
            yield from _texts(child, f"{section}.{number}" if section else str(number))
        return
    kind, subtype = (imap_syntax.text_of(value).lower() for value in (*structure, None, None)[:2])
    if kind == "text" and subtype in {"plain", "html"} and not _is_attached(structure):
        yield _Text(section or "1", subtype)


def _is_multipart(structure: list[Value]) -> bool:
    return bool(structure) and isinstance(structure[0], list)


def _is_attached(structure: list[Value]) -> bool:
    disposition = structure[9] if len(structure) > 9 else None
    return isinstance(disposition, list) and (
        imap_syntax.text_of(next(iter(disposition), None)).lower() == "attachment"
    )


def _without_content(header: bytes) -> bytes:
    """Without the fields that speak of parts which are not here."""
    fields = _FIELD_ENDS.split(header.strip(b"\r\n"))
    return b"".join(field + b"\r\n" for field in fields if not _OF_CONTENT.match(field))

"""One mail as it is understood: the one reader behind filing a mail and behind showing it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channels.contract import InboundFile, Party, Report
from channels.email import armour, body, hygiene, quotes, returned
from channels.email.addresses import normal, parties
from channels.email.headers import Headers, text_of, unicode_of
from channels.email.hygiene import Kind
from channels.email.mime import Part, Taken

MAX_REFERENCES = 51  # the first and the last fifty
MAX_SUBJECT = 2000
INSTEAD = ("sender", "reply-to", "return-path")  # of From, where it names nobody
SENT_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")

_ID = re.compile(r"<([^<>]{1,990})>")
_BARE_ID = re.compile(r"[^<>\s,;]{3,990}")
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_SPACES = re.compile(r"\s+")
_AROUND_COLON = re.compile(r"\s*:\s*")
_COLON_OFFSET = re.compile(r"(?:\b(?:GMT|UTC?)\s?)?([+-]\d\d):(\d\d)\s*$", re.IGNORECASE)
_NAMED_ZONE = re.compile(r"\d:\d\d(?:\.\d{1,9})?\s+([A-Za-z]{2,5})\s*$")
_KNOWN_ZONES = frozenset(
    ("UT", "UTC", "GMT", "AST", "ADT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT")
)
# What the library does not know; of names that several countries use, the most mails.
_ZONES = {
    **dict.fromkeys(("WET", "WEZ"), "+0000"),
    **dict.fromkeys(("CET", "MEZ", "MET", "BST", "WEST", "WESZ"), "+0100"),
    **dict.fromkeys(("CEST", "MESZ", "MEST", "EET", "OEZ", "SAST"), "+0200"),
    **dict.fromkeys(("EEST", "OESZ", "MSK", "TRT"), "+0300"),
    **dict.fromkeys(("PKT",), "+0500"),
    **dict.fromkeys(("IST",), "+0530"),
    **dict.fromkeys(("ICT", "WIB"), "+0700"),
    **dict.fromkeys(("HKT", "SGT", "AWST", "PHT"), "+0800"),
    **dict.fromkeys(("JST", "KST"), "+0900"),
    **dict.fromkeys(("AEST",), "+1000"),
    **dict.fromkeys(("AEDT",), "+1100"),
    **dict.fromkeys(("NZST",), "+1200"),
    **dict.fromkeys(("NZDT",), "+1300"),
    **dict.fromkeys(("BRT", "ART"), "-0300"),
    **dict.fromkeys(("AKDT",), "-0800"),
    **dict.fromkeys(("AKST",), "-0900"),
    **dict.fromkeys(("HST",), "-1000"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    headers: Headers
    root: Part
    subject: str
    sender: tuple[Party, ...]  # everybody it says it is from; empty when nobody
    to: tuple[Party, ...]
    cc: tuple[Party, ...]
    reply_to: tuple[Party, ...]
    message_id: str  # as the mail says; "" when it says none
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]  # oldest first
    date: datetime | None  # with the sender's offset
    text: str
    html: str
    new: str  # the text without what is quoted or put around it; all when nothing else is left
    quoted: str
    signature: str
    files: tuple[InboundFile, ...]
    kind: Kind
    otherwise: Kind  # the same if it only says that we wrote it
    report: Report | None
    language: str  # as declared
    charset_suspect: bool
    warnings: tuple[str, ...]


def understood(taken: Taken, raw: bytes, own_address: str = "") -> Reading:
    root = taken.root
    headers = root.headers
    content = body.content_of(root, raw)
    text = content.text
    bare = armour.without(text)
    parts = quotes.read(bare, content.html)
    sender = _sender(headers)
    subject = headers.text("subject")[:MAX_SUBJECT]
    report = returned.report_of(root, text, own_address)
    look = hygiene.Look(
        headers=headers,
        root=root,
        sender=sender[0].value if sender else "",
        subject=subject,
        own=frozenset(_own(headers, own_address)),
        text=text,
        report=report,
    )
    otherwise = hygiene.kind_of_others(look)
    return Reading(
        headers=headers,
        root=root,
        subject=subject,
        sender=sender,
        to=everybody(headers, "to"),
        cc=everybody(headers, "cc"),
        reply_to=everybody(headers, "reply-to"),
        message_id=next(iter(ids(headers.raw("message-id"))), ""),
        in_reply_to=tuple(ids(headers.raw("in-reply-to"))),
        references=tuple(ids(headers.raw("references"))),
        date=date_of(headers.text("date")),
        text=text,
        html=content.html,
        new=parts.new if parts.new.strip() else bare or text,
        quoted=parts.quoted,
        signature=parts.signature,
        files=tuple(content.files),
        kind=hygiene.Kind.OWN_LOOP if hygiene.is_own_loop(look) else otherwise,
        otherwise=otherwise,
        report=report if otherwise in hygiene.REPORTS or hygiene.is_notice(report) else None,
        language=headers.text("content-language").partition(",")[0].strip()[:35],
        charset_suspect=content.suspect,
        warnings=(*taken.warnings, *content.warnings),
    )


def _sender(headers: Headers) -> tuple[Party, ...]:
    for name in ("from", *INSTEAD):
        for value in headers.every(name):
            if found := parties(value):
                return found
    return ()


def _own(headers: Headers, own_address: str) -> Iterator[str]:
    if own_address:
        yield normal(own_address).lower()
        return
    for name in SENT_TO:
        for party in everybody(headers, name):
            yield party.value.lower()


def everybody(headers: Headers, name: str) -> tuple[Party, ...]:
    """Each address of all such fields, once."""
    found: dict[str, Party] = {}
    for value in headers.every(name):
        for party in parties(value):
            found.setdefault(party.value, party)
    return tuple(found.values())


def ids(raw: str) -> list[str]:
    """Every id of a field, without brackets; the first and the last ones of very many."""
    text = unicode_of(raw)
    found = [_tight(value) for value in _ID.findall(text)] or _BARE_ID.findall(text[:2000])
    found = [value for value in found if value and ("@" in value or "<" in text)]
    return found[:1] + found[1:][-(MAX_REFERENCES - 1) :]


def _tight(value: str) -> str:
    """An id that was folded or written with blanks and comments in it."""
    if " " not in value and "\t" not in value:
        return value
    return _SPACES.sub("", _COMMENT.sub("", value))


def date_of(text: str) -> datetime | None:
    """A date as mails have it, with its offset; a date without one is taken as UTC."""
    text = text[:200]
    while text != (text := _COMMENT.sub(" ", text)):
        pass
    text = _COLON_OFFSET.sub(r"\1\2", _AROUND_COLON.sub(":", text)[:100])
    named = _NAMED_ZONE.search(text)
    if named and named.group(1).upper() not in _KNOWN_ZONES:
        if (offset := _ZONES.get(named.group(1).upper())) is None:
            return None  # whoever took it on the way tells it better than a guess
        text = text[: named.start(1)] + offset
    try:
        date = parsedate_to_datetime(text)
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        date.astimezone(UTC)  # raises beyond the years there are
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date


def trace_dates(headers: Headers) -> Iterator[datetime]:
    """When each server on the way took it, the last one first."""
    for value in headers.every("received"):
        when = text_of(value)[-200:].rpartition(";")[2].strip()
        date = date_of(when) if 10 <= len(when) <= 100 else None
        if date is not None:
            yield date

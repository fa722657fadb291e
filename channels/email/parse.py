"""One mail as a message: who, when, what, and which conversation it belongs to."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from channels.contract import InboundMessage, Party, Raw, Ref, RefKind, Unreadable
from channels.email import body, hygiene, mime, quotes
from channels.email.addresses import normal, parties
from channels.email.compose import OWN_ID
from channels.email.config import EmailConfig
from channels.email.headers import Headers, text_of, unicode_of
from channels.email.mime import Part

MAX_REFERENCES = 51  # the first and the last fifty

_ID = re.compile(r"<\s*([^<>\s]{1,990})\s*>")
_BARE_ID = re.compile(r"[^<>\s,;]{3,990}")
_ADDRESS_TOKEN = re.compile(r"\+t\.([A-Za-z0-9_-]{1,120})@")
_SENT_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
_DATE_IN_TRACE = re.compile(r";\s*([^;]{10,60})\s*$")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What relays and mailboxes add on the way: two copies of one mail differ in these and only these.
_TRACE = re.compile(
    rb"(?:received|received-spf|delivered-to|return-path|envelope-to|authentication-results"
    rb"|arc-[a-z-]+|x-[^:]*)[ \t]*:",
    re.IGNORECASE,
)


def parse(config: EmailConfig, raw: Raw) -> InboundMessage:
    """Raises `Unreadable` only where there is no mail at all."""
    if not raw.body.strip(b"\r\n\t \x00"):
        raise Unreadable("This mail is empty: the server delivered no bytes.")
    root = mime.read(raw.body)
    headers = root.headers
    digest = hashlib.sha256(raw.body).hexdigest()
    content = body.content_of(root)
    text = content.text
    new, quoted = quotes.split(text)
    sender = _sender(headers, digest)
    machine = hygiene.machine_behind(
        hygiene.Look(headers, root, sender.value, headers.text("subject"), config.address)
    )
    return InboundMessage(
        external_id=_own_id(headers) or f"gen-{digest[:32]}@missing",
        sender=sender,
        sent_at=_sent_at(headers, raw.received_at),
        text=text,
        subject=headers.text("subject")[:2000],
        refs=tuple(_refs(headers, root, machine)),
        to=_everybody(headers, "to"),
        cc=_everybody(headers, "cc"),
        html=content.html,
        reply_text=new if quoted else "",
        quoted_text=quoted,
        files=tuple(content.files),
        reply_to=_reply_to(headers, sender, config),
        automatic=machine is not None,
        machine=machine.value if machine else "",
        canonical=canonical(raw.body),
        language=headers.text("content-language").partition(",")[0].strip()[:35],
        charset_suspect=content.suspect,
    )


def canonical(raw: bytes) -> str:
    """Digest of what two copies of one mail have in common, whichever way they came."""
    block, rest = mime.split(raw)
    kept = (
        re.sub(rb"\s+", b" ", line).strip()
        for line in mime.header_lines(block)
        if not _TRACE.match(line)
    )
    rest = re.sub(rb"\r\n?", b"\n", rest).rstrip(b"\n")
    return hashlib.sha256(b"\n".join(kept) + b"\n\n" + rest).hexdigest()


def _sender(headers: Headers, digest: str) -> Party:
    for name in ("from", "sender", "reply-to", "return-path"):
        for party in parties(headers.raw(name)):
            return party
    # A mail without a sender is still somebody's inquiry; each such sender is one of their own,
    # so that nobody's conversation opens to the next one.
    name = headers.text("from").strip('<>"() ')
    return Party("email", f"unknown-{digest[:16]}@sender.invalid", name[:200])


def _everybody(headers: Headers, name: str) -> tuple[Party, ...]:
    found = (party for value in headers.every(name) for party in parties(value))
    return tuple({party.value: party for party in found}.values())


def _reply_to(headers: Headers, sender: Party, config: EmailConfig) -> Party | None:
    not_wanted = {sender.value.lower(), normal(config.address).lower()}
    for party in parties(headers.raw("reply-to")):
        if _ADDRESS_TOKEN.sub("@", party.value).lower() not in not_wanted:
            return party
    return None


def _sent_at(headers: Headers, received_at: datetime | None) -> datetime:
    """The sender's date, unless their clock is plainly wrong."""
    arrived = received_at or next(_trace_dates(headers), None)
    said = _date(headers.text("date"))
    if said is None:
        return arrived or _EPOCH
    if arrived is not None and said > arrived + timedelta(hours=24):
        return arrived
    if said < _EARLIEST:
        return arrived or said
    return said


def _trace_dates(headers: Headers) -> Iterator[datetime]:
    for value in headers.every("received"):
        found = _DATE_IN_TRACE.search(text_of(value)[-200:])
        date = _date(found.group(1)) if found else None
        if date is not None:
            yield date


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text[:100])
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        return date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _ids(raw: str) -> list[str]:
    text = unicode_of(raw)
    found = _ID.findall(text) or _BARE_ID.findall(text[:2000])
    found = [value for value in found if "@" in value or "<" in text]
    return found[:1] + found[1:][-(MAX_REFERENCES - 1) :]


def _own_id(headers: Headers) -> str:
    return next(iter(_ids(headers.raw("message-id"))), "")


def _refs(headers: Headers, root: Part, machine: hygiene.Machine | None) -> Iterator[Ref]:
    """Strongest first: our token in the address, our token in an id, then ids as they stand."""
    answered = _ids(headers.raw("in-reply-to")) + _ids(headers.raw("references"))[::-1]
    if machine is hygiene.Machine.BOUNCE:
        answered += _returned_ids(root)
    seen: set[Ref] = set()
    for ref in (*_address_tokens(headers), *_id_tokens(answered), *_plain(answered)):
        if ref not in seen:
            seen.add(ref)
            yield ref


def _address_tokens(headers: Headers) -> Iterator[Ref]:
    for name in _SENT_TO:
        for value in headers.every(name):
            for token in _ADDRESS_TOKEN.findall(unicode_of(value)):
                yield Ref(RefKind.ADDRESS_TOKEN, token)


def _id_tokens(ids: list[str]) -> Iterator[Ref]:
    for value in ids:
        if own := OWN_ID.match(value):
            yield Ref(RefKind.ID_TOKEN, own.group("token"))


def _plain(ids: list[str]) -> Iterator[Ref]:
    for value in ids:
        yield Ref(RefKind.MESSAGE_ID, value)


def _returned_ids(root: Part) -> list[str]:
    """The id of the mail a bounce brings back, whole or only its header fields."""
    ids: list[str] = []
    for child in root.children:
        if child.content_type in {"message/rfc822", "text/rfc822-headers", "message/global"}:
            block, _ = mime.split(child.content[:100_000].lstrip(b"\r\n"))
            for line in mime.header_lines(block):
                if line.lower().startswith(b"message-id:"):
                    ids += _ids(line[11:].decode("ascii", "surrogateescape"))
    return ids

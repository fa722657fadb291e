"""One mail as a message: who, when, what, and which conversation it belongs to."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from channels.contract import Direction, InboundFile, InboundMessage, Party, Raw, Ref, RefKind
from channels.email import attached, hygiene, ladder, mime, reading, tags
from channels.email import origin as origins
from channels.email.addresses import normal
from channels.email.body import with_own_names
from channels.email.compose import ID, OWN_ID, THREAD
from channels.email.config import EmailConfig
from channels.email.forwards import forward_of
from channels.email.headers import unicode_of
from channels.email.known import Known
from channels.email.reading import Reading

_ADDRESS_TOKEN = re.compile(r"\+t\.([A-Za-z0-9_-]{1,120})@")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PIECE = 1 << 20  # bytes of a mail that are looked at in one go

# What relays and mailboxes add on the way: two copies of one mail differ in these and only these.
_IDENTIFIES = re.compile(rb"(?:message-id|date)[ \t]*:\s*\S", re.IGNORECASE)
_RECEIVED = re.compile(rb"received[ \t]*:", re.IGNORECASE)
_TRACE = re.compile(
    rb"(?:received|received-spf|delivered-to|return-path|envelope-to|authentication-results"
    rb"|arc-[a-z-]+|x-[^:\s]*)[ \t]*:",
    re.IGNORECASE,
)


def parse(config: EmailConfig, raw: Raw) -> InboundMessage:
    """Raises `Unreadable` only where there is no mail at all."""
    return parse_for(config.known, raw)[0]


def parse_for(known: Known, raw: Raw, rung: int = ladder.FULL) -> Sequence[InboundMessage]:
    """The same for whoever knows little of the inbox, and wants less than everything."""
    read = ladder.read(raw.body, known.address, rung)
    digest = hashlib.sha256(raw.body).hexdigest()
    origin = origins.of(read, known, _sender(read, digest))
    machine = "" if origin.by_a_person else read.kind.machine
    own_id = _own_id(read) if raw.sent else ""
    message = InboundMessage(
        direction=Direction.OUTBOUND if raw.sent else Direction.INBOUND,
        external_id=own_id or read.message_id or f"gen-{digest[:32]}@missing",
        other_id=read.message_id if own_id and read.message_id != own_id else "",
        sender=origin.sender,
        sent_at=_sent_at(read, raw.received_at),
        text=read.text or _why_empty(read),
        subject=read.subject,
        refs=tuple(_refs(read)),
        to=read.to,
        cc=read.cc,
        html=read.html,
        reply_text=read.new if read.new != read.text else "",
        quoted_text=read.quoted,
        signature=read.signature,
        files=with_own_names(_files(read, raw, rung)),
        reply_to=_reply_to(read, origin.sender, known),
        forward=None if machine else forward_of(read, ladder.read),
        unproved=origin.unproved,
        verdicts=origin.verdicts,
        automatic=bool(machine),
        machine=machine,
        own_token=hygiene.own_token(read.headers) if machine == "ourselves" else "",
        otherwise=read.otherwise.machine if machine == "ourselves" else "",
        report=read.report,
        warnings=(*read.warnings, *origin.warnings),
        canonical=canonical(raw.body, raw.received_at),
        language=read.language,
        charset_suspect=read.charset_suspect,
    )
    return [message]


def _files(read: Reading, raw: Raw, rung: int) -> Sequence[InboundFile]:
    return attached.readable(read, raw.body, ladder.read) if rung == ladder.FULL else read.files


def _why_empty(read: Reading) -> str:
    """A text where there would be none for a reason: nobody looks for what is not announced."""
    return "\n".join(f"[{words.partition(':')[2].strip()}]" for words in read.warnings)


def canonical(raw: bytes, received_at: datetime | None = None) -> str:
    """Digest of what two copies of one mail have in common, whichever way they came."""
    block, at = mime.head_and_start(raw)
    lines = list(mime.header_lines(block[: mime.MAX_HEADER_BLOCK]))
    kept = [re.sub(rb"\s+", b" ", line).strip() for line in lines if not _TRACE.match(line)]
    if not any(_IDENTIFIES.match(line) for line in lines):
        kept.append(_first_seen(lines, received_at))
    digest = hashlib.sha256(b"\n".join(kept) + b"\n\n")
    for piece in _with_plain_line_ends(raw, at):
        digest.update(piece)
    return digest.hexdigest()


def _first_seen(lines: Sequence[bytes], received_at: datetime | None) -> bytes:
    """When a server first had it: devices write the same mail at each alarm, and no date in it."""
    first = next((line for line in reversed(lines) if _RECEIVED.match(line)), b"")
    when = re.sub(rb"\s+", b" ", first.rpartition(b";")[2]).strip()
    return when or (received_at.isoformat().encode() if received_at else b"")


def _with_plain_line_ends(raw: bytes, at: int) -> Iterator[bytes]:
    """What follows `at`, piece by piece, with no line ends at its end."""
    end, kept = len(raw), b""
    while end > at and not kept:
        first = max(at, end - _PIECE)
        kept = raw[first:end].rstrip(b"\r\n")
        end = first + len(kept)
    while at < end:
        stop = min(at + _PIECE, end)
        if stop < end and raw[stop - 1 : stop + 1] == b"\r\n":
            stop -= 1  # the two belong together
        yield raw[at:stop].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        at = stop


def _sender(read: Reading, digest: str) -> Party:
    if read.sender:
        return read.sender[0]
    # A mail without a sender is still somebody's inquiry; each such sender is one of their own,
    # so that nobody's conversation opens to the next one.
    name = read.headers.text("from").strip('<>"() ')
    return Party("email", f"unknown-{digest[:16]}@sender.invalid", name[:200])


def _own_id(read: Reading) -> str:
    """What we called it, whatever its provider calls it. To be believed among what was sent."""
    own = OWN_ID.search(read.headers.text(ID.lower()))
    return own.group().removeprefix("<") if own else ""


def _reply_to(read: Reading, sender: Party, known: Known) -> Party | None:
    not_wanted = {sender.value.lower(), normal(known.address).lower(), *known.writers}
    for party in read.reply_to:
        if _ADDRESS_TOKEN.sub("@", party.value).lower() not in not_wanted:
            return party
    return None


def _sent_at(read: Reading, received_at: datetime | None) -> datetime:
    """The sender's date, unless their clock is plainly wrong."""
    arrived = received_at or next(reading.trace_dates(read.headers), None)
    arrived = arrived.astimezone(UTC) if arrived else None
    if read.date is None:
        return arrived or _EPOCH
    said = read.date.astimezone(UTC)
    if arrived is not None and said > arrived + timedelta(hours=24):
        return arrived
    if said < _EARLIEST:
        return arrived or said
    return said


def _refs(read: Reading) -> Iterator[Ref]:
    """Strongest first: our token in the address, our token in an id, ids as they stand, and our
    token in what is written."""
    answered = [*read.in_reply_to, *read.references[::-1]]
    if read.report and read.report.original_id:
        answered.append(read.report.original_id)
    seen: set[Ref] = set()
    written = tags.refs_in(read.text, read.html, read.subject)
    for ref in (*_address_tokens(read), *_id_tokens(answered), *_plain(answered), *written):
        if ref not in seen:
            seen.add(ref)
            yield ref


def _address_tokens(read: Reading) -> Iterator[Ref]:
    for name in reading.SENT_TO:
        for value in read.headers.every(name):
            for token in _ADDRESS_TOKEN.findall(unicode_of(value)):
                yield Ref(RefKind.ADDRESS_TOKEN, token)


def _id_tokens(ids: list[str]) -> Iterator[Ref]:
    for value in ids:
        if own := OWN_ID.match(value):
            yield Ref(RefKind.ID_TOKEN, own.group("token"))


def _plain(ids: list[str]) -> Iterator[Ref]:
    for value in ids:
        own = OWN_ID.match(value)
        if own is None or int(own.group("number")) != THREAD:  # no mail has that one
            yield Ref(RefKind.MESSAGE_ID, value)

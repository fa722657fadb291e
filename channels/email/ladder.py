"""A mail that cannot be read in full is shown in part: it is never lost from sight."""

import re
from collections.abc import Callable

from channels.contract import InboundFile, Party, Unreadable
from channels.email import mime, reading
from channels.email.headers import Headers
from channels.email.hygiene import Kind
from channels.email.reading import Reading

FULL, PLAIN, LEAST = range(3)

BARELY = "barely readable: Only sender and subject could be told; the whole mail is attached."
MAX_HEAD = 200_000  # bytes in which sender and subject are looked for

_NOT_READABLE = (
    RecursionError,
    MemoryError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
)
_LINE = re.compile(
    rb"^(from|subject|message-id)[ \t]{0,50}:[ \t]{0,50}([^\r\n]{0,2000})",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[^\s<>\"(),;:\\@]{1,64}@[A-Za-z0-9.-]{1,190}")


def read(raw: bytes, own_address: str = "", rung: int = FULL) -> Reading:
    """Read on this rung, or on the first one below it that holds. Raises `Unreadable`."""
    if not raw.strip(b"\r\n\t \x00"):
        raise Unreadable("This mail is empty: the server delivered no bytes.")
    for step in _RUNGS[rung:]:
        try:
            return step(raw, own_address)
        except _NOT_READABLE:
            continue
    return _least(raw)


def _full(raw: bytes, own_address: str) -> Reading:
    return reading.understood(mime.taken_apart(raw), raw, own_address)


def _plain(raw: bytes, own_address: str) -> Reading:
    return reading.understood(mime.flat(raw), raw, own_address)


def _least(raw: bytes, _own_address: str = "") -> Reading:
    """Sender and subject by their look, with no more than a glance at the first bytes."""
    found: dict[bytes, str] = {}
    for name, value in _LINE.findall(raw[:MAX_HEAD]):
        found.setdefault(name.lower(), value.decode("utf-8", "replace").strip())
    if not found and b":" not in raw[:MAX_HEAD]:
        raise Unreadable("This is no mail: it has no header fields at all.")
    address = _ADDRESS.search(found.get(b"from", ""))
    message_id = found.get(b"message-id", "").strip("<> ")
    whole = InboundFile("mail.eml", "message/rfc822", raw)
    root = mime.Part(Headers(()), "message/rfc822", {}, "attachment", {}, b"")
    return Reading(
        headers=root.headers,
        root=root,
        subject=_shown(found.get(b"subject", "")),
        sender=(Party("email", address.group()),) if address else (),
        to=(),
        cc=(),
        reply_to=(),
        message_id=message_id if message_id.isprintable() and " " not in message_id else "",
        in_reply_to=(),
        references=(),
        date=None,
        text="",
        html="",
        new="",
        quoted="",
        signature="",
        files=(whole,),
        kind=Kind.HUMAN,
        otherwise=Kind.HUMAN,
        report=None,
        language="",
        charset_suspect=False,
        warnings=(BARELY,),
    )


def _shown(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[: reading.MAX_SUBJECT]


_RUNGS: tuple[Callable[[bytes, str], Reading], ...] = (_full, _plain, _least)

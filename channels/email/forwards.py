"""A mail that passes another one on: who wrote that, when, and what.

Programs pass a mail on as an attachment, or in the text below its most important fields.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import chain

from channels.contract import Forward, Party, Unreadable
from channels.email import quote_marks, reading
from channels.email.addresses import parties
from channels.email.mime import Part
from channels.email.reading import Reading

MAX_LARGEST = 2_000_000  # bytes of an attached mail that is read; it is attached in any case

_PASSED_ON = re.compile(
    r"\s{0,8}(?:fwd?|wg|tr|rv|i|enc|vb|doorst|pd|転送)\s{0,3}(?:\[\d{1,3}\])?\s{0,3}[:：]",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"\s{0,8}(?:re|aw|antw|antwort|sv|vs|odp|rif|返信)\s{0,3}(?:\[\d{1,3}\])?\s{0,3}[:：]",
    re.IGNORECASE,
)
_HEAD = 40  # lines in which the fields above it stand
_MARK = re.compile(r"^[>\uff1e] ?")
_ADDRESS = re.compile(r"(?:mailto:)?([^\s<>\[\]():;,\"@]{1,64}@[A-Za-z0-9.-]{1,190})")
_NAME_ENDS = re.compile(r"[<\[(]")
_DATES = (
    re.compile(r"(?P<y>\d{4})\s?[年/.-]\s?(?P<m>\d{1,2})\s?[月/.-]\s?(?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})"),
    re.compile(r"(?P<d>\d{1,2})[.,]?\s(?P<m>[^\W\d_]{3,12})[.,]{0,2}\s(?P<y>\d{4})"),
    re.compile(r"(?P<m>[^\W\d_]{3,12})[.,]?\s(?P<d>\d{1,2}),?\s(?P<y>\d{4})"),
)
_TIME = re.compile(
    r"(?P<before>午前|午後)?\s?(?P<h>\d{1,2})[:：時](?P<min>\d{2})(?:[:：分](?P<s>\d{2}))?"
    r"\s?(?P<after>[AaPp]\.?[Mm]\b)?"
)
_OFFSET = re.compile(r"(?:GMT|UTC)?\s?(?P<sign>[+-])(?P<h>\d{2}):?(?P<m>\d{2})\b")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan",), ("feb",), ("mar", "mär", "mrz"), ("apr",), ("may", "mai"), ("jun",),
            ("jul",), ("aug",), ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip


Reads = Callable[[bytes], Reading]


def forward_of(read: Reading, read_mail: Reads) -> Forward | None:
    """None for a mail that passes nothing on; an answer to one that did is none itself."""
    said = _PASSED_ON.match(read.subject) is not None
    answers = _ANSWERED.match(read.subject) is not None
    if answers and not said:
        return None
    inside = _attached(read.root)
    if inside is not None and (said or not (read.in_reply_to or read.references)):
        return _of_mail(inside, read_mail)
    return _in_text(read, said=said)


def _attached(part: Part) -> bytes | None:
    """The one mail attached to this one."""
    found = [
        child.content
        for child in chain(part.children, *(child.children for child in part.children))
        if child.content_type == "message/rfc822"
    ]
    return found[0] if len(found) == 1 and len(found[0]) <= MAX_LARGEST else None


def _of_mail(raw: bytes, read_mail: Reads) -> Forward:
    try:
        first = read_mail(raw)
    except Unreadable:
        return Forward()
    sender = first.sender[0] if first.sender else None
    return Forward(sender, first.date, first.subject, first.text)


def _in_text(read: Reading, *, said: bool) -> Forward | None:
    # Where there is nothing of one's own above it, all of it counts as new.
    lines = (read.quoted or read.text).lstrip("\n").split("\n")
    head = quote_marks.head_at([_MARK.sub("", line) for line in lines[:_HEAD]], 0)
    if head is None or not (said or head.says_so):
        return Forward() if said else None
    bare = [_MARK.sub("", line) for line in lines]
    return Forward(
        sender=_person(head.sender),
        sent_at=_moment(head.sent, read.date),
        subject=head.subject[: reading.MAX_SUBJECT],
        text="\n".join(bare[head.below :]).strip("\n"),
    )


def _person(text: str) -> Party | None:
    address = _ADDRESS.search(text)
    if address is None:
        return None
    value = address.group(1).rstrip(".")
    found = parties(f"<{value}>")
    name = _NAME_ENDS.split(text, maxsplit=1)[0].strip(" \t*\"'\u3000")
    name = "" if "@" in name else name
    return Party("email", found[0].value, name[:200]) if found else None


def _moment(text: str, forwarded: datetime | None) -> datetime | None:
    """Where it names no zone, it is that of the program that passed it on."""
    if found := reading.date_of(text) if _OFFSET.search(text) else None:
        return found
    day = next((match for one in _DATES if (match := one.search(text))), None)
    time = _TIME.search(text)
    if day is None or time is None:
        return None
    month = day["m"]
    number = int(month) if month.isdecimal() else _MONTHS.get(month[:3].lower(), 0)
    hour = int(time["h"])
    if late := (time["after"] or time["before"] or "").lower().replace(".", ""):
        hour = hour % 12 + (12 if late in {"pm", "午後"} else 0)
    try:
        return datetime(
            *(int(day["y"]), number, int(day["d"]), hour, int(time["min"]), int(time["s"] or 0)),
            tzinfo=_zone(text[time.end() :], forwarded),
        )
    except ValueError:
        return None


def _zone(rest: str, forwarded: datetime | None) -> tzinfo | None:
    if offset := _OFFSET.search(rest):
        away = timedelta(hours=int(offset["h"]), minutes=int(offset["m"]))
        if away < timedelta(hours=24):
            return timezone(-away if offset["sign"] == "-" else away)
    return forwarded.tzinfo if forwarded else UTC

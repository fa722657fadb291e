"""Reading mails and parts of them, in steps where they are large, and believing nothing blindly."""

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

from channels.contract import Withheld
from channels.email.imap_protocol import Answer
from channels.email.imap_session import Session

log = logging.getLogger(__name__)

STEP = 1_000_000  # bytes of a large mail that are asked for at once
AT_ONCE = 4_000_000  # smaller mails come in one piece

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_LABEL = re.compile(rb"BODY\[[^\]]*\](?:<(\d+)>)? ~?\{\d+\+?\}$", re.IGNORECASE)
_QUOTED = re.compile(rb'BODY\[[^\]]*\](?:<(\d+)>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    body: bytes
    offset: int | None  # where in the mail it begins; None where the server did not say


def about(answer: Answer, number: int) -> Iterator[list[bytes]]:
    """The responses about one mail: a server may speak of others in between."""
    for parts in answer.untagged:
        uid = _UID.search(b" ".join(parts[::2]))  # every other part is a literal
        if uid is not None and int(uid.group(1)) == number:
            yield parts


async def piece(session: Session, number: int, part: str) -> Piece | None:
    """One part of one mail, such as `BODY.PEEK[HEADER]`. None when nothing of it came."""
    answer = await session.tell([number], f"(UID {part})")
    for parts in about(answer, number):
        for text, literal in zip(parts[::2], parts[1::2], strict=False):
            if label := _LABEL.search(text):
                return Piece(literal, _offset(label.group(1)))
        if found := _QUOTED.search(parts[0]):
            return Piece(re.sub(rb"\\(.)", rb"\1", found.group(2)), _offset(found.group(1)))
    return None


def _offset(digits: bytes | None) -> int | None:
    return int(digits) if digits else None


async def whole(session: Session, number: int, size: int) -> bytes | None:
    """The mail as it is. None when nothing came; raises `Withheld` when only some of it did."""
    if size <= AT_ONCE:
        found = await piece(session, number, "BODY.PEEK[]")
        body = found.body if found else None
    else:
        body = await _in_steps(session, number, size)
    if body is not None and len(body) != size:
        # Exchange counts a mail before it writes it; what was handed out is what there is.
        log.info("server told another size", extra={"told": size, "came": len(body)})
    return body


async def _in_steps(session: Session, number: int, size: int) -> bytes | None:
    kept = io.BytesIO()  # gives its bytes away without copying them
    at = 0
    while True:
        found = await piece(session, number, f"BODY.PEEK[]<{at}.{STEP}>")
        if found is None and at == 0:
            return None
        if found is None or (found.offset or 0) not in {at, 0}:
            raise Withheld(f"{session.host} hands out only a part of mail {number}.")
        if found.offset != at and len(found.body) > STEP:
            return found.body  # it takes no steps and gave all of it
        if found.offset != at and at > 0:
            raise Withheld(f"{session.host} hands out only a part of mail {number}.")
        kept.write(found.body)
        at += len(found.body)
        if not found.body or (len(found.body) < STEP and at >= size):
            return kept.getvalue()

"""Folders of a mailbox: their names as IMAP writes them, and which there are."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from channels.email import imap_syntax

_CLOSED = {"\\noselect", "\\nonexistent"}


@dataclass(frozen=True, slots=True)
class Folder:
    name: str  # as a person reads it
    delimiter: str  # between a folder and those in it; "" where there are none
    can_be_opened: bool = True
    is_for_sent: bool = False  # by the server's own word (RFC 6154)


def mutf7(name: str) -> str:
    """A folder name as it is written in IMAP (RFC 3501, 5.1.3)."""
    out, held = [], ""
    for char in [*name, ""]:
        if held and (not char or " " <= char <= "~"):
            coded = base64.b64encode(held.encode("utf-16-be", "replace")).decode("ascii")
            out.append("&" + coded.rstrip("=").replace("/", ",") + "-")
            held = ""
        if not char:
            break
        if " " <= char <= "~":
            out.append("&-" if char == "&" else char)
        else:
            held += char
    return "".join(out)


def from_mutf7(written: str) -> str:
    """The name a person reads; what is no such writing stays as it is."""
    out, rest = [], written
    while rest:
        plain, ampersand, rest = rest.partition("&")
        out.append(plain)
        coded, dash, behind = rest.partition("-")
        if not ampersand:
            break
        if not dash:
            return written
        name = _decoded(coded) if coded else "&"
        if name is None:
            return written
        out.append(name)
        rest = behind
    return "".join(out)


def _decoded(coded: str) -> str | None:
    padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeError):
        return None


def read_folder(parts: Sequence[bytes]) -> Folder | None:
    """One line of the answer to LIST, or nothing where it is another line."""
    try:
        values = imap_syntax.read(parts)
    except ValueError:
        return None
    if len(values) < 4 or values[0] not in {b"LIST", b"list"} or not isinstance(values[1], list):
        return None
    flags = {imap_syntax.text_of(flag).lower() for flag in values[1]}
    # A server of today may write UTF-8 outright; in modified UTF-7 that stays as it is.
    name = from_mutf7(imap_syntax.text_of(values[3]))
    return Folder(name, imap_syntax.text_of(values[2]), not flags & _CLOSED, "\\sent" in flags)

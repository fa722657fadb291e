"""Addresses as they are written in mails, which is seldom as they should be."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from channels.contract import Party
from channels.email.headers import ENCODED_WORD, MAX_VALUE, decode_words, one_line, unicode_of

MAX_ADDRESSES = 1000

MAX_UNCLOSED = 50  # quotes and comments that never end, after which none is looked for
MAX_NESTED = 400  # characters in a quote or a comment; what is longer was none

_ADDRESS = re.compile(
    r"[^\s<>\"(),;:\\\[\]]+@(?:\[[^\]\s]{1,60}\]|[^\s<>\"'(),;:\\@\[\]]+)",
)
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_ESCAPED = re.compile(r"\\([()\\\"])")
_AROUND_DOT = re.compile(r"[ \t]{0,20}([.@])[ \t]{0,20}")
_SENDABLE = re.compile(
    r'(?:[^\s<>"(),;:\\@]+|"(?:[^"\\]|\\.)+")@(?:\[[^\]\s]+\]|[^\s<>"(),;:\\@\[\]]+)'
)
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.){1,64}"@[^\s<>"(),;:\\@]+')


@dataclass(slots=True)
class _Entry:
    """One address while it is being read."""

    words: str = ""
    angle: str | None = None
    comment: str = ""
    named: int = 0  # letters of the words that stand before the address
    comma: bool = False  # ends it

    def parties(self) -> Iterator[Party]:
        if self.angle is None and self.words.count("@") > 1:
            # Blanks instead of commas: each is an address, and none is a name.
            for word in self.words.split()[:MAX_ADDRESSES]:
                if address := _address_in(word):
                    yield Party("email", address)
            return
        if (party := self._party()) is not None:
            yield party

    def _party(self) -> Party | None:
        source = self.words if self.angle is None else _in_angle(self.angle)
        address = _address_in(source)
        if not address and self.angle is not None:
            address = _address_in(decode_words(self.words))
        if not address:
            return None
        name = self.words if self.angle is not None else self.comment or _before(self.words)
        name = one_line(decode_words(name or self.comment)).strip("\"' ")
        return Party("email", address, "" if name.lower() == address.lower() else name)


def parties(raw: str) -> tuple[Party, ...]:
    """Every address of one field. What has none in it is left out."""
    text = unicode_of(raw[:MAX_VALUE])
    found = _parties(text)
    if not found and "=?" in text:  # some programs encode the address along with the name
        found = _parties(one_line(decode_words(text)))
    return tuple(found[:MAX_ADDRESSES])


def _parties(text: str) -> list[Party]:
    found: list[Party] = []
    name = ""
    for entry in _entries(text):
        if entry.angle is not None:
            # "Doe, Ann <…>" without quotes; behind an address a name without one is nobody.
            entry.words = f"{name}, {entry.words.strip()}" if name else entry.words
            name = ""
        elif "@" not in entry.words and entry.comma and not found and len(name) < MAX_NESTED:
            name = f"{name}, {entry.words.strip()}".strip(", ")
        else:
            name = ""
        found += entry.parties()
        if len(found) >= MAX_ADDRESSES:
            break
    return found


def normal(address: str) -> str:
    """As it is compared: the domain in lower case and as it looks on the wire."""
    local, _, domain = address.rpartition("@")
    domain = domain.rstrip(".").lower()
    if not domain.isascii():
        # Not Python's own codec: it takes ß for ss, which is somebody else's domain by now.
        import idna  # noqa: PLC0415 - its tables are large, and few domains need them

        with contextlib.suppress(UnicodeError):
            domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}@{domain}"


def domain_of(address: str) -> str:
    """As it is compared, of an address or of a domain alone."""
    return normal(f"@{address.rpartition('@')[2]}")[1:]


def sendable(address: str) -> str:
    """As every server takes it. Raises `ValueError` for what is none or could add a command."""
    address = normal(address.strip())
    if not _SENDABLE.fullmatch(address) or not address.isascii() or not address.isprintable():
        raise ValueError("not a mail address that every server takes")
    return address


def on_the_wire(address: str) -> str:
    """As it is named to a server: with a local part that only some take, see `is_plain`.

    Raises `ValueError` for what is no address or could add a command.
    """
    address = normal(address.strip())
    local, _, domain = address.rpartition("@")
    if not _SENDABLE.fullmatch(address) or not local.isprintable() or not domain.isascii():
        raise ValueError("not a mail address")
    return address


def is_plain(address: str) -> bool:
    """Whether every server takes its local part, and not only those that know SMTPUTF8."""
    return address.rpartition("@")[0].isascii()


def _before(words: str) -> str:
    """The name in front of an address that stands without brackets."""
    if words.count("@") != 1 or '"' in words:
        return ""
    return words.partition("@")[0].rpartition(" ")[0].strip(" [<").removesuffix("mailto:")


def _in_angle(text: str) -> str:
    """Without comments, and without the blanks that old mails have around dots."""
    text = _COMMENT.sub("", text)
    return _AROUND_DOT.sub(r"\1", text) if '"' not in text else text


def _address_in(text: str) -> str:
    # One step is enough almost always; a search from every letter of a long run without an "@"
    # would be slow, so the text is cut around its last "@" first.
    at = text.rfind("@")
    if at < 1:
        return ""
    text = text[max(0, at - 320) : at + 260].strip()
    quoted = _QUOTED_LOCAL.search(text)
    found = quoted or _ADDRESS.search(text)
    return normal(found.group().lstrip("'").rstrip(".")) if found else ""


def _entries(text: str) -> list[_Entry]:
    entries: list[_Entry] = []
    entry, words, at, unclosed = _Entry(), list[str](), 0, 0
    while at < len(text) and len(entries) < MAX_ADDRESSES * 2:
        char = text[at]
        start = at
        if char == '"' and unclosed < MAX_UNCLOSED:
            content, at = _quoted(text, at)
            unclosed += at == start + 1
            # A quoted local part keeps its quotes, a quoted name does not.
            words.append(f'"{content}"' if text[at : at + 1] == "@" else content)
        elif char == "(" and unclosed < MAX_UNCLOSED:
            content, at = _comment(text, at)
            unclosed += at == start + 1
            entry.comment = entry.comment or content
        elif char == "<":
            end = text.find(">", at, at + MAX_NESTED)
            end = end if end >= 0 else min(len(text), at + MAX_NESTED)
            angle = text[at + 1 : end]
            at = end + 1
            if angle == entry.angle:
                continue
            if entry.angle is not None and "@" in entry.angle:  # a comma is missing
                entry.words = "".join(words)
                name = entry.words[entry.named :].strip()
                entry.words = entry.words[: entry.named]
                entries.append(entry)
                entry, words = _Entry(), [name]
            words = ["".join(words)]  # in one piece: this may happen at every other letter
            entry.angle, entry.named = angle, len(words[0])
        elif char in ",;:":
            entry.words = "".join(words)
            words = [entry.words]
            # A colon ends the name of a group, unless it belongs to an address.
            if char != ":":
                entry.comma = char == ","
                entries.append(entry)
            if char != ":" or ("@" not in entry.words and entry.angle is None):
                entry, words = _Entry(), []
            at += 1
        elif char == "=" and (word := ENCODED_WORD.match(text, at)):
            words.append(word.group())
            at = word.end()
        else:
            words.append(char)
            at += 1
    entry.words = "".join(words)
    return [*entries, entry]


def _quoted(text: str, start: int) -> tuple[str, int]:
    out, at, last = [], start + 1, min(len(text), start + MAX_NESTED)
    while at < last and text[at] != '"':
        if text[at] == "\\" and at + 1 < last:
            at += 1
        out.append(text[at])
        at += 1
    if at >= last:  # never closed: then it was no quote
        return "", start + 1
    return "".join(out), at + 1


def _comment(text: str, start: int) -> tuple[str, int]:
    depth, at, last = 0, start, min(len(text), start + MAX_NESTED)
    while at < last:
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return _ESCAPED.sub(r"\1", text[start + 1 : at]), at + 1
        at += 1
    return "", start + 1

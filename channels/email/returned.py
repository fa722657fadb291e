"""What a bounce says: which of our messages did not arrive, where, and whether for good.

A delivery report has fields for it. Older servers, and many in Japan, only write a letter.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from channels.contract import Failure, Report, Unreadable
from channels.email import charset, letters, mime
from channels.email.addresses import normal, parties
from channels.email.compose import ID, OWN_ID
from channels.email.headers import Headers
from channels.email.mime import Part

MAX_FAILURES = 200
MAX_LETTER = 60_000  # characters of a letter that are read

RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"} | {
    "message/partial"
}
_REPORTS = {"message/delivery-status", "message/global-delivery-status"}

_FEEDBACK = "message/feedback-report"
_COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list", "other"}

_ID = re.compile(r"<\s*([^<>\s]{1,990})\s*>")
_ENVELOPE = re.compile(
    rb"^original-envelope-id:[ \t]{0,8}([!-~]{1,200})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
# Of that shape is only what we called a mail of ours; whether it is, tells its token.
_OWN = r"t\.[A-Za-z0-9_-]{1,120}\.(?!0\.)\d{1,18}\.[0-9a-f]{8}@[A-Za-z0-9.-]{0,252}[A-Za-z0-9]"
_OWN_ANYWHERE = re.compile(rf"(?<![\w.@-]){_OWN}")
_OWN_NAMED = re.compile(
    rf"(?:{ID}|message[- ]?id)[\"']?\s{{0,4}}[:=：]\s{{0,9}}[<\[(\"']{{0,2}}({_OWN})", re.IGNORECASE
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}

_MESSAGE_ID = re.compile(
    r"^[>\s]{0,8}message-id:\s{0,8}<([^<>\s]{1,990})>", re.IGNORECASE | re.MULTILINE
)


def report_of(root: Part, letter: str, own_address: str = "") -> Report | None:
    """What this mail reports of ours, or None where it is neither bounce nor complaint."""
    if (complaint := _complaint(root)) is not None:
        return complaint
    whole = letter[:MAX_LETTER]
    letter = _OWN_ANYWHERE.sub("", whole)  # an id looks like an address
    failures = _some(_from_fields(root, letter)) if _is_from_server(root) else ()
    if not failures:
        if not _says_so(root.headers, root) and not letters.is_one(root.headers, letter):
            return None
        failures = _from_wrapped(root) or _some(
            letters.failures(root.headers, letter, _returned_to(root))
        )
    return Report(failures, _original_id(root, whole, own_address))


def _some(failures: Iterator[Failure]) -> tuple[Failure, ...]:
    return tuple(islice(failures, MAX_FAILURES))


def _complaint(root: Part) -> Report | None:
    """Somebody said at their provider that a mail of ours is spam (RFC 5965)."""
    told = next((part for part in _every(root) if part.content_type == _FEEDBACK), None)
    if told is None:
        return None
    fields = _fields(charset.decode(told.content[:100_000], "utf-8").text)
    kind = fields.get("feedback-type", "").lower()
    if kind not in _COMPLAINTS:
        return Report((), _returned_id(root))
    # Many providers do not say who it was: then it counts where there was one recipient.
    whose = _address(fields.get("original-rcpt-to", ""))
    return Report((Failure(whose, "complained", "", hard=False, words=kind),), _returned_id(root))


def _is_from_server(root: Part) -> bool:
    """Whether its fields are meant for us: people pass on the reports they got."""
    headers = root.headers
    return (
        root.content_type in _REPORTS | {"multipart/report"}
        or "x-failed-recipients" in headers
        or headers.text("return-path").strip() == "<>"
        or headers.text("auto-submitted").lower() not in {"", "no"}
        or letters.from_daemon(headers)
    )


def _says_so(headers: Headers, root: Part) -> bool:
    """Whether it is a bounce by its own word."""
    if "x-failed-recipients" in headers:
        return True
    if root.content_type != "multipart/report":
        return False
    kind = root.parameters.get("report-type", "").lower()
    inside = {child.content_type for child in root.children}
    return kind == "delivery-status" or not inside.isdisjoint(_REPORTS)


def _from_wrapped(root: Part) -> tuple[Failure, ...]:
    """The report that a filter on the way put into a mail of its own."""
    for part in _every(root):
        if part.content_type == "message/rfc822" and _WRAPPED.search(part.content[:20_000]):
            try:
                return _some(_from_fields(mime.taken_apart(part.content).root, ""))
            except Unreadable:
                return ()
    return ()


_WRAPPED = re.compile(rb"^content-type:[ \t]{0,9}multipart/report", re.IGNORECASE | re.MULTILINE)


def _from_fields(root: Part, letter: str) -> Iterator[Failure]:
    """The groups of fields in the parts that are for programs."""
    parts = [part for part in _every(root) if part.content_type in _REPORTS]
    below = letters.below_announcement(letter) if parts else ""
    told = letters.listed(below, letters.ours(root.headers))
    for part in parts:
        text = charset.decode(part.content[:500_000], "utf-8").text
        for group in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
            failure = _from_group(_fields(group))
            if failure is not None and "@" not in failure.address:  # of another sort of mail
                failure = replace(failure, address=next(iter(told), failure.address))
            if failure is not None and not failure.original:  # Exim tells it in its letter alone
                words = told.get(failure.address, "")
                failure = replace(failure, original=letters.sent_to(failure.address, words))
            if failure is not None:
                yield failure


def _every(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from _every(child)


def _fields(group: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in group.split("\n")[:100]:
        if line[:1] in {" ", "\t"} and name:
            found[name] += " " + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            found.setdefault(name, value.strip())
    return found


def _from_group(fields: dict[str, str]) -> Failure | None:
    final = _address(fields.get("final-recipient", ""))
    original = _address(fields.get("original-recipient", ""))
    if not final and not original:
        return None
    if original and "." not in final.partition("@")[2]:
        final = original  # a name on the server's own network is nobody's address
    words = fields.get("diagnostic-code", "").partition(";")[2].strip()
    found = _STATUS.search(fields.get("status", ""))
    status = found.group(1) if found else ""
    action = re.split(r"[\s(;]", fields.get("action", "").lower(), maxsplit=1)[0]
    if action not in _ACTIONS:
        action = {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
    if not status or status in {"5.0.0", "4.0.0"}:
        told = letters.told_by(words)
        status = told if told and told[0] == (status or told)[0] else status
    return Failure(
        address=final or original,
        action=action,
        status=status or {"failed": "5.0.0", "delayed": "4.0.0"}.get(action, "2.0.0"),
        hard=action == "failed" and letters.is_final(status or "5.0.0"),
        original=original if final and original.lower() != final.lower() else "",
        words=words[:500],
    )


def _address(value: str) -> str:
    """What follows the type of address, with or without brackets."""
    address = value.rpartition(";")[2] if ";" in value else value
    found = parties(address)
    return found[0].value if found else address.strip("<> ")[:320]


def _returned_heads(root: Part) -> Iterator[Headers]:
    """The fields of the mail that is brought back, whole, in a text or as a part of its own."""
    for part in _every(root):
        if part.content_type in RETURNED or (
            part.content_type == "text/plain" and part.is_attached
        ):
            block, _ = mime.split(part.content[:200_000].lstrip(b"\r\n"))
            yield mime.headers_of(block)
        elif part is not root and "message-id" in part.headers:
            yield part.headers


def _returned_id(root: Part) -> str:
    for head in _returned_heads(root):
        if found := _ID.search(head.raw(ID.lower()) or head.raw("message-id")):
            return found.group(1)
    return ""


def _returned_to(root: Part) -> str:
    for head in _returned_heads(root):
        named = parties(head.raw("to"))
        if len(named) == 1:
            return named[0].value
    return ""


def _original_id(root: Part, letter: str, own_address: str) -> str:
    """Which mail came back. What has the shape of our ids goes before what a relay made of it."""
    brought_back, written = _returned_id(root), _id_in(letter)
    if OWN_ID.fullmatch(brought_back):
        return brought_back
    named = _envelope_id(root, own_address) or _own_named(root, letter) or _own_answered(root)
    return named or brought_back or written


def _own_named(root: Part, letter: str) -> str:
    """Ours, as some server wrote it down: as a field of the mail, or as the only one it names."""
    parts = (part.content[:200_000].decode("latin-1") for part in _leaves(root))
    for text in chain([letter], parts):
        if found := _OWN_NAMED.search(text):
            return found.group(1)
    only = set(_OWN_ANYWHERE.findall(letter))
    return only.pop() if len(only) == 1 else ""


def _leaves(part: Part) -> Iterator[Part]:
    return (one for one in _every(part) if not one.children)


def _own_answered(root: Part) -> str:
    """Some servers write as if they answered it."""
    found = _OWN_ANYWHERE.search(root.headers.raw("in-reply-to"))
    return found.group() if found else ""


def _envelope_id(root: Part, own_address: str) -> str:
    """What we called the mail when it was handed in, where a server tells that and no header."""
    domain = normal(own_address).rpartition("@")[2]
    for part in _every(root):
        if part.content_type in _REPORTS:
            found = _ENVELOPE.search(part.content[:20_000])
            if found:
                written = found.group(1).decode("ascii", "replace")
                plain = _XTEXT.sub(lambda code: chr(int(code.group(1), 16)), written)
                # Where our domain is long, it was left out.
                whole = plain if "@" in plain else f"{plain}@{domain}"
                return whole if OWN_ID.fullmatch(whole) else ""
    return ""


def _id_in(letter: str) -> str:
    found = _MESSAGE_ID.search(letter)
    return found.group(1) if found else ""

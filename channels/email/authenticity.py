"""Which fields about a mail's sender our own mail server wrote, and what they say.

Anybody can write such a field into a mail. It counts only with a name of a server that the inbox
trusts, above the first Received that somebody else wrote, and there only the topmost.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator

from channels.email.addresses import domain_of
from channels.email.headers import Headers, unicode_of
from channels.email.known import Trust
from channels.verdicts import FAIL, PASS, Verdicts

RESULTS = "authentication-results"
BEFORE = "x-original-authentication-results"  # as a group found them, before it wrote anew

_MAX_FIELD = 8000  # characters
_WORDS = {"pass": PASS, "fail": FAIL, "softfail": FAIL, "hardfail": FAIL}
_RESULT = re.compile(r"\s*(spf|dkim|dmarc|compauth)(?:/1)?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
_DKIM_DOMAIN = re.compile(r"\bheader\.d\s*=\s*([\w.-]{1,253})", re.IGNORECASE)
_DKIM_IDENTITY = re.compile(
    r"\bheader\.i\s*=\s*[^\s@]{0,64}@([\w.-]{1,253})(?![\w.@-])", re.IGNORECASE
)
_FROM_DOMAIN = re.compile(r"\bheader\.from\s*=\s*<?([^\s<>,]{1,320})", re.IGNORECASE)
_WRITTEN_BY = re.compile(r"(?:^|\s)by\s+([\w.:\[\]-]{1,253})", re.IGNORECASE)
_EXCHANGE = ("outlook.com", "office365.com", "exchangelabs.com")
_INSIDE = (".internal", ".local", ".localdomain", ".lan")


def verdicts_of(headers: Headers, trust: Trust, sender: str) -> Verdicts | None:
    """None where nothing is trusted; `sender` is the address in From."""
    if not trust:
        return None
    return _told_by(_ours(headers, trust), sender)


def checked_in_from(headers: Headers, trust: Trust) -> dict[str, str]:
    """Each domain that our own server took for the one in From, with what DMARC said of it."""
    found: dict[str, str] = {}
    for word, result in _results(_ours(headers, trust)).get("dmarc", ()):
        if domain := _named(result):
            found[domain] = _strictest([(found.get(domain, word), ""), (word, "")])
    return found


def is_of(named: str, sender: str) -> bool:
    """Whether a word on that domain is one on the sender: some servers name the one above it."""
    domain = domain_of(sender)
    return domain == named or ("." in named and domain.endswith(f".{named}"))


def verdicts_before(headers: Headers, trust: Trust, sender: str) -> Verdicts:
    """On whom a group wrote for, by the server that took the mail for it. Only for a mail of which
    it is certain that the group sent it: anybody can write that field."""
    fields = [_parts(unicode_of(raw)[:_MAX_FIELD]) for raw in headers.every(BEFORE)]
    words = fields[0][0].lower().split() if len(fields) == 1 else []
    return _told_by(fields if words and words[0] in trust.servers else [], sender)


def _results(fields: Iterable[list[str]]) -> dict[str, list[tuple[str, str]]]:
    """Of each check the word and the whole result, from the topmost field that tells of it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for field in fields:
        of_field: dict[str, list[tuple[str, str]]] = {}
        for result in field[1:]:
            if named := _RESULT.match(result):
                word = _WORDS.get(named.group(2).lower(), "")
                of_field.setdefault(named.group(1).lower(), []).append((word, result))
        for check, results in of_field.items():
            found.setdefault(check, results)
    return found


def _told_by(fields: Iterable[list[str]], sender: str) -> Verdicts:
    found = _results(fields)
    signed = [_signer(result) for word, result in found.get("dkim", ()) if word == PASS]
    own = domain_of(sender)
    # What fails of anybody in From fails. What passes of another says nothing of the sender.
    dmarc = [one for one in found.get("dmarc", ()) if one[0] == FAIL or _named(one[1]) in {"", own}]
    return Verdicts(
        spf=_strictest(found.get("spf", [])),
        dkim=PASS if signed else _strictest(found.get("dkim", [])),
        dkim_domain=own if own in signed else signed[0] if signed else "",
        dmarc=_strictest(dmarc),
        compauth=_strictest(found.get("compauth", [])),
    )


def _signer(result: str) -> str:
    named = _DKIM_DOMAIN.search(result) or _DKIM_IDENTITY.search(result)  # as Google says it
    return domain_of(named.group(1)) if named else ""


def _strictest(results: list[tuple[str, str]]) -> str:
    words = {word for word, _ in results}
    return FAIL if FAIL in words else PASS if words == {PASS} else ""


def _named(result: str) -> str:
    """The domain in From that it is about, "" where it names none."""
    found = _FROM_DOMAIN.search(result)
    return domain_of(found.group(1)) if found else ""


def _ours(headers: Headers, trust: Trust) -> Iterator[list[str]]:
    """Fields of our own server, each in its parts, the topmost first."""
    found = False
    passed = False  # a Received of our own server: what it wrote may stand above or below it
    for name, raw in headers.in_order({"received", RESULTS}):
        if name == "received":
            if found or not _is_ours(raw, trust):
                return
            passed = True
            continue
        parts = _parts(unicode_of(raw)[:_MAX_FIELD])
        if (server := _server(parts, trust)) is None:
            continue
        found = True
        yield [server, *parts[1:]] if server else ["", *parts]
        if passed:
            return


def _server(parts: list[str], trust: Trust) -> str | None:
    """The name of a server that is trusted, "" for Exchange Online, None for any other."""
    words = parts[0].lower().split()
    if trust.exchange and _RESULT.match(parts[0]):
        return ""
    return words[0] if words and words[0] in trust.servers else None


def _is_ours(received: str, trust: Trust) -> bool:
    """Whether it was written by a trusted server or by one inside its house."""
    written = _WRITTEN_BY.search("".join(_parts(unicode_of(received)[:_MAX_FIELD])))
    if written is None:
        return False
    host = written.group(1).lower().strip("[].")
    known = (*trust.servers, *(_EXCHANGE if trust.exchange else ()))
    return (
        any(host == one or host.endswith(f".{one}") for one in known)
        or host.endswith(_INSIDE)
        or _is_number(host)
        or "." not in host
    )


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _parts(field: str) -> list[str]:
    """Between its semicolons, without comments. What is quoted may hold anything: it is dropped."""
    parts, now, depth, quoted, escaped = [], "", 0, False, False
    for letter in field:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth = max(0, depth - 1)
            now += " "
        elif depth:
            continue
        elif letter == ";":
            parts.append(now)
            now = ""
        else:
            now += letter
    return [*parts, now]

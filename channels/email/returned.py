"""What a bounce says: which of our messages did not arrive, where, and whether for good.

A delivery report has fields for it. Older servers, and many in Japan, only write a letter: that
is read by what such letters have in common, an address on a line and a code or a phrase near it.
"""

import re
from collections.abc import Iterator

from channels.contract import Failure, Report
from channels.email import charset, mime
from channels.email.addresses import parties
from channels.email.compose import OWN_ID
from channels.email.headers import Headers, text_of
from channels.email.mime import Part

MAX_FAILURES = 200
MAX_LETTER = 60_000  # characters of a letter that are read

RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}
_REPORTS = {"message/delivery-status", "message/global-delivery-status"}

_ID = re.compile(r"<\s*([^<>\s]{1,990})\s*>")
_ENVELOPE = re.compile(
    rb"^original-envelope-id:[ \t]{0,8}([!-~]{1,200})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.@-])([45])(\d)(\d)(?![\d.@])(?=[\s\-#(:]|$)")
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}

_FAILED = re.compile(
    r"undeliver|delivery (?:status|error|report)|returned (?:to sender|mail)|return(?:ed)? mail"
    r"|deliver(?:y|ed)? (?:has )?(?:fail|problem)|failure (?:notice|delivery)|failed delivery"
    r"|mail delivery|mail system error|non-?deliver|could not (?:be delivered|send)|not delivered"
    r"|message (?:delayed|not sent)|delivery (?:is )?delayed|mail failure|rejected mail"
    r"|unzustellbar|nicht zugestellt|zustell(?:ung|fehler)|konnte nicht"
    r"|配信(?:不能|エラー|できません|失敗|遅延)|(?:送信|配送)(?:エラー|失敗|できません)|不達"
    r"|送信できませんでした|未配信|宛先不明",
    re.IGNORECASE,
)
_WARNS = re.compile(
    r"warning message only|do(?:es)? not need to resend|will (?:continue to|keep|be) (?:try|retri)"
    r"|could not send message for past|delay(?:ed)?\b|still (?:being|trying)|not yet been delivered"
    r"|(?:wird|werden) (?:weiterhin|weiter) versucht|verzögert|再送|遅延|まだ配信",
    re.IGNORECASE,
)
_PHRASES = (
    (
        "5.1.1",
        (
            r"user unknown|unknown user|not listed in"
            r"|no such (?:user|recipient|mailbox)|recipient (?:address )?"
            r"(?:rejected|not found)|does ?n[o']t exist|invalid (?:recipient|mailbox)"
            r"|mailbox"
            r" (?:unavailable|not found)|unknown (?:recipient|address|local)"
            r"|address (?:not found|error|unknown)"
            r"|account (?:is )?disabled|unbekannt|existiert nicht|nicht gefunden|ungültig"
            r"|(?:宛先|アドレス|ユーザー?).{0,20}(?:見つか|存在し|不明|正しく)|存在しません"
        ),
    ),
    (
        "5.1.2",
        r"(?:host|domain) (?:unknown|not found)|unknown (?:host|domain)|unrouteable|no route",
    ),
    (
        "4.2.2",
        r"quota|mailbox (?:is )?full|over ?(?:its |the )?limit|postfach (?:ist )?voll|容量|満杯",
    ),
    ("4.4.1", r"timed? ?out|connection refused|no response|retry time"),
    ("5.3.4", r"too (?:large|big)|size limit|exceeds? .{0,20}size|zu groß|サイズ"),
    (
        "5.7.1",
        r"(?:blocked|spam|policy|relay(?:ing)? (?:denied|not permitted)|not authorized|拒否)",
    ),
)
_CODES = tuple((status, re.compile(words, re.IGNORECASE)) for status, words in _PHRASES)
_COPY = re.compile(
    r"^(?:-{2,}\s*(?:this is a copy|below this line|original message|the header|returned message"
    r"|unsent message|message headers|forwarded message|undelivered message).{0,80}"
    r"|(?:received|return-path|message-id|dkim-signature):\s.{0,900}"
    r"|original message (?:headers|follows).{0,40}|\s{0,4}-{3,} original .{0,60})$",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID = re.compile(
    r"^[>\s]{0,8}message-id:\s{0,8}<([^<>\s]{1,990})>", re.IGNORECASE | re.MULTILINE
)
_LISTED = re.compile(
    r"^[\s*・>'\"]{0,12}(?:(?:rfc822|to|recipient|address|rcpt to|your message to|empfänger|an|宛先"
    r"|メールアドレス|送信先)\s*[:：;]\s*)?<?([^\s<>()\[\]\"'`,;:：]{1,64}@[A-Za-z0-9.-]{3,190})>?"
    r"(?=[\s:：,;.()\"']|\.\.\.|$)",
    re.IGNORECASE | re.MULTILINE,
)
_ANY = re.compile(r"(?<![\w.+-])([\w.+-]{1,64}@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,6})")


def report_of(root: Part, letter: str) -> Report | None:
    """What this mail reports of ours, or None where it is no bounce."""
    failures = tuple(_from_fields(root))[:MAX_FAILURES]
    if not failures:
        if not _is_letter(root):
            return None
        failures = tuple(_from_letter(root.headers, letter[:MAX_LETTER]))[:MAX_FAILURES]
    return Report(failures, _returned_id(root) or _envelope_id(root) or _id_in(letter))


def _is_letter(root: Part) -> bool:
    """Whether a server wrote it to say that something did not arrive."""
    headers = root.headers
    if "x-failed-recipients" in headers:
        return True
    if root.content_type == "multipart/report":
        kind = root.parameters.get("report-type", "").lower()
        inside = {child.content_type for child in root.children}
        return kind == "delivery-status" or not inside.isdisjoint(_REPORTS)
    if "in-reply-to" in headers and "auto-submitted" not in headers and not _from_daemon(headers):
        return False  # people answer about deliveries
    nobody = headers.text("return-path").strip() == "<>"
    return (nobody or _from_daemon(headers)) and _FAILED.search(headers.text("subject")) is not None


_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|postmaster|microsoftexchange[0-9a-f]{8,40})(?:@|$)"
    r"|mail delivery (?:sub)?system",
    re.IGNORECASE,
)


def _from_daemon(headers: Headers) -> bool:
    whom = headers.raw("from")
    return any(_DAEMON.match(party.value) for party in parties(whom)[:1]) or (
        _DAEMON.search(text_of(whom)[:200]) is not None
    )


def _from_fields(root: Part) -> Iterator[Failure]:
    """The groups of fields in the parts that are for programs."""
    for part in _every(root):
        if part.content_type not in _REPORTS:
            continue
        text = charset.decode(part.content[:500_000], "utf-8").text
        for group in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
            failure = _from_group(_fields(group))
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
    words = fields.get("diagnostic-code", "").partition(";")[2].strip()
    found = _STATUS.search(fields.get("status", ""))
    status = found.group(1) if found else ""
    action = re.split(r"[\s(;]", fields.get("action", "").lower(), maxsplit=1)[0]
    if action not in _ACTIONS:
        action = {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
    if not status or status in {"5.0.0", "4.0.0"}:
        told = _told(words)
        status = told if told and told[0] == (status or told)[0] else status
    return Failure(
        address=final or original,
        action=action,
        status=status or {"failed": "5.0.0", "delayed": "4.0.0"}.get(action, "2.0.0"),
        hard=action == "failed" and _is_final(status or "5.0.0"),
        original=original if final and original.lower() != final.lower() else "",
        words=words[:500],
    )


def _address(value: str) -> str:
    """What follows the type of address, with or without brackets."""
    address = value.rpartition(";")[2] if ";" in value else value
    found = parties(address)
    return found[0].value if found else address.strip("<> ")[:320]


def _is_final(status: str) -> bool:
    # RFC 3463 itself says of a full mailbox that it is a passing trouble, whatever its class.
    return status.startswith("5.") and not status.endswith(".2.2")


def _from_letter(headers: Headers, letter: str) -> Iterator[Failure]:
    copy = _COPY.search(letter, min(len(letter), 20))
    said = letter[: copy.start()] if copy else letter
    told = [party.value for party in parties(headers.raw("x-failed-recipients"))]
    ours = {party.value.lower() for name in ("to", "cc") for party in parties(headers.raw(name))}
    found = _listed(said, ours)
    delayed = _WARNS.search(headers.text("subject") + "\n" + said) is not None
    if told:
        found = {address: found.get(address, said) for address in told}
    if not found:
        first = next((one for one in _ANY.findall(said) if _is_recipient(one, ours)), "")
        found = {first: said} if first else {}
    for address, words in found.items():
        status = _told(words) or _told(said)
        waits = delayed and not status.startswith("5")
        yield Failure(
            address=address,
            action="delayed" if waits else "failed",
            status=status or ("4.0.0" if waits else "5.0.0"),
            hard=not waits and _is_final(status or "5.0.0"),
            words=" ".join(words.split())[:500],
        )


def _listed(said: str, ours: set[str]) -> dict[str, str]:
    """Each address that begins a line, with what is said of it until the next one."""
    hits = [hit for hit in _LISTED.finditer(said) if _is_recipient(hit.group(1), ours)]
    out: dict[str, str] = {}
    for number, hit in enumerate(hits):
        end = hits[number + 1].start() if number + 1 < len(hits) else len(said)
        address = hit.group(1).rstrip(".")
        out[address] = out.get(address, "") + said[hit.start() : min(end, hit.end() + 1500)]
    return out


def _is_recipient(address: str, ours: set[str]) -> bool:
    return address.lower() not in ours and not _DAEMON.match(address)


def _told(words: str) -> str:
    """The status in a sentence: given, or by its reply code, or by what it says."""
    if found := _STATUS.search(words):
        return found.group(1)
    by_words = next((status for status, pattern in _CODES if pattern.search(words)), "")
    if found := _REPLY.search(words):
        if by_words[1:] and by_words[1:] != ".4.1":
            return found.group(1) + by_words[1:]
        return f"{found.group(1)}.0.0"
    return by_words


def _returned_id(root: Part) -> str:
    """The id of the mail that is brought back, whole or only its header fields."""
    for part in _every(root):
        if part.content_type in RETURNED:
            block, _ = mime.split(part.content[:200_000].lstrip(b"\r\n"))
            for line in mime.header_lines(block):
                if line[:11].lower() == b"message-id:" and (
                    found := _ID.search(line[11:].decode("ascii", "replace"))
                ):
                    return found.group(1)
    return ""


def _envelope_id(root: Part) -> str:
    """What we called the mail when it was handed in, where a server tells that and no header."""
    for part in _every(root):
        if part.content_type in _REPORTS:
            found = _ENVELOPE.search(part.content[:20_000])
            if found:
                written = found.group(1).decode("ascii", "replace")
                plain = _XTEXT.sub(lambda code: chr(int(code.group(1), 16)), written)
                return plain if OWN_ID.fullmatch(plain) else ""
    return ""


def _id_in(letter: str) -> str:
    found = _MESSAGE_ID.search(letter)
    return found.group(1) if found else ""

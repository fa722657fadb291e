"""A letter in which a server says that a mail did not arrive: who it was for, and why.

Such letters have no fields for programs. They are told by what they have in common: who writes
them, what stands above the addresses, an address on a line, and a code or a phrase near it.
"""

import re
from collections.abc import Iterator
from functools import cache, partial

from channels.contract import Failure
from channels.email.addresses import parties
from channels.email.headers import Headers, text_of

MAX_OPENING = 1500  # characters of a letter in which it says what it is

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.@-])([45])(\d)(\d)(?![\d.@])(?=[\s\-#(:]|$)")

_FAILED = re.compile(
    r"undeliver|delivery (?:status|error|report)|returned (?:to sender|mail)|return(?:ed)? mail"
    r"|deliver(?:y|ed)? (?:has )?(?:fail|problem)|failure (?:notice|delivery)|failed delivery"
    r"|mail delivery|mail system error|non-?deliver|could not (?:be delivered|send)|not delivered"
    r"|message (?:delayed|not sent)|delivery (?:is )?delayed|mail failure|rejected mail|mail failed"
    r"|message \S{4,40} delayed|delivery (?:delay|warning|problem)|not (?:yet )?been delivered"
    r"|error (?:during delivery|sending your mail)|processing error|user unknown|failed mail"
    r"|unzustellbar|nicht zugestellt|zustell(?:ung|fehler)|konnte nicht"
    r"|配信(?:不能|エラー|できません|失敗|遅延)|(?:送信|配送)(?:エラー|失敗|できません)|不達"
    r"|送信できませんでした|未配信|宛先不明|メールエラー|エラーメール",
    re.IGNORECASE,
)
# What only a server writes, above the addresses it speaks of.
_ANNOUNCES = re.compile(
    r"did not reach the following|could not be delivered to|not delivered to|unable to deliver"
    r"|(?:following|these) (?:e-?mail )?(?:recipients?|address(?:es)?|users?)"
    r"|failed (?:recipients?|address)"
    r"|delivery (?:to|of e?-?mail to) |permanent (?:fatal )?errors?|n[o']t able to deliver"
    r"|invalid user address|valid recipients|intended recipient|no such (?:user|recipient)"
    r"|failure reasons|wasn't delivered|could not deliver|(?:送信|配信|配達)でき(?:ません|ない)"
    r"|(?:次|以下)の(?:宛先|受信者|メールアドレス|アドレス)|folgende[nr]? (?:Empfänger|Adresse)"
    r"|konnte (?:nicht|Ihre Nachricht)",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"\b(?:dear|hello|hi\b(?!\. this is)|hallo|guten (?:tag|morgen)|sehr geehrte|moin|bonjour)\b"
    r"|お世話|こんにち|いつも|[?？]|^[>|]",
    re.IGNORECASE | re.MULTILINE,
)
_PASSED_ON = re.compile(r"^\s{0,9}(?:re|fwd?|aw|wg|tr|転送)\s?[:：]", re.IGNORECASE)
_WARNS = re.compile(
    r"warning message only|do(?:es)? not need to resend|will (?:continue to|keep|be) (?:try|retri)"
    r"|attempts will continue|cannot send message for \d"
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
            r"|account (?:is )?disabled|recipient name is not recognized"
            r"|not a valid (?:user|recipient)"
            r"|invalid (?:user |e?-?mail )?address|mailbox name not allowed|addressee unknown"
            r"|no mailbox here|unbekannt|existiert nicht|nicht gefunden|ungültig"
            r"|(?:宛先|アドレス|ユーザー?).{0,20}(?:見つか|存在し|不明|正しく)|存在しません"
        ),
    ),
    (
        "5.1.2",
        r"(?:host|domain) (?:unknown|not found)|unknown (?:host|domain)|unrouteable|no route",
    ),
    (
        "4.2.2",
        (
            r"quota|(?:mailbox|mailfolder|folder|inbox) (?:is )?full|over ?(?:its |the )?limit"
            r"|postfach (?:ist )?voll|容量|満杯|一杯"
        ),
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
    r"|original message (?:headers|follows|details).{0,40}|\s{0,4}-{3,} original .{0,60}"
    r"|\s{0,4}[-|=]{2,40}\s?(?:unsent|returned|message text|original) ?(?:mail|message)?"
    r".{0,60}"
    r"|included is a copy .{0,60})$",
    re.IGNORECASE | re.MULTILINE,
)
_LISTED = re.compile(
    r"^[\s*・>'\"]{0,12}(?:(?:rfc822|to|recipients?|address|rcpt to|your message to|empfänger|an"
    r"|宛先|メールアドレス|送信先|addressed to|recipient address|intended recipient)\s*[:：;]\s*"
    r"|(?:unknown user|failed recipient|unable to deliver (?:your )?message to"
    r"|could not be delivered to)\s?[:：]?\s{1,9})?[<'\"\[]{0,2}"
    r"([^\s<>()\[\]\"'`,;:：]{1,64}@[A-Za-z0-9.-]{3,190})>?(?=[\s:：,;.()\"'\]]|\.\.\.|$)",
    re.IGNORECASE | re.MULTILINE,
)
_MADE_FROM = re.compile(
    r"\((?:ultimately )?(?:generated|expanded) from:?\s{1,9}<?"
    r"([^\s<>()\[\]\"'`,;:]{1,64}@[A-Za-z0-9.-]{3,190})>?\)",
    re.IGNORECASE,
)
_TO = re.compile(r"^[>\s]{0,8}to:[ \t]{0,8}([^\r\n]{3,400})", re.IGNORECASE | re.MULTILINE)
_ANY = re.compile(
    r"(?<![\w.+-])(?<!mail from )(?<!mail from <)"
    r"([\w.+-]{1,64}@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,6})"
)


_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|post_?master|microsoftexchange[0-9a-f]{8,40}"
    r"|mail\.delivery\.system)(?:@|\\?@|$)|mail deliver(?:y|er)? (?:sub)?system",
    re.IGNORECASE,
)


def is_one(headers: Headers, letter: str) -> bool:
    """Whether a server wrote it to say that something did not arrive."""
    by_daemon = from_daemon(headers)
    subject = headers.text("subject")
    if "in-reply-to" in headers and "auto-submitted" not in headers and not by_daemon:
        return False  # people answer about deliveries
    opening = letter[:MAX_OPENING]
    fails = _FAILED.search(subject) is not None
    says = _ANNOUNCES.search(opening) is not None
    path = headers.text("return-path").strip()
    if by_daemon or _DAEMON.search(path.strip("<> ")):
        return fails or says
    greets = _GREETS.search(opening) is not None or _PASSED_ON.match(subject) is not None
    if path == "<>":
        return fails or (says and not greets)
    # Nobody else but a server says both, names an address on a line and greets nobody.
    return fails and says and not greets and bool(listed(opening, ours(headers)))


def ours(headers: Headers) -> set[str]:
    """Whom it cannot be about: those it went to, and the one who writes."""
    fields = (headers.raw(name) for name in ("to", "cc", "from", "sender"))
    return {party.value.lower() for field in fields for party in parties(field)}


def from_daemon(headers: Headers) -> bool:
    whom = headers.raw("from")
    return any(_DAEMON.match(party.value) for party in parties(whom)[:1]) or (
        _DAEMON.search(text_of(whom)[:200]) is not None
    )


def failures(headers: Headers, letter: str, back_to: str) -> Iterator[Failure]:
    """`back_to` is whom the mail was for that is brought back, for a letter that names nobody."""
    copy = _COPY.search(letter, min(len(letter), 20))
    whole = letter[: copy.start()] if copy else letter
    said = below_announcement(whole)
    named = [party.value for party in parties(headers.raw("x-failed-recipients"))]
    mine = ours(headers)
    found = listed(said, mine)
    delayed = _WARNS.search(headers.text("subject") + "\n" + whole) is not None
    if named:
        found = {address: found.get(address, whole) for address in named}
    if not found:
        first = _first(said, mine)
        found = {first: whole} if first else listed(whole, mine)
    if not found:
        first = _first(whole, mine) or _returned_to(letter[len(whole) :] or letter) or back_to
        found = {first: whole} if first else {}
    in_general = cache(partial(told_by, whole))
    for address, words in found.items():
        status = (words is not whole and told_by(words)) or in_general()
        waits = delayed and not status.startswith("5")
        yield Failure(
            address=address,
            action="delayed" if waits else "failed",
            status=status or ("4.0.0" if waits else "5.0.0"),
            hard=not waits and is_final(status or "5.0.0"),
            original=sent_to(address, words),
            words=" ".join(words[:2000].split())[:500],
        )


def sent_to(address: str, words: str) -> str:
    """Where the mail went before a server made that address of it; "" if its words tell none."""
    found = _MADE_FROM.search(words[:1500])
    return found.group(1) if found and found.group(1).lower() != address.lower() else ""


def _first(text: str, mine: set[str]) -> str:
    return next((one for one in _ANY.findall(text) if _is_recipient(one, mine)), "")


def below_announcement(text: str) -> str:
    found = _ANNOUNCES.search(text)
    return text[found.start() :] if found else text


def _returned_to(copy: str) -> str:
    found = _TO.search(copy)
    named = parties(found.group(1)) if found else ()
    return named[0].value if len(named) == 1 else ""


def listed(said: str, ours: set[str]) -> dict[str, str]:
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


def told_by(words: str) -> str:
    """The status in a sentence: given, or by its reply code, or by what it says."""
    if found := _STATUS.search(words):
        return found.group(1)
    by_words = next((status for status, pattern in _CODES if pattern.search(words)), "")
    if found := _REPLY.search(words):
        if by_words[1:] and by_words[1:] != ".4.1":
            return found.group(1) + by_words[1:]
        return f"{found.group(1)}.0.0"
    return by_words


def is_final(status: str) -> bool:
    # RFC 3463 itself says of a full mailbox that it is a passing trouble, whatever its class.
    return status.startswith("5.") and not status.endswith(".2.2")

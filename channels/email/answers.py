"""What the words of an outgoing server mean for the mail, for its recipients and for the inbox."""

import re

from aiosmtplib import SMTPResponseException

from channels.contract import NOBODY_THERE, Later, Paused, Refused

_RELAY = re.compile(r"relay|authenticat|sender address rejected|not owned", re.IGNORECASE)
_POLICY = re.compile(r"\b5\.7\.\d")
_TOO_LARGE = re.compile(r"\b5\.(?:3\.4|2\.3)\b")
_STATUS = re.compile(r"^\s{0,4}(5\.\d{1,3}\.\d{1,3})\b")
_SIGN_IN = {530, 534, 535, 538}  # the server wants us to sign in, or otherwise than we did
_CLOSING = 421  # and with that it hangs up, whoever the mail is for
_QUEUE_ID = re.compile(
    r"(?:queued (?:mail for delivery )?as|message accepted|id[=:])\s*<?([\w.@=+/-]{4,120})",
    re.IGNORECASE,
)
_TOLD = re.compile(r"(?<![\w.@=+/-])(?=[\w.@=+/-]{0,119}\d)[\w.@=+/-]{8,120}(?![\w.@=+/-])")

_MESSAGE_ID = re.compile(r"<([^\s<>@]{1,200}@[^\s<>@]{1,200})>")  # as Exchange Online says it
# Amazon SES says one half of the id; the other is where it was taken.
_SES = re.compile(
    r"(?:^|\.)email-smtp(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com$", re.IGNORECASE
)
_SES_TAKEN = re.compile(r"Ok ([0-9a-f]{16}(?:-[0-9a-f]{4,12}){5}-\d{6})")
_SES_FIRST = "us-east-1"  # the one that does not name itself in its ids


def words_of_answer(error: SMTPResponseException) -> str:
    return f"{error.code} {error.message[:500]}"


def to_sender(error: SMTPResponseException, host: str) -> Later | Refused | Paused:
    """Where a server that does not let this account send at all is no fault of this mail."""
    words = words_of_answer(error)
    if error.code < 500:
        return Later(words)
    may_not = _RELAY.search(error.message) or _POLICY.search(error.message)
    if error.code in _SIGN_IN or may_not:
        return Paused(f"{host} lets us send nothing: {words}")
    return _final(error)


def to_recipient(error: SMTPResponseException, host: str) -> Later | Refused | Paused:
    words = words_of_answer(error)
    if error.code < 500:
        return Later(words, away=error.code == _CLOSING)
    # A relay that is closed to us is closed for everybody; a 5.7.x alone is about this one.
    if error.code in _SIGN_IN or re.search(r"\brelay(?:ing)?\b", error.message, re.IGNORECASE):
        return Paused(f"{host} lets us send nothing: {words}")
    status = _STATUS.match(error.message)
    if status and status.group(1) in NOBODY_THERE:
        return Refused(words, nobody_there=True)
    return _final(error)


def to_mail(error: SMTPResponseException) -> Later | Refused:
    """What was said after the last dot, or to the wish to hand a mail over."""
    if error.code < 500:
        return Later(words_of_answer(error), away=error.code == _CLOSING)
    return _final(error)


def _final(error: SMTPResponseException) -> Later | Refused:
    words = words_of_answer(error)
    # 552 means that a mailbox is full today, unless it is about the size of this very mail.
    if error.code == 552 and not _TOO_LARGE.search(error.message):
        return Later(words)
    return Refused(words)


def other_ids(message: str, host: str) -> tuple[str, ...]:
    """Ids that the mail leaves with, as far as the server tells: relays replace those they get."""
    told = _MESSAGE_ID.findall(message[:1000])[:2]
    relay, taken = _SES.search(host), _SES_TAKEN.fullmatch(message.strip())
    if relay and taken:
        region = relay.group(1).lower()
        domain = "email" if region == _SES_FIRST else region
        told.append(f"{taken.group(1)}@{domain}.amazonses.com")
    return tuple(told)


def queue_id(message: str) -> str:
    """By what name the server keeps a mail that it took, as its log has it; "" if it tells none."""
    if found := _QUEUE_ID.search(message):
        return found.group(1).rstrip(".")
    # Others only tell it: the longest of the words that look like one.
    return max(_TOLD.findall(message[:500]), key=len, default="")

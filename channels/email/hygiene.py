"""Which mails are not from a person. Rules only look; `parse` decides what to do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from channels.email.compose import LOOP, OWN_ID
from channels.email.headers import Headers
from channels.email.mime import Part


class Machine(StrEnum):
    OURSELVES = "ourselves"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Look:
    """What the rules may see of one mail."""

    headers: Headers
    root: Part
    sender: str
    subject: str
    own_address: str


_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|mdaemon)(?:@|$)", re.IGNORECASE)
_FAILED = re.compile(
    r"undeliver|delivery status|returned mail|delivery (?:has )?fail|failure notice|mail delivery"
    r"|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen|配信不能|配信エラー|送信エラー"
    r"|配信できません",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"^\W*(?:out of (?:the )?office|auto(?:matic|mated)?[ -]?(?:reply|response|answer)"
    r"|automatische (?:antwort|abwesenheit)|abwesenheit|nicht im (?:büro|haus)"
    r"|自動(?:返信|応答)|不在(?:通知|連絡|の))",
    re.IGNORECASE,
)


def _is_ours(mail: Look) -> bool:
    # Somebody else may use Setten, too: only our own address in it makes a mail ours.
    says = mail.headers.text(LOOP.lower()).lower()
    if says and says == mail.own_address.lower():
        return True
    own = OWN_ID.search(mail.headers.text("message-id"))
    domain = mail.own_address.rpartition("@")[2].lower()
    return own is not None and own.group("domain").lower() == domain


def _is_bounce(mail: Look) -> bool:
    if mail.root.content_type == "multipart/report":
        kind = mail.root.parameters.get("report-type", "").lower()
        inner = {child.content_type for child in mail.root.children}
        if kind == "delivery-status" or "message/delivery-status" in inner:
            return True
    if "x-failed-recipients" in mail.headers:
        return True
    empty_path = "return-path" in mail.headers and mail.headers.text("return-path") == "<>"
    from_daemon = _DAEMON.search(mail.sender) is not None
    return (from_daemon or empty_path) and _FAILED.search(mail.subject) is not None


def _is_auto_reply(mail: Look) -> bool:
    # RFC 3834: anything but "no" is automatic. X-Auto-Response-Suppress is no proof: it asks
    # others to stay silent and says nothing about who is writing.
    declared = mail.headers.text("auto-submitted").partition(";")[0].strip().lower()
    if declared not in {"", "no"}:
        return True
    said = ("x-autoreply", "x-autorespond", "x-autoresponse", LOOP.lower())
    if any(name in mail.headers for name in said):
        return True
    if mail.headers.text("precedence").lower() in {"auto_reply", "auto-reply"}:
        return True
    if mail.root.parameters.get("report-type", "").lower() == "disposition-notification":
        return True
    empty_path = "return-path" in mail.headers and mail.headers.text("return-path") == "<>"
    # Words in a subject prove nothing alone: customers write about auto-replies, too.
    hinted = "x-auto-response-suppress" in mail.headers or _DAEMON.search(mail.sender) is not None
    return empty_path or (hinted and _ABSENT.match(mail.subject) is not None)


def _is_bulk(mail: Look) -> bool:
    if mail.headers.text("precedence").lower() in {"bulk", "list", "junk"}:
        return True
    return any(name in mail.headers for name in ("list-id", "list-unsubscribe"))


# Order matters: our own feedback mail is also automatic, and a bounce is also Auto-Submitted.
RULES: tuple[tuple[Machine, Callable[[Look], bool]], ...] = (
    (Machine.OURSELVES, _is_ours),
    (Machine.BOUNCE, _is_bounce),
    (Machine.AUTO_REPLY, _is_auto_reply),
    (Machine.BULK, _is_bulk),
)


def machine_behind(mail: Look) -> Machine | None:
    return next((machine for machine, matches in RULES if matches(mail)), None)

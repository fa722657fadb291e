"""Where a quotation begins in plain text, by the lines that mail programs write above it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

# Every pattern looks at one line of bounded length, and only so many lines are looked at, so the
# whole is linear. A line must look like the work of a program, not like a sentence:
# "From: what I understand …" starts no quotation.
MAX_LINE = 400
MAX_CANDIDATES = 1000

_ADDRESS = re.compile(r"<\s?(?:mailto:)?[^<>\s@]{1,120}@[^<>\s]{1,120}\s?>|\(<?[^()<>\s@]{1,80}@")
_TIME = re.compile(r"\d\s?[:：時h]\s?\d\d")
_DATE = re.compile(r"\d{4}\s?[年/.-]|[/.\s](?:19|20)\d\d\b|\d{1,2}[./]\d{1,2}[./]\d\d|\d\s?月\s?\d")
_VERB = re.compile(
    r"\b(?:wrote|writes|schrieb(?:en)?|schreibt|a écrit|escribió|ha scritto|schreef|escreveu)\b"
    r"|書きました|書いた|のメール|さんより|さんから",
    re.IGNORECASE,
)
_ENDS_SAYING = re.compile(
    r"(?:\b(?:wrote|writes|schrieb|schreibt|a écrit|escribió|ha scritto|schreef)\b"
    r"|書きました|のメール|からのメッセージ)\s?[:：]$",
    re.IGNORECASE,
)
_GERMAN = re.compile(r"^(?:Am\b.{4,260}\bschrieb(?:en)?\b|.{2,160}\bschrieb\s(?:am|um)\b.{0,40}\d)")
_OPENER = re.compile(
    r"^(?:(?:On|Am|Le|El|Il|Op|Em|Den)\b\D{0,40}\d|\d{4}\s?[年/.-]\s?\d{1,2}\s?[月/.-]\s?\d"
    r"|\d{1,2}[./]\s?(?:\d{1,2}[./]|[^\W\d_]{3,10})\s?\d\d|[^\W\d_]{2,10}[.,]{1,2}\s\D{0,12}\d)",
    re.IGNORECASE,
)
_OURSELVES = re.compile(
    r"\b(?:I|we)\s(?:\w{1,12}\s)?wrote\b|\bschrieb(?:en)?\s(?:ich|wir)\b|\b(?:ich|wir)\b.{0,60}\bschrieb"
    r"|(?:私|当方|弊社|わたし|こちら)(?:は|が|から)|\b(?:j'ai|nous avons)\sécrit",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"^[-_=*~—–－]{2,30}\s?(?:Original Message|Original-?\s?Nachricht|Originalnachricht"
    r"|Ursprüngliche (?:Nachricht|Mail|E-Mail)|Ursprünglicher Termin"
    r"|Weitergeleitete (?:Nachricht|E-Mail|Mail)|Forwarded (?:message|mail)|Forwarded by .{1,120}"
    r"|Weitergeleitet von .{1,120}|Original Appointment|Reply message|Message d'origine"
    r"|Message original|Message transféré|元のメッセージ|元のメール|元メッセージ"
    r"|転送されたメッセージ|転送メッセージ|転送されたメール|転送メール|返信元メッセージ|オリジナルメッセージ"
    r"|Original\s?メッセージ)\s?[-_=*~—–－]{2,30}$",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"^(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)"
    r"|Beginn der weitergeleiteten Nachricht|Début du message (?:réexpédié|transféré)"
    r"|転送されたメッセージ|元のメッセージ)\s?[:：]$",
    re.IGNORECASE,
)
_RULER = re.compile(r"^([-_=*~─━—–－])\1{4,199}$")
_FIELD = re.compile(
    r"^\*{0,2}(?P<name>From|Sent|To|Cc|Bcc|Subject|Date|Reply-To|Importance|Attachments"
    r"|Von|Gesendet(?: am)?|An|Kopie|Betreff|Datum|Antwort an|Priorität|Wichtigkeit|Anlagen"
    r"|De|Envoyé|À|Objet"
    r"|差出人|送信日時|送信日|送信者|送信元|宛先|宛て先|件名|日時|日付|受信日時|重要度|添付ファイル)"
    r"\s{0,8}\*{0,2}\s?[:：]\*{0,2}(?P<value>.{0,300})",
    re.IGNORECASE,
)
_SENDER = {"from", "von", "de", "差出人", "送信者", "送信元"}
_SUBJECT = {"subject", "betreff", "objet", "件名"}
_SENT = {"sent", "date", "gesendet", "gesendet am", "datum", "envoyé"} | {
    *("送信日時", "送信日", "日時", "日付", "受信日時"),
}
_MARKS = frozenset(">\uff1e")  # the second as Japanese keyboards have it
_RULERS = frozenset("-_=*~─━—–－")


@dataclass(frozen=True, slots=True)
class Start:
    """The line a quotation begins at."""

    line: int
    marked: bool = False  # by > in front of its lines, so that answers between them can be told
    certain: bool = False  # a block a program writes above a whole mail: nothing below is new


def find(lines: Sequence[str]) -> Start | None:
    tail = _marked_tail(lines)
    candidates = 0
    for at, whole in enumerate(lines):
        if at == tail:
            # "<ann@example.org\n> wrote:" is no mark.
            return _attribution(lines, at) or Start(at, marked=True)
        line = whole[:MAX_LINE].strip()
        if not line:
            continue
        closes = line[-1] in ":：" and len(whole) <= MAX_LINE
        if not closes and line[0] not in _RULERS and not {":", "："} & set(line[:20]):
            continue
        candidates += 1
        if candidates > MAX_CANDIDATES:
            continue
        found = _above(lines, at, line) or (_attribution(lines, at) if closes else None)
        if found:
            return found
    return None


def is_marked(line: str) -> bool:
    return line[:4].lstrip()[:1] in _MARKS


def _above(lines: Sequence[str], at: int, line: str) -> Start | None:
    """What stands above a mail that is passed on or answered as a whole."""
    if _RULE.match(line) or _is_header_block(lines, at):
        return Start(at, certain=True)
    if _BEGINS.match(line) or _RULER.match(line):
        # Any other line further above closes the box around a signature.
        reach = at + 2 if line[0] != "_" and _RULER.match(line) else at + 5
        following = next((n for n in range(at + 1, min(reach, len(lines))) if lines[n].strip()), 0)
        if following and _is_header_block(lines, following):
            return Start(at, certain=True)
    return None


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """Sender, date and subject of a mail one below the other, as programs write them."""
    first = _FIELD.match(lines[at][:MAX_LINE].lstrip("> \t\u3000"))
    if first is None:
        return False
    names: list[str] = []
    address = False
    open_list = False
    loose = 0  # a long list of recipients goes on in the next line; some programs leave gaps
    for line in islice(lines, at, at + 16):
        text = line[:MAX_LINE].lstrip("> \t\u3000")
        found = _FIELD.match(text)
        if found is None:
            loose += 1
            if loose > 4 or not (open_list or _continues(text)):
                break
            continue
        open_list = text.rstrip()[-1:] in {";", ","}
        names.append(found.group("name").lower())
        address = address or "@" in found.group("value")
    known = set(names)
    if not (known & _SENDER) or not (known & _SENT) or len(known) < 3:
        return False
    return bool(known & _SUBJECT) or address


def _continues(text: str) -> bool:
    """Whether this looks like more recipients: addresses, or names between semicolons."""
    return not text.strip() or "@" in text or text.rstrip()[-1:] in {";", ",", ">"}


def _attribution(lines: Sequence[str], at: int) -> Start | None:
    """“On … wrote:” in any of its forms; programs break it over up to three lines."""
    for start in (at - 2, at - 1, at):
        if start < 0 or (start < at and not all(lines[n].strip() for n in range(start, at))):
            continue
        if is_marked(lines[start]):
            continue
        joined = " ".join(lines[n][:MAX_LINE].strip() for n in range(start, at + 1))[:MAX_LINE]
        if start < at and not _OPENER.match(joined):
            continue
        if found := _judge(lines, start, at, joined):
            return found
    return None


def _judge(lines: Sequence[str], start: int, at: int, joined: str) -> Start | None:
    says = _ENDS_SAYING.search(joined[-40:]) or _GERMAN.match(joined)
    address, opens = _ADDRESS.search(joined), _OPENER.match(joined)
    if not (says or address):
        return None
    dated = _TIME.search(joined) and _DATE.search(joined)
    marked = _is_marked_below(lines, at + 1)
    if marked and (says or opens or _VERB.search(joined)):
        return Start(start, marked=True)
    # Without marks below, only what no person types will do, and nobody quotes themselves so.
    if _OURSELVES.search(joined):
        return None
    if (address and dated and opens) or (says and (address or (opens and dated))):
        return Start(start)
    return None


def _is_marked_below(lines: Sequence[str], at: int) -> bool:
    for line in islice(lines, at, at + 4):
        if line.strip():
            return is_marked(line) or line.lstrip()[:2] == "| "
    return False


def _marked_tail(lines: Sequence[str]) -> int:
    """Where the marked lines at the very end begin; past the end when they are no quotation."""
    start, count, at = len(lines), 0, _without_footer(lines)
    while at:
        at -= 1
        if is_marked(lines[at]):
            start, count = at, count + 1
        elif lines[at].strip():
            break
    introduced = lines[at][-MAX_LINE:].rstrip()
    # "The screen says:" above two marked lines is the writer's own citation.
    said = introduced[-1:] in {":", "："} and not (
        _VERB.search(introduced) or _ADDRESS.search(introduced)
    )
    return start if count > 1 and not said else len(lines)


def _without_footer(lines: Sequence[str]) -> int:
    """Above what stands below everything: a short signature, or how to leave a list."""
    words, at = 0, len(lines)
    while at and words < 6:
        at -= 1
        line = lines[at][:MAX_LINE].rstrip()
        if line == "--" or (line[:1] == "_" and _RULER.match(line)):
            return at
        words += bool(line)
    return len(lines)


def is_answered_between(lines: Sequence[str]) -> bool:
    """Whether somebody wrote on below marked lines, as in an answer point by point."""
    marked = False
    for line in lines[: _without_footer(lines)]:
        if is_marked(line) or line.lstrip()[:2] == "| ":
            marked = True
        elif marked and line.strip():
            return True
    return False

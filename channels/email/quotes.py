"""Where what somebody writes ends and what they quote begins. Only a view: nothing is deleted."""

import re

# Each pattern looks at one line of bounded length, so the whole is linear. A line must look like
# the work of a program, not like a sentence: "From: what I understand …" starts no quote.
MAX_LINE = 400

_MARKED = re.compile(r"^\s{0,3}(?:>|\|\s)")
_WROTE = re.compile(
    r"^\s{0,4}(?:On\b.{6,300}\bwrote:|Am\b.{6,300}\bschrieb\b.{0,200}:|Le\b.{6,300}\ba écrit\s?:"
    r"|.{3,200}<[^<>\s]{3,120}>\s?(?:wrote|schrieb|のメール|さんは書きました|さんのメール)\s?[:：]"
    r"|\d{4}[年/.-]\s?\d{1,2}[月/.-]\s?\d{1,2}日?.{0,200}[:：]\s*$"
    r"|.{1,120}さん(?:は|が)(?:.{0,60})?書きました\s?[:：])\s*$"
)
_JAPANESE_DATED = re.compile(
    r"^\s{0,4}\d{4}[年/.-]\s?\d{1,2}[月/.-]\s?\d{1,2}日?.{0,80}"
    r"(?:\d{1,2}[:：時]\d{2}).{0,160}(?:<[^<>\s]{3,120}>|のメール|wrote|書きました)\s?[:：]?\s*$"
)
_OPENS = re.compile(
    r"^\s{0,4}(?:On\b.{6,300}|Am\b.{6,300}\bschrieb\b.{0,300}|.{6,300}<[^<>\s]{3,120})$"
)
_CLOSES = re.compile(r"^.{0,200}(?:wrote|schrieb|書きました|のメール|>)\s?[:：]\s*$")
_RULE = re.compile(
    r"^\s{0,4}[-_=*]{2,20}\s?(?:Original Message|Original-Nachricht|Ursprüngliche Nachricht"
    r"|Forwarded message|Weitergeleitete Nachricht|Original Appointment"
    r"|元のメッセージ|転送されたメッセージ"
    r"|転送メッセージ|返信元メッセージ)\s?[-_=*]{2,20}\s*$",
    re.IGNORECASE,
)
_LINE_RULE = re.compile(r"^\s{0,4}_{20,}\s*$")
_FIELD = re.compile(
    r"^\s{0,4}\*?(?P<name>From|Sent|To|Cc|Subject|Date|Von|Gesendet|An|Betreff|Datum"
    r"|差出人|送信日時|送信者|宛先|件名|日時|日付)\*?\s?[:：]\*?\s{0,4}\S",
    re.IGNORECASE,
)
_SENDER_FIELDS = {"from", "von", "差出人", "送信者"}


def split(text: str) -> tuple[str, str]:
    """What is new and what is quoted, in this order. When in doubt everything is new."""
    lines = text.split("\n")
    start = _start(lines)
    if start is None:
        return text, ""
    new, old = "\n".join(lines[:start]).rstrip(), "\n".join(lines[start:]).strip("\n")
    if not new.strip() or _is_answered_between(lines, start):
        return text, ""
    return new, old


def _start(lines: list[str]) -> int | None:
    marked_tail = _marked_tail(lines)
    for at, whole in enumerate(lines):
        line = whole[:MAX_LINE]
        if _RULE.match(line) or _is_header_block(lines, at):
            return at
        if _WROTE.match(line) or _JAPANESE_DATED.match(line):
            if _goes_on_quoted(lines, at + 1):
                return at
        elif _OPENS.match(line) and at + 1 < len(lines):
            # Long "On … wrote:" lines are broken by the mail program itself.
            if _CLOSES.match(lines[at + 1][:MAX_LINE]) and _goes_on_quoted(lines, at + 2):
                return at
        elif at >= marked_tail and _MARKED.match(line):
            return at
    return None


def _goes_on_quoted(lines: list[str], at: int) -> bool:
    """Whether quote marks follow, or nothing but text that a program put below the line."""
    following = [line for line in lines[at : at + 4] if line.strip()]
    return not following or any(_MARKED.match(line) for line in following) or len(lines) - at > 1


def _marked_tail(lines: list[str]) -> int:
    """Where the marked lines at the very end begin; past the end when there is at most one."""
    start, count = len(lines), 0
    for at in range(len(lines) - 1, -1, -1):
        if _MARKED.match(lines[at]):
            start, count = at, count + 1
        elif lines[at].strip():
            break
    return start if count > 1 else len(lines)


def _is_header_block(lines: list[str], at: int) -> bool:
    """Three fields of a mail in a row, the sender's among the first two (Outlook's form)."""
    start = at + 1 if _LINE_RULE.match(lines[at][:MAX_LINE]) else at
    names = []
    for line in lines[start : start + 7]:
        found = _FIELD.match(line[:MAX_LINE])
        if found is None:
            if line.strip():
                break
            continue
        names.append(found.group("name").lower())
    return len(names) >= 3 and bool(_SENDER_FIELDS & set(names[:2]))


def _is_answered_between(lines: list[str], start: int) -> bool:
    """Whether somebody wrote on below the quoted lines, as in an answer point by point."""
    marked = [at for at in range(start, len(lines)) if _MARKED.match(lines[at])]
    if not marked:
        return False
    for line in lines[marked[0] :]:
        if line.rstrip() == "--":  # a signature below is not an answer
            return False
        if line.strip() and not _MARKED.match(line):
            return True
    return False

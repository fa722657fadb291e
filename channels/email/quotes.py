"""What of a mail is new, what is its signature and what it quotes. A view: nothing is deleted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from channels.email import html_quotes, quote_marks, signatures
from channels.email import quote_words as words

_NAMED = re.compile(r"[^\s:：][^:：]{0,30}[:：]\s?\S")
_GREETING = re.compile(r".{1,40}[,!，、！]$")


@dataclass(frozen=True, slots=True)
class Parts:
    """In the order new, signature, quoted they are the whole text again, but for blank lines."""

    new: str
    quoted: str = ""
    signature: str = ""


def read(text: str, html: str = "") -> Parts:
    """When in doubt everything is new. `html` is the same mail in its other form, if it has one."""
    lines = text.split("\n")
    quote = _quote_line(lines, html)
    if quote is not None and not any(line.strip() for line in lines[:quote]):
        return Parts(text)
    end = len(lines) if quote is None else quote
    signature = _signature_line(lines, end, html)
    if signature is not None and not any(line.strip() for line in lines[:signature]):
        return Parts(text)
    if quote is None and signature is None:
        return Parts(text)
    first = end if signature is None else signature
    return Parts(
        new="\n".join(lines[:first]).rstrip(),
        quoted="\n".join(lines[end:]).strip("\n"),
        signature="\n".join(lines[first:end]).strip("\n").rstrip(),
    )


def _quote_line(lines: Sequence[str], html: str) -> int | None:
    found = quote_marks.find(lines)
    if found is None:
        at = html_quotes.quote_line(html, lines) if html else None
        found = None if at is None else quote_marks.Start(at)
    if found is not None and _is_form(lines, found.line):
        return None
    if found is None or found.certain:
        return found.line if found else None
    if found.marked:
        below = lines[found.line :]  # a signature there is no answer
        answered = quote_marks.is_answered_between(below[: signatures.start(below)])
    else:
        answered = "<blockquote" in html.lower() and html_quotes.is_answered_between(html)
    return None if answered else found.line


def _is_form(lines: Sequence[str], at: int) -> bool:
    """Whether the block goes on what stands right above it, and only a greeting is further up."""
    above = [line[: quote_marks.MAX_LINE].strip() for line in lines[max(0, at - 40) : at]]
    if at > len(above) or not above or not _NAMED.match(above[-1]) or not words.field(lines[at]):
        return False
    return all(not line or _NAMED.match(line) or _GREETING.match(line) for line in above)


def _signature_line(lines: Sequence[str], end: int, html: str) -> int | None:
    found = signatures.start(lines[:end])
    if found is None and html:
        found = html_quotes.signature_line(html, lines, end)
        if found is not None and end - found > signatures.MAX_LINES:
            return None
    return found

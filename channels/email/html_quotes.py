"""Where a quotation or a signature begins, by what mail programs write into the HTML."""

import re
from collections.abc import Iterator, Sequence

from channels.text import MAX_HTML, html_to_text

MAX_PLACES = 20  # of one hook that are looked at, should it be named outside of a tag
MAX_TAG = 3000
MARK = "\uf8d1"  # a private character: nobody's font has it, and no mail

_BORDER = ("border:none;border-top:solid", "border:none; border-top:solid")
_QUOTE = (
    *("gmail_quote", "gmail_attr", "divrplyfwdmsg", "appendonsend", "moz-cite-prefix"),
    *("moz-forward-container", "yahoo_quoted", "protonmail_quote", "zmail_extra"),
    *("mail-editor-reference-message-container", "ms-outlook-mobile-reference-message"),
    *("outlookmessageheader", "messagereplysection", "__quoted_text__", "front-blockquote"),
    *('type="cite"', "type='cite'", "type=cite", *_BORDER),
)
_SIGNATURE = (
    *("gmail_signature", "moz-signature", "applemailsignature", "protonmail_signature_block"),
    *("ms-outlook-mobile-signature", "__sig_pre__", "__sig_post__", 'id="signature"'),
    *('id="x_signature"', 'name="signature"', 'name="messagesignaturesection"'),
)
_PIECE = re.compile(r"<(/?)(blockquote)\b[^<>]*>|<[^<>]*>|[^<]+", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")
_ENTITY = re.compile(r"&#?\w{1,12};?")
_NO_TEXT = {"style", "script", "head", "title"}


def quote_line(html: str, lines: Sequence[str]) -> int | None:
    """The line of the plain text where the quotation begins, by the HTML form of it."""
    tag = _first_tag(html, _QUOTE)
    return None if tag is None else _line_of(html, tag, lines)


def signature_line(html: str, lines: Sequence[str], end: int) -> int | None:
    """The line of the signature above line `end`."""
    tag = _first_tag(html, _SIGNATURE)
    line = None if tag is None else _line_of(html, tag, lines)
    return line if line is not None and line < end else None


def is_answered_between(html: str) -> bool:
    """Whether words of the writer stand below or between the quoted blocks."""
    depth, seen, hidden = 0, False, ""
    for piece in _PIECE.finditer(html[:MAX_HTML]):
        if piece[2]:
            depth = max(0, depth - 1) if piece[1] else depth + 1
            seen = True
        elif piece[0][0] == "<":
            name = piece[0][1:20].strip().partition(" ")[0].rstrip("/>").lower()
            if name.lstrip("/") in _NO_TEXT:
                hidden = "" if name[:1] == "/" else name
            elif seen and not depth and _is_signature(piece[0][:MAX_TAG].lower()):
                return False
        elif seen and not depth and not hidden and _has_words(piece[0]):
            return piece[0].strip() != "--"
    return False


def _is_signature(tag: str) -> bool:
    return any(hook in tag for hook in _SIGNATURE)


def _has_words(text: str) -> bool:
    return _WORDS.search(_ENTITY.sub(" ", text)) is not None or text.strip() == "--"


def _first_tag(html: str, hooks: Sequence[str]) -> int | None:
    """Where the first tag begins that carries such a hook; a style sheet only names them."""
    lower = html[:MAX_HTML].lower()
    if len(lower) != len(html[:MAX_HTML]):  # a letter whose small form has more than one
        lower = html[:MAX_HTML]
    places = (place for hook in hooks for place in _tags_with(lower, hook))
    return min(places, default=None)


def _tags_with(html: str, hook: str) -> Iterator[int]:
    if hook in _BORDER and "wordsection1" not in html:
        return  # a line above anything, in anybody's newsletter
    at = -1
    for _ in range(MAX_PLACES):
        at = html.find(hook, at + 1)
        if at < 0:
            return
        opening = html.rfind("<", max(0, at - MAX_TAG), at)
        if opening >= 0 and html.find(">", opening, at) < 0:
            yield opening
            return


def _line_of(html: str, tag: int, lines: Sequence[str]) -> int | None:
    marked = html[:tag].replace(MARK, "") + f"<p>{MARK}</p>" + html[tag:].replace(MARK, "")
    above, mark, below = html_to_text(marked).partition(MARK)
    words = _squashed(below)[:40]
    if not mark or not words:
        return None
    # The plain form may hold more than the HTML form, such as addresses of links, never less.
    before = len(_squashed(above))
    squashed = [_squashed(line) for line in lines]
    at = "".join(squashed).find(words, max(0, before - before // 10))
    passed = 0
    for line, text in enumerate(squashed):
        if passed == at and text:
            return line
        passed += len(text)
    return None


def _squashed(text: str) -> str:
    return "".join(_WORDS.findall(text))

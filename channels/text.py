"""Text that came from outside: HTML as readable text, and characters no database takes."""

import html
import logging
import re
from collections import Counter
from collections.abc import Callable

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError  # type: ignore[import-untyped]

from channels import hidden

log = logging.getLogger(__name__)

MAX_HTML = 2_000_000  # characters that are looked at; the rest stays in the kept source
MAX_TAGS = 60_000  # inscriptis needs seconds beyond; real mails have a few hundred
MAX_DEPTH = 200  # tags in tags; libxml2 stops at 256, and drops what follows without a word

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_NEWLINE = re.compile("\r\n?|[\x85\u2028\u2029]")
_HIDDEN = re.compile(r"<(script|style|head|title|template)\b", re.IGNORECASE)
_HIDDEN_END = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE)
    for name in ("script", "style", "head", "title", "template")
}
_COMMENT = re.compile(r"<!--|<!\[|<\?")
_COMMENT_END = {"<!--": "-->", "<![": "]>", "<?": ">"}
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|hr)\b[^<>]*>", re.IGNORECASE)
_OPENS_OR_CLOSES = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"))
_NO_WORD = re.compile(r"\W+")
_TAGS = re.compile(r"(?: ?</?[a-zA-Z!][^<>]*>)+ ?")
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")

# Strict: leaves and tables are indented by CSS, which means nothing in a text of a ticket.
_LAYOUT = ParserConfig(css=CSS_PROFILES["strict"], display_images=False, display_links=False)


def clean(text: str) -> str:
    """Without NUL, lone surrogates and other characters that break databases and screens."""
    return _UNWANTED.sub("", _NEWLINE.sub("\n", text))


def html_to_text(source: str) -> str:
    """What a person would read, as plain text. Never raises, whatever the markup."""
    whole = clean(source[:MAX_HTML])
    source = hidden.taken_out(_without_hidden(whole), whole)
    if not source.strip():
        return ""
    if source.count("<") > MAX_TAGS:
        return _tidy(_without_tags(source))
    try:
        text = _tidy(clean(get_text(source, _LAYOUT)))
    except (LxmlError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        log.warning("html read without layout", extra={"error": type(error).__name__})
        return _tidy(_without_tags(source))
    if _is_deep(source):
        flat = _tidy(_without_tags(source))
        return flat if _has_more(flat, text) else text
    return text


def _is_deep(source: str) -> bool:
    opened: Counter[str] = Counter()
    depth = 0
    for tag in _OPENS_OR_CLOSES.finditer(source):
        name = tag.group(2).lower()
        # What closes nothing is passed over.
        step = -(opened[name] > 0) if tag.group(1) else int(name not in _VOID)
        opened[name] += step
        depth += step
        if depth > MAX_DEPTH:
            return True
    return False


def _has_more(whole: str, text: str) -> bool:
    """Whether words are missing in the text, at its end or anywhere."""
    all_words, words = _NO_WORD.sub("", whole), _NO_WORD.sub("", text)
    return len(all_words) > len(words) or all_words[-20:] != words[-20:]


def _without_hidden(source: str) -> str:
    # A comment that never ends would hide the whole mail: only closed ones are taken out. What
    # is not there once is not looked for again, or a hostile mail would be read ten thousand times.
    shown = _cut(source, _COMMENT, _after_comment).replace("<!--", "&lt;!--")
    return _cut(shown, _HIDDEN, _after_hidden)


def _cut(source: str, opening: re.Pattern[str], after: Callable[[str, re.Match[str]], int]) -> str:
    kept: list[str] = []
    missing: set[str] = set()
    begin = at = 0
    while found := opening.search(source, at):
        name, at = found.group().lower(), found.end()
        end = 0 if name in missing else after(source, found)
        if end:
            kept.append(source[begin : found.start()])
            begin = at = end
        else:
            missing.add(name)
    return "".join((*kept, source[begin:]))


def _after_comment(source: str, opening: re.Match[str]) -> int:
    closing = _COMMENT_END[opening.group()]
    end = source.find(closing, opening.end())
    return end + len(closing) if end >= 0 else 0


def _after_hidden(source: str, opening: re.Match[str]) -> int:
    inside = source.find(">", opening.end()) + 1
    closing = _HIDDEN_END[opening.group(1).lower()].search(source, inside) if inside else None
    return closing.end() if closing else 0


def _without_tags(source: str) -> str:
    flowing = source if "<pre" in source.lower() else _SPACES.sub(" ", source)
    text = _TAGS.sub(" ", _BREAK.sub("\n", flowing)).replace("\n ", "\n")
    return html.unescape(text.lstrip())


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")

"""Text that came from outside: HTML as readable text, and characters no database takes."""

import html
import logging
import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

MAX_HTML = 2_000_000  # characters that are looked at; the rest stays in the kept source
MAX_TAGS = 60_000  # inscriptis needs seconds beyond; real mails have a few hundred

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_NEWLINE = re.compile("\r\n?|[\x85\u2028\u2029]")
_HIDDEN = re.compile(
    r"<(script|style|head|title|template)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_COMMENT = re.compile(r"<!--.*?-->|<!\[.*?\]>|<\?[^>]*>", re.DOTALL)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|hr)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_BLANK_LINES = re.compile(r"\n{3,}")

# Strict: leaves and tables are indented by CSS, which means nothing in a text of a ticket.
_LAYOUT = ParserConfig(css=CSS_PROFILES["strict"], display_images=False, display_links=False)


def clean(text: str) -> str:
    """Without NUL, lone surrogates and other characters that break databases and screens."""
    return _UNWANTED.sub("", _NEWLINE.sub("\n", text))


def html_to_text(source: str) -> str:
    """What a person would read, as plain text. Never raises, whatever the markup."""
    source = _without_hidden(clean(source[:MAX_HTML]))
    if not source.strip():
        return ""
    if source.count("<") > MAX_TAGS:
        return _tidy(_without_tags(source))
    try:
        return _tidy(clean(get_text(source, _LAYOUT)))
    except (LxmlError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        log.warning("html read without layout", extra={"error": type(error).__name__})
        return _tidy(_without_tags(source))


def _without_hidden(source: str) -> str:
    # A comment that never ends would hide the whole mail: only closed ones are taken out. The
    # checks keep both patterns from scanning to the end again and again for what is not there.
    if "-->" in source or "]>" in source or "<?" in source:
        source = (
            _COMMENT.sub("", source) if source.count("<!") + source.count("<?") < 5000 else source
        )
    if source.count("</") and source.lower().count("<s") < 5000:
        source = _HIDDEN.sub("", source)
    return source


def _without_tags(source: str) -> str:
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", source)))


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")

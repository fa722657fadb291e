"""Text made safe and short for a screen: previews, cleaned HTML, Markdown, marked words."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HTML_LIMIT = 500_000  # characters of a mail that are cleaned; what follows is left out
HTML_DEPTH = 1000  # tags in tags; each costs more than the one around it, and no program writes so
_OPENS_OR_CLOSES = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_TAG = re.compile(r"<[/!a-z][^<>]*>", re.IGNORECASE)
# What has no content, and what ends where the next one begins.
_FLAT = frozenset((
    "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option",
    "p", "tbody", "td", "th", "thead", "tr", "wbr",
))  # fmt: skip
_BLANKS = re.compile(r"\s+")
_LINK = re.compile(r"https?://[^\s<>\"'（）「」。、]+[^\s<>\"'（）「」。、.,;:!?)\]]")
# An address that stands in a text as it is. Its underscores and stars are not Markdown.
_BARE = re.compile(
    r"(?<![\w<\[\"'`=/])(?<!\]\()https?://[\w.~:/?#@!$&*+,;=%()-]*[\w/~#&*+=%-]", re.ASCII
)
_LATIN = re.compile(r"[^\W\u2e80-\U0010ffff]{2}")
_MAIL_TAGS = nh3.ALLOWED_TAGS | {"center", "font", "style", "html", "head", "body"} - {"style"}
_LOOKS = {"align", "valign", "bgcolor", "border", "cellpadding", "cellspacing", "width", "height"}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size", "face"},
    "table": _LOOKS,
    "tr": _LOOKS,
    "td": _LOOKS | {"colspan", "rowspan"},
    "th": _LOOKS | {"colspan", "rowspan"},
    "col": {"span", "width"},
    "ol": {"start", "type"},
}
_STYLES = {
    "color", "background-color", "font-family", "font-size", "font-style", "font-weight",
    "text-align", "text-decoration", "line-height", "margin", "margin-top", "margin-bottom",
    "margin-left", "margin-right", "padding", "padding-top", "padding-bottom", "padding-left",
    "padding-right", "border", "border-top", "border-bottom", "border-left", "border-right",
    "border-collapse", "border-radius", "width", "max-width", "height", "vertical-align",
    "white-space", "list-style-type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and how it is shown."""

    kind: Literal["plain", "mark", "against", "link"]
    text: str


def preview(text: str, length: int = 140) -> str:
    """The beginning of `text` on one line."""
    line = _BLANKS.sub(" ", text[: length * 4]).strip()
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - nothing a start should wait for

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")


def markdown(text: str) -> str:
    """Markdown as safe HTML. HTML in it is text; pictures are their description."""
    html = _markdown().render(_BARE.sub(r"<\g<0>>", text))
    return nh3.clean(html, url_schemes={"http", "https", "mailto", "tel"}, link_rel="noopener")


def mail_html(html: str, pictures: Mapping[str, str], own: Collection[str] = ()) -> str:
    """A mail's HTML without script, form or anything remote.

    `pictures` maps the cid: address of an attached picture to the data: address that replaces it.
    No link leads to one of the hosts that are our `own`: a stranger has nothing to point at here.
    """

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("img", "src"):
            return pictures.get(value)
        if (tag, attribute) == ("a", "href") and not _leads_away(value, own):
            return None
        return value

    source = html[:HTML_LIMIT]
    return nh3.clean(
        _without_tags(source) if _is_deep(source) else source,
        tags=_MAIL_TAGS - {"html", "head", "body"},
        clean_content_tags={"script", "style", "title", "noscript", "template"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=keep,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer",
    )


def _is_deep(source: str) -> bool:
    opened: Counter[str] = Counter()
    depth = 0
    for tag in _OPENS_OR_CLOSES.finditer(source):
        name = tag.group(2).lower()
        # What closes nothing is passed over.
        step = -(opened[name] > 0) if tag.group(1) else int(name not in _FLAT)
        opened[name] += step
        depth += step
        if depth > HTML_DEPTH:
            return True
    return False


def _without_tags(source: str) -> str:
    return _TAG.sub(" ", source).replace("<", "&lt;")


def _leads_away(address: str, own: Collection[str]) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme in {"mailto", "tel"}:
        return True
    host = (parts.hostname or "").rstrip(".")
    return bool(parts.scheme and host) and host not in own  # what names no host is on ours


def paragraphs(text: str) -> list[str]:
    """What blank lines set apart."""
    return [part for part in re.split(r"\n[ \t\u3000]*\n\s*", text.strip("\n")) if part.strip()]


def pieces(text: str, marks: Sequence[str] = (), against: Sequence[str] = ()) -> list[Piece]:
    """`text` in order, with addresses and the first place of each of `marks` set apart, and of
    what speaks `against`. What is both is marked."""
    others = [one for one in against if one not in marks]
    spans = sorted([*_links(text), *_marks(text, marks, "mark"), *_marks(text, others, "against")])
    found, at = [], 0
    for start, end, kind in spans:
        if start < at:
            continue
        if start > at:
            found.append(Piece("plain", text[at:start]))
        found.append(Piece(kind, text[start:end]))
        at = end
    if at < len(text):
        found.append(Piece("plain", text[at:]))
    return found


_Span = tuple[int, int, Literal["mark", "against", "link"]]


def _links(text: str) -> Iterator[_Span]:
    for match in _LINK.finditer(text):
        yield match.start(), match.end(), "link"


def _marks(text: str, marks: Sequence[str], kind: Literal["mark", "against"]) -> Iterator[_Span]:
    for mark in marks:
        start = text.find(mark) if mark else -1
        while start >= 0 and _inside_a_word(text, start, start + len(mark)):
            start = text.find(mark, start + 1)
        if start >= 0:
            yield start, start + len(mark), kind


def _inside_a_word(text: str, start: int, end: int) -> bool:
    """Whether letters go on at either end; a script without blanks has no such thing."""
    return any(
        _LATIN.fullmatch(text[at - 1 : at + 1]) is not None
        for at in (start, end)
        if 0 < at < len(text)
    )


def initials(name: str) -> str:
    """One character of a Japanese name, two letters of a Latin one."""
    words = [word for word in re.split(r"[\s.@_\-]+", name) if word]
    if not words:
        return "?"
    if ord(words[0][0]) > 0x2E80:
        return words[0][0]
    return "".join(word[0] for word in words[:2]).upper()


FEW = 40  # characters; “FYI, see below” says nothing of the inquiry


def inquiry(new: str, whole: str) -> str:
    """What to judge an inquiry by: what is new in it, unless that only hands on what is quoted."""
    return new if len(new.strip()) >= FEW or not whole.strip() else whole


def judged(subject: str, new: str, whole: str, *, call: bool = False) -> str:
    """What the classifier reads. Of a call only the notes: its subject, and its text where nobody
    noted anything, are words of ours."""
    return new if call else f"{subject}\n{inquiry(new, whole)}"

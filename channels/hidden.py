"""Text in HTML that nobody is shown: written for programs that read along, not for people."""

import re

MAX_ATTRIBUTES = 4000  # characters of one tag that are looked at
MIN_WORDS = 10  # letters and digits; fewer are a leftover of some program

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]{0,20})\b([^<>]*)>", re.IGNORECASE)
_STYLE = re.compile(r"\bstyle\s{0,5}=\s{0,5}(?:\"([^\"]*)|'([^']*)|([^\s\"']+))", re.IGNORECASE)
_NOT_SHOWN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE
)
_SIZE = r"(?:^|[;\s\"'])font-size\s*:\s*"
_NO_SIZE = re.compile(
    _SIZE + r"0+(?:\.0+)?(?:px|pt|r?em|%)?\s*(?:!important\s*)?(?:;|$)", re.IGNORECASE
)
_A_SIZE = re.compile(_SIZE + r"(?:0*\.)?0*[1-9a-z]", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|[;\s\"'])color\s*[:=]\s*[\"']?([^;\"'>!]{1,40})", re.IGNORECASE)
_BEHIND = re.compile(
    r"(?:\bbackground(?:-color)?\s*:|\bbgcolor\s*=|\bbackground\s*=)\s*[\"']?([^;\"'>!]{1,40})",
    re.IGNORECASE,
)
_WHITE = re.compile(r"(?:#fff(?:fff)?|white|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\))$", re.IGNORECASE)
_NOTHING = frozenset(("transparent", "none", "inherit", "initial"))
_VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"))
_WORD = re.compile(r"\w")


def is_there(source: str) -> bool:
    """Whether it has more than a few words that are not shown."""
    return any(_says_something(source[start:end]) for start, end in _stretches(source, source))


def taken_out(source: str, whole: str) -> str:
    """`whole` is the same with its style sheets, which say what is behind the words."""
    kept, at = [], 0
    for start, end in _stretches(source, whole):
        kept.append(source[at:start])
        at = end
    return "".join((*kept, source[at:]))


def _says_something(html: str) -> bool:
    return len(_WORD.findall(_TAG.sub(" ", html)[:MAX_ATTRIBUTES])) >= MIN_WORDS


def _stretches(source: str, whole: str) -> list[tuple[int, int]]:
    """Where such elements begin and end; one that never ends would hide the whole mail."""
    if "style" not in source.lower():
        return []
    on_white = all(_is_white(found.group(1)) for found in _BEHIND.finditer(whole))
    found: list[tuple[int, int]] = []
    start, opened, depth, look = 0, "", 0, ""
    for tag in _TAG.finditer(source):
        name = tag.group(2).lower()
        if opened:
            if name == opened:
                depth += -1 if tag.group(1) else 1
            if not depth:
                if not _is_undone(look, source[start + 1 : tag.start()].partition(">")[2]):
                    found.append((start, tag.end()))
                opened = ""
        elif not tag.group(1) and name not in _VOID:
            look = _why(tag.group(3)[:MAX_ATTRIBUTES], on_white=on_white)
            if look:
                start, opened, depth = tag.start(), name, 1
    return found


def _why(attributes: str, *, on_white: bool) -> str:
    """By what it is hidden; "" if it is not."""
    if (found := _STYLE.search(attributes)) is None:
        return ""
    style = next(group for group in (*found.groups(), "") if group is not None)
    if _NOT_SHOWN.search(style):
        return "display"
    if _NO_SIZE.search(style):
        return "size"
    colour = _COLOUR.search(style)
    if colour is None:
        return ""
    behind = _BEHIND.search(style)
    same = behind and behind.group(1).strip().lower() == colour.group(1).strip().lower()
    white = on_white and _WHITE.match(colour.group(1).strip()) is not None
    return "colour" if same or white else ""


def _is_white(colour: str) -> bool:
    word = colour.strip().lower()
    return word in _NOTHING or _WHITE.match(word) is not None


def _is_undone(look: str, inside: str) -> bool:
    """Layouts set no size around what has one of its own."""
    if look == "size":
        return _A_SIZE.search(inside) is not None
    return look == "colour" and _COLOUR.search(inside) is not None

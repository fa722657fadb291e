"""What the model sees of a text: normalised words and characters, each with its place in the text.

Everything here takes time in proportion to the text, which is cut first, so no mail is too hostile
to look at.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

VERSION = 2  # raise it when the same text would give other features: old models are then refitted

LIMIT = 4_000  # characters; what an inquiry is about is said before that

_CLUSTER = 16  # combining marks taken together; ordering them takes time squared in their number

# Kana, kanji and their marks. Text in these scripts has no blanks between words.
_HIRAGANA = r"\u3041-\u3096\u309d\u309e"
_OTHERS = (
    r"\u3005\u3006\u30a1-\u30fa\u30fc-\u30fe"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_CJK = _HIRAGANA + _OTHERS
_TOKEN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+(?:'[^\W_{_CJK}]+)?")

# Letters of all alphabets with their marks, digits: whatever an address is made of but kana and
# kanji. Those run on where the address ends ("a@b.exampleです"), in hiragana most of the time.
_LETTER = r"0-9A-Za-z_\u00c0-\u1fff\u2c00-\u2dff\ua640-\ud7ff"
_LOCAL = rf"{_LETTER}{_OTHERS}.+-"

# Names and numbers of persons stay out of the vocabulary. The counts are bounded, and a run is
# only tried from its start, so that a megabyte of `a.a.a.` costs no more than one of prose.
PRIVATE = re.compile(
    rf"(?P<mail>(?:(?<![{_LOCAL}])[{_LOCAL}]{{1,64}}|(?<![{_HIRAGANA}])[{_HIRAGANA}]{{1,64}})"
    rf"@[{_LETTER}{_CJK}-]{{1,63}}(?:\.(?:[{_LETTER}-]{{1,63}}|[{_CJK}-]{{1,63}}(?=\.))){{0,7}}"
    rf"\.(?:[{_LETTER}-]{{1,63}}|[{_OTHERS}]{{1,63}}|みんな))"
    rf"|(?P<url>(?<!\w)(?i:https?://|www\.)(?:[{_CJK}-]{{1,63}}(?=\.))?"
    rf"(?:[!-~{_LETTER}]|(?<=[/=?&#_+.%{_OTHERS}-])[{_OTHERS}]|(?<=[={_HIRAGANA}])[{_HIRAGANA}])"
    r"{1,2000})"
    r"|(?P<phone>(?<![\w.])(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d))"
    r"(?:\+\d|\(?0\d)[\d ()/.-]{5,18}\d(?!\d))",
    re.ASCII,
)
_UNREADABLE = re.compile(r"[\ud800-\udfff]")  # half of a broken surrogate pair
_DIGIT = re.compile(r"\d")
_VOICED = re.compile(r"[\uff9e\uff9f]")  # half-width marks, which stand for themselves

PLACEHOLDERS = frozenset({"xxmail", "xxurl", "xxphone", "xxname"})


@dataclass(frozen=True, slots=True)
class Clean:
    """A normalised text that still knows where each of its characters came from."""

    text: str
    starts: Sequence[int]  # per character: where its origin begins in the original …
    ends: Sequence[int]  # … and ends


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a run of kana and kanji."""

    text: str
    start: int  # in the normalised text
    cjk: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Features:
    """Names and places in the normalised text, column by column: there are thousands for each
    text, so none is an object of its own."""

    names: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, name: str, start: int, end: int) -> None:
        self.names.append(name)
        self.starts.append(start)
        self.ends.append(end)


def clean(original: str) -> Clean:
    """Cut, fold widths and case, and hide addresses, numbers and digits."""
    return _clean(original[:LIMIT])


@lru_cache(maxsize=2)
def _clean(original: str) -> Clean:
    """The encoder and the vocabulary look at one text after the other."""
    text, starts, ends = _fold(original)
    text, starts, ends = _hide(text, starts, ends)
    return Clean(digits("0", text), starts, ends)


def digits(one: str, text: str) -> str:
    """All of them become the same."""
    return _DIGIT.sub(one, text)


def _fold(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    if text.isascii():
        return text.lower(), range(len(text)), range(1, len(text) + 1)
    if _VOICED.search(text) or any(map(unicodedata.combining, text)):
        spans: Sequence[tuple[int, int]] = list(clusters(text))
        pieces = [_folded(text[begin:end]) for begin, end in spans]
    else:
        pieces = list(map(_folded, text))
        if all(len(piece) == 1 for piece in pieces):
            return "".join(pieces), range(len(text)), range(1, len(text) + 1)
        spans = [(place, place + 1) for place in range(len(text))]
    starts = [begin for (begin, _), piece in zip(spans, pieces, strict=True) for _ in piece]
    ends = [end for (_, end), piece in zip(spans, pieces, strict=True) for _ in piece]
    # One character can unfold to eighteen, so the cut is made again.
    return "".join(pieces)[:LIMIT], starts[:LIMIT], ends[:LIMIT]


@lru_cache(maxsize=8192)
def _folded(cluster: str) -> str:
    """The same whatever stands around it, and most of a text is a few hundred characters."""
    return plain(cluster).lower()


def plain(cluster: str) -> str:
    """As wide as usual, and readable."""
    piece = unicodedata.normalize("NFKC", cluster).replace("\u2019", "'")
    piece = _UNREADABLE.sub(" ", piece)
    # A soft hyphen or a joiner separates nothing.
    return "" if len(piece) == 1 and unicodedata.category(piece) == "Cf" else piece


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Characters with the marks that belong to them: half-width ｶ and ﾞ become one ガ."""
    begin = 0
    combining = unicodedata.combining
    for place, char in enumerate(text[1:], 1):
        if (combining(char) or _VOICED.match(char)) and place - begin < _CLUSTER:
            continue
        yield begin, place
        begin = place
    if text:
        yield begin, len(text)


def _hide(
    text: str, starts: Sequence[int], ends: Sequence[int]
) -> tuple[str, Sequence[int], Sequence[int]]:
    pieces: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    done = 0
    for match in PRIVATE.finditer(text):
        begin, end = match.span()
        token = f" xx{match.lastgroup} "
        pieces += (text[done:begin], token)
        new_starts.extend(starts[done:begin])
        new_ends.extend(ends[done:begin])
        new_starts.extend([starts[begin]] * len(token))
        new_ends.extend([ends[end - 1]] * len(token))
        done = end
    if not done:
        return text, starts, ends
    pieces.append(text[done:])
    new_starts.extend(starts[done:])
    new_ends.extend(ends[done:])
    return "".join(pieces), new_starts, new_ends


def tokens(text: str) -> list[Token]:
    return [
        Token(match.group(), match.start(), match.lastgroup == "cjk")
        for match in _TOKEN.finditer(text)
    ]


def word_features(found: Sequence[Token]) -> Features:
    """Words and pairs of words; of unspaced runs each character and each pair of characters."""
    features = Features()
    before: Token | None = None
    for token in found:
        if token.cjk:
            _grams(features, token, 1, 2)
        else:
            features.add(token.text, token.start, token.end)
            if before is not None and not before.cjk:
                features.add(f"{before.text} {token.text}", before.start, token.end)
        before = token
    return features


def char_features(found: Sequence[Token]) -> Features:
    """Pieces of two to five characters of each word, its edges marked; two to four of a run."""
    features = Features()
    for token in found:
        if token.cjk:
            _grams(features, token, 2, 4)
        elif token.text not in PLACEHOLDERS:
            edged = pieces_of(token.text)
            features.names.extend(edged.names)
            features.starts.extend(token.start + start for start in edged.starts)
            features.ends.extend(token.start + end for end in edged.ends)
    return features


def pieces_of(word: str) -> Features:
    """Its own pieces, with places in the word. The edges are no characters of the text: a piece
    with one is a character shorter there."""
    into = Features()
    edged, length = f" {word} ", len(word) + 2
    for size in range(2, min(5, length) + 1):
        into.names.extend([edged[place : place + size] for place in range(length - size + 1)])
        into.starts.append(0)
        into.starts.extend(range(length - size))
        into.ends.extend(range(size - 1, len(word) + 1))
        into.ends.append(len(word))
    return into


def _grams(into: Features, token: Token, shortest: int, longest: int) -> None:
    text, start, end = token.text, token.start, token.end
    for size in range(shortest, min(longest, len(text)) + 1):
        into.names.extend([text[place : place + size] for place in range(len(text) - size + 1)])
        into.starts.extend(range(start, end - size + 1))
        into.ends.extend(range(start + size, end + 1))

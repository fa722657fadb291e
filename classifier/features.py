"""What the model sees of a text: normalised words and characters, each with its place in the text.

Everything here takes time in proportion to the text, which is cut first, so no mail is too hostile
to look at.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

VERSION = 1  # raise it when the same text would give other features: old models are then refitted

LIMIT = 4_000  # characters; what an inquiry is about is said before that

_CLUSTER = 16  # combining marks taken together; ordering them takes time squared in their number

# Kana, kanji and their marks. Text in these scripts has no blanks between words.
_CJK = (
    r"\u3005\u3006\u3041-\u3096\u309d\u309e\u30a1-\u30fa\u30fc-\u30fe"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+(?:'[^\W_{_CJK}]+)?")

# Names and numbers of persons stay out of the vocabulary. The counts are bounded, and a run is
# only tried from its start, so that a megabyte of `a.a.a.` costs no more than one of prose.
_PRIVATE = re.compile(
    r"(?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    r"|(?P<url>(?<!\w)(?:https?://|www\.)[!-~]{1,2000})"
    r"|(?P<phone>(?<![\w.])(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d))"
    r"(?:\+\d|\(?0\d)[\d ()/.-]{5,18}\d(?!\d))",
    re.ASCII,
)
_UNREADABLE = re.compile(r"[\ud800-\udfff]")  # half of a broken surrogate pair
_DIGIT = re.compile(r"\d")

PLACEHOLDERS = frozenset({"xxmail", "xxurl", "xxphone"})


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


class Feature(NamedTuple):  # thousands for each text: a dataclass takes three times as long
    name: str
    start: int  # in the normalised text
    end: int


def clean(original: str) -> Clean:
    """Cut, fold widths and case, and hide addresses, numbers and digits."""
    text, starts, ends = _fold(original[:LIMIT])
    text, starts, ends = _hide(text, starts, ends)
    return Clean(_DIGIT.sub("0", text), starts, ends)


def _fold(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    if text.isascii():
        return text.lower(), range(len(text)), range(1, len(text) + 1)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for begin, end in _clusters(text):
        piece = unicodedata.normalize("NFKC", text[begin:end]).lower().replace("\u2019", "'")
        piece = _UNREADABLE.sub(" ", piece)
        if len(piece) == 1 and unicodedata.category(piece) == "Cf":
            continue  # a soft hyphen or a joiner separates nothing
        pieces.append(piece)
        starts.extend([begin] * len(piece))
        ends.extend([end] * len(piece))
    # One character can unfold to eighteen, so the cut is made again.
    return "".join(pieces)[:LIMIT], starts[:LIMIT], ends[:LIMIT]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Characters with the marks that belong to them: half-width ｶ and ﾞ become one ガ."""
    begin = 0
    for place in range(1, len(text) + 1):
        joins = place < len(text) and (
            unicodedata.combining(text[place]) or text[place] in "\uff9e\uff9f"
        )
        if not joins or place - begin >= _CLUSTER:
            yield begin, place
            begin = place


def _hide(
    text: str, starts: Sequence[int], ends: Sequence[int]
) -> tuple[str, Sequence[int], Sequence[int]]:
    pieces: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    done = 0
    for match in _PRIVATE.finditer(text):
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


def word_features(found: Sequence[Token]) -> list[Feature]:
    """Words and pairs of words; of unspaced runs each character and each pair of characters."""
    features: list[Feature] = []
    before: Token | None = None
    for token in found:
        if token.cjk:
            features.extend(_grams(token.text, token.start, 1, 2))
        else:
            features.append(Feature(token.text, token.start, token.end))
            if before is not None and not before.cjk:
                pair = f"{before.text} {token.text}"
                features.append(Feature(pair, before.start, token.end))
        before = token
    return features


def char_features(found: Sequence[Token]) -> list[Feature]:
    """Pieces of two to five characters of each word, its edges marked; two to four of a run."""
    features: list[Feature] = []
    for token in found:
        if token.cjk:
            features.extend(_grams(token.text, token.start, 2, 4))
        elif token.text not in PLACEHOLDERS:
            features.extend(_edged_grams(token))
    return features


def _edged_grams(token: Token) -> Iterator[Feature]:
    edged, first, start, end = f" {token.text} ", token.start - 1, token.start, token.end
    for size in range(2, min(5, len(edged)) + 1):
        for place in range(len(edged) - size + 1):
            begin = first + place
            yield Feature(edged[place : place + size], max(begin, start), min(begin + size, end))


def _grams(text: str, offset: int, shortest: int, longest: int) -> Iterator[Feature]:
    for size in range(shortest, min(longest, len(text)) + 1):
        for place in range(len(text) - size + 1):
            yield Feature(text[place : place + size], offset + place, offset + place + size)


BLOCKS = (word_features, char_features)


@dataclass(frozen=True, slots=True)
class Document:
    """The names of a text's features, block by block, as the vectorisers want them."""

    words: tuple[str, ...]
    chars: tuple[str, ...]


def document(original: str) -> Document:
    found = tokens(clean(original).text)
    return Document(
        words=tuple(feature.name for feature in word_features(found)),
        chars=tuple(feature.name for feature in char_features(found)),
    )


def _words_of(doc: Document) -> tuple[str, ...]:
    return doc.words


def _chars_of(doc: Document) -> tuple[str, ...]:
    return doc.chars


def union(rows: int) -> Any:
    """The scikit-learn vectoriser of documents. With many rows, what occurs once teaches nothing
    and may be a name, so it is left out."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    rarest = 2 if rows > 1_000 else 1
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(analyzer=_words_of, sublinear_tf=True, min_df=rarest)),
            ("chars", TfidfVectorizer(analyzer=_chars_of, sublinear_tf=True, min_df=rarest)),
        ]
    )

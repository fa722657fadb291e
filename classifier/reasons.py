"""Which words of a text pushed for an answer, as a person would mark them with a pen.

A linear model adds up small pieces of words. Here their weights are laid back on the characters
they came from, summed over whole words and phrases, and the heaviest are read from the original.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.contract import Reason
from classifier.features import PLACEHOLDERS, Clean, Token
from classifier.language import FILLERS

_MOST = 5
_WORTH = 0.15  # of the strongest; weaker pushes are noise
_JOINS = 0.4  # of the strongest; neighbours this strong are read as one phrase
_LONGEST = 24  # characters of a phrase in kana and kanji …
_MOST_WORDS = 3  # … and words of one with blanks

# A kanji word with its kana ending, a katakana word, or a word in hiragana. The particles を が は
# の へ end a word wherever they stand.
_KANA = r"[\u3041-\u304b\u304d-\u306d\u3070-\u3077\u3079-\u3091\u3093-\u309e]"
_KANJI = r"[\u3005\u3006\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_CHUNK = re.compile(rf"{_KANJI}+{_KANA}*|[\u30a1-\u30fe]+|{_KANA}+")
_HEAD = re.compile(rf"{_KANJI}*")
_ENDING = re.compile(
    r"(?:です|でした|でしょう|ですか|でしょうか|について|に関して|として|から|まで|より|ので|けど"
    r"|[にでともか])?[おご]?$"
)
# Words of courtesy and grammar, by their beginning or their kanji, that are no reason for anything.
_COURTESY = (
    *("です", "でし", "ます", "まし", "ませ", "くださ", "いただ", "でき", "おり", "いつも", "こと"),
    *(
        "ため",
        "よう",
        "また",
        "これ",
        "それ",
        "この",
        "その",
        "から",
        "まで",
        "ので",
        "けど",
        "とい",
    ),
    *("とし", "につ", "によ", "にお", "します", "しま", "あります", "ありま", "ございま", "いたし"),
)
_COURTEOUS_KANJI = frozenset(
    {
        "世話",
        "願",
        "致",
        "申",
        "存",
        "思",
        "教",
        "幸",
        "恐縮",
        "失礼",
        "何卒",
        "宜",
        "下",
        "頂",
        "伺",
    }
    | {"可能", "場合", "方", "様", "弊社", "御社", "貴社", "拝啓", "敬具", "突然", "件", "旨"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Pushes:
    """How much each feature favours the answer, shared out over the places where it stands."""

    weights: NDArray[np.float64]
    starts: NDArray[np.intp]  # in the normalised text
    ends: NDArray[np.intp]


Word = tuple[int, int]  # from where to where in the normalised text


class _Span(NamedTuple):
    start: int
    end: int
    weight: float
    words: int = 1


def strongest(
    original: str, cleaned: Clean, words: Sequence[Word], pushes: Pushes, *, sign: float = 1.0
) -> tuple[Reason, ...]:
    """What to show of `words`, which `telling` found in the cleaned text.

    With `sign` less than nothing, what pushed the other way is shown.
    """
    totals = _running_total(len(cleaned.text), pushes)
    spans = [
        _Span(start, end, weight)
        for start, end in words
        if (weight := sign * (totals[end] - totals[start])) > 0
    ]
    if not spans:
        return ()
    top = max(span.weight for span in spans)
    weights: dict[str, float] = {}
    spelled: dict[str, str] = {}
    for span in _phrases(spans, cleaned.text, top * _JOINS):
        shown = original[cleaned.starts[span.start] : cleaned.ends[span.end - 1]]
        key = shown.casefold()
        spelled.setdefault(key, shown)
        weights[key] = weights.get(key, 0.0) + span.weight
    floor = max(weights.values()) * _WORTH
    order = sorted(weights, key=lambda key: (-weights[key], key))[:_MOST]
    return tuple(
        Reason(spelled[key], sign * weights[key]) for key in order if weights[key] >= floor
    )


def _running_total(length: int, pushes: Pushes) -> list[float]:
    """Weight of all characters before each place. A push is spread evenly over where it stands."""
    each = pushes.weights / (pushes.ends - pushes.starts)
    rises = np.bincount(pushes.starts, each, minlength=length + 1)
    falls = np.bincount(pushes.ends, each, minlength=length + 1)
    totals: list[float] = np.cumsum(np.cumsum(rises - falls)).tolist()
    return [0.0, *totals[:length]]


def telling(found: Sequence[Token]) -> list[Word]:
    """Where the whole words stand that can be a reason."""
    words: list[Word] = []
    for token in found:
        if token.cjk:
            for chunk in _CHUNK.finditer(token.text):
                size = _telling_size(chunk.group())
                if size > 1:
                    start = token.start + chunk.start()
                    words.append((start, start + size))
        elif _tells(token.text):
            words.append((token.start, token.end))
    return words


def _telling_size(chunk: str) -> int:
    """How much of a Japanese word, from its start, can be shown; 0 when it says nothing."""
    head = _HEAD.match(chunk)
    kanji = head.group() if head else ""
    if kanji in _COURTEOUS_KANJI or (not kanji and chunk.startswith(_COURTESY)):
        return 0
    ending = _ENDING.search(chunk, len(kanji))
    return ending.start() if ending else len(chunk)


def _tells(word: str) -> bool:
    return (
        len(word) > 1
        and word not in PLACEHOLDERS
        and word not in FILLERS
        and any(char.isalpha() for char in word)
    )


def _phrases(spans: Sequence[_Span], text: str, strong: float) -> Iterator[_Span]:
    """Neighbours that are both strong, joined: "cancel" and "order" in "cancel order"."""
    held = spans[0]
    for span in spans[1:]:
        between = text[held.end : span.start]
        close = (between == " " and held.words < _MOST_WORDS) or (
            between == "" and span.end - held.start <= _LONGEST
        )
        if close and held.weight >= strong and span.weight >= strong:
            held = _Span(held.start, span.end, held.weight + span.weight, held.words + 1)
        else:
            yield held
            held = span
    yield held

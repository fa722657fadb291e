"""Which words of a text pushed for an answer, as a person would mark them with a pen.

A linear model adds up small pieces of words. Here their weights are laid back on the characters
they came from, summed over whole words and phrases, and the heaviest are read from the original.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Push:
    """One feature: how much it favours the answer, and each place where it stands."""

    weight: float
    places: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    weight: float
    words: int = 1


def strongest(
    original: str, cleaned: Clean, found: Sequence[Token], pushes: Sequence[Push]
) -> tuple[Reason, ...]:
    heaped = _running_total(len(cleaned.text), pushes)
    spans = [span for span in _spans(found, heaped) if span.weight > 0]
    if not spans:
        return ()
    top = max(span.weight for span in spans)
    weights: dict[str, float] = {}
    spelled: dict[str, str] = {}
    for span in _phrases(spans, cleaned.text, top * _JOINS):
        words = original[cleaned.starts[span.start] : cleaned.ends[span.end - 1]]
        key = words.casefold()
        spelled.setdefault(key, words)
        weights[key] = weights.get(key, 0.0) + span.weight
    floor = max(weights.values()) * _WORTH
    order = sorted(weights, key=lambda key: (-weights[key], key))[:_MOST]
    return tuple(Reason(spelled[key], weights[key]) for key in order if weights[key] >= floor)


def _running_total(length: int, pushes: Sequence[Push]) -> list[float]:
    """Weight of all characters before each place. A push is spread evenly over where it stands."""
    steps = [0.0] * (length + 1)
    for push in pushes:
        share = push.weight / len(push.places)
        for start, end in push.places:
            each = share / (end - start)
            steps[start] += each
            steps[end] -= each
    total, level, totals = 0.0, 0.0, [0.0]
    for step in steps[:length]:
        level += step
        total += level
        totals.append(total)
    return totals


def _spans(found: Sequence[Token], totals: Sequence[float]) -> Iterator[_Span]:
    """Whole words that can be a reason, with their weight."""
    for token in found:
        if not token.cjk:
            if _tells(token.text):
                yield _span(token.start, token.end, totals)
            continue
        for chunk in _CHUNK.finditer(token.text):
            size = _telling_size(chunk.group())
            if size > 1:
                start = token.start + chunk.start()
                yield _span(start, start + size, totals)


def _telling_size(chunk: str) -> int:
    """How much of a Japanese word, from its start, can be shown; 0 when it says nothing."""
    head = _HEAD.match(chunk)
    kanji = head.group() if head else ""
    if kanji in _COURTEOUS_KANJI or (not kanji and chunk.startswith(_COURTESY)):
        return 0
    ending = _ENDING.search(chunk, len(kanji))
    return ending.start() if ending else len(chunk)


def _span(start: int, end: int, totals: Sequence[float]) -> _Span:
    return _Span(start, end, totals[end] - totals[start])


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

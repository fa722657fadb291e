"""What search looks for in a text, and how a query asks for it: one tokeniser for both databases.

Chinese, Japanese and Korean are not written with spaces, so their runs become overlapping pairs
(返品した → 返品 品し した た). Other words are folded, and German compounds can also be found by
their last parts (Rechnungsadresse by Adresse). Letters and digits are parted, and a number or an
address with dots and dashes is its parts in order: K-20418, K20418 and 20418 find the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

TOKENIZER_VERSION = 1
"""Grows whenever the same text would give other tokens: then what is stored is indexed anew."""

GAP = "·"
"""Takes a place where nothing can be found, so that no phrase reaches across it."""

MAX_POSITIONS = 16_000  # PostgreSQL keeps 16,383 of a text, and knows no place after that
MAX_REPEATS = 255  # and this many places of one token
MAX_CHARACTERS = 200_000  # of all tokens; PostgreSQL refuses a row of more than a megabyte
MAX_TOKEN = 64
MAX_INPUT = 500_000
MAX_TERMS = 16
MAX_QUERY_TOKENS = 64

# Scripts written without spaces, or with words so long that parts of them are what one asks for:
# kana, Han and Hangul; Thai, Lao, Burmese and Khmer.
_SPACELESS = (
    r"\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u3096\u3099-\u309f\u30a1-\u30fa"
    r"\u30fc-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
    r"\u1100-\u11ff\uac00-\ud7a3\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff"
)
_WORD = rf"(?:[^\W_{_SPACELESS}][\u0300-\u036f]*)+"
_PIECE = re.compile(rf"([{_SPACELESS}]+)|({_WORD})")
_CHUNK = re.compile(rf"([{_SPACELESS}]+)|({_WORD}(?:[-._@/+:#&'’]+{_WORD})*)")
_RUN = re.compile(r"\d+|\D+")
_LETTERS = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(r"[\u0300-\u036f]+")
# Shown as nothing: soft hyphens of HTML mails, zero-width spaces, variants of a glyph.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]+")
# Hundreds of accents on one letter would take normalisation quadratic time; none is a token.
_PILE = re.compile(r"[^\w\s\x00-\x7f]{17,}")
# Japanese mail is wrapped in the middle of words.
_WRAP = re.compile(rf"(?<=[{_SPACELESS}])\r?\n(?=[{_SPACELESS}])")


@dataclass(frozen=True, slots=True)
class Tokens:
    """`main` in the order of the text; `parts` of compounds, in no particular place."""

    main: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that must follow each other; the last may go on when `prefix` is set."""

    tokens: tuple[str, ...]
    prefix: bool


def tokens_of(texts: Iterable[str]) -> Tokens:
    """The tokens to store for `texts`. No phrase spans two of them. Takes linear time."""
    main: list[str] = []
    parts: dict[str, None] = {}
    seen: dict[str, int] = {}
    left = MAX_CHARACTERS
    for token, word in _walk(texts):
        left -= len(token)
        if left < 0 or len(main) + len(parts) >= MAX_POSITIONS:
            break
        seen[token] = times = seen.get(token, 0) + 1
        main.append(token if times <= MAX_REPEATS else GAP)
        if word:
            for part in _endings(word):
                if part not in parts and len(main) + len(parts) < MAX_POSITIONS:
                    parts[part] = None
                    left -= len(part)
    while main and main[-1] == GAP:
        main.pop()
    return Tokens(tuple(main), tuple(parts))


def terms_of(query: str) -> tuple[Term, ...]:
    """What all has to be found. Empty when the query holds nothing one can look for."""
    terms: list[Term] = []
    left = MAX_QUERY_TOKENS
    for found in _CHUNK.finditer(_normal(query[:10_000])):
        term = _spaceless_term(found[1]) if found[1] else _word_term(found[2])
        if len(term.tokens) > left:
            term = Term(term.tokens[:left], prefix=False)
        left -= len(term.tokens)
        if term not in terms:
            terms.append(term)
        if left <= 0 or len(terms) == MAX_TERMS:
            break
    return tuple(terms)


def _normal(text: str) -> str:
    text = _PILE.sub(" ", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", text)[:MAX_INPUT]  # one letter may become eighteen
    # Again, because folding case can take a text out of its normal form.
    return unicodedata.normalize("NFKC", text.casefold())


def _walk(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each token, with the word it is when that may be a compound."""
    left = MAX_INPUT
    for number, text in enumerate(texts):
        if number:
            yield GAP, ""
        for found in _PIECE.finditer(_WRAP.sub("", _normal(text[:left]))):
            run, word = found.groups()
            if run:
                for at in range(len(run)):
                    yield run[at : at + 2], ""
            elif word.isascii() and word.isalpha():  # most are; the same as below, sooner
                yield word[:MAX_TOKEN], word if len(word) > 6 else ""
            else:
                for token in _split(word):
                    yield token, word if len(word) > 6 and _LETTERS.fullmatch(word) else ""
        left = max(0, left - len(text))


def _fold(word: str) -> str:
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word)))


def _split(word: str) -> list[str]:
    """K20418 is K and 20418; what changes more often (x7k2m9pq4t) is one code."""
    word = _fold(word)
    if word.isalpha():
        return [word[:MAX_TOKEN]]
    runs: list[str] = _RUN.findall(word)
    return [run[:MAX_TOKEN] for run in (runs if len(runs) <= 3 else [word])]


def _spaceless_term(run: str) -> Term:
    if len(run) == 1:
        return Term((run,), prefix=True)
    run = run[: MAX_QUERY_TOKENS + 1]
    return Term(tuple(run[at : at + 2] for at in range(len(run) - 1)), prefix=False)


def _word_term(chunk: str) -> Term:
    """Order numbers are meant exactly, and so is a single letter, which nearly every text holds
    at the beginning of some word."""
    found = tuple(
        token for piece in _PIECE.finditer(chunk) for token in _split(piece[2]) if piece[2]
    )
    return Term(found, prefix=len(found[-1]) > 1 and not found[-1].isdecimal())


@cache
def _german() -> Any:
    import pyphen  # noqa: PLC0415 - a process that does not index never loads its dictionary

    return pyphen.Pyphen(lang="de_DE")


@lru_cache(maxsize=50_000)
def _endings(word: str) -> tuple[str, ...]:
    """What stands after each place where German could hyphenate `word`."""
    if len(word) > MAX_TOKEN:
        return ()
    german = _german()
    found = tuple(_fold(word[at:]) for at in german.positions(word) if len(word) - at >= 4)
    german.hd.cache.pop(word, None)  # it would keep every word it ever saw
    return found

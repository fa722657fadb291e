"""Groups of inquiries that mean the same and have no topic, and what such a group may be called.

A name holds no word of fewer than three customers, no name of a person, and no number or address.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features, reasons
from classifier.masking import Names, masked
from classifier.nearest import Vectors

MOST = 2_000  # inquiries looked at; all pairs of them are compared
FEWEST, CUSTOMERS = 8, 3  # texts of a group, and people who wrote them
TYPICAL = 5
GROUPS = 10  # proposed at once; who has decided about some is shown others

# Cosine distances; by the mean of all pairs, what is further apart is two groups. What is in no
# group at the first is grouped once more at the second: where few texts are, they are more apart.
# Of three topics hidden among 120 texts, the second brings the groups of 24 of 36 in place of 15.
APART = (0.45, 0.6)
APART_IN_PIECES = (0.6,)  # where no encoder says what is meant, only letters are compared

_LOOKED_AT = 600  # characters of a text that may give a name
_OTHERS = 500  # texts of no group tell well enough what is frequent anyway
_TERMS = 3
_LONGEST = 60  # characters of a name
_HELD = 0.8  # of its times a word stands in a longer one: then the longer one is shown
_TELLING = 2.0  # times as frequent as elsewhere; "question" tells no group from another
_JOINED = {"ja": "・"}

_KANJI = re.compile(r"[\u3005\u3006\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_KATAKANA = re.compile(r"[\u30a1-\u30fe]{2,20}")
_ADDRESSED = re.compile(r"([\u30a1-\u30fe\u3400-\u4dbf\u4e00-\u9fff]{1,8}) ?(?:様|さま|さん|殿|氏)")
_TITLES = frozenset(
    {"frau", "herr", "herrn", "mr", "mrs", "ms", "miss", "dr", "liebe", "lieber", "geehrte"}
    | {"geehrter", "dear", "hi", "hello", "hallo", "moin", "servus"}
)
_NOBODY = Names(frozenset())
_NEVER = re.compile(r"0|\bxx")  # a number, or what stands for an address or a name


@dataclass(frozen=True, slots=True)
class Inquiry:
    text: str
    customer: str  # texts of one customer are one voice
    language: str
    name: str = ""  # of the customer: never part of what a group is called


@dataclass(frozen=True, slots=True)
class Group:
    places: tuple[int, ...]  # of the inquiries, the most typical first
    typical: tuple[int, ...]  # of different customers, where there are enough
    names: Mapping[str, str]  # by language; none where nothing may be said


@dataclass(frozen=True, slots=True)
class Found:
    groups: tuple[Group, ...]  # the closest first, of those the largest
    largest: int  # texts of the largest group, large enough or not


def apart_in(space: str) -> Sequence[float]:
    """How far apart two vectors of this space are when they no longer mean the same."""
    return APART_IN_PIECES if space.startswith("pieces") else APART


def find(
    inquiries: Sequence[Inquiry],
    vectors: Vectors,
    apart: Sequence[float] = APART,
    ours: Names = _NOBODY,
) -> Found:
    """Groups that are large enough. `vectors` are of length one; `ours` no group may bear."""
    enough: list[list[int]] = []
    left, largest = list(range(len(inquiries))), 0
    for distance in apart:
        parts = [[left[place] for place in part] for part in _parts(vectors[left], distance)]
        good = [part for part in parts if _enough([inquiries[place] for place in part])]
        enough += good
        left = sorted(set(left).difference(*good))
        largest = max([largest, *map(len, parts)])
    if not enough:
        return Found((), largest)
    enough = enough[:GROUPS]
    naming, groups = _Naming(inquiries, enough, ours), []
    for part in enough:
        order = _by_typicality(vectors, part)
        groups.append(Group(order, _typical(inquiries, order), naming.names(part)))
    return Found(tuple(groups), largest)


def _parts(vectors: Vectors, apart: float) -> list[list[int]]:
    """Average linkage: the largest part first, each in the order of its texts."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) < 2:
        return [[place] for place in range(len(vectors))]
    alike = vectors @ vectors.T
    pairs = 1.0 - alike[np.triu_indices(len(vectors), 1)]
    tree = linkage(np.maximum(pairs, 0.0), "average")
    numbers: NDArray[Any] = fcluster(tree, apart, "distance")
    found: dict[int, list[int]] = {}
    for place, number in enumerate(numbers.tolist()):
        found.setdefault(number, []).append(place)
    return sorted(found.values(), key=lambda part: (-len(part), part))


def _enough(part: Sequence[Inquiry]) -> bool:
    return len(part) >= FEWEST and len({one.customer for one in part}) >= CUSTOMERS


def _by_typicality(vectors: Vectors, part: Sequence[int]) -> tuple[int, ...]:
    own = vectors[list(part)]
    central = own @ own.mean(axis=0)
    return tuple(part[place] for place in np.argsort(-central, kind="stable").tolist())


def _typical(inquiries: Sequence[Inquiry], order: Sequence[int]) -> tuple[int, ...]:
    first: dict[str, int] = {}
    for place in order:
        first.setdefault(inquiries[place].customer, place)
    others = [place for place in order if place not in first.values()]
    chosen = {*[*first.values(), *others][:TYPICAL]}
    return tuple(place for place in order if place in chosen)


def _words_of_names(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for token in features.tokens(features.clean(name).text):
            if len(token.text) > 1:
                yield token.text


@dataclass(frozen=True, slots=True)
class _Said:
    """The terms of one text: as they are compared, and as they were written."""

    terms: Mapping[str, str]
    addressed: frozenset[str]  # people it speaks to


class _Naming:
    """What tells a group from all the others: terms by how many of its texts have them, and how
    few of all (TF-IDF by group, each text counted once)."""

    def __init__(
        self, inquiries: Sequence[Inquiry], groups: Sequence[Sequence[int]], ours: Names
    ) -> None:
        self._inquiries = inquiries
        self._ours = frozenset(_words_of_names(ours.others | ours.firms))
        grouped = set(chain(*groups))
        others = [place for place in range(len(inquiries)) if place not in grouped][:_OTHERS]
        self._said = {place: _said_of(inquiries[place], ours) for place in (*grouped, *others)}
        self._texts = Counter(term for one in self._said.values() for term in one.terms)

    def names(self, part: Sequence[int]) -> dict[str, str]:
        customers = {self._inquiries[place].name for place in part}
        people = self._ours.union(
            _words_of_names(customers), *(self._said[place].addressed for place in part)
        )
        found = {}
        for language in ("ja", "de", "en"):
            own = [place for place in part if self._inquiries[place].language == language]
            if terms := self._terms(own, people):
                found[language] = _joined(terms, _JOINED.get(language, ", "))
        if not found and (terms := self._terms(part, people)):
            found["en"] = _joined(terms, ", ")  # what the other languages borrow
        return found

    def _terms(self, part: Sequence[int], people: frozenset[str]) -> list[str]:
        texts: Counter[str] = Counter()
        written: dict[str, Counter[str]] = {}
        customers: dict[str, set[str]] = {}
        for place in part:
            for term, as_written in self._said[place].terms.items():
                texts[term] += 1
                written.setdefault(term, Counter())[as_written] += 1
                customers.setdefault(term, set()).add(self._inquiries[place].customer)
        usable = [
            term
            for term in texts
            if len(customers[term]) >= CUSTOMERS
            and not _names_somebody(term, people)
            and self._tells(term, texts[term], len(part))
        ]
        score = {
            term: texts[term] / len(part) * np.log1p(len(self._said) / self._texts[term])
            for term in usable
        }
        chosen: list[str] = []
        for term in sorted(usable, key=lambda one: (-score[one], -len(one), one)):
            longer = [
                one for one in usable if one != term and term in one
                and texts[one] >= _HELD * texts[term]
            ]  # fmt: skip
            overlaps = any(term in one or one in term for one in chosen)
            if not longer and not overlaps:
                chosen.append(term)
            if len(chosen) == _TERMS:
                break
        return [written[term].most_common(1)[0][0] for term in chosen]

    def _tells(self, term: str, inside: int, of: int) -> bool:
        """Whether it is much more frequent in the group than outside of it."""
        outside, others = self._texts[term] - inside, len(self._said) - of
        return inside * others >= _TELLING * outside * of


def _names_somebody(term: str, people: Collection[str]) -> bool:
    if _KANJI.search(term) or _KATAKANA.search(term):
        return any(term in name or name in term for name in people)
    return any(word in people for word in term.split())


def _joined(terms: Sequence[str], sign: str) -> str:
    name = terms[0][:_LONGEST]
    for term in terms[1:]:
        if len(name) + len(sign) + len(term) <= _LONGEST:
            name += sign + term
    return name[0].upper() + name[1:]


def _said_of(inquiry: Inquiry, ours: Names) -> _Said:
    text = inquiry.text
    if len(text) > _LOOKED_AT:
        beginning = text[:_LOOKED_AT]
        text = beginning.rpartition(" ")[0] or beginning  # half a word is none
    return _said(masked(text, replace(ours, own=frozenset({inquiry.name}))))


def _said(text: str) -> _Said:
    people = {found[1] for found in _ADDRESSED.finditer(text)}
    text = _ADDRESSED.sub(" ", text)
    cleaned = features.clean(text)
    tokens = features.tokens(cleaned.text)
    terms: dict[str, str] = {}
    before = -2
    beginning = 0
    for start, end in reasons.telling(tokens):
        for first, last in _pieces(cleaned.text, start, end):
            terms.setdefault(cleaned.text[first:last], _original(text, cleaned, first, last))
        latin = not _is_cjk(cleaned.text[start])
        if latin and before == start - 1 and cleaned.text[before] == " ":
            pair = cleaned.text[beginning:end]
            terms.setdefault(pair, _original(text, cleaned, beginning, end))
        before, beginning = (end if latin else -2), start
    known = {term: shown for term, shown in terms.items() if not _NEVER.search(term)}
    return _Said(known, frozenset(people.union(_addressed(tokens))))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A word itself; of a Japanese one its kanji, or any two to five of them, or its katakana."""
    if not _is_cjk(text[start]):
        yield start, end
        return
    if katakana := _KATAKANA.match(text, start, end):
        yield katakana.span()
    if kanji := _KANJI.match(text, start, end):
        first, last = kanji.span()
        for size in range(2, min(5, last - first) + 1):
            for place in range(first, last - size + 1):
                yield place, place + size


def _is_cjk(char: str) -> bool:
    return ord(char) >= 0x3000


def _original(text: str, cleaned: features.Clean, start: int, end: int) -> str:
    return " ".join(text[cleaned.starts[start] : cleaned.ends[end - 1]].split())


def _addressed(tokens: Sequence[features.Token]) -> Iterator[str]:
    for token, following in pairwise(tokens):
        if token.text in _TITLES:
            yield token.text
            yield following.text

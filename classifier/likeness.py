"""Which texts are nearly the same: sent again, or by many people who copied them.

That is about their characters, not about what they mean: two that ask the same in words of their
own are no copies. Numbers, addresses and widths of letters make no difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features, meaning

LIMIT = 2_000  # characters looked at
SHORT = 100  # characters; in a shorter text one other word already changes much
_ALIKE, _ALIKE_SHORT = 0.80, 0.65  # cosine; of 900 different inquiries none had more than 0.48

# Texts are compared when they share one of these marks: those that are three quarters alike do
# so nearly always, those that are not seldom. So a thousand texts cost a thousand times one.
_MARKS, _SMALLEST = 24, 2
_ODD = np.random.default_rng(5).integers(1, 2**63, _MARKS * _SMALLEST, dtype=np.uint64) * 2 + 1

Pieces = NDArray[np.uint64]


def duplicates(texts: Sequence[str]) -> list[list[int]]:
    """Places of texts that are nearly the same, group by group, each in order.

    What is like no other, and what says nothing, is in no group.
    """
    cleaned = [features.clean(text[:LIMIT]).text.strip() for text in texts]
    found = [_pieces(text) for text in cleaned]
    pairs = _candidates(found)
    leader = list(range(len(texts)))
    if pairs:
        alike = _alike(found, cleaned, np.array(sorted(pairs)))
        for one, other in alike.tolist():
            first, second = sorted((_first(leader, one), _first(leader, other)))
            leader[second] = first
    groups = defaultdict(list)
    for place in range(len(texts)):
        groups[_first(leader, place)].append(place)
    return [group for group in groups.values() if len(group) > 1]


def copies(text: str, others: Sequence[str]) -> list[int]:
    """Places of those `others` that are nearly the same as `text`."""
    cleaned = [features.clean(one[:LIMIT]).text.strip() for one in (text, *others)]
    found = [_pieces(one) for one in cleaned]
    pairs = [(0, place) for place in range(1, len(found)) if len(found[0]) and len(found[place])]
    if not pairs:
        return []
    alike: list[int] = (_alike(found, cleaned, np.array(pairs))[:, 1] - 1).tolist()
    return alike


def _pieces(cleaned: str) -> Pieces:
    return meaning.pieces(meaning.codes(cleaned))


def _first(leader: list[int], place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place


def _candidates(found: Sequence[Pieces]) -> set[tuple[int, int]]:
    """Pairs that share a mark: each text with the first and the latest of those that do."""
    pairs: set[tuple[int, int]] = set()
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    for place, pieces in enumerate(found):
        if not len(pieces):
            continue
        for mark in enumerate(_marks(pieces)):
            first, latest = seen.get(mark, (place, place))
            pairs |= {(one, place) for one in (first, latest) if one != place}
            seen[mark] = (first, place)
    return pairs


def _marks(pieces: Pieces) -> Iterable[int]:
    smallest = (np.unique(pieces)[:, np.newaxis] * _ODD).min(axis=0)
    marks: list[int] = (smallest[::_SMALLEST] ^ (smallest[1::_SMALLEST] >> np.uint64(1))).tolist()
    return marks


def _alike(found: Sequence[Pieces], cleaned: Sequence[str], pairs: NDArray[Any]) -> NDArray[Any]:
    """Those pairs that are nearly the same."""
    rows = _weighed(found)
    one, other = pairs[:, 0], pairs[:, 1]
    cosine = np.asarray(rows[one].multiply(rows[other]).sum(axis=1)).ravel()
    length = np.array([len(text) for text in cleaned])
    short = np.minimum(length[one], length[other]) < SHORT
    alike: NDArray[Any] = pairs[cosine >= np.where(short, _ALIKE_SHORT, _ALIKE)]
    return alike


def _weighed(found: Sequence[Pieces]) -> Any:
    """How often each piece stands in a text, damped; each row of length one.

    How rare a piece is among the texts does not count: where a hundred people copy one text, what
    each of them changed would be all that is rare.
    """
    from scipy.sparse import csr_matrix, diags

    ends = np.cumsum([0, *(len(pieces) for pieces in found)])
    _, columns = np.unique(np.concatenate(found), return_inverse=True)
    counts = csr_matrix((np.ones(len(columns)), columns.ravel(), ends))
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return diags(1 / np.maximum(length, 1e-12)) @ counts

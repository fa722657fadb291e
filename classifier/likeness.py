"""Which texts are nearly the same: sent again, or by many people who copied them.

That is about their characters, not about what they mean: two that ask the same in words of their
own are no copies. Numbers, addresses and widths of letters make no difference.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features, meaning

LIMIT = 2_000  # characters looked at
SHORT = 100  # characters; in a shorter text one other word already changes much
_ALIKE, _ALIKE_SHORT = 0.80, 0.65  # cosine; of 900 different inquiries none had more than 0.48

_MARKS, _BAND = 32, 2  # numbers kept of a text; texts are compared where so many beside are equal
_SHARED = 0.5  # of these numbers: as large a share of the pieces two texts have in common
_SEEDS = np.arange(1, _MARKS + 1, dtype=np.uint64)[:, np.newaxis] * np.uint64(0xD1342543DE82EF95)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Pieces = NDArray[np.uint64]


def copies(text: str, others: Sequence[str]) -> list[int]:
    """Places of those `others` that are nearly the same as `text`."""
    cleaned = [features.clean(one[:LIMIT]).text.strip() for one in (text, *others)]
    found = [_pieces(one) for one in cleaned]
    pairs = [(0, place) for place in range(1, len(found)) if len(found[0]) and len(found[place])]
    if not pairs:
        return []
    alike: list[int] = (_alike(found, cleaned, np.array(pairs))[:, 1] - 1).tolist()
    return alike


def families(texts: Sequence[str], writers: Sequence[str]) -> list[str]:
    """Who belongs together, by the name of one of them: writers of nearly the same text.

    Each text is compared with few others only (Broder, Compression and Complexity of Sequences,
    1997), so it takes seconds for twenty thousand; of a hundred copies one or two may be missed.
    """
    head: dict[str, str] = {}
    places: dict[tuple[int, int, int], int] = {}
    marks = [_marks(text) for text in texts]
    for place, (mine, writer) in enumerate(zip(marks, writers, strict=True)):
        for band in range(0, len(mine), _BAND):
            key = (band, int(mine[band]), int(mine[band + 1]))
            other = places.setdefault(key, place)
            one, another = _head(head, writer), _head(head, writers[other])
            if one != another and float((mine == marks[other]).mean()) >= _SHARED:
                head[one] = another
    return [_head(head, writer) for writer in writers]


def _head(head: dict[str, str], writer: str) -> str:
    while (above := head.get(writer, writer)) != writer:
        writer = above
    return writer


def _marks(text: str) -> Pieces:
    """Of any two texts, about as many of these are equal as they have pieces in common."""
    found = _pieces(features.clean(text[:LIMIT]).text.strip())
    if not len(found):
        return found
    marks: Pieces = ((found ^ _SEEDS) * _MIX).min(axis=1)
    return marks


def _pieces(cleaned: str) -> Pieces:
    return meaning.pieces(meaning.codes(cleaned))


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

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

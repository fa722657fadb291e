"""Which labelled text is most like a new one, and how like it: kept as half-precision vectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Places = NDArray[np.intp]

_SHOWN = 3
_LOOKED_AT = 64
_AT_ONCE = 256
_PAIRED = 64  # texts, with each one known

WIDTH = 1_024  # numbers of a sketch: cosines come out within some hundredths


@lru_cache(maxsize=4)
def buckets(size: int) -> tuple[Places, Vectors]:
    """Where each feature is added in a sketch, and with which sign: fixed for all times."""
    mixed = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    where = (mixed >> np.uint64(40)) % np.uint64(WIDTH)
    sign = ((mixed >> np.uint64(33)) & np.uint64(1)).astype(np.float32) * 2 - 1
    return where.astype(np.intp), sign


def sketches(matrix: Any) -> Vectors:
    """Short vectors in place of long sparse rows, with nearly the same angles between them."""
    where, sign = buckets(matrix.shape[1])
    rows = np.zeros((matrix.shape[0], WIDTH), dtype=np.float32)
    # All rows at once would be held several times over, in double precision.
    for start in range(0, len(rows), _AT_ONCE):
        part = matrix[start : start + _AT_ONCE]
        count = part.shape[0]
        places = np.repeat(np.arange(count) * WIDTH, np.diff(part.indptr)) + where[part.indices]
        added = np.bincount(places, part.data * sign[part.indices], minlength=count * WIDTH)
        rows[start : start + count] = unit(added.reshape(count, WIDTH))
    return rows


def sketch(columns: Places, values: NDArray[np.float64], size: int) -> Vectors:
    """The sketch of one row."""
    where, sign = buckets(size)
    added = np.bincount(where[columns], values * sign[columns], minlength=WIDTH)
    row: Vectors = unit(added[np.newaxis].astype(np.float32))[0]
    return row


def unit(rows: NDArray[Any]) -> Vectors:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Vectors = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return result.astype(np.float32)


def halve(rows: Vectors) -> None:
    """Round to half precision, as on disk, so that a model answers alike before and after."""
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows[part] = rows[part].astype(np.float16)


def likest(asked: Any, known: Vectors) -> Vectors:
    """How like each of these, vectors or rows to be sketched, the most alike of those is. All
    pairs at once, or all sketches, would fill the memory."""
    found = np.zeros(asked.shape[0], dtype=np.float32)
    for start in range(0, len(found), _PAIRED):
        part = slice(start, start + _PAIRED)
        rows = asked[part] if isinstance(asked, np.ndarray) else sketches(asked[part])
        found[part] = (rows @ known.T).max(axis=1)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The texts a model learned from: what they mean, what they are called, how they are labelled.

    A label is its place in the head's labels, or -1 for a text that head did not learn from.
    """

    vectors: Vectors
    refs: tuple[str, ...]
    labels: dict[str, NDArray[np.int16]]  # by head

    def likeness(self, vector: Vectors) -> Vectors:
        result: Vectors = self.vectors @ vector
        return result

    def nearest(self, head: str, likeness: Vectors) -> Iterator[tuple[int, int, float]]:
        """Place, label and likeness of the texts most like it that can be shown, best first."""
        labels = self.labels[head]
        shown = 0
        for place in _falling(likeness):
            if likeness[place] <= 0:
                return
            if labels[place] >= 0 and self.refs[place]:
                yield place, int(labels[place]), float(likeness[place])
                shown += 1
                if shown == _SHOWN:
                    return


def _falling(values: Vectors) -> Iterator[int]:
    """Places of the highest values first. Few are ever wanted, so the rest is sorted last."""
    least = np.partition(values, -_LOOKED_AT)[-_LOOKED_AT] if len(values) > _LOOKED_AT else -np.inf
    for chosen in (values >= least, values < least):
        places = np.flatnonzero(chosen)
        yield from places[np.argsort(-values[places], kind="stable")].tolist()

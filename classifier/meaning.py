"""What a text means as the bytes that are stored, and how alike such bytes are.

Vectors of one space can be compared, those of different ones never. Numpy is all that is needed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier import features
from classifier.encoders import Encoder
from classifier.nearest import Vectors, unit

WIDTH = 512  # numbers of a vector made without an encoder, as many as with the usual one

_VERSION = 1  # raise it when the same text would get another vector
_HALF = np.dtype("<f2")
_PIECES = "pieces"
_LONGEST = 5  # characters of a piece
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CJK_FROM = 0x2E80  # in scripts written without blanks two characters already say something
_HIRAGANA, _GRAMMAR = (0x3040, 0x309F), 4  # fewer than four of only these are grammar


# From this cosine on two texts mean nearly the same, and from that on one may copy the other.
_CLOSE, _MAYBE_COPY = 0.65, 0.5
_CLOSE_PIECES, _MAYBE_COPY_PIECES = 0.45, 0.45


@dataclass(frozen=True, slots=True)
class Stored:
    """A vector as it was kept; the later, the higher its number."""

    number: int
    space: str
    vector: bytes


def space_of(encoder: Encoder) -> str:
    """The same for vectors that can be compared."""
    if not encoder.width:
        return f"{_PIECES}-{_VERSION}.{features.VERSION}"
    return f"{encoder.name}-{encoder.fingerprint[:16]}-{_VERSION}.{features.VERSION}"


def packed(vector: Vectors) -> bytes:
    """In half precision; b"" when nothing was said."""
    return vector.astype(_HALF).tobytes() if vector.any() else b""


def unpacked(stored: Sequence[bytes]) -> Vectors:
    """A row for each, of length one. All must be of one space."""
    rows = np.frombuffer(b"".join(stored), dtype=_HALF).reshape(len(stored), -1)
    return unit(rows.astype(np.float32))


def close(space: str) -> float:
    return _CLOSE_PIECES if space.startswith(_PIECES) else _CLOSE


def maybe_copy(space: str) -> float:
    return _MAYBE_COPY_PIECES if space.startswith(_PIECES) else _MAYBE_COPY


def nearest(asked: Sequence[Stored], shelf: Sequence[Stored], most: int) -> list[dict[int, float]]:
    """For each the numbers of those before it in its space, and their cosines, likest first."""
    found: list[dict[int, float]] = [{} for _ in asked]
    kinds: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, one in enumerate(asked):
        kinds[one.space, len(one.vector)].append(place)
    for kind, places in kinds.items():
        there = [one for one in shelf if (one.space, len(one.vector)) == kind]
        if not there:
            continue
        numbers = np.array([one.number for one in there])
        rows = unpacked([asked[place].vector for place in places])
        for place, cosines in zip(
            places, rows @ unpacked([x.vector for x in there]).T, strict=True
        ):
            before = np.flatnonzero(numbers < asked[place].number)
            order = before[np.argsort(-cosines[before], kind="stable")[:most]]
            found[place] = {int(numbers[one]): float(cosines[one]) for one in order}
    return found


def of_pieces(cleaned: str) -> Vectors:
    """Stands in for an encoder: pieces of words, each added somewhere in a short vector.

    Where is fixed for all times and all models, so the vectors outlive the model. `cleaned` is
    what `features.clean` made of the text.
    """
    found = pieces(codes(cleaned))
    if not len(found):
        return np.zeros(WIDTH, dtype=np.float32)
    sign = ((found >> np.uint64(33)) & np.uint64(1)).astype(np.float64) * 2 - 1
    where = ((found >> np.uint64(40)) % np.uint64(WIDTH)).astype(np.intp)
    added = np.bincount(where, sign, minlength=WIDTH)
    added = np.sign(added) * np.log1p(np.abs(added))
    row: Vectors = unit(added[np.newaxis].astype(np.float32))[0]
    return row


def codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)


def pieces(signs: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """A number for each piece of three to five characters of a word, its edges being blanks; of
    scripts without blanks also of two. All at once: one by one they would take a hundred times
    as long."""
    padded = np.concatenate(([32], signs, [32])).astype(np.uint64)
    gap = _gaps(padded)
    padded[gap] = 32
    wide = padded >= _CJK_FROM
    telling = ~((padded >= _HIRAGANA[0]) & (padded <= _HIRAGANA[1]))
    gaps, tells = (np.concatenate(([0], np.cumsum(each))) for each in (gap, telling))
    found = []
    hashed = padded.copy()
    for size in range(2, min(_LONGEST, len(padded)) + 1):
        count = len(padded) - size + 1
        hashed = (hashed[:count] * _MIX) ^ padded[size - 1 :]
        # A blank may stand at an edge, nowhere else.
        whole = gaps[size - 1 : size - 1 + count] == gaps[1 : 1 + count]
        if size == 2:
            whole &= wide[:count] & wide[1:]
        if size < _GRAMMAR:
            whole &= tells[size:] != tells[:count]
        found.append((hashed[whole] * _MIX) ^ np.uint64(size))
    return _stirred(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint64)


def _gaps(signs: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """What is no letter, digit or sign of a script: ASCII and the punctuation of East Asia."""
    ascii_word = ((signs >= 48) & (signs <= 57)) | ((signs >= 97) & (signs <= 122)) | (signs == 95)
    other = (signs >= 0xC0) & ~((signs >= 0x2000) & (signs < 0x3040) & (signs != 0x3005))
    other &= ~((signs >= 0xFF00) & (signs < 0xFF66))
    gaps: NDArray[np.bool_] = ~(ascii_word | other)
    return gaps


def _stirred(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return (numbers ^ (numbers >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)

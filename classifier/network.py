"""The sums of the sentence encoder, in numpy: pieces of words in, one vector for each text out.

Google's multilingual universal sentence encoder reads a text with three branches, which look at
two, three and five neighbouring pieces, twice; adds up what they found, and takes four steps from
there. Most of the first look is what a piece contributes wherever it stands. That is kept for the
pieces met lately, so that only what depends on their neighbours is left to work out.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Places = NDArray[np.intp]

_PARTS = 17  # of the table of pieces: piece n stands in part n % 17, row n // 17
_WIDE = 512  # numbers of one piece, and of a vector
_NARROW = 256  # numbers of one piece in one branch
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # pieces looked at, and how many of them stand before
_MARGIN = 2  # rows of nothing around a text: as far as a branch can look
_AT_ONCE = 384  # pieces; with more the sums no longer stay close to the processor
_KEPT = 2_048  # pieces whose contributions are kept: 27 MB


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    size: int
    before: int
    first: Vectors  # what a piece contributes to each of the rows that look at it
    first_bias: Vectors
    second: Vectors
    second_bias: Vectors
    own: slice  # the piece itself, in a row of contributions …
    shares: tuple[slice, ...]  # … and what it gives to each row that looks at it


class Network:
    def __init__(self, weights: Path, *, kept: int = _KEPT) -> None:
        with np.load(weights, allow_pickle=False) as stored:
            rows = stored["q1"].shape
            self._table = np.empty((_PARTS * rows[0], rows[1]), dtype=np.uint8)
            for part in range(_PARTS):
                self._table[part::_PARTS] = stored[f"q{part + 1}"]
            self._weights: dict[str, Any] = {
                name: stored[name] for name in stored.files if not name.startswith("q")
            }
        sizes = [size for size, _ in _BRANCHES]
        for name in ("proj", "proj_b", "ln_g", "ln_b"):
            found = [self._weights.pop(f"{name}{size}") for size in sizes]
            self._weights[f"{name}_all"] = np.concatenate(found, axis=-1)
        self._branches = tuple(self._branch(place) for place in range(len(_BRANCHES)))
        self._lock = threading.Lock()
        wide = self._branches[-1].shares[-1].stop
        self._kept = np.zeros((kept + 1, wide), dtype=np.float32)  # the last row is nothing
        self._piece = np.full(kept, -1, dtype=np.intp)  # whose contributions stand in a row
        self._row = np.full(len(self._table), -1, dtype=np.intp)  # where those of a piece stand
        self._met = np.zeros(kept, dtype=np.int64)  # when they were last wanted
        self._now = 0

    def _branch(self, place: int) -> _Branch:
        size, before = _BRANCHES[place]
        of_pieces, of_rows = self._weights.pop(f"w1_{size}"), self._weights.pop(f"w2_{size}")
        begin = _NARROW * (len(_BRANCHES) + sum(size for size, _ in _BRANCHES[:place]))
        places = [begin + _NARROW * step for step in range(size)]
        return _Branch(
            size,
            before,
            first=np.hstack(np.split(of_pieces, size)),
            first_bias=self._weights.pop(f"b1_{size}"),
            second=of_rows,
            second_bias=self._weights.pop(f"b2_{size}"),
            own=slice(_NARROW * place, _NARROW * (place + 1)),
            shares=tuple(slice(start, start + _NARROW) for start in places),
        )

    def encode(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Each text as its pieces, one at least."""
        found = [self._together(group) for group in _groups(texts)]
        return np.concatenate(found) if found else np.zeros((0, _WIDE), dtype=np.float32)

    def _together(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Texts one after the other, with a margin between that no branch can look over."""
        lengths = np.array([len(text) for text in texts])
        ends = np.cumsum(lengths + _MARGIN)
        starts = ends - lengths - _MARGIN
        pieces = np.full(int(ends[-1]) + _MARGIN, -1, dtype=np.intp)
        for start, text in zip(starts + _MARGIN, texts, strict=True):
            pieces[start : start + len(text)] = text
        features = self._features(pieces)
        features -= features.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", features, features) / features.shape[1]
        scale = np.reciprocal(np.sqrt(spread + float(self._weights["eps"])))
        sums = np.stack(
            [
                scale[start : start + length] @ features[start : start + length]
                for start, length in zip(starts, lengths, strict=True)
            ]
        )
        sums *= self._weights["ln_g"]
        sums += lengths[:, np.newaxis] * self._weights["ln_b"]
        return self._summed_up(sums, lengths[:, np.newaxis].astype(np.float32))

    def _features(self, pieces: Places) -> Vectors:
        """What is known of each place inside the margins: its piece, and what each branch saw."""
        contributed = self._contributed(pieces)
        between = pieces[_MARGIN:-_MARGIN]
        rows, nothing = len(between), between < 0
        features = np.empty((rows, _WIDE + _NARROW * len(_BRANCHES)), dtype=np.float32)
        features[:, :_WIDE] = self._embedded(np.where(nothing, 0, between))
        seen = np.zeros((len(pieces), _NARROW), dtype=np.float32)
        inside = seen[_MARGIN:-_MARGIN]
        for number, branch in enumerate(self._branches):
            inside[:] = branch.first_bias
            looks = [slice(start, start + rows) for start in _looks(branch)]
            for look, share in zip(looks, branch.shares, strict=True):
                inside += contributed[look, share]
            np.maximum(inside, 0, out=inside)
            inside += contributed[_MARGIN:-_MARGIN, branch.own]
            inside[nothing] = 0
            around = np.concatenate([seen[look] for look in looks], axis=1)
            begin = _WIDE + _NARROW * number
            found = np.matmul(around, branch.second)
            found += branch.second_bias
            np.maximum(found, 0, out=found)
            np.add(found, inside, out=features[:, begin : begin + _NARROW])
        return features

    def _contributed(self, pieces: Places) -> Vectors:
        """What each piece contributes wherever it stands; of -1, nothing."""
        different = np.unique(pieces[pieces >= 0])
        with self._lock:
            nothing = len(self._kept) - 1
            if len(different) > nothing:
                kept = np.vstack([self._alone(different), self._kept[-1:]])
                rows = np.where(pieces < 0, len(different), np.searchsorted(different, pieces))
                return kept[rows]
            self._keep(different)
            return np.take(self._kept, np.where(pieces < 0, nothing, self._row[pieces]), axis=0)

    def _keep(self, different: Places) -> None:
        """New ones take the rows of those that were not met for longest."""
        self._now += 1
        rows = self._row[different]
        self._met[rows[rows >= 0]] = self._now
        new = different[rows < 0]
        if not len(new):
            return
        freed = np.argpartition(self._met, len(new) - 1)[: len(new)]
        gone = self._piece[freed]
        self._row[gone[gone >= 0]] = -1
        self._kept[freed] = self._alone(new)
        self._piece[freed], self._row[new], self._met[freed] = new, freed, self._now

    def _alone(self, pieces: Places) -> Vectors:
        weights = self._weights
        own = self._embedded(pieces) @ weights["proj_all"]
        own += weights["proj_b_all"]
        own -= own.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", own, own) / own.shape[1]
        own *= np.reciprocal(np.sqrt(spread + float(weights["eps"])))[:, np.newaxis]
        own *= weights["ln_g_all"]
        own += weights["ln_b_all"]
        shares = [own[:, branch.own] @ branch.first for branch in self._branches]
        return np.concatenate([own, *shares], axis=1)

    def _embedded(self, pieces: Places) -> Vectors:
        part = pieces % _PARTS
        found: Vectors = self._table[pieces].astype(np.float32)
        found *= self._weights["scale"][part, np.newaxis]
        found += self._weights["lo"][part, np.newaxis]
        return found

    def _summed_up(self, sums: Vectors, lengths: Vectors) -> Vectors:
        """The four steps from what was found in a text to what it means, of length one."""
        weights = self._weights
        mean = sums @ weights["cnn_W"]
        mean += lengths * weights["cnn_b"]
        mean *= np.reciprocal(np.sqrt(lengths))
        one = np.maximum(mean @ weights["d0"], 0)
        two = np.maximum(mean @ weights["p1"] + one @ weights["d1"], 0)
        three = np.maximum(two @ weights["d2"], 0)
        said: Vectors = np.tanh(two @ weights["p3"] + three @ weights["d3"])
        squares = np.einsum("ij,ij->i", said, said)[:, np.newaxis]
        said *= np.reciprocal(np.sqrt(np.maximum(squares, float(weights["eps"]))))
        return said


def _looks(branch: _Branch) -> Iterator[int]:
    """Where what a place looks at begins, with the margin before."""
    for step in range(branch.size):
        yield _MARGIN + step - branch.before


def _groups(texts: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
    begin = pieces = 0
    for place, text in enumerate(texts):
        if begin < place and pieces + len(text) > _AT_ONCE:
            yield texts[begin:place]
            begin, pieces = place, 0
        pieces += len(text)
    if texts:
        yield texts[begin:]

"""Texts to learn from, counted and encoded once for every head and every fold."""

import warnings
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features
from classifier.encoders import Encoder, Vectors

Places = NDArray[np.intp]

_FOLDS = 5
_MANY = 2_000  # rows; more are tested in fewer folds, or fitting would take its time twice
_FEW_FOLDS = 3
_AT_ONCE = 2_048  # rows


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    group: str  # texts of one group are never on both sides of a test: a firm's, a customer's
    language: str
    described: bool = False  # words of the taxonomy: learned from, never tested on
    ref: str = ""  # what it is called when it is shown as the nearest
    by: str = ""  # who wrote it, where that is not the whole group

    @property
    def writer(self) -> str:
        return self.by or self.group


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The features that count: which columns of all there are, and how rare each is."""

    columns: tuple[Places, ...]  # by block
    idf: tuple[NDArray[np.float64], ...]

    @property
    def size(self) -> int:
        return sum(len(columns) for columns in self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    texts: Sequence[Text]
    names: tuple[Sequence[str], ...]  # by block
    counts: tuple[Any, ...]  # by block: a sparse row for each text
    vectors: Vectors

    def space(self, places: Sequence[int] | Places, rarest: int) -> Space:
        """What at least `rarest` writers among these wrote, and all that we ourselves did.

        What one customer alone wrote may be a name, and hardly teaches anything.
        """
        columns, idf = [], []
        described = np.array([self.texts[place].described for place in places], dtype=np.bool_)
        writers = _members([self.texts[place].writer for place in places])
        for block in self.counts:
            there = block[places]
            there.data = np.ones_like(there.data)
            often = np.asarray(there.sum(axis=0)).ravel()
            kept = np.flatnonzero(often)
            if rarest > 1:
                kept = _shared(there, writers, described, rarest)
            columns.append(kept.astype(np.intp))
            idf.append(np.log((1 + len(described)) / (1 + often[kept])) + 1)
        return Space(tuple(columns), tuple(idf))

    def matrix(self, space: Space, places: Sequence[int] | Places) -> Any:
        """TF-IDF with the logarithm of counts, each block of length one.

        Some rows after the other, each set down where it stays: all at once would be held thrice.
        """
        from scipy.sparse import csr_matrix

        places = np.asarray(places, dtype=np.intp)
        most = sum(int(np.diff(block.indptr)[places].sum()) for block in self.counts)
        values, columns = np.empty(most), np.empty(most, dtype=np.int32)
        ends = np.zeros(len(places) + 1, dtype=np.int32)
        for start in range(0, len(places), _AT_ONCE):
            part = self._rows(space, places[start : start + _AT_ONCE])
            begun = ends[start]
            values[begun : begun + part.nnz] = part.data
            columns[begun : begun + part.nnz] = part.indices
            ends[start + 1 : start + _AT_ONCE + 1] = begun + part.indptr[1:]
        shape = (len(places), space.size)
        return csr_matrix((values[: ends[-1]], columns[: ends[-1]], ends), shape=shape)

    def _rows(self, space: Space, places: Places) -> Any:
        from scipy.sparse import hstack
        from sklearn.preprocessing import normalize

        blocks = []
        for block, columns, idf in zip(self.counts, space.columns, space.idf, strict=True):
            part = block[places][:, columns].astype(np.float64)
            part.data = (1 + np.log(part.data)) * idf[part.indices]
            blocks.append(normalize(part, copy=False))
        return hstack(blocks, format="csr")


def gather(texts: Sequence[Text], encoder: Encoder, rarest: int = 1) -> Material:
    """What fewer than `rarest` writers wrote will count nowhere: it is forgotten at once."""
    writers = _members([text.writer for text in texts])
    described = np.array([text.described for text in texts], dtype=np.bool_)
    vectors = encoder.encode([text.text for text in texts])
    encoder.rest()  # learning takes its memory
    names, counts = [], []
    for known, counted in _counted(texts):
        kept: Places = np.arange(len(known))
        if rarest > 1:
            kept = _shared(counted, writers, described, rarest)
        kept = np.array(sorted(kept, key=known.__getitem__), dtype=np.intp)
        block = counted[:, kept]
        block.sort_indices()  # or each look at some rows would do it again
        counts.append(block)
        names.append([known[place] for place in kept])
    return Material(texts, tuple(names), tuple(counts), vectors)


def _counted(texts: Sequence[Text]) -> Iterator[tuple[list[str], Any]]:
    """Of each block the names, and how often each stands in each text."""
    blocks = (_Block(), _Block())
    of_words: dict[str, Places] = {}
    for text in texts:
        found = features.tokens(features.clean(text.text).text)
        blocks[0].add([blocks[0].columns(features.word_features(found).names)])
        runs = [token for token in found if token.cjk]
        pieces = [blocks[1].columns(features.char_features(runs).names)]
        for token in found:
            if token.cjk or token.text in features.PLACEHOLDERS:
                continue
            # The same words come again and again: each is taken to pieces once.
            known = of_words.get(token.text)
            if known is None:
                known = blocks[1].columns(features.pieces_of(token.text).names)
                of_words[token.text] = known
            pieces.append(known)
        blocks[1].add(pieces)
    for block in blocks:
        yield block.names(), block.matrix()


class _Block:
    """Counts features text by text. The names of all texts at once would fill the memory."""

    def __init__(self) -> None:
        self._known: defaultdict[str, int] = defaultdict()
        self._known.default_factory = self._known.__len__
        self._columns, self._counts, self._ends = array("i"), array("f"), array("i", [0])

    def columns(self, names: Sequence[str]) -> Places:
        return np.array([self._known[name] for name in names], dtype=np.int32)

    def add(self, found: Sequence[Places]) -> None:
        """A text, by the columns of all that stands in it."""
        columns, counts = np.unique(np.concatenate(found), return_counts=True)
        self._columns.frombytes(columns.tobytes())
        self._counts.frombytes(counts.astype(np.float32).tobytes())
        self._ends.append(len(self._columns))

    def names(self) -> list[str]:
        return list(self._known)

    def matrix(self) -> Any:
        from scipy.sparse import csr_matrix

        counts = np.frombuffer(self._counts, dtype=np.float32)
        columns, ends = (np.frombuffer(one, dtype=np.int32) for one in (self._columns, self._ends))
        return csr_matrix((counts, columns, ends), shape=(len(ends) - 1, len(self._known)))


def _shared(block: Any, writers: Any, described: NDArray[np.bool_], rarest: int) -> Places:
    """The columns that at least `rarest` writers wrote, or we ourselves."""
    together = writers @ block
    often = np.bincount(together.indices, minlength=block.shape[1])
    ours = np.asarray(block[described].sum(axis=0)).ravel()
    return np.flatnonzero((often >= rarest) | (ours > 0))


def _members(writers: Sequence[str]) -> Any:
    """Who wrote which row, as a sparse matrix."""
    from scipy.sparse import csr_matrix

    number = {writer: place for place, writer in enumerate(dict.fromkeys(writers))}
    rows = [number[writer] for writer in writers]
    ones = np.ones(len(writers), dtype=np.float32)
    return csr_matrix((ones, (rows, range(len(writers)))), shape=(len(number), len(writers)))


def folds(
    labels: Sequence[str], groups: Sequence[str], *, count: int = 0
) -> Iterator[tuple[Places, Places]]:
    """Places to learn from and to test on; groups stay whole. None when there is too little."""
    from sklearn.model_selection import StratifiedGroupKFold

    wanted = count or (_FOLDS if len(labels) <= _MANY else _FEW_FOLDS)
    count = min(wanted, len(set(groups)), max(Counter(labels).values(), default=0))
    if count < 2:
        return
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # A label with fewer texts than folds is simply not in every fold.
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from splitter.split(labels, labels, groups)

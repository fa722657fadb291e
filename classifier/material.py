"""Texts to learn from, counted and encoded once for every head and every fold."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features
from classifier.encoders import Encoder, Vectors

Places = NDArray[np.intp]

_FOLDS = 5
_MANY = 3_000  # rows; more are tested in fewer folds, or fitting would take its time twice
_FEW_FOLDS = 3


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
        """TF-IDF with the logarithm of counts, each block of length one."""
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
    from sklearn.feature_extraction.text import CountVectorizer

    writers = _members([text.writer for text in texts])
    described = np.array([text.described for text in texts], dtype=np.bool_)
    vectors = encoder.encode([text.text for text in texts])
    encoder.rest()  # learning takes its memory
    names, counts = [], []
    for read in (features.words_of, features.chars_of):
        # One text at a time: the names of all of them at once would fill the memory.
        counter = CountVectorizer(analyzer=read, dtype=np.float32)
        block = counter.fit_transform(text.text for text in texts)
        known = counter.get_feature_names_out()
        del counter
        if rarest > 1:
            kept = _shared(block, writers, described, rarest)
            block, known = block[:, kept], known[kept]
        counts.append(block)
        names.append([str(name) for name in known])
    return Material(texts, tuple(names), tuple(counts), vectors)


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

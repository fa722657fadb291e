"""The scores a head is made of: each a linear learner with a column of weights for every label."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]  # a number for each word and label: the most that learning holds

_STEEP = 10.0  # a cosine reaches from -1 to 1 only; scores reach further
_LABELS = 32
_AT_ONCE = 1_024  # rows
_SHRUNK = 0.8  # of the directions in which texts of one label differ: taken as all alike
_CLOSE = 0.01  # how far from its end the machine may stop; nearer takes twice as long
_SMOOTHING = 0.3  # as if each word had stood this often with every label


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    weights: Weights
    bias: Floats
    first: int = 0  # of the columns it weighs

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + len(self.weights))

    def scores(self, matrix: Any) -> Floats:
        if len(self.weights) < matrix.shape[1]:
            matrix = matrix[:, self.columns]
        result: Floats = np.empty((matrix.shape[0], len(self.bias)))
        # Some labels at a time: sparse rows want weights as precise as they are, twice the size.
        for start in range(0, len(self.bias), _LABELS):
            part = slice(start, start + _LABELS)
            result[:, part] = matrix @ self.weights[:, part]
        result += self.bias
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is learned from: rows of features, of vectors, and the right column for each."""

    matrix: Any
    vectors: NDArray[np.floating[Any]]
    truth: NDArray[np.intp]
    weights: Floats
    width: int  # of all labels, also those no row here has
    words: int = 0  # as many features come first that are words; the others are pieces of them


def machine(lesson: Lesson, first: int = 0, end: int | None = None) -> Linear:
    """A support vector machine on words and characters, or on the columns from `first` to `end`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    learner = LinearSVC(random_state=0, tol=_CLOSE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps change no answer
        rows = lesson.matrix[:, first:end] if first or end else lesson.matrix
        learner.fit(rows, lesson.truth, sample_weight=lesson.weights)
    found = _placed(learner.classes_, learner.coef_, learner.intercept_, lesson.width)
    return replace(found, first=first)


def regressions(lesson: Lesson, strengths: Sequence[float]) -> list[Linear]:
    """Logistic regressions on what the encoder says, the weakest first."""
    from sklearn.linear_model import LogisticRegression

    # The more labels, the less each one's mistakes move the mean, by which the search ends.
    learner = LogisticRegression(max_iter=300, tol=1e-3 / lesson.width, warm_start=True)
    found = []
    for strength in strengths:
        learner.set_params(C=strength)
        learner.fit(lesson.vectors, lesson.truth, sample_weight=lesson.weights)
        found.append(_placed(learner.classes_, learner.coef_, learner.intercept_, lesson.width))
    return found


def centres(lesson: Lesson) -> Linear:
    """The cosine to the middle of each label's words and characters."""
    from scipy.sparse import csr_matrix

    rows = np.arange(len(lesson.truth))
    shape = (lesson.width, len(rows))
    sums = csr_matrix((lesson.weights, (lesson.truth, rows)), shape=shape) @ lesson.matrix
    middle = np.zeros((lesson.matrix.shape[1], lesson.width), dtype=np.float32)
    for label in range(lesson.width):  # all labels at once would be held in double precision
        row = sums[label].toarray()[0]
        middle[:, label] = row / (np.linalg.norm(row) or 1.0) * _STEEP
    return Linear(middle, np.zeros(lesson.width))


def discriminants(lesson: Lesson) -> Linear:
    """How near what the encoder says is to the middle of each label's texts, where a direction in
    which texts of one label differ anyway counts less.

    (Linear discriminant analysis. What a few texts tell of directions is believed little of.)
    """
    known, truth = np.unique(lesson.truth, return_inverse=True)
    width = lesson.vectors.shape[1]
    middle = _sums(truth, lesson) / np.bincount(truth, lesson.weights)[:, np.newaxis]
    spread = np.zeros((width, width))
    for start in range(0, len(truth), _AT_ONCE):  # all at once would be held in double precision
        part = slice(start, start + _AT_ONCE)
        away = lesson.vectors[part] - middle[truth[part]]
        spread += away.T @ away
    alike = float(np.trace(spread)) / width or 1.0
    spread *= (1 - _SHRUNK) / alike
    spread[np.diag_indices(width)] += _SHRUNK
    weights = _STEEP * np.asarray(np.linalg.solve(spread, middle.T).T, dtype=np.float64)
    return _placed(known, weights, -0.5 * (weights * middle).sum(axis=1), lesson.width)


def _sums(truth: NDArray[np.intp], lesson: Lesson) -> Floats:
    """Of the vectors of each label."""
    from scipy.sparse import csr_matrix

    weights = lesson.weights.astype(lesson.vectors.dtype)  # or the vectors would be doubled in size
    ones = csr_matrix((weights, (truth, np.arange(len(truth)))))
    sums: Floats = np.asarray(ones @ lesson.vectors, dtype=np.float64)
    return sums


def bayes(lesson: Lesson) -> Linear:
    """Complement naive Bayes on words and characters: quick to learn from a few texts.

    (Rennie and others, International Conference on Machine Learning, 2003.) As scikit-learn's
    learner, which holds six arrays as large as this one.
    """
    from scipy.sparse import csr_matrix

    known, truth = np.unique(lesson.truth, return_inverse=True)
    shape = (len(known), len(truth))
    counts = csr_matrix((lesson.weights, (truth, np.arange(len(truth)))), shape=shape)
    weights = (counts @ lesson.matrix).toarray()
    # How often each word stands with all other labels: the less often, the more it says.
    np.subtract(weights.sum(axis=0) + _SMOOTHING, weights, out=weights)
    weights /= weights.sum(axis=1, keepdims=True)
    np.log(weights, out=weights)
    # What all labels share says nothing about any, and half precision would drown in it.
    np.subtract(weights.mean(axis=0), weights, out=weights)
    return _placed(known, weights, np.zeros(len(weights)), lesson.width)


def _placed(known: NDArray[np.intp], weights: Floats, bias: Floats, width: int) -> Linear:
    """Columns where they belong. A label no row had scores like the least likely that had one."""
    if len(known) == 2 and len(weights) == 1:
        # scikit-learn keeps one column for two labels; we keep one for each.
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    wide = np.zeros((weights.shape[1], width), dtype=np.float32)
    wide[:, known] = weights.T
    lowest = np.full(width, float(bias.min()) - 2.0)
    lowest[known] = bias
    return Linear(wide, lowest)

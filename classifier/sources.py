"""The scores a head is made of: each a linear learner with a column of weights for every label."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]  # a number for each word and label: the most that learning holds

_STEEP = 10.0  # a cosine reaches from -1 to 1 only; scores reach further
_SMOOTHING = 0.3  # as if each word had stood this often with every label


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    weights: Weights
    bias: Floats

    def scores(self, matrix: Any) -> Floats:
        result: Floats = np.asarray(matrix @ self.weights) + self.bias
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is learned from: rows of features, of vectors, and the right column for each."""

    matrix: Any
    vectors: NDArray[np.floating[Any]]
    truth: NDArray[np.intp]
    weights: Floats
    width: int  # of all labels, also those no row here has


def machine(lesson: Lesson) -> Linear:
    """A support vector machine on words and characters."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    learner = LinearSVC(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps change no answer
        learner.fit(lesson.matrix, lesson.truth, sample_weight=lesson.weights)
    return _placed(learner.classes_, learner.coef_, learner.intercept_, lesson.width)


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


def centres(lesson: Lesson, inputs: Any) -> Linear:
    """The cosine to the middle of each label's texts."""
    from scipy.sparse import csr_matrix

    rows = np.arange(len(lesson.truth))
    shape = (lesson.width, len(rows))
    weights = lesson.weights.astype(inputs.dtype)  # or the inputs would be doubled in size
    sums = csr_matrix((weights, (lesson.truth, rows)), shape=shape) @ inputs
    middle = np.asarray(sums.todense() if hasattr(sums, "todense") else sums, dtype=np.float64)
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    middle /= np.where(length > 0, length, 1.0)
    middle *= _STEEP
    return Linear(np.ascontiguousarray(middle.T, dtype=np.float32), np.zeros(lesson.width))


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

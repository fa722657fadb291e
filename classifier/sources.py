"""The scores a head is made of: each a linear learner with a column of weights for every label."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEEP = 10.0  # a cosine reaches from -1 to 1 only; scores reach further


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    weights: Floats
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
    middle = _STEEP * np.divide(middle, length, out=np.zeros_like(middle), where=length > 0)
    return Linear(np.ascontiguousarray(middle.T), np.zeros(lesson.width))


def bayes(lesson: Lesson) -> Linear:
    """Complement naive Bayes on words and characters: quick to learn from a few texts."""
    from sklearn.naive_bayes import ComplementNB

    learner = ComplementNB(alpha=0.3)
    learner.fit(lesson.matrix, lesson.truth, sample_weight=lesson.weights)
    weights = learner.feature_log_prob_
    # What all labels share says nothing about any, and half precision would drown in it.
    weights = weights - weights.mean(axis=0)
    return _placed(learner.classes_, weights, np.zeros(len(weights)), lesson.width)


def _placed(known: NDArray[np.intp], weights: Floats, bias: Floats, width: int) -> Linear:
    """Columns where they belong. A label no row had scores like the least likely that had one."""
    if len(known) == 2 and len(weights) == 1:
        # scikit-learn keeps one column for two labels; we keep one for each.
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    wide = np.zeros((weights.shape[1], width))
    wide[:, known] = weights.T
    lowest = np.full(width, float(bias.min()) - 2.0)
    lowest[known] = bias
    return Linear(wide, lowest)

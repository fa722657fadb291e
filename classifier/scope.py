"""Whether a text is an inquiry at all: learned from texts that are none, where there are enough."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier import sources
from classifier.material import Material, Space, folds
from classifier.model import Scope
from classifier.sources import Lesson, Linear

_FEWEST = 30  # texts that are no inquiries, before anything is learned from them
_STRENGTH = 3.0
_WORTH = 0.5  # of the scores, beside likeness and the best score of a head

Places = NDArray[np.intp]
Floats = NDArray[np.float64]


def fit(material: Material, inside: Sequence[int], outside: Sequence[int], space: Space) -> Scope:
    """A text scores above nothing when it rather is one. Without enough texts all score nothing."""
    sparse, dense = np.zeros(space.size), np.zeros(material.vectors.shape[1])
    if not inside or len(outside) < _FEWEST:
        return Scope(sparse.astype(np.float16), dense.astype(np.float32), 0.0)
    words, meaning = _learn(material, np.array([*inside, *outside]), len(inside), space)
    bias = float(words.bias[1])
    if meaning is not None:
        dense += meaning.weights[:, 1]
        bias += float(meaning.bias[1])
    sparse += words.weights[:, 1]
    bias = float(np.float32(bias))  # as on disk, so that both answer alike
    return Scope(sparse.astype(np.float16), dense.astype(np.float16).astype(np.float32), bias)


def out_of_fold(
    material: Material, inside: Sequence[int], outside: Sequence[int], rarest: int
) -> Floats:
    """What each text of the material would score had it not been learned from."""
    scores = np.zeros(len(material.texts))
    if not inside or len(outside) < _FEWEST:
        return scores
    places = np.array([*inside, *outside], dtype=np.intp)
    kinds = ["inside"] * len(inside) + ["outside"] * len(outside)
    groups = [material.texts[place].group for place in places]
    for learned, asked in folds(kinds, groups):
        ordered = places[np.sort(learned)]  # those inside come first
        space = material.space(ordered, rarest)
        words, meaning = _learn(material, ordered, int((learned < len(inside)).sum()), space)
        found = words.scores(material.matrix(space, places[asked]))[:, 1]
        if meaning is not None:
            found = found + meaning.scores(material.vectors[places[asked]])[:, 1]
        scores[places[asked]] = found
    return scores


def _learn(
    material: Material, places: Places, inside: int, space: Space
) -> tuple[Linear, Linear | None]:
    """From places of which the first `inside` are inquiries; both kinds weigh alike."""
    truth = (np.arange(len(places)) < inside).astype(np.intp)
    share = len(places) / (2.0 * np.array([len(places) - inside, inside]))
    lesson = Lesson(
        matrix=material.matrix(space, places),
        vectors=material.vectors[places],
        truth=truth,
        weights=share[truth],
        width=2,
    )
    words = _scaled(sources.machine(lesson), 2 * _WORTH)
    if not lesson.vectors.shape[1]:
        return words, None
    return words, _scaled(sources.regressions(lesson, (_STRENGTH,))[0], _WORTH)


def _scaled(linear: Linear, times: float) -> Linear:
    return Linear(linear.weights * times, linear.bias * times)

"""Several linear scores made one: what each learns, how it does on texts it has not seen, and what
it counts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import calibration, nearest, sources
from classifier.contract import ENOUGH_LABELS, ENOUGH_OF_LANGUAGE
from classifier.material import Material, Space, folds
from classifier.sources import Lesson, Linear, Weights

_STRENGTHS = (1.0, 3.0, 10.0, 30.0)
_MANY = 1_000  # rows; with more, the strength is chosen in the first fold alone

_LIKENESS = "likeness"

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]  # one for each text, label and part
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Row:
    """What one text teaches one head."""

    place: int  # of the text in the material
    label: str
    weight: float = 1.0
    human: bool = False  # a person of the organisation said so
    weak: bool = False  # nobody did: it is what a model said, and nobody objected


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What parts of a head said about rows they had not seen."""

    rows: Sequence[Row]
    parts: Mapping[str, Scores]
    likeness: Floats  # to the nearest text they had seen
    truth: Places
    languages: NDArray[np.str_]
    known: NDArray[np.bool_]  # whether they had seen the label at all

    @property
    def places(self) -> Places:
        return np.array([row.place for row in self.rows], dtype=np.intp)

    @property
    def human(self) -> NDArray[np.bool_]:
        return np.array([row.human for row in self.rows], dtype=np.bool_)

    def fused(self, shares: Mapping[str, float]) -> Floats:
        return calibration.weighed(
            [self.parts[name] for name in shares], np.array([*shares.values()])
        )


def out_of_fold(
    material: Material,
    rows: Sequence[Row],
    labels: Sequence[str],
    rarest: int,
    *,
    alike: bool = True,
    count: int = 0,
) -> OutOfFold:
    """In so many folds, or as many as the rows are worth. Without `alike` nobody wants to know how
    like the nearest text is.

    What is described, and what nobody said, is learned from and never tested on: a model that
    is tested on what it said itself believes itself more each time."""
    taught = [row for row in rows if row.weak or material.texts[row.place].described]
    tested = [row for row in rows if not (row.weak or material.texts[row.place].described)]
    languages = np.array([material.texts[row.place].language for row in tested], dtype=np.str_)
    truth = np.array([labels.index(row.label) for row in tested], dtype=np.intp)
    groups = [material.texts[row.place].group for row in tested]
    given = [row.label for row in tested]
    halves = list(folds(given, groups, count=count)) if len(labels) > 1 else []
    if not halves:
        none = np.zeros(0)
        return OutOfFold((), {}, none, truth[:0], languages[:0], none.astype(np.bool_))
    parts: dict[str, Scores] = {}
    likeness, known = np.zeros(len(tested)), np.zeros(len(tested), dtype=np.bool_)
    strengths: Sequence[float] = _STRENGTHS
    for inside, outside in halves:
        away = {groups[place] for place in outside}
        lesson_rows = [tested[place] for place in inside]
        lesson_rows += [row for row in taught if material.texts[row.place].group not in away]
        asked = np.array([tested[place].place for place in outside], dtype=np.intp)
        learned = {row.label for row in lesson_rows}
        if len(learned) < 2:
            continue
        terms = (strengths, rarest, alike)
        for part, scores in _said(material, lesson_rows, labels, asked, *terms):
            if part == _LIKENESS:
                likeness[outside] = scores
            else:
                blank = np.zeros((len(tested), len(labels)), dtype=np.float32)
                parts.setdefault(part, blank)[outside] = scores
            del scores  # or they would be held while the next is learned
        known[outside] = [tested[place].label in learned for place in outside]
        if len(tested) > _MANY and len(strengths) > 1:
            first = OutOfFold(
                [tested[place] for place in outside],
                {part: scores[outside] for part, scores in parts.items()},
                likeness[outside], truth[outside], languages[outside], known[outside],
            )  # fmt: skip
            strengths = strengths_of(shares_of(first, material.vectors.shape[1]))
            kept = set(_names(material.vectors.shape[1], strengths))
            parts = {part: scores for part, scores in parts.items() if part in kept}
    return OutOfFold(tested, parts, likeness, truth, languages, known)


def trusted(material: Material, rows: Sequence[Row]) -> frozenset[str]:
    """Languages in which people of the organisation have said enough to go by that alone."""
    said = Counter(material.texts[row.place].language for row in rows if row.human)
    if said.total() < ENOUGH_LABELS:
        return frozenset()
    return frozenset(language for language, n in said.items() if n >= ENOUGH_OF_LANGUAGE)


def _said(
    material: Material,
    rows: Sequence[Row],
    labels: Sequence[str],
    asked: Places,
    strengths: Sequence[float],
    rarest: int,
    alike: bool,
) -> Iterator[tuple[str, NDArray[np.floating[Any]]]]:
    """What each part that learned these rows scores texts it has not seen, and how like those are
    to the nearest it has."""
    places = np.array([row.place for row in rows], dtype=np.intp)
    # The vocabulary too is new to what is tested: a text full of unknown words must look as it
    # will look in use, or the probabilities would be too bold there.
    space = material.space(places, rarest)
    matrix, questions = material.matrix(space, places), material.matrix(space, asked)
    lesson = lesson_of(material, rows, labels, space, matrix)
    for part, linear in learn(lesson, strengths):
        yield part, linear.scores(material.vectors[asked] if is_dense(part) else questions)
        del linear
    if alike and lesson.vectors.shape[1]:
        yield _LIKENESS, nearest.likest(material.vectors[asked], lesson.vectors)
    elif alike:
        known = nearest.sketches(matrix)
        del lesson, matrix
        yield _LIKENESS, nearest.likest(questions, known)


def lesson_of(
    material: Material, rows: Sequence[Row], labels: Sequence[str], space: Space, matrix: Any
) -> Lesson:
    number = {label: place for place, label in enumerate(labels)}
    return Lesson(
        matrix=matrix,
        vectors=material.vectors[[row.place for row in rows]],
        truth=np.array([number[row.label] for row in rows], dtype=np.intp),
        weights=np.array([row.weight for row in rows]),
        width=len(labels),
        words=len(space.columns[0]),
    )


def learn(lesson: Lesson, strengths: Sequence[float]) -> Iterator[tuple[str, Linear]]:
    """What each source learns. Without an encoder more of words and characters stand in.

    One after the other: with many words and labels each takes its share of the memory.
    """
    if lesson.vectors.shape[1]:
        yield "machine", sources.machine(lesson)
        for strength, linear in zip(strengths, sources.regressions(lesson, strengths), strict=True):
            yield f"meaning {strength:g}", linear
        yield "meaning middle", sources.discriminants(lesson)
    else:
        # Which of both tells more is another matter in each language and with each number of texts.
        yield "words", sources.machine(lesson, 0, lesson.words)
        yield "pieces", sources.machine(lesson, lesson.words)
        yield "bayes", sources.bayes(lesson)
        yield "centre", sources.centres(lesson)


def joined(
    material: Material,
    rows: Sequence[Row],
    labels: Sequence[str],
    space: Space,
    shares: Mapping[str, float],
) -> tuple[Weights, Weights, Floats]:
    """The parts learned from all rows, as one linear score: of words, of meaning, and the bias."""
    sparse = np.zeros((space.size, len(labels)), dtype=np.float32)
    dense = np.zeros((material.vectors.shape[1], len(labels)), dtype=np.float32)
    bias = np.zeros(len(labels))
    if len(labels) > 1:
        places = np.array([row.place for row in rows], dtype=np.intp)
        lesson = lesson_of(material, rows, labels, space, material.matrix(space, places))
        for part, linear in learn(lesson, strengths_of(shares)):
            if part in shares:
                into = dense if is_dense(part) else sparse
                into[linear.columns] += shares[part] * linear.weights
                bias += shares[part] * linear.bias
            del linear
    return sparse, dense, bias


# What a part counts before anything is known of it.
_USUAL = {
    "machine": 2.0,
    "words": 1.0,
    "pieces": 1.0,
    "bayes": 0.5,
    "centre": 0.1,
    "meaning middle": 0.3,
}


def _names(width: int, strengths: Sequence[float]) -> list[str]:
    if not width:
        return ["words", "pieces", "bayes", "centre"]
    return ["machine", *(f"meaning {strength:g}" for strength in strengths), "meaning middle"]


def is_dense(part: str) -> bool:
    return part.startswith("meaning")


def strengths_of(shares: Mapping[str, float]) -> tuple[float, ...]:
    """Those of the regressions that count."""
    return tuple(s for s in _STRENGTHS if f"meaning {s:g}" in shares)


def shares_of(held_out: OutOfFold, width: int) -> dict[str, float]:
    """What each part counts, with the one strength that leaves the least surprise."""
    tried = [s for s in _STRENGTHS if f"meaning {s:g}" in held_out.parts]
    best: tuple[float, dict[str, float]] | None = None
    for strength in tried or [3.0]:
        names = _names(width, [strength])
        usual = [_USUAL.get(name, 1.0) for name in names]
        if not held_out.known.any():
            return dict(zip(names, usual, strict=True))
        parts = [held_out.parts[name] for name in names]
        if not held_out.known.all():
            parts = [part[held_out.known] for part in parts]
        truth = held_out.truth[held_out.known]
        weights = calibration.fit_weights(parts, truth, usual)
        fused = calibration.weighed(parts, np.array(weights))
        found = calibration.surprise(fused, truth), dict(zip(names, weights, strict=True))
        if best is None or found[0] < best[0]:
            best = found
    return best[1] if best else {}

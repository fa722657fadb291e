"""Fits a model with scikit-learn: heads made of several linear scores, which are weighed,
calibrated and given their thresholds on texts that the fitted part has not seen."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import calibration, nearest, scope, sources, taxonomy
from classifier.contract import ENOUGH_LABELS, ENOUGH_OF_LANGUAGE, Basis
from classifier.corpus import Sample, Strange, ref_of
from classifier.encoders import Encoder, Vectors
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES
from classifier.material import Material, Space, Text, folds, gather
from classifier.model import Head, Identity, Model, Rule, novelty
from classifier.sources import Lesson, Linear
from classifier.taxonomy import Words
from classifier.vocabulary import Vocabulary

SUGGESTED_PRECISION = 0.7  # of the labels suggested; below it the model says it is unsure
_POOR_PRECISION = 0.5  # where not even that is reached
ACTED_PRECISION = 0.9  # of the labels given without asking
_STRANGE = 0.05  # share of texts that belong and are refused all the same
_STRENGTHS = (1.0, 3.0, 10.0, 30.0)
_MANY = 3_000  # rows; with more, the strength is chosen in the first fold alone
_ENOUGH = 100  # rows of one language before it gets a temperature and thresholds of its own

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Row:
    """What one text teaches one head."""

    place: int  # of the text in the material
    label: str
    weight: float = 1.0
    human: bool = False  # a person of the organisation said so


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model is fitted, beside what it learns from."""

    rarest: int = 2  # groups that must have written a word before it is learned
    acted: float = ACTED_PRECISION
    suggested: float = SUGGESTED_PRECISION


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What parts of a head said about rows they had not seen."""

    parts: Mapping[str, Floats]
    likeness: Floats  # to the nearest text they had seen
    truth: Places
    languages: NDArray[np.str_]
    known: NDArray[np.bool_]  # whether they had seen the label at all

    def fused(self, shares: Mapping[str, float]) -> Floats:
        total: Floats = np.sum([share * self.parts[name] for name, share in shares.items()], axis=0)
        return total


def fit(
    samples: Sequence[Sample],
    strange: Sequence[Strange] = (),
    *,
    name: str,
    basis: Basis,
    encoder: Encoder,
) -> Model:
    """A whole model from samples, texts that are no inquiries, and the words of the taxonomy."""
    texts = [
        Text(sample.text, sample.firm, sample.language, ref=ref_of(sample.text))
        for sample in samples
    ]
    rows: dict[str, list[Row]] = {
        "stage": [Row(place, sample.stage) for place, sample in enumerate(samples)],
        "topic": [Row(place, sample.topic) for place, sample in enumerate(samples)],
    }
    for head, categories, phrases in (
        ("stage", taxonomy.STAGES, STAGE_PHRASES),
        ("topic", taxonomy.TOPICS, TOPIC_PHRASES),
    ):
        for label, text in described(categories, phrases):
            rows[head].append(Row(len(texts), label))
            texts.append(text)
    outside = range(len(texts), len(texts) + len(strange))
    texts += [Text(each.text, each.firm, each.language) for each in strange]
    identity = Identity(name, basis, len(samples))
    return fit_model(texts, rows, identity, encoder, outside=outside)


def fit_model(
    texts: Sequence[Text],
    rows: Mapping[str, Sequence[Row]],
    identity: Identity,
    encoder: Encoder,
    terms: Terms | None = None,
    *,
    outside: Sequence[int] = (),
) -> Model:
    """A model with a head for each name in `rows`, all on one vocabulary.

    The texts at the places `outside` are no inquiries.

    On one core: the machine has other things to do, several would mostly wait for each other, and
    the sums come out alike everywhere.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _fit_model(texts, rows, identity, encoder, terms or Terms(), outside)


def _fit_model(
    texts: Sequence[Text],
    rows: Mapping[str, Sequence[Row]],
    identity: Identity,
    encoder: Encoder,
    chosen: Terms,
    outside: Sequence[int],
) -> Model:
    material = gather(texts, encoder, chosen.rarest)
    space = material.space(np.arange(len(texts)), chosen.rarest)
    strange = set(outside)
    inside = [
        place for place, text in enumerate(texts) if place not in strange and not text.described
    ]
    inquiring = scope.out_of_fold(material, inside, outside, chosen.rarest)
    heads = {
        name: fit_head(material, taught, space, chosen, inquiring) for name, taught in rows.items()
    }
    if encoder.width:
        meanings = material.vectors.copy()
    else:
        meanings = nearest.sketches(material.matrix(space, np.arange(len(texts))))
    nearest.halve(meanings)
    labels = {name: np.full(len(texts), -1, dtype=np.int16) for name in rows}
    for name, taught in rows.items():
        for row in taught:
            labels[name][row.place] = heads[name].labels.index(row.label)
    return Model(
        vocabulary=_vocabulary(material, space),
        heads=heads,
        scope=scope.fit(material, inside, outside, space),
        shelf=nearest.Shelf(
            meanings,
            tuple(text.ref for text in texts),
            labels,
        ),
        identity=identity,
        encoder=encoder,
    )


def described(
    categories: Iterable[taxonomy.Category], phrases: Mapping[str, Words]
) -> list[tuple[str, Text]]:
    """What we ourselves say a category is: its label, its description, its turns of phrase."""
    said = [
        (category.key, language, text)
        for category in categories
        for words in (category.label, category.about)
        for language, text in words.each()
    ]
    said += [
        (key, language, phrase)
        for key, words in phrases.items()
        for language, text in words.each()
        for phrase in text.split(" / ")
    ]
    return [(key, Text(text, "taxonomy", language, described=True)) for key, language, text in said]


def _vocabulary(material: Material, space: Space) -> Vocabulary:
    return Vocabulary(
        blocks=tuple(
            {names[column]: place for place, column in enumerate(columns)}
            for names, columns in zip(material.names, space.columns, strict=True)
        ),
        idf=tuple(idf.astype(np.float32) for idf in space.idf),
    )


def fit_head(
    material: Material, rows: Sequence[Row], space: Space, terms: Terms, inquiring: Floats
) -> Head:
    """One head. `inquiring` says of each text how much it is an inquiry at all."""
    labels = sorted({row.label for row in rows})
    held_out = out_of_fold(material, rows, labels, terms.rarest)
    shares = _shares(held_out, material.vectors.shape[1])
    places = np.array([row.place for row in rows], dtype=np.intp)
    sparse = np.zeros((space.size, len(labels)))
    dense = np.zeros((material.vectors.shape[1], len(labels)))
    bias = np.zeros(len(labels))
    if len(labels) > 1:
        lesson = _lesson(material, rows, labels, places, material.matrix(space, places))
        # All parts are linear, so together they are one linear score again.
        for part, linear in _learn(lesson, _strengths(shares)):
            if part in shares:
                into = dense if _is_dense(part) else sparse
                into += shares[part] * linear.weights
                bias += shares[part] * linear.bias
    tested = [row.place for row in rows if not material.texts[row.place].described]
    rules, floor = _rules(held_out, shares, terms, inquiring[tested])
    return Head(
        labels=tuple(labels),
        sparse=sparse.astype(np.float16),
        dense=dense.astype(np.float16).astype(np.float32),
        bias=bias.astype(np.float32),
        rules=rules,
        floor=floor,
        trusted=_trusted(material, rows),
    )


def out_of_fold(
    material: Material, rows: Sequence[Row], labels: Sequence[str], rarest: int
) -> OutOfFold:
    tested = [row for row in rows if not material.texts[row.place].described]
    taught = [row for row in rows if material.texts[row.place].described]
    languages = np.array([material.texts[row.place].language for row in tested], dtype=np.str_)
    truth = np.array([labels.index(row.label) for row in tested], dtype=np.intp)
    groups = [material.texts[row.place].group for row in tested]
    halves = list(folds([row.label for row in tested], groups)) if len(labels) > 1 else []
    if not halves:
        none = np.zeros(0)
        return OutOfFold({}, none, truth[:0], languages[:0], none.astype(np.bool_))
    parts: dict[str, Floats] = {}
    likeness, known = np.zeros(len(tested)), np.zeros(len(tested), dtype=np.bool_)
    strengths: Sequence[float] = _STRENGTHS
    for inside, outside in halves:
        lesson_rows = [*(tested[place] for place in inside), *taught]
        places = np.array([row.place for row in lesson_rows], dtype=np.intp)
        asked = np.array([tested[place].place for place in outside], dtype=np.intp)
        if len({row.label for row in lesson_rows}) < 2:
            continue
        # The vocabulary too is new to what is tested: a text full of unknown words must look as
        # it will look in use, or the probabilities would be too bold there.
        space = material.space(places, rarest)
        matrix, questions = material.matrix(space, places), material.matrix(space, asked)
        lesson = _lesson(material, lesson_rows, labels, places, matrix)
        for part, linear in _learn(lesson, strengths):
            into = parts.setdefault(part, np.zeros((len(tested), len(labels))))
            into[outside] = linear.scores(material.vectors[asked] if _is_dense(part) else questions)
        likeness[outside] = nearest.likest(
            _meanings(material.vectors[asked], questions), _meanings(lesson.vectors, matrix)
        )
        known[outside] = np.isin(truth[outside], lesson.truth)
        if len(tested) > _MANY and len(strengths) > 1:
            first = OutOfFold(
                {part: scores[outside] for part, scores in parts.items()},
                likeness[outside], truth[outside], languages[outside], known[outside],
            )  # fmt: skip
            strengths = _strengths(_shares(first, material.vectors.shape[1]))
            kept = set(_names(material.vectors.shape[1], strengths))
            parts = {part: scores for part, scores in parts.items() if part in kept}
    return OutOfFold(parts, likeness, truth, languages, known)


def _lesson(
    material: Material, rows: Sequence[Row], labels: Sequence[str], places: Places, matrix: Any
) -> Lesson:
    number = {label: place for place, label in enumerate(labels)}
    return Lesson(
        matrix=matrix,
        vectors=material.vectors[places],
        truth=np.array([number[row.label] for row in rows], dtype=np.intp),
        weights=np.array([row.weight for row in rows]),
        width=len(labels),
    )


def _learn(lesson: Lesson, strengths: Sequence[float]) -> Iterator[tuple[str, Linear]]:
    """What each source learns. Without an encoder two more of words and characters stand in.

    One after the other: with many words and labels each takes its share of the memory.
    """
    yield "machine", sources.machine(lesson)
    if lesson.vectors.shape[1]:
        for strength, linear in zip(strengths, sources.regressions(lesson, strengths), strict=True):
            yield f"meaning {strength:g}", linear
        yield "meaning centre", sources.centres(lesson, lesson.vectors)
    else:
        yield "bayes", sources.bayes(lesson)
        yield "centre", sources.centres(lesson, lesson.matrix)


# What a part counts before anything is known of it.
_USUAL = {"machine": 2.0, "bayes": 0.5, "centre": 0.1, "meaning centre": 0.3}


def _names(width: int, strengths: Sequence[float]) -> list[str]:
    if not width:
        return ["machine", "bayes", "centre"]
    return ["machine", *(f"meaning {strength:g}" for strength in strengths), "meaning centre"]


def _is_dense(part: str) -> bool:
    return part.startswith("meaning")


def _strengths(shares: Mapping[str, float]) -> tuple[float, ...]:
    """Those of the regressions that count."""
    return tuple(s for s in _STRENGTHS if f"meaning {s:g}" in shares)


def _shares(held_out: OutOfFold, width: int) -> dict[str, float]:
    """What each part counts, with the one strength that leaves the least surprise."""
    tried = [s for s in _STRENGTHS if f"meaning {s:g}" in held_out.parts]
    best: tuple[float, dict[str, float]] | None = None
    for strength in tried or [3.0]:
        names = _names(width, [strength])
        usual = [_USUAL.get(name, 1.0) for name in names]
        if not held_out.known.any():
            return dict(zip(names, usual, strict=True))
        parts = [held_out.parts[name][held_out.known] for name in names]
        truth = held_out.truth[held_out.known]
        weights = calibration.fit_weights(parts, truth, usual)
        fused = np.sum([w * part for w, part in zip(weights, parts, strict=True)], axis=0)
        found = calibration.surprise(fused, truth), dict(zip(names, weights, strict=True))
        if best is None or found[0] < best[0]:
            best = found
    return best[1] if best else {}


def _meanings(vectors: Vectors, matrix: Any) -> Vectors:
    """What the nearest text is sought with."""
    return vectors if vectors.shape[1] else nearest.sketches(matrix)


def _trusted(material: Material, rows: Sequence[Row]) -> frozenset[str]:
    """Languages in which people have said enough for a head to act by itself; "" for any."""
    said = Counter(material.texts[row.place].language for row in rows if row.human)
    if said.total() < ENOUGH_LABELS:
        return frozenset()
    return frozenset(language for language, n in said.items() if n >= ENOUGH_OF_LANGUAGE)


def _rules(
    held_out: OutOfFold, shares: Mapping[str, float], terms: Terms, inquiring: Floats
) -> tuple[dict[str, Rule], float]:
    """Thresholds for any text under "" and for each language with enough rows; and from which
    novelty on a text is one the head can know."""
    if not len(held_out.truth) or not held_out.parts:
        return {"": Rule(1.0, calibration.NEVER, calibration.NEVER)}, 0.0
    scores, truth = held_out.fused(shares), held_out.truth
    strange = novelty(scores.max(axis=1), held_out.likeness, inquiring)
    floor = float(np.quantile(strange, _STRANGE))
    familiar, right = strange >= floor, scores.argmax(axis=1) == truth
    sure = calibration.softmax(scores).max(axis=1)
    rules = {"": _rule(1.0, sure[familiar], right[familiar], terms)}
    spoken = [x for x, n in Counter(held_out.languages.tolist()).items() if x and n >= _ENOUGH]
    for language in sorted(spoken):
        chosen = held_out.languages == language
        own = _own_temperature(scores[chosen & held_out.known], truth[chosen & held_out.known])
        chosen &= familiar
        sure = calibration.softmax(scores[chosen], own).max(axis=1)
        rules[language] = _rule(own, sure, right[chosen], terms)
    return rules, floor


def _own_temperature(scores: Floats, truth: Places) -> float:
    """Of one language, where that helps: each half's must leave less surprise in the other."""
    even = np.arange(len(truth)) % 2 == 0
    for one in (even, ~even):
        found = calibration.fit_temperature(scores[one], truth[one])
        plain = calibration.surprise(scores[~one], truth[~one])
        if calibration.surprise(scores[~one], truth[~one], found) >= plain:
            return 1.0
    return calibration.fit_temperature(scores, truth)


def _rule(temperature: float, sure: Floats, right: NDArray[np.bool_], terms: Terms) -> Rule:
    suggest = calibration.threshold(sure, right, terms.suggested)
    if suggest == calibration.NEVER:
        suggest = calibration.threshold(sure, right, _POOR_PRECISION)
    auto = calibration.threshold(sure, right, terms.acted, surely=True)
    return Rule(temperature, max(auto, suggest), suggest)

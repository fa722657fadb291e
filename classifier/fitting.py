"""Fits a model with scikit-learn: two linear heads on one vocabulary, calibrated on texts of firms
that the fitted part has not seen. Each head blends logistic regression with naive Bayes."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import calibration, features, taxonomy
from classifier.contract import Basis
from classifier.corpus import Sample
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES
from classifier.model import Head, Identity, Model, Rule, Vocabulary
from classifier.taxonomy import Words

WANTED_PRECISION = 0.7  # of the labels given; below it the model says it is unsure
_STRENGTHS = (3.0, 10.0, 30.0)
_SHARES = (0.0, 0.5, 1.0, 2.0, 4.0)
_FOLDS = 5
_ENOUGH = 100  # rows of one language before it gets a temperature of its own
_SPAN = 4_000  # rows; with more, their products with each other would not fit
_ABSENT = -1_000.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One text to learn from, for one head."""

    document: features.Document
    label: str
    group: str  # rows of one group are never on both sides of a test
    language: str
    described: bool = False  # words of the taxonomy: learned from, never tested on


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is chosen on rows a fitted part has not seen."""

    strength: float  # inverse regularisation of the logistic regression
    share: float  # of the naive Bayes weights that are added to it


_RECIPES = tuple(Recipe(strength, share) for strength in _STRENGTHS for share in _SHARES)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Weights and bias of each strength, and the weights of naive Bayes."""

    regressions: Mapping[float, tuple[Floats, Floats]]
    bayes: Floats

    def blend(self, recipe: Recipe) -> tuple[Floats, Floats]:
        # Both are linear, so together they are one linear model again.
        weights, bias = self.regressions[recipe.strength]
        return weights + recipe.share * self.bayes, bias


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What models said about rows they had not seen, for each recipe."""

    scores: Mapping[Recipe, Floats]
    truth: NDArray[np.intp]
    languages: NDArray[np.str_]

    def best(self) -> Recipe:
        if not len(self.truth):
            return Recipe(_STRENGTHS[0], 0.0)
        return min(self.scores, key=self._surprise)

    def _surprise(self, recipe: Recipe) -> float:
        scores = self.scores[recipe]
        temperature = calibration.fit_temperature(scores, self.truth)
        return calibration.surprise(scores, self.truth, temperature)


def fit(samples: Sequence[Sample], *, name: str, basis: Basis) -> Model:
    """A whole model from samples and the words of the taxonomy."""
    documents = [features.document(sample.text) for sample in samples]
    stages = described(taxonomy.STAGES, STAGE_PHRASES)
    topics = described(taxonomy.TOPICS, TOPIC_PHRASES)
    stage_rows = [
        Row(doc, sample.stage, sample.firm, sample.language)
        for doc, sample in zip(documents, samples, strict=True)
    ]
    topic_rows = [
        Row(doc, sample.topic, sample.firm, sample.language)
        for doc, sample in zip(documents, samples, strict=True)
    ]
    union = fit_union([*documents, *(row.document for row in (*stages, *topics))])
    return Model(
        vocabulary=vocabulary_of(union),
        stage=fit_head([*stage_rows, *stages], union),
        topic=fit_head([*topic_rows, *topics], union),
        identity=Identity(name, basis, len(samples)),
    )


def described(categories: Iterable[taxonomy.Category], phrases: Mapping[str, Words]) -> list[Row]:
    """What we ourselves say a category is: its label, its description, its turns of phrase."""
    texts = [
        (category.key, language, text)
        for category in categories
        for words in (category.label, category.about)
        for language, text in words.each()
    ]
    texts += [
        (key, language, phrase)
        for key, words in phrases.items()
        for language, text in words.each()
        for phrase in text.split(" / ")
    ]
    return [
        Row(features.document(text), key, "taxonomy", language, described=True)
        for key, language, text in texts
    ]


def fit_union(documents: Sequence[features.Document]) -> Any:
    return features.union(len(documents)).fit(documents)


def vocabulary_of(union: Any) -> Vocabulary:
    blocks = [block for _, block in union.transformer_list]
    return Vocabulary(
        blocks=tuple(
            {str(name): int(place) for name, place in block.vocabulary_.items()} for block in blocks
        ),
        idf=tuple(block.idf_.astype(np.float32) for block in blocks),
    )


def fit_head(rows: Sequence[Row], union: Any) -> Head:
    """One head on a fitted vectoriser, with its recipe, temperatures and thresholds."""
    labels = sorted({row.label for row in rows})
    held_out = out_of_fold(rows, labels)
    recipe = held_out.best()
    matrix = union.transform([row.document for row in rows])
    weights, bias = _learn(matrix, rows, labels, (recipe.strength,)).blend(recipe)
    return Head(
        labels=tuple(labels),
        weights=weights.astype(np.float16),
        bias=bias.astype(np.float32),
        rules=_rules(held_out, recipe),
    )


def out_of_fold(rows: Sequence[Row], labels: Sequence[str]) -> OutOfFold:
    tested = [row for row in rows if not row.described]
    taught = [row for row in rows if row.described]
    truth = np.array([labels.index(row.label) for row in tested], dtype=np.intp)
    languages = np.array([row.language for row in tested], dtype=np.str_)
    halves = list(folds(tested))
    if not halves or len(labels) < 2:
        return OutOfFold({}, truth[:0], languages[:0])
    scores = {recipe: np.zeros((len(tested), len(labels))) for recipe in _RECIPES}
    for inside, outside in halves:
        learned = [*(tested[place] for place in inside), *taught]
        # The vocabulary too is new to what is tested: a text full of unknown words must look as
        # it will look in use, or the probabilities would be too bold there.
        union = features.union(len(learned))
        matrix = union.fit_transform([row.document for row in learned])
        questions = union.transform([tested[place].document for place in outside])
        fitted = _learn(matrix, learned, labels, _STRENGTHS)
        for recipe in _RECIPES:
            weights, bias = fitted.blend(recipe)
            scores[recipe][outside] = questions @ weights + bias
    return OutOfFold(scores, truth, languages)


def folds(rows: Sequence[Row]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Places to learn from and to test on; groups stay whole. None when there is too little."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = [row.label for row in rows]
    groups = [row.group for row in rows]
    count = min(_FOLDS, len(set(groups)), max(Counter(labels).values(), default=0))
    if count < 2:
        return
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # A label with fewer texts than folds is simply not in every fold.
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from splitter.split(rows, labels, groups)


def _learn(
    matrix: Any, rows: Sequence[Row], labels: Sequence[str], strengths: Sequence[float]
) -> Fitted:
    """Fit on rows. A label that none of them has gets a score no text will ever choose."""
    from sklearn.naive_bayes import ComplementNB

    answers = [row.label for row in rows]
    known = [labels.index(label) for label in sorted(set(answers))]
    if len(known) < 2:
        nothing = np.zeros((matrix.shape[1], len(labels)))
        return Fitted(dict.fromkeys(strengths, (nothing, nothing[0])), nothing)
    bayes = ComplementNB(alpha=0.3).fit(matrix, answers).feature_log_prob_.T
    # What all classes share says nothing about any, and half precision would drown in it.
    bayes = bayes - bayes.mean(axis=1, keepdims=True)
    regressions: dict[float, tuple[Floats, Floats]] = {}
    for strength, (weights, bias) in _regressions(matrix, answers, strengths).items():
        full = np.full(len(labels), _ABSENT)
        full[known] = bias
        regressions[strength] = _placed(weights, known, len(labels)), full
    return Fitted(regressions, _placed(bayes, known, len(labels)))


def _placed(weights: Floats, columns: Sequence[int], width: int) -> Floats:
    wide = np.zeros((weights.shape[0], width))
    wide[:, columns] = weights
    return wide


def _regressions(
    matrix: Any, answers: Sequence[str], strengths: Sequence[float]
) -> dict[float, tuple[Floats, Floats]]:
    """Logistic regressions in the span of the rows instead of the features.

    The best weights of a ridge-penalised model are a mixture of its rows. There are some thousand
    rows and many times more features, so the mixture is found ten times sooner.
    """
    from scipy.linalg import cholesky, solve_triangular
    from sklearn.linear_model import LogisticRegression

    if matrix.shape[0] > _SPAN:
        return {strength: _plain(matrix, answers, strength) for strength in strengths}
    products = (matrix @ matrix.T).toarray()
    products[np.diag_indices_from(products)] += 1e-6  # texts that occur twice have no inverse
    corner = cholesky(products, lower=True)
    learner = LogisticRegression(max_iter=500, tol=1e-3, warm_start=True)
    result: dict[float, tuple[Floats, Floats]] = {}
    for strength in strengths:
        learner.set_params(C=strength).fit(corner, answers)
        mixture = solve_triangular(corner, learner.coef_.T, lower=True, trans="T")
        result[strength] = _each_class(matrix.T @ mixture, learner.intercept_)
    return result


def _plain(matrix: Any, answers: Sequence[str], strength: float) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    learner = LogisticRegression(C=strength, max_iter=500, tol=1e-3).fit(matrix, answers)
    return _each_class(learner.coef_.T, learner.intercept_)


def _each_class(weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """scikit-learn keeps one column for two classes; we keep one for each."""
    if weights.shape[1] > 1:
        return weights, bias
    return np.hstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2


def _rules(held_out: OutOfFold, recipe: Recipe) -> dict[str, Rule]:
    """A temperature for any text under "" and for each language with enough rows; one threshold.

    Once calibrated, a probability means the same in each language, so all rows choose the
    threshold together: a few hundred alone would choose it by luck.
    """
    if not len(held_out.truth):
        return {"": Rule(1.0, calibration.NEVER)}
    scores, truth = held_out.scores[recipe], held_out.truth
    temperatures = {"": calibration.fit_temperature(scores, truth)}
    probabilities = calibration.softmax(scores, temperatures[""])
    for language, count in sorted(Counter(held_out.languages.tolist()).items()):
        if language and count >= _ENOUGH:
            chosen = held_out.languages == language
            own = calibration.fit_temperature(scores[chosen], truth[chosen])
            temperatures[language] = own
            probabilities[chosen] = calibration.softmax(scores[chosen], own)
    right = probabilities.argmax(axis=1) == truth
    limit = calibration.threshold(probabilities.max(axis=1), right, WANTED_PRECISION)
    return {language: Rule(own, limit) for language, own in temperatures.items()}

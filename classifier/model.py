"""The fitted model: a vocabulary, linear heads on it, and what they say about a text.

Only numpy is needed here. scikit-learn fits a model (`fitting.py`); asking it is adding up weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier import meaning
from classifier.alarms import called_urgent, marks
from classifier.calibration import NEVER, softmax
from classifier.contract import (
    Basis,
    Decision,
    FlagPrediction,
    Guess,
    HeadPrediction,
    Near,
    Prediction,
    Reason,
    RunnerUp,
    Why,
)
from classifier.encoders import Encoder, Vectors
from classifier.flags import Flag
from classifier.language import detect
from classifier.nearest import Shelf, sketch
from classifier.reasons import Pushes, strongest
from classifier.vocabulary import Look, Vocabulary

_CHOICE = 2  # answers; of a single one any text would be certain
_TOP = 3
_REASONS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identity:
    name: str
    samples: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How scores become probabilities, and from which probability on what is done with a guess."""

    temperature: float
    auto: float
    suggest: float


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Whether a text is an inquiry at all, as far as texts that are none could teach it."""

    sparse: NDArray[np.float16]
    dense: Vectors
    bias: float

    def score(self, look: Look, vector: Vectors) -> float:
        of_words = look.values @ self.sparse[look.columns].astype(np.float64)
        return float(of_words + vector @ self.dense + self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A text as all heads see it, looked at once."""

    look: Look
    vector: Vectors  # what the encoder says; of no length without one
    likeness: Vectors  # to each text on the shelf
    scope: float  # the higher, the more it is an inquiry
    language: str


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What a score is the sum of: each feature, each number of the encoder, and the bias."""

    columns: NDArray[np.intp]
    features: Floats
    meaning: Floats
    bias: float

    @property
    def total(self) -> float:
        return float(self.features.sum() + self.meaning.sum() + self.bias)


def novelty(score: Floats, likeness: Floats, scope: Floats) -> Floats:
    """How familiar a text is: from its best score, the likeness of the nearest text, and whether
    it is an inquiry at all.

    Not its probability: of a text that fits nowhere one label can still be by far the likeliest.
    """
    result: Floats = 0.25 * score + 2.0 * likeness + scope
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One question: a column of weights for each possible answer."""

    labels: tuple[str, ...]
    sparse: NDArray[np.float16]  # half precision, in memory as on disk, so both answer alike
    dense: Vectors
    bias: NDArray[np.float32]
    rules: Mapping[str, Rule]  # by language; "" for the rest
    floor: float  # the novelty below which a text is strange
    trusted: frozenset[str]  # languages in which people have said enough of it

    def scores(self, seen: Seen) -> Floats:
        weights = self.sparse[seen.look.columns].astype(np.float64)
        result: Floats = seen.look.values @ weights + seen.vector @ self.dense + self.bias
        return result

    def contributions(self, seen: Seen, label: str) -> Contributions:
        """Exactly what the score of `label` is made of."""
        place = self.labels.index(label)
        weights = self.sparse[seen.look.columns, place].astype(np.float64)
        return Contributions(
            columns=seen.look.columns,
            features=seen.look.values * weights,
            meaning=(seen.vector * self.dense[:, place]).astype(np.float64),
            bias=float(self.bias[place]),
        )

    def judge(self, seen: Seen, labels: NDArray[np.int16]) -> HeadPrediction:
        """The answer without its reasons. `labels` are those of the texts on the shelf."""
        rule = self.rules.get(seen.language, self.rules[""])
        scores = self.scores(seen)
        probabilities = softmax(scores, rule.temperature)
        order = np.argsort(-probabilities, kind="stable")[:_TOP]
        best = int(order[0])
        mine = seen.likeness[labels >= 0]
        likest = mine.max(initial=-1.0).astype(np.float64)
        familiar = float(novelty(scores[order[:1]], likest, np.array([seen.scope]))[0])
        decision, why = self._decide(seen, rule, float(probabilities[best]), familiar)
        top = tuple(Guess(self.labels[place], float(probabilities[place])) for place in order)
        return HeadPrediction(
            label=None if decision is Decision.ABSTAIN else top[0].label,
            probability=top[0].probability,
            top=top,
            reasons=(),
            decision=decision,
            basis=Basis.OWN if seen.language in self.trusted else Basis.SAMPLES,
            novelty=familiar,
            why=why,
            runner_up=RunnerUp(top[1].label, top[1].probability) if len(top) > 1 else None,
        )

    def _decide(
        self, seen: Seen, rule: Rule, probability: float, familiar: float
    ) -> tuple[Decision, Why | None]:
        # What is left without one word to go by is the habit of the samples.
        if not seen.look.anything or not (len(seen.look.columns) or len(seen.vector)):
            return Decision.ABSTAIN, Why.EMPTY
        if familiar < self.floor:
            return Decision.ABSTAIN, Why.STRANGE
        if probability < rule.suggest:
            return Decision.ABSTAIN, Why.UNSURE
        if seen.language not in self.trusted:
            return Decision.SUGGEST, Why.FEW_LABELS
        if rule.auto >= NEVER:
            return Decision.SUGGEST, Why.NO_THRESHOLD
        if probability < rule.auto:
            return Decision.SUGGEST, Why.NOT_SURE_ENOUGH
        return Decision.AUTO, None

    def explain(self, text: str, seen: Seen, said: HeadPrediction, near: tuple[Near, ...]
    ) -> HeadPrediction:  # fmt: skip
        """The same answer with its reasons."""
        look = seen.look
        rule = self.rules.get(seen.language, self.rules[""])
        weights = self.sparse[look.columns].astype(np.float64)
        best = self.labels.index(said.top[0].label)
        others = max(1, weights.shape[1] - 1)
        contrast = weights[:, best] - (weights.sum(axis=1) - weights[:, best]) / others
        favour = look.values * contrast / rule.temperature
        second = said.runner_up
        if second is not None:
            over = weights[:, best] - weights[:, self.labels.index(second.label)]
            beaten_by = _marked(text, look, look.values * over / rule.temperature)
            second = RunnerUp(second.label, second.probability, beaten_by)
        return replace(
            said,
            reasons=_marked(text, look, favour),
            runner_up=second,
            against=_marked(text, look, favour, sign=-1.0),
            nearest=near,
        )


def _marked(text: str, look: Look, favour: Floats, *, sign: float = 1.0) -> tuple[Reason, ...]:
    at = look.stands
    pushes = Pushes(favour[at.which] / at.times, at.starts, at.ends)
    return strongest(text, look.cleaned, look.words, pushes, sign=sign)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Answers for any text and never raises; a megabyte costs no more than `features.LIMIT`."""

    vocabulary: Vocabulary
    heads: Mapping[str, Head]
    scope: Scope
    flags: Mapping[str, Flag]
    shelf: Shelf
    identity: Identity
    encoder: Encoder

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return self.predict_all([text], [language])[0]

    def predict_all(self, texts: Sequence[str], languages: Sequence[str]) -> Sequence[Prediction]:
        """Several at once cost less than one after the other."""
        return [
            self._predicted(text, seen)
            for text, seen in zip(texts, self.see(texts, languages), strict=True)
        ]

    def _predicted(self, text: str, seen: Seen) -> Prediction:
        said = {name: self._explained(name, text, seen) for name in ("stage", "topic")}
        vector = seen.vector if len(seen.vector) else meaning.of_pieces(seen.look.cleaned.text)
        return Prediction(
            stage=said["stage"],
            topic=said["topic"],
            model=self.identity.name,
            vector=meaning.packed(vector),
            space=meaning.space_of(self.encoder),
            flags=tuple(self.flagged(name, text, seen) for name in self.flags),
        )

    def see(self, texts: Sequence[str], languages: Sequence[str]) -> Iterator[Seen]:
        """Look at each text once, for whatever heads there are."""
        vectors = self.encoder.encode(texts)
        for text, language, vector in zip(texts, languages, vectors, strict=True):
            look = self.vocabulary.look(text)
            outline = vector
            if not len(vector):
                outline = sketch(look.columns, look.values, self.vocabulary.size)
            yield Seen(
                look=look,
                vector=vector,
                likeness=self.shelf.likeness(outline),
                scope=self.scope.score(look, vector),
                language=language or detect(text),
            )

    def judge(self, head: str, seen: Seen) -> HeadPrediction:
        return self.heads[head].judge(seen, self.shelf.labels[head])

    def _explained(self, name: str, text: str, seen: Seen) -> HeadPrediction:
        head = self.heads[name]
        if len(head.labels) < _CHOICE:
            return HeadPrediction(None, 0.0, (), (), why=Why.NO_CHOICE)
        near = tuple(
            Near(self.shelf.refs[place], head.labels[label], similarity)
            for place, label, similarity in self.shelf.nearest(name, seen.likeness)
        )
        return head.explain(text, seen, self.judge(name, seen), near)

    def flagged(self, name: str, text: str, seen: Seen) -> FlagPrediction:
        flag, look = self.flags[name], seen.look
        pushes, words = flag.pushes(look), marks(name, text)
        likely = flag.probability(pushes, seen.vector, marked=bool(words))
        readable = look.anything and bool(len(look.columns) or len(seen.vector))
        # An advertisement calls itself urgent as well.
        said = called_urgent(text) if name == "urgent" and seen.scope >= 0 else ""
        raised = readable and likely >= flag.limit(seen.language)
        told = [Reason(word, flag.mark) for word in words]
        return FlagPrediction(
            name=name,
            raised=raised or bool(said),
            probability=likely,
            said="" if raised else said,
            reasons=(*told, *_marked(text, look, pushes))[:_REASONS] if raised else (),
            basis=Basis.OWN if seen.language in flag.trusted else Basis.SAMPLES,
        )

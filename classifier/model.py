"""The fitted model: a vocabulary and two linear heads, and what they say about a text.

Only numpy is needed here. scikit-learn fits a model (`fitting.py`); asking it is adding up weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifier import features
from classifier.calibration import softmax
from classifier.contract import Basis, Guess, HeadPrediction, Prediction
from classifier.language import detect
from classifier.reasons import Pushes, Word, strongest, telling

_TOP = 3
_WORDS_KEPT = 8_192


@dataclass(frozen=True, slots=True)
class Identity:
    name: str
    basis: Basis
    samples: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How scores become probabilities, and from which probability on a label is given."""

    temperature: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Each time a known feature stands in the text: which one, and from where to where."""

    which: NDArray[np.intp]  # place in `Look.columns`
    times: NDArray[np.intp]  # how often that feature stands there in all
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A text as the heads see it: which features it has, and how strongly."""

    cleaned: features.Clean
    words: Sequence[Word]  # that can be shown as a reason
    columns: NDArray[np.intp]
    values: NDArray[np.float64]
    stands: Places  # where in the text the columns stand


# Known features in a text or in a word, each as often as it stands there: columns, starts, ends.
Found = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What each block of features knows: name to column, and how rare each column is."""

    blocks: tuple[Mapping[str, int], ...]
    idf: tuple[NDArray[np.float32], ...]
    _of_words: dict[str, Found] = field(default_factory=dict)  # pieces of words seen lately

    def look(self, text: str) -> Look:
        """The same numbers as scikit-learn's TfidfVectorizer, with the places kept."""
        cleaned = features.clean(text)
        found = features.tokens(cleaned.text)
        columns: list[NDArray[np.intp]] = []
        values: list[NDArray[np.float64]] = []
        stands: list[NDArray[np.intp]] = []
        offset = seen = 0
        blocks = (_found(self.blocks[0], features.word_features(found)), self._pieces(found))
        for block, idf in zip(blocks, self.idf, strict=True):
            here, which, counts = np.unique(block[0], return_inverse=True, return_counts=True)
            weighted = (1.0 + np.log(counts)) * idf[here]
            length = float(np.sqrt((weighted**2).sum()))
            columns.append(here + offset)
            values.append(weighted / length if length else weighted)
            stands.append(np.stack([which + seen, counts[which], block[1], block[2]]))
            offset += len(idf)
            seen += len(here)
        where = Places(*np.concatenate(stands, axis=1))
        return Look(cleaned, telling(found), np.concatenate(columns), np.concatenate(values), where)

    def _pieces(self, found: Sequence[features.Token]) -> Found:
        """The same words come again and again, so what is known of one is looked up once."""
        if len(self._of_words) > _WORDS_KEPT:
            self._of_words.clear()
        runs = [token for token in found if token.cjk]
        there = [_found(self.blocks[1], features.char_features(runs))]
        for token in found:
            if token.cjk or token.text in features.PLACEHOLDERS:
                continue
            of_word = self._of_words.get(token.text)
            if of_word is None:
                of_word = _found(self.blocks[1], features.pieces_of(token.text))
                self._of_words[token.text] = of_word
            there.append(of_word + np.array([[0], [token.start], [token.start]]))
        return np.concatenate(there, axis=1)


def _found(block: Mapping[str, int], read: features.Features) -> Found:
    column = np.array([block.get(name, -1) for name in read.names], dtype=np.intp)
    known = np.flatnonzero(column >= 0)
    return np.stack([column, np.array(read.starts), np.array(read.ends)]).astype(np.intp)[:, known]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One question: a column of weights for each possible answer."""

    labels: tuple[str, ...]
    weights: NDArray[np.float16]  # half precision, in memory as on disk, so both answer alike
    bias: NDArray[np.float32]
    rules: Mapping[str, Rule]  # by language; "" for the rest

    def predict(self, text: str, look: Look, language: str) -> HeadPrediction:
        rule = self.rules.get(language, self.rules[""])
        weights = self.weights[look.columns].astype(np.float64)
        probabilities = softmax(look.values @ weights + self.bias, rule.temperature)
        order = np.argsort(-probabilities, kind="stable")
        best = int(order[0])
        probability = float(probabilities[best])
        # A text without one known feature says nothing; what is left is the habit of the samples.
        sure = len(look.columns) > 0 and probability >= rule.threshold
        return HeadPrediction(
            label=self.labels[best] if sure else None,
            probability=probability,
            top=tuple(
                Guess(self.labels[place], float(probabilities[place])) for place in order[:_TOP]
            ),
            reasons=strongest(text, look.cleaned, look.words, _pushes(look, weights, best, rule)),
        )


def _pushes(look: Look, weights: NDArray[np.float64], best: int, rule: Rule) -> Pushes:
    """How much each feature favours the best guess over the average of the others."""
    others = max(1, weights.shape[1] - 1)
    contrast = weights[:, best] - (weights.sum(axis=1) - weights[:, best]) / others
    favour = look.values * contrast / rule.temperature
    at = look.stands
    return Pushes(favour[at.which] / at.times, at.starts, at.ends)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Answers for any text and never raises; a megabyte costs no more than `features.LIMIT`."""

    vocabulary: Vocabulary
    stage: Head
    topic: Head
    identity: Identity

    def predict(self, text: str, *, language: str = "") -> Prediction:
        look = self.vocabulary.look(text)
        spoken = language or detect(text)
        return Prediction(
            stage=self.stage.predict(text, look, spoken),
            topic=self.topic.predict(text, look, spoken),
            model=self.identity.name,
            basis=self.identity.basis,
        )

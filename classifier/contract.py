"""What a prediction is: everything the rest of Setten knows about the classifier."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Basis(StrEnum):
    """Whose texts a model learned from, and so how far its probabilities can be trusted."""

    SAMPLES = "samples"  # the sample inquiries that come with Setten
    OWN = "own"  # the organisation's own tickets


@dataclass(frozen=True, slots=True)
class Guess:
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Reason:
    """A piece of the text that pushed for the best guess, and how hard it pushed."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class HeadPrediction:
    """One question answered. `label` is None when the model would rather not say."""

    label: str | None
    probability: float  # of the best guess, also when it is not sure enough to be the label
    top: tuple[Guess, ...]  # at most three, best first
    reasons: tuple[Reason, ...]  # at most five, strongest first, each a part of the text as it came


@dataclass(frozen=True, slots=True)
class Prediction:
    stage: HeadPrediction
    topic: HeadPrediction
    model: str  # which model said so; empty when none was asked
    basis: Basis


_NOTHING = HeadPrediction(label=None, probability=0.0, top=(), reasons=())

UNSURE = Prediction(stage=_NOTHING, topic=_NOTHING, model="", basis=Basis.SAMPLES)


class Classifier(Protocol):
    def predict(self, text: str, *, language: str = "") -> Prediction:
        """Guess stage and topic. Any text is answered; the same text always alike.

        `language` is "ja", "de", "en", or "" to let the classifier find out.
        """

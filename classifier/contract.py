"""What a prediction is: everything the rest of Setten knows about the classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

# Inquiries people must have labelled before a head acts by itself, or anything but the samples
# stands behind its probabilities …
ENOUGH_LABELS = 100
ENOUGH_OF_LANGUAGE = 50  # … and of the language of the text


class Basis(StrEnum):
    """Whose texts a probability was estimated on, and so how far it can be trusted."""

    SAMPLES = "samples"  # chiefly the sample inquiries that come with Setten
    OWN = "own"  # enough of the organisation's own, labelled by people


class Decision(StrEnum):
    """What may be done with a guess."""

    AUTO = "auto"  # sure enough to act on
    SUGGEST = "suggest"  # worth showing
    ABSTAIN = "abstain"  # better left unsaid


class Why(StrEnum):
    """What kept a head from acting by itself, or from saying anything."""

    EMPTY = "empty"  # nothing in it but courtesy, numbers and signatures
    STRANGE = "strange"  # unlike everything it learned from
    NO_CHOICE = "no_choice"  # there are fewer than two answers, so any is a matter of course
    UNSURE = "unsure"  # less likely right than a suggestion has to be
    FEW_LABELS = "few_labels"  # too few texts labelled by people of this organisation
    NO_THRESHOLD = "no_threshold"  # it never was right often enough to act by itself
    NOT_SURE_ENOUGH = "not_sure_enough"  # to act by itself


@dataclass(frozen=True, slots=True)
class Guess:
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Reason:
    """A piece of the text that pushed for a guess, or with less than nothing against it."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The second best guess, and which words made the best one better."""

    label: str
    probability: float
    beaten_by: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """A labelled text that means nearly the same."""

    ref: str
    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class HeadPrediction:
    """One question answered. `label` is None when the model would rather not say."""

    label: str | None
    probability: float  # of the best guess, also when it is not sure enough to be the label
    top: tuple[Guess, ...]  # at most three, best first
    reasons: tuple[Reason, ...]  # at most five, strongest first, each a part of the text as it came
    decision: Decision = Decision.ABSTAIN
    basis: Basis = Basis.SAMPLES  # of its probabilities
    novelty: float = 0.0  # how much like what it learned from: the lower, the stranger
    why: Why | None = None  # not more than this decision
    runner_up: RunnerUp | None = None
    against: tuple[Reason, ...] = ()  # what pushed against the best guess, hardest first
    nearest: tuple[Near, ...] = ()  # at most three, most alike first


@dataclass(frozen=True, slots=True)
class FlagPrediction:
    """Whether an inquiry is urgent, or a complaint. Nothing is said below its limit."""

    name: str
    raised: bool
    probability: float
    said: str = ""  # the sender's own word for it, when that raised it whatever the model thinks
    reasons: tuple[Reason, ...] = ()
    basis: Basis = Basis.SAMPLES  # of its probability


@dataclass(frozen=True, slots=True)
class Prediction:
    stage: HeadPrediction
    topic: HeadPrediction
    model: str  # which model said so; empty when none was asked
    vector: bytes = b""  # what the text means, in half precision; empty when it says nothing
    space: str = ""  # vectors of one space can be compared, others never
    flags: tuple[FlagPrediction, ...] = ()


_NOTHING = HeadPrediction(label=None, probability=0.0, top=(), reasons=())

UNSURE = Prediction(stage=_NOTHING, topic=_NOTHING, model="")


class Classifier(Protocol):
    def predict(self, text: str, *, language: str = "") -> Prediction:
        """Guess stage and topic, and raise flags. Any text is answered; the same text always alike.

        `language` is "ja", "de", "en", or "" to let the classifier find out.
        """


@runtime_checkable
class AnswersSeveral(Protocol):
    """A classifier that several texts at once cost less than one after the other."""

    def predict_all(self, texts: Sequence[str], languages: Sequence[str]) -> Sequence[Prediction]:
        """One answer for each, in their order."""

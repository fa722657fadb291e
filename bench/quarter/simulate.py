"""Thirteen weeks of one organisation: inquiries come, are guessed, judged by a person and learned.

It starts with the names of its topics and nothing else, not even the sample inquiries. Each week's
inquiries are answered by what was learned from the weeks before.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.quarter.firms import Firm
from classifier import learning, tables
from classifier.contract import Decision, HeadPrediction
from classifier.encoders import Encoder
from classifier.learning import Lesson, Subject
from classifier.tables import OUT_OF_SCOPE, Example

WEEKS = 13
MOST = 600  # inquiries of a quarter
MISTAKES = 0.05  # of all that a person says of an inquiry
_CORRECTION, _CONFIRMATION = 2.0, 1.0  # as Setten weighs them

_HEAD = "topic"


@dataclass(frozen=True, slots=True)
class Plan:
    weeks: int = WEEKS
    most: int = MOST
    mistakes: float = MISTAKES


@dataclass(frozen=True, slots=True)
class Week:
    """Counts of one week: first of the inquiries, then of what was none."""

    asked: int
    right: int  # the best guess, shown or not
    labelled: int  # a guess was shown
    labelled_right: int
    acted: int  # sure enough to act by itself
    strange: int
    refused: int  # of the strange: nothing was shown


def quarter(firm: Firm, order: int, encoder: Encoder, plan: Plan | None = None) -> Iterator[Week]:
    """One order in which the inquiries may come; the same number gives the same one."""
    plan = plan or Plan()
    chance = random.Random(order)
    count = min(plan.most, len(firm.inquiries))
    stream = chance.sample(list(firm.inquiries), count)
    encoder.encode([one.text for one in stream])  # what remembers them has to load but once
    lessons: list[Lesson] = []
    for number in range(plan.weeks):
        came = stream[number * count // plan.weeks : (number + 1) * count // plan.weeks]
        said = _answers(firm, lessons, came, encoder)
        yield _counted(came, said)
        groups = [text.group for text in tables.texts(came)]
        for inquiry, group, answer in zip(came, groups, said, strict=True):
            verdict = judged(firm, inquiry, chance, plan.mistakes)
            weight = _CONFIRMATION if verdict == answer.label else _CORRECTION
            labels = {_HEAD: (verdict, weight)}
            lessons.append(Lesson(str(len(lessons)), inquiry.text, group, inquiry.language, labels))


def judged(firm: Firm, inquiry: Example, chance: random.Random, mistakes: float) -> str:
    """What a person says it is; "" for no inquiry. Now and then that is wrong."""
    truth = "" if inquiry.label == OUT_OF_SCOPE else inquiry.label
    if chance.random() < mistakes:
        return chance.choice([label for label in (*firm.topics, "") if label != truth])
    return truth


def _answers(
    firm: Firm, lessons: Sequence[Lesson], came: Sequence[Example], encoder: Encoder
) -> list[HeadPrediction]:
    subject = Subject(firm.name, lessons, firm.topics, merged={}, samples=(), strange=())
    model = learning.fit(subject, lessons, encoder)
    seen = model.see([one.text for one in came], [one.language for one in came])
    return [model.judge(_HEAD, sight) for sight in seen]


def _counted(came: Sequence[Example], said: Sequence[HeadPrediction]) -> Week:
    pairs = list(zip(came, said, strict=True))
    inside = [(one.label, answer) for one, answer in pairs if one.label != OUT_OF_SCOPE]
    outside = [answer for one, answer in pairs if one.label == OUT_OF_SCOPE]
    return Week(
        asked=len(inside),
        right=sum(answer.top[0].label == truth for truth, answer in inside),
        labelled=sum(answer.label is not None for _, answer in inside),
        labelled_right=sum(answer.label == truth for truth, answer in inside),
        acted=sum(answer.decision is Decision.AUTO for _, answer in inside),
        strange=len(outside),
        refused=sum(answer.label is None for answer in outside),
    )

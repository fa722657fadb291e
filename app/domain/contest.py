"""Whether a new model may take the place of the one before: it must not be worse.

To ask for a proof that it is better would be to keep the old one: with the texts there are to
compare them on, a gain of a few points cannot be told from luck, and more data helps in the end.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain import reliability

FEWEST, MOST = 60, 500  # texts to compare two models on; below, all there are
_SHARE = 5  # the newest fifth
_LUCK = 0.1  # probability below which being worse is no bad luck
_ENOUGH = 10  # texts of a class before its recall is looked at
_LOSS = 0.15  # of the recall of one class
_UNCALIBRATED = 0.08


class Objection(StrEnum):
    """Why it may not."""

    WORSE = "worse"
    LOSES_A_CLASS = "loses_a_class"
    UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True, slots=True)
class Trial:
    """One text that neither has learned from, and what both say of it."""

    truth: str
    champion: str
    challenger: str
    probability: float  # of what the challenger says


@dataclass(frozen=True, slots=True)
class Outcome:
    texts: int
    champion: float = 0.0  # share that was right
    challenger: float = 0.0
    luck: float = 1.0  # how likely it would look that much worse if it were as good
    calibration_error: float = 0.0
    lost: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = field(default=())


def held_out(texts: int) -> int:
    """How many of the newest to compare two models on."""
    return texts if texts < FEWEST else min(MOST, max(FEWEST, texts // _SHARE))


def judge(trials: Sequence[Trial], texts: int) -> Outcome:
    """Compare on `trials`, of a head that has `texts` labels in all."""
    if not trials:
        return Outcome(0)
    champion = [trial.champion == trial.truth for trial in trials]
    challenger = [trial.challenger == trial.truth for trial in trials]
    worse = sum(was and not is_ for was, is_ in zip(champion, challenger, strict=True))
    better = sum(is_ and not was for was, is_ in zip(champion, challenger, strict=True))
    luck = _tail(worse, worse + better)
    lost = _lost(trials)
    error = reliability.calibration_error(
        [(trial.probability, right) for trial, right in zip(trials, challenger, strict=True)]
    )
    objections = []
    if texts < FEWEST:
        # Too few for anything but a plain look.
        objections += [Objection.WORSE] if worse > better else []
    else:
        objections += [Objection.WORSE] if worse > better and luck < _LUCK else []
        objections += [Objection.LOSES_A_CLASS] if lost else []
        objections += [Objection.UNCALIBRATED] if error > _UNCALIBRATED else []
    return Outcome(
        texts=len(trials),
        champion=sum(champion) / len(trials),
        challenger=sum(challenger) / len(trials),
        luck=luck,
        calibration_error=error,
        lost=lost,
        objections=tuple(objections),
    )


def _tail(hits: int, of: int) -> float:
    """How likely a fair coin shows at least `hits` heads."""
    heads = sum(math.comb(of, number) for number in range(hits, of + 1))
    return float(heads / 2**of)


def _lost(trials: Sequence[Trial]) -> tuple[str, ...]:
    there = Counter(trial.truth for trial in trials)
    gain: dict[str, int] = defaultdict(int)
    for trial in trials:
        gain[trial.truth] += (trial.challenger == trial.truth) - (trial.champion == trial.truth)
    return tuple(
        label
        for label, number in sorted(there.items())
        if number >= _ENOUGH and -gain[label] > _LOSS * number
    )

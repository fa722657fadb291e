"""How far probabilities can be believed: what was said, beside how often it came true."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain import score
from app.domain.score import Share

_BINS = 15

Said = Sequence[tuple[float, bool]]
"""Probabilities, and whether what was said with them was right."""


@dataclass(frozen=True, slots=True)
class Bin:
    """What was said with a probability from `low` to `high`."""

    low: float
    high: float
    said: float  # on average
    right: Share


@dataclass(frozen=True, slots=True)
class Step:
    """What a threshold makes of it: the answers it lets through, and how many of them are right."""

    threshold: float
    covered: Share
    right: Share | None


def calibration_error(said: Said) -> float:
    """How far probabilities are from the share that was right, on average."""
    parts = _parted(said, _BINS).values()
    return sum(abs(sum(p for p, _ in one) - sum(r for _, r in one)) for one in parts) / len(said)


def bins(said: Said, number: int = 10) -> tuple[Bin, ...]:
    """Those that hold anything, the least probable first."""
    return tuple(
        Bin(
            low=place / number,
            high=(place + 1) / number,
            said=sum(p for p, _ in one) / len(one),
            right=score.share(sum(r for _, r in one), len(one)),
        )
        for place, one in sorted(_parted(said, number).items())
    )


def steps(said: Said, thresholds: Iterable[float]) -> tuple[Step, ...]:
    """In the order of `thresholds`; nothing said, no steps."""
    if not said:
        return ()
    return tuple(_step(said, threshold) for threshold in thresholds)


def _step(said: Said, threshold: float) -> Step:
    through = [right for probability, right in said if probability >= threshold]
    return Step(
        threshold=threshold,
        covered=score.share(len(through), len(said)),
        right=score.share(sum(through), len(through)) if through else None,
    )


def _parted(said: Said, number: int) -> dict[int, list[tuple[float, bool]]]:
    parts: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, right in said:
        parts[min(int(probability * number), number - 1)].append((probability, right))
    return parts

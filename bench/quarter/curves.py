"""Shares week by week, over several orders: their mean and how far they lie apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.quarter.simulate import Week


@dataclass(frozen=True, slots=True)
class Point:
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    share: Callable[[Week], tuple[int, int]]  # how many of how many


MEASURES = (
    Measure("best guess right", lambda week: (week.right, week.asked)),
    Measure("gets a label", lambda week: (week.labelled, week.asked)),
    Measure("label right", lambda week: (week.labelled_right, week.labelled)),
    Measure("silent on what is no inquiry", lambda week: (week.refused, week.strange)),
)
ACTED = Measure("may act by itself", lambda week: (week.acted, week.asked))


def curve(orders: Sequence[Sequence[Week]], measure: Measure) -> list[Point | None]:
    """None for a week in which no order had anything to count."""
    return [_point([measure.share(week) for week in weeks]) for weeks in zip(*orders, strict=True)]


def _point(counted: Sequence[tuple[int, int]]) -> Point | None:
    shares = [part / whole for part, whole in counted if whole]
    if not shares:
        return None
    return Point(math.fsum(shares) / len(shares), min(shares), max(shares))

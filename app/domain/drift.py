"""Whether what comes in, or what is said of it, changed from one time to another, beyond chance."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log, sqrt

FEWEST = 50  # on either side; below, everything looks as if it moved
MUCH = 0.1  # of the index: what is commonly taken for a change worth looking at
_RARE = 10  # on both sides together; what is rarer is counted as one
_PARTS = 5  # that figures without kinds are parted into
_SURE = 2.3263  # standard deviations: 99 in 100


class Moved(StrEnum):
    UNKNOWN = "unknown"  # too few to tell
    CALM = "calm"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Shift:
    """How far two counts of the same kinds are from each other."""

    before: int
    now: int
    index: float = 0.0  # population stability index
    luck: float = 0.0  # below which it stays by chance alone, 99 times in 100
    state: Moved = Moved.UNKNOWN


def of_kinds(before: Mapping[str, int], now: Mapping[str, int], least: float = MUCH) -> Shift:
    """Moved when the index is more than chance makes of it, and at least `least`.

    Without a change the index, divided by 1/n + 1/m, is distributed as chi square: that needs no
    drawing of samples, and keeps small numbers calm.
    """
    many, more = sum(before.values()), sum(now.values())
    if min(many, more) < FEWEST:
        return Shift(many, more)
    cells = _without_rare(before, now)
    freedom = len(cells) - 1
    index = sum(_apart(one, many, other, more, len(cells)) for one, other in cells)
    luck = _chi_square(freedom) * (1 / many + 1 / more)
    moved = freedom > 0 and index > max(luck, least)
    return Shift(many, more, round(index, 4), round(luck, 4), Moved.MOVED if moved else Moved.CALM)


def of_values(before: Sequence[float], now: Sequence[float], least: float = MUCH) -> Shift:
    """The same for figures, parted where a fifth of all of them lies below."""
    both = sorted([*before, *now])
    edges = [both[len(both) * part // _PARTS] for part in range(1, _PARTS)] if both else []
    counted = (Counter(str(bisect_right(edges, value)) for value in side) for side in (before, now))
    return of_kinds(next(counted), next(counted), least)


def _without_rare(before: Mapping[str, int], now: Mapping[str, int]) -> list[tuple[int, int]]:
    cells = [(before.get(kind, 0), now.get(kind, 0)) for kind in sorted({*before, *now})]
    kept = [cell for cell in cells if sum(cell) >= _RARE]
    rare = [cell for cell in cells if sum(cell) < _RARE]
    if rare:
        kept.append((sum(one for one, _ in rare), sum(other for _, other in rare)))
    return kept


def _apart(one: int, many: int, other: int, more: int, cells: int) -> float:
    # Half a case more in each cell: nothing at all would be infinitely far away.
    was, is_ = (one + 0.5) / (many + cells / 2), (other + 0.5) / (more + cells / 2)
    return (is_ - was) * log(is_ / was)


def _chi_square(freedom: int) -> float:
    """The value it exceeds once in a hundred, as Wilson and Hilferty came near to it."""
    if not freedom:
        return 0.0
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + _SURE * sqrt(spread)) ** 3)

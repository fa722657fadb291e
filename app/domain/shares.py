"""How much of what a model learns may come from one person."""

import math
from collections.abc import Mapping

_THIRD = 3
_COUNTS = 10  # labels from which on somebody is one of those that label
_ALWAYS = 20  # labels of a person that count in any case, however little the others say


def capped(weights: Mapping[int, float], labels: Mapping[int, int]) -> dict[int, float]:
    """By what to multiply each person's weights so that none has too much of all.

    `weights` is what all that a person said weighs together, `labels` how much they said. Nobody
    has more than half once the others together count as somebody that labels, nor more than a third
    once three people do. Who labels alone cannot be kept to a share, and counts in full.
    """
    limit = _limit(weights, labels)
    return {
        person: min(1.0, max(limit / weight, _ALWAYS / labels[person]))
        for person, weight in weights.items()
    }


def _limit(weights: Mapping[int, float], labels: Mapping[int, int]) -> float:
    """What one person may weigh."""
    order = sorted(weights, key=weights.__getitem__, reverse=True)
    heaviest = [weights[person] for person in order]
    if sum(number >= _COUNTS for number in labels.values()) < _THIRD:
        enough = sum(labels[person] for person in order[1:]) >= _COUNTS
        return sum(heaviest[1:]) if enough else math.inf
    limit = 0.0
    # One gives way, or two: of what is left after them, nobody has more than all of it.
    for giving in range(1, _THIRD):
        limit = sum(heaviest[giving:]) / (_THIRD - giving)
        if heaviest[giving] <= limit:
            break
    return limit

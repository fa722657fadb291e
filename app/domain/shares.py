"""How much of what a model learns may come from one person."""

from collections.abc import Mapping

_THIRD = 3
_COUNTS = 10  # labels from which on somebody is one of those that label


def capped(weights: Mapping[int, float], labels: Mapping[int, int]) -> dict[int, float]:
    """By what to multiply each person's weights so that none has more than a third of all.

    `weights` is what all that a person said weighs together, `labels` how much they said. While
    fewer than three people label, nobody can be kept to a third, and everything counts in full.
    """
    if sum(number >= _COUNTS for number in labels.values()) < _THIRD:
        return dict.fromkeys(weights, 1.0)
    heaviest = sorted(weights.values(), reverse=True)
    limit = 0.0
    # One gives way, or two: of what is left after them, nobody has more than all of it.
    for giving in range(1, _THIRD):
        limit = sum(heaviest[giving:]) / (_THIRD - giving)
        if heaviest[giving] <= limit:
            break
    return {person: min(1.0, limit / weight) for person, weight in weights.items()}

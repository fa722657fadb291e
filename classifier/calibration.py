"""How sure a model may sound: temperatures, thresholds, and how well they keep their promise."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = 2.0  # a threshold no probability reaches
_FEWEST = 20  # accepted rows before a precision is believed


def softmax(scores: Floats, temperature: float) -> Floats:
    cooled = scores / temperature
    grown = np.exp(cooled - cooled.max(axis=-1, keepdims=True))
    result: Floats = grown / grown.sum(axis=-1, keepdims=True)
    return result


def surprise(scores: Floats, truth: NDArray[np.intp], temperature: float) -> float:
    """Mean negative log likelihood: what both the temperature and the strength are chosen by."""
    right = softmax(scores, temperature)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def fit_temperature(scores: Floats, truth: NDArray[np.intp]) -> float:
    """The temperature that makes out-of-fold scores least surprising; 1 when there are none."""
    if not len(truth):
        return 1.0
    low, high = np.log(0.02), np.log(20.0)
    # Surprise has one valley in the inverse temperature, so thirds close in on it.
    for _ in range(60):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if surprise(scores, truth, np.exp(left)) < surprise(scores, truth, np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def threshold(probability: Floats, right: Bools, precision: float) -> float:
    """The lowest probability above which `precision` of the answers were right, else `NEVER`."""
    order = np.argsort(-probability, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Alike probabilities are accepted or refused together.
    last = np.append(np.diff(probability[order]) != 0, True) if len(order) else right
    good = np.flatnonzero((share >= precision) & last)
    if not len(good) or good[-1] + 1 < _FEWEST:
        return NEVER
    return float(probability[order[good[-1]]])


def coverage(probability: Floats, right: Bools, precision: float) -> float:
    """The largest share of answers that could be given with this precision."""
    limit = threshold(probability, right, precision)
    return float((probability >= limit).mean()) if len(probability) else 0.0


def calibration_error(probability: Floats, right: Bools, bins: int = 15) -> float:
    """Expected calibration error: how far probabilities are from the share that was right."""
    if not len(probability):
        return 0.0
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(float(probability[place == number].mean() - right[place == number].mean()))
        * float((place == number).mean())
        for number in range(bins)
        if (place == number).any()
    ]
    return sum(gaps)

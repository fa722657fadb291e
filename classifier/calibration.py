"""How sure a model may sound: what its parts weigh, thresholds, and how well they keep promises."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

NEVER = 2.0  # a threshold no probability reaches
_FEWEST = 20  # accepted rows before a precision is believed
_SURE = 1.645  # standard deviations: a bound that holds in 95 of 100 cases
_PULL = 0.003  # towards the usual weights, so that a few rows cannot send them anywhere


def softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    shares: Floats = scores / temperature
    shares -= shares.max(axis=-1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def surprise(scores: Floats, truth: Places, temperature: float = 1.0) -> float:
    """Mean negative log likelihood: what weights, strengths and temperatures are chosen by."""
    right = softmax(scores, temperature)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def weighed(parts: Sequence[NDArray[np.floating]], weights: Floats) -> Floats:
    """Their sum, one after the other: all at once would be held twice over."""
    total = np.zeros(parts[0].shape)
    for part, weight in zip(parts, weights, strict=True):
        total += weight * part
    return total


def fit_weights(
    parts: Sequence[NDArray[np.floating]], truth: Places, usual: Sequence[float]
) -> list[float]:
    """What each part's scores count, none less than nothing, so that the sum is least surprising.

    Probabilities of such a sum on rows the parts have not seen are calibrated by that alone.
    """
    from scipy.optimize import minimize

    if not len(truth) or not parts:
        return list(usual)
    rows, start = np.arange(len(truth)), np.asarray(usual)

    def loss(weights: Floats) -> tuple[float, Floats]:
        shares = softmax(weighed(parts, weights))
        missed = -np.log(np.maximum(shares[rows, truth], 1e-12)).mean()
        shares[rows, truth] -= 1.0
        slope = np.array([np.vdot(part, shares) for part in parts]) / len(truth)
        away = weights - start
        return float(missed + _PULL * (away**2).sum()), slope + 2 * _PULL * away

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(parts))
    return [float(weight) for weight in found.x]


def logistic(scores: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(scores, -50.0, 50.0)))
    return result


def fit_line(columns: Floats, truth: Places) -> tuple[list[float], float]:
    """What each column is multiplied by, none less than nothing, and what is added, for the
    logistic of the sum to be a probability (Platt, Advances in Large Margin Classifiers, 1999)."""
    from scipy.optimize import minimize

    width = columns.shape[1]
    if len(set(truth.tolist())) < 2:
        return [1.0] * width, 0.0

    def loss(line: Floats) -> tuple[float, Floats]:
        scores = columns @ line[:-1] + line[-1]
        missed = float((np.logaddexp(0.0, scores) - truth * scores).mean())
        off = logistic(scores) - truth
        away = line[:-1] - 1.0
        slope = columns.T @ off / len(truth) + 2 * _PULL * away
        return missed + _PULL * float((away**2).sum()), np.append(slope, off.mean())

    start = np.append(np.ones(width), 0.0)
    bounds = [*[(0.0, None)] * width, (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return [float(weight) for weight in found.x[:-1]], float(found.x[-1])


def fit_temperature(scores: Floats, truth: Places) -> float:
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


def wilson(right: Floats, of: Floats) -> Floats:
    """The least share that `right` out of `of` can be trusted to mean."""
    share, square = right / of, _SURE**2
    spread = _SURE * np.sqrt(share * (1 - share) / of + square / (4 * of**2))
    result: Floats = (share + square / (2 * of) - spread) / (1 + square / of)
    return result


def threshold(
    probability: Floats,
    right: Bools,
    precision: float,
    *,
    surely: bool = False,
    fewest: int = _FEWEST,
) -> float:
    """The lowest probability above which `precision` of the answers were right, else `NEVER`.

    With `surely`, luck is allowed for: the lower bound of that share must reach it.
    """
    order = np.argsort(-probability, kind="stable")
    given = np.arange(1, len(order) + 1, dtype=np.float64)
    hits = np.cumsum(right[order], dtype=np.float64)
    share = wilson(hits, given) if surely else hits / given
    # Alike probabilities are accepted or refused together.
    last = np.append(np.diff(probability[order]) != 0, True) if len(order) else right
    good = np.flatnonzero((share >= precision) & last)
    if not len(good) or good[-1] + 1 < fewest:
        return NEVER
    return float(probability[order[good[-1]]])


def coverage(probability: Floats, right: Bools, precision: float) -> float:
    """The largest share of answers that could be given with this precision."""
    limit = threshold(probability, right, precision, fewest=1)
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


def separation(inside: Floats, outside: Floats) -> float:
    """How often a text that belongs has the higher score of the two (AUROC); NaN without pairs."""
    if not len(inside) or not len(outside):
        return math.nan
    both = np.concatenate([inside, outside])
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[place][: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(above / (len(inside) * len(outside)))

"""Whether more came in than the same hours of earlier weeks let one expect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

HOURS = (3, 24)  # that are looked at, up to now: what comes fast, and what comes slowly
WEEKS = 8  # that are looked back on
FEWEST_WEEKS = 3  # less says nothing of what is usual
LEAST = 8  # inquiries; fewer are not worth an alarm, however few are usual
_TIMES = 2.0  # what is usual; of a thousand a day, a tenth more is no luck and no alarm either
_LUCK = 0.001  # probability that chance alone raises any alarm of one look
_GOES_ON = 1.5  # times what is usual: an alarm ends lower than it begins, and so only once
_NOTHING_MORE = 1e-12  # of the sum so far


@dataclass(frozen=True, slots=True)
class Span:
    start: datetime
    end: datetime  # not part of it


@dataclass(frozen=True, slots=True)
class Look:
    """How many there were, beside what is usual."""

    count: int
    expected: float
    luck: float  # how likely chance alone makes it that many
    alarming: bool
    goes_on: bool  # enough for an alarm that was raised before


def until(now: datetime, hours: int) -> Span:
    return Span(now - timedelta(hours=hours), now)


def earlier(span: Span, zone: tzinfo, first: datetime) -> list[Span]:
    """The same hours of the same weekday in the weeks before, the newest first.

    By the clock on the wall, which may have been put forward since. None from before `first`.
    """
    length, end = span.end - span.start, span.end.astimezone(zone)
    ends = ((end - timedelta(weeks=number)).astimezone(UTC) for number in range(1, WEEKS + 1))
    return [Span(one - length, one) for one in ends if one - length >= first]


def usual(before: Sequence[int]) -> float:
    weeks = _calm(before)
    return sum(weeks) / len(weeks)


def _calm(before: Sequence[int]) -> Sequence[int]:
    """The highest week taken for no higher than the second: one alarm must not hide the next.

    What is as high in two weeks is usual, and nobody is told of it any more.
    """
    if len(before) <= FEWEST_WEEKS:
        return before
    *_, second, _ = sorted(before)
    return [min(one, second) for one in before]


def judge(count: int, before: Sequence[int], tests: int) -> Look | None:
    """Compare with the weeks before, as one of `tests` such questions; None: they are too few."""
    if len(before) < FEWEST_WEEKS:
        return None
    expected = usual(before)
    luck = chance(count, before)
    return Look(
        count=count,
        expected=expected,
        luck=luck,
        alarming=count >= LEAST and count >= _TIMES * expected and luck < _LUCK / tests,
        goes_on=count >= LEAST / 2 and count >= _GOES_ON * expected,
    )


def chance(count: int, before: Sequence[int]) -> float:
    """How likely the next week has at least `count`, when it is a week as those before.

    A negative binomial: its mean is not known but estimated from a handful of weeks, which makes
    it wider than a Poisson, and wider still where the weeks differ more than chance lets them.
    """
    calm, weeks = _calm(before), len(before)
    mean = (sum(calm) + 0.5) / weeks  # half a one more: nought in eight weeks is not never
    spread = sum((one - sum(calm) / weeks) ** 2 for one in calm) / (weeks - 1)
    variance = max(mean, spread) * (1 + 1 / weeks)
    size, share = mean**2 / (variance - mean), mean / variance
    term = math.exp(
        math.lgamma(size + count) - math.lgamma(size) - math.lgamma(count + 1)
        + size * math.log(share) + count * math.log1p(-share)
    )  # fmt: skip
    total, at = 0.0, count
    # Up to the mean the terms grow, and behind it they only get smaller.
    while at <= mean or term > _NOTHING_MORE * total:
        total += term
        term *= (size + at) / (at + 1) * (1 - share)
        at += 1
    return min(total, 1.0)

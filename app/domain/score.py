"""Shares of satisfied answers with the interval that small numbers deserve."""

from dataclasses import dataclass
from math import sqrt

SATISFIED_FROM = 4
FEWEST = 10  # below this many answers a rate would only be an anecdote

_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `n`, with the Wilson interval of the share in per cent."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def percent(self) -> float:
        return 100 * self.hits / self.n

    @property
    def few(self) -> bool:
        return self.n < FEWEST


def share(hits: int, n: int) -> Share:
    """Wilson's interval: unlike the textbook one it stays inside 0 to 100 and honest at 5 of 5."""
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is not a share")
    rate, z2 = hits / n, _Z * _Z
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Share(hits, n, round(100 * (middle - reach), 1), round(100 * (middle + reach), 1))

"""How long reading one arrival may keep the others waiting that came after it."""

import time
from collections.abc import Callable

LEAST = 0.05  # seconds; hardly an ordinary mail needs as much
MOST = 2.0  # seconds that slow ones may take together, at once …
AGAIN = 0.05  # … and so many more with each second
A_SECOND = 50_000_000  # bytes that are read in a second where nothing is wrong with them


class Patience:
    """Little is left for the next one when those before it took long: so however many hostile
    mails come together, the others wait for about as long as for two of them."""

    def __init__(self, most: float = MOST, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most, now
        self._left, self._at = most, now()

    @property
    def seconds(self) -> float:
        """For the next one."""
        return max(LEAST, self._refilled() / 2)

    def suffices(self, size: int) -> bool:
        """Whether so many bytes can be read in that time at all."""
        return size <= self.seconds * A_SECOND

    def spend(self, seconds: float) -> None:
        """The last one took so long."""
        self._left = self._refilled() - max(0.0, seconds - LEAST)

    def _refilled(self) -> float:
        now = self._now()
        self._left = min(self._most, max(0.0, self._left) + (now - self._at) * AGAIN)
        self._at = now
        return self._left

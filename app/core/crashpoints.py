"""Named places where a test may kill the process, as a power cut would.

Each place is declared where it stands, so that a test can list them all and fail on any
that was never reached. Without `SETTEN_CRASH_AT` a point costs one comparison.
"""

import os
import signal
from collections.abc import Callable

_points: dict[str, str] = {}
_wanted, _, _nth = os.environ.get("SETTEN_CRASH_AT", "").partition(":")
_left = int(_nth or 1)


def declare(name: str, meaning: str) -> Callable[[], None]:
    """A function that dies at the n-th call when `SETTEN_CRASH_AT` is `name` or `name:n`."""
    if name in _points:
        raise ValueError(f"crash point {name} is declared twice")
    _points[name] = meaning

    def reached() -> None:
        global _left  # noqa: PLW0603 - the process counts towards its own end
        if name != _wanted:
            return
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def declared() -> dict[str, str]:
    """Every declared point and what it means, in the order of declaration."""
    return dict(_points)

"""The only reader of time; tests set it instead of sleeping."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def _system() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one place that may


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment in UTC."""
    return _source()


@contextmanager
def at(moment: datetime) -> Iterator[Callable[[timedelta], None]]:
    """Hold time still at `moment`; the yielded function moves it on."""
    global _source  # noqa: PLW0603 - time is one for the whole process
    held = [moment.astimezone(UTC)]
    before, _source = _source, lambda: held[0]

    def forward(by: timedelta) -> None:
        held[0] += by

    try:
        yield forward
    finally:
        _source = before

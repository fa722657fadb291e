"""A database that really fails, and is mended when the worker says that it noticed."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from typing_extensions import override

from tests.worker.conftest import Plant

WITHIN = 20.0  # seconds


def rename(plant: Plant, table: str, to: str) -> None:
    """On SQLite, whoever needs the table then gets the error of a database that is broken."""
    with plant.desk.db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


class _Heard(logging.Handler):
    def __init__(self, words: str) -> None:
        super().__init__()
        self.words, self.said = words, threading.Event()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self.words:
            self.said.set()


@contextmanager
def when_said(words: str, act: Callable[[], object]) -> Iterator[None]:
    """Does `act`, in a thread of its own, once `words` are logged."""
    heard = _Heard(words)

    def wait() -> None:
        if heard.said.wait(WITHIN):
            act()

    mending = threading.Thread(target=wait)
    logging.getLogger().addHandler(heard)
    mending.start()
    try:
        yield
    finally:
        logging.getLogger().removeHandler(heard)
        mending.join(WITHIN)
    assert heard.said.is_set(), f"nobody said: {words}"

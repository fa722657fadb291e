"""What every command needs: words on the terminal, the opened installation, answers of a person."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app.core.errors import Invalid
from app.core.secrets import Keys, load_key
from app.core.settings import Settings
from app.store import schema
from app.store.blobs import Blobs
from app.store.database import Database


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts a command needs."""

    settings: Settings
    database: Database
    blobs: Blobs
    keys: Keys


def say(words: str = "") -> None:
    print(words, flush=True)


def complain(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """The parts, for one command. Raises `Invalid` when its tables are not those of this one."""
    database = database_of(settings)
    try:
        schema.check_current(database)
        keys = Keys(load_key(settings.key_file))
        yield Installation(settings, database, Blobs(settings.blob_dir), keys)
    finally:
        database.close()


def database_of(settings: Settings) -> Database:
    """Raises `Invalid` when there is no place for it."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return Database(settings.database_url, settings.sqlite_file)
    except OSError as problem:
        raise Invalid(
            f"SETTEN_DATA_DIR: {settings.data_dir} cannot be written ({problem.strerror})."
        ) from problem


def ask(words: str) -> str:
    """One line from a person. Raises `Invalid` when nobody is there to answer."""
    try:
        return input(f"{words}: ").strip()
    except EOFError:
        raise Invalid("Nobody answered: run this in a terminal.") from None


def ask_secret(words: str) -> str:
    """The same without showing it; from a pipe one line is read."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass(f"{words}: ")


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as what is in them; Japanese letters count twice."""
    widths = [max(_width(row[n]) for row in [headings, *rows]) for n in range(len(headings))]
    for row in [headings, *rows]:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        say("  ".join(cells).rstrip())


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)

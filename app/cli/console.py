"""What every command needs: words on the terminal, the opened installation, answers of a person."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Invalid
from app.core.secrets import Keys
from app.core.settings import Settings
from app.store import keeping, schema
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
    """The parts, for one command. Raises `Invalid` when its tables or its key are others."""
    database = database_of(settings)
    try:
        with answering(settings):
            schema.check_current(database)
        keys = keeping.open_keys(database, settings.key_file)
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
    except (SQLAlchemyError, ImportError, ValueError) as problem:
        raise _no_database(settings, problem) from problem


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Around the first question to a database: no answer is told in a sentence."""
    try:
        yield
    except SQLAlchemyError as problem:
        raise _no_database(settings, problem) from problem


def _no_database(settings: Settings, problem: Exception) -> Invalid:
    where = "SETTEN_DATABASE_URL" if settings.database_url else str(settings.sqlite_file)
    cause = getattr(problem, "orig", None) or problem
    reason = next(iter(str(cause).splitlines()), type(cause).__name__)
    return Invalid(f"Setten cannot start. {where}: the database does not open ({reason}).")


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

"""Whether the tables are those this program knows, and bringing them there."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, NullPool, create_engine, event, text

from app.core import clock
from app.core.errors import Invalid
from app.store import jobs, seeds
from app.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The newest file in `migrations/versions`; here, because asking Alembic takes half a second."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x5E77E4  # any number, as long as all processes of Setten mean the same


def version(database: Database) -> str | None:
    """The last migration that was run; None in a database without our tables."""
    with database.reader.connect() as connection:
        there = (
            "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
            if database.is_sqlite
            else "SELECT to_regclass('alembic_version')"
        )
        if connection.execute(text(there)).scalar() is None:
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def check_current(database: Database) -> None:
    """Raise `Invalid` unless the tables are those of this program."""
    found = version(database)
    if found is not None and found > HEAD:
        raise _newer(found)
    if found != HEAD:
        raise Invalid(
            "The tables are missing or older than this program: run setten migrate.",
            found=found,
            wanted=HEAD,
        )


def migrate(database: Database, backup_folder: Path | None = None) -> None:
    """Bring tables, the job engine's tables and the rows everybody needs up to date.

    Does nothing where nothing is to do. Of several processes that start together one does it and
    the others wait. On SQLite what is there is copied to `backup_folder` before it is changed.
    """
    with _alone(database):
        found = version(database)
        if found is not None and found > HEAD:
            raise _newer(found)
        if found != HEAD:
            if found is not None and database.is_sqlite and backup_folder is not None:
                _back_up(database, backup_folder, found)
            _upgrade(database)
        jobs.prepare(database)
        with database.transaction() as session:
            seeds.seed(session)


def alembic_config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - a program that starts need not load it

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def connected(database: Database) -> Iterator[Connection]:
    """One transaction for all of it. On SQLite a connection of its own, without foreign keys:
    they can only be switched off outside a transaction, and a table that is remade while they
    are on takes the rows that point to it along."""
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            yield connection
        return
    engine = create_engine(database.engine.url, poolclass=NullPool)
    event.listen(engine, "connect", _without_keys)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            yield connection
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise Invalid(f"Nothing was changed: rows of {broken[0][0]} point nowhere.")
    finally:
        engine.dispose()


def _without_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = OFF")


def _upgrade(database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - see alembic_config

    with connected(database) as connection:
        command.upgrade(alembic_config(connection), HEAD)


def _newer(found: str) -> Invalid:
    return Invalid(
        "This data was written by a newer Setten: install that version, "
        "or restore the copy made before the upgrade.",
        found=found,
        wanted=HEAD,
    )


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    if database.is_sqlite:
        with Path(f"{database.engine.url.database}.migrating").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # freed when the process ends, however it ends
            yield
        return
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        # Asking again, not waiting inside PostgreSQL: the job engine makes indexes concurrently,
        # which waits for every running statement, and so for one that waits for this lock.
        while not connection.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})")):
            time.sleep(0.2)
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))


def _back_up(database: Database, folder: Path, found: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"setten-{found}-before-{HEAD}-{clock.now():%Y%m%dT%H%M%S%f}.sqlite3"
    draft = folder / f".{name}"
    source = sqlite3.connect(str(database.engine.url.database))
    copy = sqlite3.connect(draft)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(folder / name)

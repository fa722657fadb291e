"""One database, SQLite or PostgreSQL: transactions, reading, and the taming of SQLite."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlmodel import Session

AfterCommit = Callable[[], None]


def _subsecond_clock(connection: sqlite3.Connection) -> None:
    if sqlite3.sqlite_version_info < (3, 42):
        # The job engine calls unixepoch('subsec'), which older SQLite answers with NULL.
        connection.create_function("unixepoch", 1, lambda _: time.time())


def _for_jobs(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = ON")
    _subsecond_clock(connection)


def _on_connect(*, reading: bool) -> Callable[[Any, Any], None]:
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see `_begin`
        for line in (
            "PRAGMA journal_mode = WAL",
            # FULL: what was accepted from a server or a webhook survives a power cut.
            "PRAGMA synchronous = FULL",
            "PRAGMA busy_timeout = 10000",
            "PRAGMA foreign_keys = ON",
            "PRAGMA cache_size = -16000",
            *(["PRAGMA query_only = ON"] if reading else []),
        ):
            connection.execute(line)
        _subsecond_clock(connection)

    return prepare


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once with "database is locked"
    # when another writer got in between; waiting for the lock up front does not.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


_PREPARED = 500  # statements a connection keeps planned; psycopg's own 100 are fewer than we have
# A server that is gone without a word is noticed within half a minute, before a lease runs out.
_NOTICES = {
    "connect_timeout": "10",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",  # milliseconds
}


class Database:
    """Two doors: `transaction()` to change something, `reading()` to look."""

    def __init__(self, url: str, sqlite_file: Path) -> None:
        self.is_sqlite = not url or url.startswith("sqlite")
        if self.is_sqlite:
            sqlite_file.parent.mkdir(parents=True, exist_ok=True)
            address = url or f"sqlite:///{sqlite_file.absolute()}"
            # One writer connection: writers queue here in order instead of fighting for the lock.
            self.engine = create_engine(address, pool_size=1, max_overflow=0, pool_timeout=60)
            self.reader = create_engine(address, pool_size=4, max_overflow=4)
            event.listen(self.engine, "connect", _on_connect(reading=False))
            event.listen(self.reader, "connect", _on_connect(reading=True))
            event.listen(self.engine, "begin", _begin)
            event.listen(self.reader, "begin", _begin_reading)
        else:
            asked = make_url(url)
            self.engine = create_engine(
                asked.set(drivername="postgresql+psycopg", query={**_NOTICES, **asked.query}),
                pool_size=8,
                max_overflow=8,
                pool_pre_ping=True,
                # The one used last is taken next, and keeps what it has planned: most of what a
                # short query costs is planning it.
                pool_use_lifo=True,
            )
            event.listen(self.engine, "connect", _keep_prepared)
            self.reader = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All of it happens or none of it does. The only commit of changes in Setten."""
        with Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for act in session.info.pop("after_commit", []):
                act()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view, whatever others commit meanwhile; writing through it fails."""
        with Session(self.reader, expire_on_commit=False) as session:
            yield session
            if session.is_active:
                # Not rolled back: then psycopg would throw away what the connection has prepared.
                session.expunge_all()
                session.commit()

    def engine_for_jobs(self) -> Engine:
        """The job engine's own connections, to the same database, so that a job can be written
        in our transaction. On SQLite without an fsync of their own: a lost job is found again."""
        if not self.is_sqlite:
            return self.engine
        engine = create_engine(self.engine.url, pool_size=4, max_overflow=4)
        event.listen(engine, "connect", _for_jobs)
        return engine

    def close(self) -> None:
        self.engine.dispose()
        self.reader.dispose()


def after_commit(session: Session, act: AfterCommit) -> None:
    """Do `act` once this transaction is durable; never if it is rolled back."""
    session.info.setdefault("after_commit", []).append(act)


def engine_of(session: Session) -> Engine:
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine


def _keep_prepared(connection: Any, _: object) -> None:
    connection.prepared_max = _PREPARED

"""Transactions and reading: all or nothing, one view, and writers that queue."""

import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import Session, select

from app.store.database import Database, after_commit
from app.store.tables import Team, Ticket
from app.store.types import UtcDateTime
from tests.factories import NOON, make_ticket


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.exec(select(Team.name)))


def test_all_of_it_happens_or_none(db: Database) -> None:
    with db.transaction() as session:
        session.add(Team(name="kept"))

    def fail() -> None:
        with db.transaction() as session:
            session.add(Team(name="lost"))
            session.flush()
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()

    assert names(db) == ["kept"]


def test_reading_writes_nothing(db: Database) -> None:
    with db.reading() as session:
        session.add(Team(name="sneaky"))
        with pytest.raises(DBAPIError):
            session.flush()

    assert names(db) == []


def test_reading_is_one_view_whatever_others_commit(db: Database) -> None:
    with db.reading() as session:
        before = session.exec(select(Team.name)).all()
        with db.transaction() as other:
            other.add(Team(name="new"))

        assert session.exec(select(Team.name)).all() == before == []

    assert names(db) == ["new"]


def test_read_then_write_loses_nothing(db: Database) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session, message_count=0)

    def count() -> None:
        for _ in range(25):
            with db.transaction() as session:
                row = session.get_one(Ticket, ticket.id, with_for_update=True)
                row.message_count += 1
                session.add(row)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    with db.reading() as session:
        assert session.get_one(Ticket, ticket.id).message_count == 100


def test_what_was_to_follow_follows_only_a_commit(db: Database) -> None:
    done: list[str] = []

    def go(name: str, *, fails: bool) -> None:
        with db.transaction() as session:
            after_commit(session, lambda: done.append(name))
            session.add(Team(name=name))
            assert done == (["one"] if fails else [])
            if fails:
                raise RuntimeError("power cut")

    go("one", fails=False)
    with pytest.raises(RuntimeError):
        go("two", fails=True)

    assert (done, names(db)) == (["one"], ["one"])


def test_sqlite_survives_a_power_cut_and_checks_its_links(sqlite_db: Database) -> None:
    with sqlite_db.engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert found == ["wal", 2, 1, 10_000]


def test_sqlite_writers_take_their_lock_at_once(sqlite_db: Database) -> None:
    """A transaction that reads first and writes then would fail when another got in between."""
    said: list[str] = []

    def listen(_c: object, _k: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(sqlite_db.engine, "before_cursor_execute", listen)
    with sqlite_db.transaction() as session:
        session.exec(select(Team)).all()

    assert said[0] == "BEGIN IMMEDIATE"


def test_sqlite_serves_readers_while_somebody_writes(sqlite_db: Database) -> None:
    with sqlite_db.transaction() as session:
        session.add(Team(name="half"))
        session.flush()

        assert names(sqlite_db) == []


def test_postgresql_plans_what_is_read_again_and_again_only_once(postgres_db: Database) -> None:
    """Planning a short query costs more than answering it."""
    for _ in range(10):
        names(postgres_db)
    with postgres_db.engine.connect() as connection:
        kept = connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars()

        assert [line for line in kept if "FROM team" in line]


def test_postgresql_that_is_gone_is_noticed(postgres_db: Database, tmp_path: Path) -> None:
    address = postgres_db.engine.url.difference_update_query(["keepalives_count"])
    given = address.update_query_dict({"connect_timeout": "3"}).set(drivername="postgresql")
    database = Database(given.render_as_string(hide_password=False), tmp_path / "unused")
    with database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, psycopg.Connection)
        told = raw.info.get_parameters()
    database.close()

    assert {name: told.get(name) for name in ("connect_timeout", "keepalives_count")} == {
        "connect_timeout": "3",  # the administrator's own
        "keepalives_count": "3",
    }
    assert int(told["tcp_user_timeout"]) == 25_000


def test_moments_come_back_in_utc_and_naive_ones_are_refused(db: Database) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session)
    with db.reading() as session:
        assert session.get_one(Ticket, ticket.id).created_at == NOON

    def store(naive: object) -> None:
        with db.transaction() as session:
            session.get_one(Ticket, ticket.id).snoozed_until = naive  # type: ignore[assignment]

    with pytest.raises(StatementError, match="naive"):
        store(NOON.replace(tzinfo=None))
    assert UtcDateTime().process_result_value(None, None) is None  # type: ignore[arg-type]


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    database = Database("", tmp_path / "new" / "setten.sqlite3")

    with Session(database.engine) as session:
        assert session.connection().scalar(text("SELECT 1")) == 1

    database.close()

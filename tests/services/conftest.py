"""A desk on each kind of database, and time that moves only when a test says so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core import clock
from app.core.secrets import Keys
from app.store.database import Database
from tests.inquiries import NOON, Desk, make_desk
from tests.servers.postgres import Postgres

Forward = Callable[[timedelta], None]

_STAYS = {"alembic_version", "segment", "stage", "stage_vocabulary", "topic"}


@pytest.fixture(scope="session")
def emptied_postgres(postgres_server: Postgres, postgres_template: str) -> Iterator[Database]:
    """One database for all tests here: copying the template takes most of a second each time."""
    url = postgres_server.create("setten_services", postgres_template)
    database = Database(url, Path("unused/unused"))
    yield database
    database.close()
    postgres_server.drop("setten_services")


@pytest.fixture
def postgres_db(emptied_postgres: Database) -> Iterator[Database]:
    yield emptied_postgres
    empty(emptied_postgres)


_EMPTY = text(
    """
    DO $$ DECLARE found record; BEGIN
        FOR found IN
            SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'dbos')
            AND tablename NOT LIKE '%migration%'
            AND tablename <> ALL (string_to_array('STAYS', ' '))
        LOOP
            EXECUTE format('DELETE FROM %I.%I', found.schemaname, found.tablename);
        END LOOP;
    END $$
    """.replace("STAYS", " ".join(sorted(_STAYS)))
)


def empty(database: Database) -> None:
    with database.engine.begin() as connection:
        # Rows, not files: most tables hold a handful, and emptying a file costs an fsync.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(_EMPTY)


@pytest.fixture
def forward() -> Iterator[Forward]:
    with clock.at(NOON) as move:
        yield move


@pytest.fixture
def desk(db: Database, keys: Keys, forward: Forward) -> Desk:  # noqa: ARG001 - time stands still
    return make_desk(db, keys)

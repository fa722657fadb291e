"""What tests of every floor share: settings, keys, blobs, and databases that cost little."""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from app.core.key_file import load_key
from app.core.secrets import Keys
from app.core.settings import Settings
from app.store import schema
from app.store.blobs import Blobs
from app.store.database import Database
from tests.faults.table import pytest_terminal_summary
from tests.servers.postgres import Postgres

__all__ = ["pytest_terminal_summary"]  # a hook: pytest finds it by its name

# The same examples everywhere, and no verdict on how fast a machine is.
hypothesis.settings.register_profile(
    "setten",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("setten")

_numbers = itertools.count(1)
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(autouse=True)
def _same_umask() -> Iterator[None]:
    """A command changes it as if the process were its own; servers of later tests then find
    folders that they cannot open."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    after = os.umask(before)
    assert oct(after) == oct(before), "this test leaves another umask behind"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One server for the whole run. Not installed: skipped, or a failure where CI=true."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "setten.sqlite3"
    database = Database("", path)
    schema.migrate(database)
    database.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """Name of a migrated database, to be copied."""
    database = Database(postgres_server.create("setten_template"), Path("unused/unused"))
    schema.migrate(database)
    database.close()
    return "setten_template"


@pytest.fixture
def sqlite_db(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated SQLite database: most tests need no other."""
    path = tmp_path / "data" / "setten.sqlite3"
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(sqlite_template, path)
    database = Database("", path)
    yield database
    database.close()


@pytest.fixture
def postgres_db(postgres_server: Postgres, postgres_template: str) -> Iterator[Database]:
    """A fresh, migrated PostgreSQL database."""
    name = f"setten_{next(_numbers)}"
    database = Database(postgres_server.create(name, postgres_template), Path("unused/unused"))
    yield database
    database.close()
    postgres_server.drop(name)


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> str:
    """A test that asks for a database runs once on each kind."""
    return str(request.param)


@pytest.fixture
def db(request: pytest.FixtureRequest, kind: str) -> Database:
    """A fresh, migrated database."""
    database: Database = request.getfixturevalue(f"{kind}_db")
    return database


@pytest.fixture
def empty_database(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> Iterator[Callable[[], Database]]:
    """Opens one and the same empty database, as often as it is called."""
    opened: list[Database] = []
    name = f"setten_{next(_numbers)}"
    server: Postgres | None = None
    if kind == "postgres":
        server = request.getfixturevalue("postgres_server")
    url = server.create(name) if server else ""

    def open_one() -> Database:
        opened.append(Database(url, tmp_path / "empty" / "setten.sqlite3"))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()
    if server:
        server.drop(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # No .env of the checkout, no worker's names from the surroundings.
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
def keys(settings: Settings) -> Keys:
    return Keys(load_key(settings.key_file))


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings.blob_dir)

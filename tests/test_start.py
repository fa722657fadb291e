"""What stops a start: a key that is not the database's, and settings that lead nowhere.

Every stop is one sentence and a status, whichever command meets it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import alembic.config  # noqa: F401 - it keeps the standard output of its import
import pytest

from app import cli
from tests.servers import free_port

WAY_OUT = (
    "Put the right key there; every backup holds it, and “setten restore” brings it back. If it is "
    "lost for good, “setten migrate --new-key” goes on with another one: then inboxes have to be "
    "told their passwords anew, and links sent before lead nowhere.\n"
)
REFUSED = (
    'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused'
)
SERVERS = ("serve", "web", "worker")


@dataclass(frozen=True)
class Done:
    """A command that ended: its status, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class House:
    """One installation, whose commands are called in this process."""

    data: Path
    environment: dict[str, str]
    call: Callable[[dict[str, str], tuple[str, ...]], Done]

    def run(self, *words: str) -> Done:
        return self.call({"SETTEN_DATA_DIR": str(self.data), **self.environment}, words)


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[dict[str, str], tuple[str, ...]], Done]]:
    root = logging.getLogger()
    mask, handlers, level = os.umask(0o022), root.handlers[:], root.level

    def run(environment: dict[str, str], words: tuple[str, ...]) -> Done:
        with monkeypatch.context() as changed:
            for name in [name for name in os.environ if name.startswith("SETTEN_")]:
                changed.delenv(name)
            for name, value in {"SETTEN_PORT": str(free_port()), **environment}.items():
                changed.setenv(name, value)
            capsys.readouterr()
            status = cli.main(words)
        return Done(status, *capsys.readouterr())

    yield run
    os.umask(mask)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def setten(tmp_path: Path, call: Callable[[dict[str, str], tuple[str, ...]], Done]) -> House:
    return House(tmp_path / "data", {}, call)


@pytest.fixture
def migrated(setten: House) -> House:
    assert setten.run("migrate").returncode == 0
    return setten


def stopped(on: House, *commands: str) -> set[tuple[int, str]]:
    """How these ended: one answer, when all of them say the same."""
    ended = [on.run(command) for command in commands]
    return {(done.returncode, done.stderr) for done in ended}


def test_a_lost_key_stops_the_start_and_no_other_is_made(migrated: House) -> None:
    key = migrated.data / "secret.key"
    key.unlink()
    words = (
        f"SETTEN_SECRET_KEY_FILE: there is no key in {key}, and this database was begun with one. "
        + WAY_OUT
    )

    assert stopped(migrated, *SERVERS, "migrate", "check") == {(1, f"setten: {words}")}
    assert not key.exists()
    assert migrated.run("doctor").stdout.startswith(f"!!  {words}")


def test_the_key_of_another_installation_stops_the_start(migrated: House) -> None:
    key = migrated.data / "secret.key"
    right = key.read_bytes()
    key.write_bytes(os.urandom(32))
    words = (
        f"SETTEN_SECRET_KEY_FILE: the key in {key} is not the one this database was begun with. "
        + WAY_OUT
    )

    assert stopped(migrated, *SERVERS, "check") == {(1, f"setten: {words}")}
    assert migrated.run("doctor").stdout.startswith(f"!!  {words}")
    key.write_bytes(right)
    assert stopped(migrated, "check") == {(0, "")}


def test_a_backup_brings_the_right_key_back(migrated: House, tmp_path: Path) -> None:
    key, file = migrated.data / "secret.key", tmp_path / "setten.tar"
    right = key.read_bytes()
    made = migrated.run("backup", str(file))
    key.write_bytes(os.urandom(32))
    other = House(tmp_path / "other", {}, migrated.call)  # began with a key of its own
    began = other.run("migrate")

    restored = migrated.run("restore", str(file))
    moved = other.run("restore", str(file))

    assert [one.returncode for one in (made, began, restored, moved)] == [0, 0, 0, 0]
    assert [key.read_bytes(), (other.data / "secret.key").read_bytes()] == [right, right]
    assert stopped(migrated, "check") == stopped(other, "check") == {(0, "")}


def test_with_a_key_lost_for_good_one_goes_on_when_asked(migrated: House) -> None:
    key = migrated.data / "secret.key"
    key.unlink()

    done = migrated.run("migrate", "--new-key")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"This database now belongs to the key in {key}."
    assert stopped(migrated, "check") == {(0, "")}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody:open-sesame@127.0.0.1:1/x", REFUSED),
        ("sqlite:////nonexistent/x.db", "unable to open database file"),
        ("sqlite+foo://x", "Can't load plugin: sqlalchemy.dialects:sqlite.foo"),
    ],
)
def test_a_database_that_does_not_open_is_named(setten: House, url: str, reason: str) -> None:
    setten.environment["SETTEN_DATABASE_URL"] = url
    words = f"Setten cannot start. SETTEN_DATABASE_URL: the database does not open ({reason}).\n"

    assert stopped(setten, "serve", "worker", "check") == {(1, f"setten: {words}")}
    assert f"!!  {words}" in setten.run("doctor").stdout


def test_a_file_that_is_no_database_is_named(migrated: House) -> None:
    file = migrated.data / "setten.sqlite3"
    file.write_bytes(b"no database, whatever its name " * 200)
    words = f"Setten cannot start. {file}: the database does not open (file is not a database).\n"

    assert stopped(migrated, "serve", "worker", "check") == {(1, f"setten: {words}")}


def test_a_file_that_is_no_key_is_named(setten: House, tmp_path: Path) -> None:
    file = tmp_path / "hostname"
    file.write_bytes(b"shop\n")
    setten.environment["SETTEN_SECRET_KEY_FILE"] = str(file)
    words = (
        f"SETTEN_SECRET_KEY_FILE: {file} must hold exactly 32 bytes, or what “setten keys rotate” "
        "wrote; it holds 5 bytes that are neither.\n"
    )

    assert stopped(setten, "serve", "web") == {(1, f"setten: {words}")}
    assert stopped(setten, "worker", "check") == {(1, f"setten: {words}")}
    assert f"!!  {words}" in setten.run("doctor").stdout

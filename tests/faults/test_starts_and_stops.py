"""Torn first starts, two programs on one folder, taken ports, and stopping in the middle."""

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.house import Surroundings, assert_in_order
from tests.faults.rounds import Round, Size
from tests.faults.table import Tally
from tests.servers import free_port
from tests.servers.postgres import Postgres
from tests.servers.setten import Setten, until

pytestmark = pytest.mark.faults

SIZE = Size(new=30, follow=0, replies=6, resolved=0, ratings=0)


@pytest.fixture
def bare(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setten]:
    """An installation nobody has ever started."""
    setten, server = Setten(tmp_path / "data"), None
    if kind == "postgres":
        server = request.getfixturevalue("postgres_server")
        assert isinstance(server, Postgres)
        setten.environment["SETTEN_DATABASE_URL"] = server.create("setten_bare")
    try:
        yield setten
    finally:
        setten.kill()
        setten.client.close()
        if server:
            server.drop("setten_bare")


def _tables(setten: Setten, server: Postgres | None) -> int:
    """How far the first `migrate` got."""
    if server:
        return server.tables("setten_bare")
    file = setten.data / "setten.sqlite3"
    if not file.exists():
        return -1
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'")
        return int(found.fetchone()[0])
    except sqlite3.OperationalError:  # not a database yet, or locked
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("far", [0, 1, 20])
def test_a_first_migration_that_was_killed_can_be_repeated(
    bare: Setten, kind: str, far: int, request: pytest.FixtureRequest, kills: Callable[..., None]
) -> None:
    server = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    torn = bare.spawn("migrate")
    until(
        lambda: torn.poll() is not None or _tables(bare, server) >= far,
        f"migration with {far} tables",
    )
    reached = _tables(bare, server)
    ended_before = torn.poll() is not None
    bare.kill()

    again = bare.run("migrate")
    assert again.returncode == 0, again.stderr
    once_more = bare.run("migrate")
    assert once_more.returncode == 0, once_more.stderr
    bare.check()
    words = "was done already" if ended_before else "repeated"
    kills(f"migrate, {reached} tables", kind, int(not ended_before), Tally(besides=words))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_second_program_on_a_folder_refuses_in_a_sentence(bare: Setten) -> None:
    bare.serve()
    until(lambda: "worker ready" in bare.log, "worker")

    second = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        env={**bare.variables, "SETTEN_PORT": str(free_port()), "SETTEN_MAIL_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1, second.stdout + second.stderr
    assert second.stderr.splitlines()[-1] == (
        f"setten: Another Setten already works on {bare.data}. "
        "Stop it first, or use PostgreSQL for several workers."
    )
    assert bare.answers()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_taken_port_is_named_and_so_is_a_free_one(bare: Setten) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", bare.port))
        taken.listen()
        refused = bare.run("serve")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"setten: Port {bare.port} on 127.0.0.1 is taken by another program. Port "
    )
    assert not (bare.data / "setten.sqlite3").exists()


@pytest.mark.dovecot
def test_stopping_with_work_under_way_takes_less_than_ten_seconds_and_loses_nothing(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    journey = Round(setten, around, SIZE)
    journey.write(range(SIZE.new))
    journey.start()
    stops = 0
    for number in range(SIZE.replies):
        journey.wait(lambda: f"Inquiry {number}" in journey.tickets(), f"ticket {number}")  # noqa: B023
        journey.refs = journey.tickets()
        journey.answer(number)
        if number % 2 == 0:
            assert journey.serving is not None
            journey.serving.send_signal(signal.SIGTERM)
            assert journey.serving.wait(10) == 0, setten.log[-3000:]
            stops += 1
            journey.start()
    journey.find_tickets()
    journey.settle()
    assert_in_order(setten)
    result = journey.assert_nothing_lost_or_doubled()
    kills(f"SIGTERM under way, {stops} times", kind, 0, result)

"""What this machine costs at this moment: reading a mail, a durable commit, the barest list."""

import email
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.store import schema
from app.store.database import Database
from bench import bulk, corpus, load, usage
from bench.load import Plan
from bench.rig import Sizes
from bench.table import Table
from tests.factories import make_agent, make_inbox
from tests.servers import free_port
from tests.servers.setten import until

PARSE, COMMIT_CPU, COMMIT = "anchor: parse a mail", "anchor: commit, CPU", "anchor: commit, wall"
LIST_RATE, LIST_CPU = "anchor: bare list, 8 clients", "anchor: bare list, CPU"
LIST_P95 = "anchor: bare list, p95"

_COMMITS = 2_000
_AT_LEAST = 2.0  # seconds the reading is repeated


def parse(table: Table, mails: int) -> None:
    letters = [letter.raw for letter in corpus.backlog("anchor", mails, [])]
    with table.under_way("anchor: reading mails with the standard library"):
        cost = _cpu_ms(lambda: [_read(raw) for raw in letters]) / len(letters)
        table.add(PARSE, cost, "CPU ms")
        table.add("mean size of a mail", sum(map(len, letters)) / len(letters) / 1000, "kB")


def _read(raw: bytes) -> int:
    mail = email.message_from_bytes(raw)
    length = 0
    for part in mail.walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            length += len(body)
            if part.get_content_maintype() == "text":
                length += len(body.decode(part.get_content_charset() or "utf-8", "replace"))
    return length


def _cpu_ms(act: Callable[[], object]) -> float:
    times = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < _AT_LEAST or not times:
        act()
        times += 1
    return spent * 1000 / times


def commit(table: Table, folder: Path) -> None:
    with table.under_way("anchor: durable commits of SQLite"):
        connection = sqlite3.connect(folder / "anchor.sqlite3", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE arrival (id INTEGER PRIMARY KEY, body BLOB)")
        body = os.urandom(1_000)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(_COMMITS):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO arrival (body) VALUES (?)", (body,))
            connection.execute("COMMIT")
        table.add(COMMIT_CPU, (time.process_time() - cpu) * 1000 / _COMMITS, "CPU ms")
        table.add(COMMIT, (time.perf_counter() - wall) * 1000 / _COMMITS, "ms")
        connection.close()


def bare_list(table: Table, folder: Path, sizes: Sizes) -> None:
    """Over tickets from the same writer as those of the house, in tables of its own."""
    tickets = folder / "bare.sqlite3"
    database = Database("", tickets)
    schema.migrate(database)
    with database.transaction() as session:
        make_inbox(session)
        make_agent(session)
    bulk.fill(database, sizes, None)
    database.close()
    with table.under_way("anchor: the bare list"), _served(tickets) as (port, pid):
        paths: Sequence[str] = ["/"]
        load.ask(Plan(port, count=20), paths)
        one = load.ask(Plan(port, count=sizes.sequential), paths)
        before = usage.cpu_ms(pid)
        many = load.ask(Plan(port, clients=8, seconds=sizes.seconds), paths)
        table.add(LIST_RATE, many.rate, "requests/s")
        table.add(LIST_CPU, (usage.cpu_ms(pid) - before) / many.requests, "CPU ms")
        table.add(LIST_P95, one.p95, "ms")


@contextmanager
def _served(tickets: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port)]
    quiet = ["--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen([*command, *quiet], env={**os.environ, "BENCH_SQLITE": str(tickets)})
    try:
        until(lambda: _answers(port), "bare list")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        load.ask(Plan(port, count=1), ["/"])
    except RuntimeError:
        return False
    return True

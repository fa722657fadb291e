"""A real Setten with a large house behind it, on either database, and ways to look at it."""

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from typing_extensions import override

from app.store.database import Database
from bench import counting, usage
from tests.servers.postgres import Postgres
from tests.servers.setten import Setten, until


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The figures of a report need the default."""

    mails: int = 500
    answered: int = 75
    traced: int = 100
    huge: int = 25_000_000  # bytes of one mail
    backfill: int = 20_000
    hostile: float = 1.0  # of what is written to take long
    hostile_mails: int = 40  # of them at once
    tickets: int = 50_000
    open: int = 20_000
    follow_ups: int = 39_909
    sequential: int = 100
    seconds: float = 6.0
    starts: int = 5
    rest: float = 5.0  # seconds before idle memory is read
    triage: bool = True


QUICK = Sizes(
    mails=100, hostile_mails=20, answered=15, traced=30, backfill=1_000, tickets=5_000, open=2_000,
    follow_ups=4_000, sequential=30, seconds=2.0, starts=3, rest=3.0,
)  # fmt: skip


class Counted(Setten):
    """The same installation, its commits counted while it serves."""

    @property
    def counts(self) -> Path:
        return self.data / "commits"

    @override
    def spawn(self, *words: str, more: Mapping[str, str] | None = None) -> Popen[bytes]:
        out = self.data / f"{len(self.processes):03d}-{words[0]}.test-log"
        with out.open("wb") as file:
            process = Popen(
                [sys.executable, "-m", "bench.launcher", str(self.counts), *words],
                env={**self.variables, **(more or {})},
                stdout=file,
                stderr=file,
            )
        self.processes.append(process)
        return process

    def commits(self) -> counting.Commits:
        return counting.read(self.counts)

    @override
    def stop(self) -> None:
        """The administrator stays signed in for the next start."""
        cookies = dict(self.client.cookies)
        super().stop()
        self.__post_init__()
        self.client.cookies.update(cookies)

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    @property
    def newest_log(self) -> str:
        """What the process that runs now has said."""
        return max(self.data.glob("*.test-log")).read_text(errors="replace")


@dataclass
class House:
    """One installation and whatever runs for it."""

    kind: str
    setten: Counted
    database: Database
    postgres: Postgres | None

    def roots(self) -> list[int]:
        """Processes whose CPU time and that of their children is the installation's."""
        running = [one.pid for one in self.setten.processes if one.poll() is None]
        return running + ([_master(self.postgres)] if self.postgres else [])

    def cpu_ms(self) -> float:
        return usage.cpu_ms(*self.roots())

    def quiet(self, ceiling: float = 20.0) -> None:
        """Return once it has nothing left to do: a second with less than 150 ms of CPU time."""
        before, end = self.cpu_ms(), time.monotonic() + ceiling
        while time.monotonic() < end:
            time.sleep(1)
            now = self.cpu_ms()
            if now - before < 150:
                return
            before = now


def _master(postgres: Postgres) -> int:
    return int((postgres.folder / "data" / "postmaster.pid").read_text().split("\n")[0])


@contextmanager
def house(kind: str, folder: Path, model: Path | None) -> Iterator[House]:
    """An installation that has an administrator; it is not running."""
    postgres: Postgres | None = None
    # Looking often, because filed mails are marked on the server when it is looked at next.
    variables = {"SETTEN_TRIAGE": "on" if model else "off", "SETTEN_POLL_SECONDS": "2"}
    setten = Counted(folder / kind, variables)
    setten.data.mkdir(parents=True)
    url = ""
    if kind == "postgres":
        postgres = Postgres()
        postgres.start()
        url = setten.environment["SETTEN_DATABASE_URL"] = postgres.create("setten")
    if model:
        shutil.copytree(model, setten.data / "triage")
    database = Database(url, setten.data / "setten.sqlite3")
    try:
        setten.serve()
        setten.set_up()
        setten.stop()
        yield House(kind, setten, database, postgres)
    finally:
        setten.stop()
        database.close()
        if postgres:
            postgres.remove()


def settled(house: House, seconds: float) -> None:
    """Let it be for that long after its worker is there."""
    until(lambda: "worker ready" in house.setten.newest_log, "worker that is ready")
    time.sleep(seconds)

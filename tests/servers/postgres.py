"""A real PostgreSQL server for tests: loopback only, trusting, and as durable as in production."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.servers import free_port, require

_STARTS_WITHIN = 60.0


def _program(name: str) -> str:
    # Debian keeps every version's programs in a folder of its own, off the PATH.
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    return require(name)


def _account() -> dict[str, Any]:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no account to run it as")


class Postgres:
    """A server in a folder of its own. `crash` and `start` again: what was committed is there."""

    def __init__(self) -> None:
        self._server = _program("postgres")
        initdb = _program("initdb")
        self._account = _account()
        self.folder = Path(tempfile.mkdtemp(prefix="setten-pg-"))
        if self._account:
            os.chown(self.folder, self._account["user"], self._account["group"])
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [
                initdb, "-D", str(self.folder / "data"), "-U", "setten", "-A", "trust",
                "-E", "UTF8", "--locale=C", "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self._account,
        )  # fmt: skip

    def start(self) -> None:
        given = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on",
            "max_connections": "100",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._server, "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._account,
            )
        limit = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                words = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start: {words}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """In order: connections are closed, everything is written."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """At once, as if the power failed; `start` then recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_STARTS_WITHIN)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql://setten@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """A new database, a copy of `template`; its address."""
        self._say("CREATE DATABASE {} TEMPLATE {}", database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        self._say("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def tables(self, database: str) -> int:
        """How many tables a database has."""
        with psycopg.connect(self.url(database)) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchone()
        return int(found[0]) if found else 0

    def _say(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))

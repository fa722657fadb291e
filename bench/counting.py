"""Counts commits inside a running Setten, and hands the figures out through a small file.

Only `bench.launcher` switches it on; the program itself knows nothing of it.
"""

import mmap
import re
import struct
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

_LAYOUT = struct.Struct("=4Q")
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b")
_OUR_DOOR = str(Path("app", "store", "database.py"))
_DEEP = 60  # frames between a commit and whoever asked for it


@dataclass(frozen=True, slots=True)
class Commits:
    """Commits that wrote something, and those that had nothing to write."""

    ours: int = 0
    ours_empty: int = 0
    jobs: int = 0
    jobs_empty: int = 0

    def since(self, before: "Commits") -> "Commits":
        return Commits(
            self.ours - before.ours,
            self.ours_empty - before.ours_empty,
            self.jobs - before.jobs,
            self.jobs_empty - before.jobs_empty,
        )


def read(path: Path) -> Commits:
    return Commits(*_LAYOUT.unpack(path.read_bytes()))


def switch_on(path: Path) -> None:
    """From now on every commit of this process is counted in `path`."""
    path.write_bytes(bytes(_LAYOUT.size))
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), _LAYOUT.size)
    lock = threading.Lock()
    counts = [0, 0, 0, 0]

    def on_statement(conn: Connection, cursor: Any, statement: str, *_rest: object) -> None:
        if cursor.rowcount != 0 and _WRITES.search(statement):
            conn.info["bench wrote"] = True

    def on_commit(conn: Connection) -> None:
        wrote = conn.info.pop("bench wrote", False)
        place = (0 if _through_our_door() else 2) + (0 if wrote else 1)
        with lock:
            counts[place] += 1
            _LAYOUT.pack_into(shared, 0, *counts)

    def on_rollback(conn: Connection) -> None:
        conn.info.pop("bench wrote", None)

    event.listen(Engine, "after_cursor_execute", on_statement)
    event.listen(Engine, "commit", on_commit)
    event.listen(Engine, "rollback", on_rollback)


def _through_our_door() -> bool:
    """Whether `Database.transaction` commits, and not the job engine on its own."""
    frame = sys._getframe(1)
    for _ in range(_DEEP):
        if frame.f_code.co_filename.endswith(_OUR_DOOR):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False

"""What must not be done while Setten works."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import Conflict
from app.store.database import Database


@contextmanager
def lock(database: Database, data_dir: Path) -> Iterator[None]:
    """On SQLite the worker holds a lock as long as it lives; so do we meanwhile."""
    if not database.is_sqlite:
        yield
        return
    with (data_dir / "worker.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"Setten works on {data_dir}: stop it first.") from None
        yield

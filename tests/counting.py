"""Counts SQL statements: a list must not ask once for every row."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from app.store.database import Database


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What is asked through the reading door while the context is open."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(db.reader, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.reader, "before_cursor_execute", note)

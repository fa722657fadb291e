"""Inserts rows that may be there already, without a savepoint and a second question."""

import importlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Executable
from sqlmodel import Session, SQLModel

Row = TypeVar("Row", bound=SQLModel)


def unless_there(session: Session, rows: Sequence[Row]) -> Sequence[Row]:
    """Insert `rows` in one statement and in their order, but for those that a unique constraint
    forbids; what was inserted, with its ids. What somebody else inserts at this very moment is
    waited for and counts as there."""
    if not rows:
        return ()
    table = type(rows[0])
    statement = _statement(table, session.get_bind().dialect.name)
    session.flush()  # what they point to goes first
    values = [row.model_dump(exclude={"id"}) for row in rows]
    return session.scalars(statement, values).all()


def once(session: Session, table: type[SQLModel], values: dict[str, Any]) -> None:
    """Insert one row, unless a unique constraint forbids it. What it points to must be there."""
    connection = session.connection()
    connection.execute(_silent(table, connection.dialect.name), values)


@lru_cache(maxsize=32)
def _statement(table: type[SQLModel], dialect: str) -> Executable:
    statement: Executable = _insert(table, dialect).returning(table)
    return statement


@lru_cache(maxsize=32)
def _silent(table: type[SQLModel], dialect: str) -> Executable:
    # Of the table itself: one of its class takes the way through the ORM and thrice the time.
    statement: Executable = _insert(table.__table__, dialect)  # type: ignore[attr-defined]
    return statement


def _insert(table: Any, dialect: str) -> Any:
    # The one that is in use: the other one would be loaded for nothing.
    return (
        importlib.import_module(f"sqlalchemy.dialects.{dialect}")
        .insert(table)
        .on_conflict_do_nothing()
    )

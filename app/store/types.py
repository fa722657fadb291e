"""Column types and the few shapes of column every table uses."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field
from typing_extensions import override

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite: INTEGER is the rowid itself


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Refuses naive ones: they are a bug that shows up in another time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored")
        return value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


def primary_key() -> Any:
    return Field(default=None, primary_key=True, sa_type=BIG)


def link(target: str, *, index: bool = True, unique: bool = False) -> Any:
    """A foreign key to the `id` of `target`."""
    return Field(foreign_key=f"{target}.id", sa_type=BIG, index=index, unique=unique)


def maybe_link(target: str, *, index: bool = True) -> Any:
    return Field(default=None, foreign_key=f"{target}.id", sa_type=BIG, index=index)


def moment(*, index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def maybe_moment(*, index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, index=index)


def word(words: type[StrEnum]) -> Any:
    """The type of a column that holds one word of a closed set, checked by the database."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=True,
        length=24,
        name=words.__name__.lower(),
        values_callable=lambda found: [member.value for member in found],
    )

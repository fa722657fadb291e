"""What all tables have in common: how a new row is made."""

from functools import cache
from typing import Any

from sqlmodel import SQLModel


class Row(SQLModel):
    """SQLModel's constructor sets one attribute after the other, through three layers that tell
    each other of the change. Nobody has seen a new row yet: this one fills it at once, in a
    tenth of the time. Filing one mail makes seven rows.
    """

    def __init__(self, **given: Any) -> None:
        plain, made = _defaults(type(self))
        if wrong := given.keys() - type(self).model_fields:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(wrong))}")
        row = self.__dict__
        row.update(plain)
        for name, make in made:
            row[name] = make()
        row.update(given)


@cache
def _defaults(table: type[SQLModel]) -> tuple[dict[str, Any], tuple[tuple[str, Any], ...]]:
    """Those that are the same for every row, and what makes one for each."""
    fields = table.model_fields.items()
    made = tuple((name, one.default_factory) for name, one in fields if one.default_factory)
    named = {name for name, _ in made}
    plain = {
        name: one.default for name, one in fields if name not in named and not one.is_required()
    }
    return plain, made

"""Which list an agent looks at: a view, and perhaps only what has a flag or is in one language.

It is one word, `open`, `mine.urgent` or `mine.urgent.de`, so that whatever leads somewhere else can
carry it along.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Form, Query
from pydantic import AfterValidator
from typing_extensions import override

from app.domain.words import FLAGS, LANGUAGES, Head
from app.services.queries.inbox import View


@dataclass(frozen=True, slots=True)
class Listing:
    view: View = View.OPEN
    flag: Head | None = None
    language: str = ""

    @override
    def __str__(self) -> str:
        return ".".join(filter(None, (self.view, self.flag, self.language)))

    @property
    def narrowed(self) -> bool:
        return bool(self.flag or self.language)

    def toggled(self, word: str) -> "Listing":
        """With this flag or language, or without it where it was with it."""
        if word in FLAGS:
            return replace(self, flag=None if word == self.flag else Head(word))
        return replace(self, language="" if word == self.language else word)


def read(word: str) -> Listing:
    """Raises `ValueError` when there is no such list."""
    view, *rest = word.split(".")
    found = Listing(View(view))
    for narrower in rest:
        if narrower not in (*FLAGS, *LANGUAGES):
            raise ValueError("There is no such list.")
        found = found.toggled(narrower)
    if str(found) != word:
        raise ValueError("There is no such list.")
    return found


def _known(word: str) -> str:
    return str(read(word))


def or_open(word: str) -> str:
    """For a form that must not be lost because of where it came from."""
    try:
        return _known(word)
    except ValueError:
        return OPEN


OPEN = str(View.OPEN)
InQuery = Annotated[str, Query(max_length=40), AfterValidator(_known)]
InForm = Annotated[str, Form(max_length=40), AfterValidator(_known)]

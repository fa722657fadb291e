"""What JSON may hold: bounded numbers, text a database can store, no field nobody knows."""

import re
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from app.web.deps import BIGGEST

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("holds a NUL or half a character, which cannot be stored")
    return text


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a line break or another control character")
    return text


def _plausible(at: AwareDatetime) -> AwareDatetime:
    # Near the ends of the calendar, converting to another zone leaves it.
    if not 1980 <= at.year <= 2200:
        raise ValueError("the year is not between 1980 and 2200")
    return at


class Input(BaseModel):
    """What a caller may say: nothing that is not asked for."""

    model_config = ConfigDict(extra="forbid", strict=False, str_max_length=300_000)


Number = Annotated[int, Field(ge=1, le=BIGGEST)]
Line = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
Text = Annotated[str, Field(max_length=200_000), AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]

Ref = Annotated[str, Path(pattern="^[0-9a-z]{1,40}$")]
Key = Annotated[str, Path(pattern="^[0-9A-Za-z_-]{1,60}$")]
Before = Annotated[int, Query(ge=1, le=BIGGEST)]
Limit = Annotated[int, Query(ge=1, le=200)]


def as_json(adapter: TypeAdapter[Any], value: object) -> Response:
    """A read model written out where it was read. Letting the framework do it costs another
    thread and a second check of every field; lists of rows are asked for all day."""
    return Response(adapter.dump_json(value), media_type="application/json")

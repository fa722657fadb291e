"""JSON payloads: bytes into a model, or `Unreadable` with a sentence that names the field."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Never, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from channels.contract import Unreadable

Model = TypeVar("Model", bound=BaseModel)

MOST_BYTES = 48 * 1024 * 1024

# No database of ours can hold these, and no honest text has them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\x00-\x1f]{1,64}@[^\s@<>\"(),:;\x00-\x1f]{1,189}")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("holds a NUL or half a character, which cannot be stored")
    return text


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", _storable(text)).split())


def _an_id(text: str) -> str:
    if _CONTROL.search(_storable(text)) or text != text.strip():
        raise ValueError("an id has no line breaks and no spaces around it")
    return text


def _plausible(at: datetime) -> datetime:
    # Near the ends of the calendar, converting to another zone leaves it.
    if not 1980 <= at.year <= 2200:
        raise ValueError("the year is not between 1980 and 2200")
    return at


Id = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_an_id)]
Line = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
Text = Annotated[str, Field(max_length=100_000), AfterValidator(_storable)]
At = Annotated[datetime, AfterValidator(_plausible)]
UtcAt = Annotated[
    AwareDatetime, AfterValidator(_plausible), AfterValidator(lambda at: at.astimezone(UTC))
]


def read_json(body: bytes) -> Any:
    """Python's own reader, because it lets a bad string through to the model, which names it."""
    if len(body) > MOST_BYTES:
        raise Unreadable(f"larger than {MOST_BYTES // 1024 // 1024} MB")
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_such_number)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except RecursionError as error:
        raise Unreadable("not JSON anybody means: nested too deeply") from error
    except ValueError as error:  # a number of more digits than Python reads, or NaN
        raise Unreadable("not JSON anybody means: a number that is none") from error


def read_model(model: type[Model], body: bytes) -> Model:
    return fill(model, read_json(body))


def fill(model: type[Model], content: object) -> Model:
    if not isinstance(content, dict):
        raise Unreadable("not a JSON object")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise Unreadable(sentence(error)) from error


def sentence(error: ValidationError) -> str:
    """The first mistake by the name of its field. Never quotes what was sent."""
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    where = ".".join(str(part) for part in mistakes[0]["loc"])
    words = f"{where}: {mistakes[0]['msg']}" if where else mistakes[0]["msg"]
    return words if len(mistakes) == 1 else f"{words} (and {len(mistakes) - 1} more)"


def email_or_nothing(text: str) -> str:
    """The address, or "" when it cannot be one: a bad address must not cost the message."""
    return text if _EMAIL.fullmatch(text) else ""


def e164_or_nothing(text: str, region: str = "") -> str:
    """The number as the whole world dials it, or "". Without a region only with its `+`."""
    import phonenumbers  # noqa: PLC0415  (takes 0.1 s, which a start should not wait for)

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_region(text: str) -> bool:
    """Whether there are phone numbers of that country: two letters such as JP."""
    import phonenumbers  # noqa: PLC0415  (as above)

    return text in phonenumbers.SUPPORTED_REGIONS


def _no_such_number(name: str) -> Never:
    raise ValueError(name)

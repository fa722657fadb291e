"""Forms drawn from pydantic models, so that a new channel brings its own without a template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from app.web.speech import LANGUAGES, say
from channels.contract import Fold


@dataclass(frozen=True, slots=True)
class Field:
    """One field as the template draws it."""

    name: str
    title: str
    kind: str  # tick, choice, text, secret, or a type of HTML input
    value: str = ""
    required: bool = False
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int | None = None
    known: bool = False  # a secret that is stored: kept when the field is left empty
    error: str = ""
    suggestions: str = ""  # id of the list on the page that has some


@dataclass(frozen=True, slots=True)
class Folded:
    """Fields behind one heading."""

    title: str
    words: str
    fields: tuple[Field, ...]
    open: bool
    told: str = ""  # what was filled in, for as long as it is closed


@dataclass(frozen=True, slots=True)
class Layout:
    """A form as the template draws it: what everybody fills in, then what is folded away."""

    plain: tuple[Field, ...]
    folds: tuple[Folded, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What a person sent: the model, or what is wrong with each field."""

    model: BaseModel | None
    values: Mapping[str, str]
    errors: Mapping[str, str]


def _core(annotation: Any) -> Any:
    """The type without Annotated and without `| None`."""
    while True:
        options = [one for one in get_args(annotation) if one is not type(None)]
        if hasattr(annotation, "__metadata__"):
            annotation = annotation.__origin__
        elif options and get_origin(annotation) is not Literal and _is_union(annotation):
            annotation = options[0]
        else:
            return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) is Union or type(annotation).__name__ == "UnionType"


def _choices(annotation: Any) -> tuple[tuple[str, str], ...]:
    if get_origin(annotation) is Literal:
        return tuple((str(one), _word(str(one))) for one in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple((str(one.value), _word(str(one.value))) for one in annotation)
    return ()


# Abbreviations and names of languages stand for themselves.
_CODES = frozenset({*LANGUAGES, "tls", "starttls", "euc_jp"})
_SHORT = {"in": "Incoming", "out": "Outgoing", "none": "None", "oauth": "OAuth"}


def word_of(value: str) -> str:
    """The English word for a choice, to be translated; "" for what is no word."""
    if value in _SHORT:
        return _SHORT[value]
    is_word = value.replace("_", "").isalpha() and value not in _CODES
    return value.replace("_", " ").capitalize() if is_word else ""


def _word(value: str) -> str:
    word = word_of(value)
    return say(word) if word else LANGUAGES.get(value) or value.upper() or "–"


def _wish(info: FieldInfo, name: str) -> str:
    """What the model asks for beside what its types say."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return str(extra.get(name, ""))


def _kind(info: FieldInfo, annotation: Any) -> str:
    wished = _wish(info, "format")
    if annotation is SecretStr:
        return "secret"
    if annotation is bool:
        return "tick"
    if _choices(annotation):
        return "choice"
    if annotation is datetime:
        return "datetime-local"
    if annotation in {int, float}:
        return "number"
    return {"textarea": "text", "tel": "tel", "email": "email"}.get(wished, "line")


def fields(
    model: type[BaseModel],
    values: Mapping[str, str],
    errors: Mapping[str, str],
    known: Iterable[str] = (),
) -> list[Field]:
    """Every field of `model`. Secrets are never put back into a page."""
    stored = frozenset(known)
    found = []
    for name, info in model.model_fields.items():
        annotation = _core(info.annotation)
        kind = _kind(info, annotation)
        found.append(
            Field(
                name=name,
                title=say(info.title or name.replace("_", " ").capitalize()),
                kind=kind,
                value="" if kind == "secret" else values.get(name, ""),
                required=info.is_required(),
                help=say(info.description) if info.description else "",
                choices=_choices(annotation),
                max_length=min(
                    (one.max_length for one in info.metadata if isinstance(one, MaxLen)),
                    default=None,
                ),
                known=name in stored,
                error=errors.get(name, ""),
                suggestions=_wish(info, "list"),
            )
        )
    return found


def layout(
    model: type[BaseModel],
    found: Sequence[Field],
    usual: Mapping[str, str],
    asked: Iterable[str] = (),
) -> Layout:
    """`usual` is what needs no look; `asked` are folded fields that are still to be filled in."""
    wanted, plain = frozenset(asked), defaults_of(model)
    by_name = {one.name: one for one in found}
    declared: Sequence[Fold] = getattr(model, "folds", ())
    folds = []
    for fold in declared:
        inside = tuple(by_name.pop(name) for name in fold.names)
        folds.append(
            Folded(
                title=say(fold.title),
                words=say(fold.words),
                fields=inside,
                open=any(_needs_a_look(one, usual, wanted) for one in inside),
                told=", ".join(
                    one.value
                    for one in inside
                    if one.kind == "line" and one.value != plain.get(one.name, "")
                ),
            )
        )
    return Layout(tuple(by_name.values()), tuple(folds))


def _needs_a_look(one: Field, usual: Mapping[str, str], asked: frozenset[str]) -> bool:
    unusual = one.value != usual.get(one.name, "")
    return bool(one.error) or one.known or unusual or (one.name in asked and not one.value)


def values_of(model: BaseModel) -> dict[str, str]:
    """What stands in the fields of a stored model."""
    shown = {}
    for name, value in model.model_dump(mode="json").items():
        if isinstance(getattr(model, name), SecretStr):
            continue
        shown[name] = "on" if value is True else "" if value in {False, None} else str(value)
    return shown


def defaults_of(model: type[BaseModel]) -> dict[str, str]:
    shown = {}
    for name, info in model.model_fields.items():
        value = None if info.is_required() or info.default_factory else info.default
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, SecretStr) and value not in {None, False}:
            shown[name] = "on" if value is True else str(value)
    return shown


def secrets_of(model: type[BaseModel], was: BaseModel | None) -> list[str]:
    """Names of the secrets that are stored already."""
    return [
        name
        for name, info in model.model_fields.items()
        if _core(info.annotation) is SecretStr
        and was is not None
        and getattr(was, name).get_secret_value()
    ]


def read(model: type[BaseModel], form: Mapping[str, str], was: BaseModel | None = None) -> Filled:
    """Check what was sent. A secret left empty stays what it was."""
    given: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = _core(info.annotation)
        value = form.get(name, "")
        if name not in form and annotation is not bool:
            if annotation is SecretStr and was is not None:
                given[name] = getattr(was, name)
            continue
        if annotation is bool:
            given[name] = bool(value)
        elif annotation is SecretStr and not value:
            if was is not None:
                given[name] = getattr(was, name)
        elif value or not (info.default_factory or annotation in {int, float, datetime}):
            given[name] = value
    values = {name: form.get(name, "") for name in model.model_fields}
    try:
        return Filled(model.model_validate(given), values, {})
    except ValidationError as error:
        return Filled(None, values, _errors(model, error))


def _errors(model: type[BaseModel], error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in error.errors(include_input=False, include_url=False):
        words = problem["msg"].removeprefix("Value error, ")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if not name:  # a model's own check names its field at the beginning of the sentence
            head, _, rest = words.partition(": ")
            name, words = (head, rest) if head in model.model_fields else ("", words)
        found.setdefault(name, say(words))
    return found

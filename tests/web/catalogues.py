"""Everything a person reads: what the catalogues must hold, found in templates and code.

`python -m tests.web.catalogues` writes what is new into the catalogues and marks what is gone.
"""

import sys
from collections import defaultdict
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel

from app.web.forms import word_of
from app.web.speech import LOCALES
from channels.contract import OTHER, Channel, OffersPresets, TakesEntries
from channels.registry import all_channels

ROOT = Path(__file__).parents[2]
LANGUAGES = ("ja", "de")
_SENTENCES = (
    "_",
    "gettext",
    "say",
    "stored",
    "Invalid",
    "Conflict",
    "NotFound",
    "NotAllowed",
    "TooMany",
)
_KEYWORDS: dict[str, Any] = dict.fromkeys(_SENTENCES) | {
    "ngettext": (1, 2),
    "say_many": (1, 2),
}
_OTHER_PEOPLES = {".venv", ".tools", ".git", "tests", "bench", "docs", "data"}

Found = dict[str | tuple[str, str], list[tuple[str, int]]]


def extracted() -> Found:
    """Every message with the places it is used at."""
    with (ROOT / "app" / "web" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found: Found = defaultdict(list)
    for name, line, message, _, _ in extract_from_dir(
        ROOT,
        methods,
        options,
        _KEYWORDS,
        directory_filter=lambda folder: Path(folder).name not in _OTHER_PEOPLES,
    ):
        found[message if isinstance(message, str) else (message[0], message[1])].append(
            (name, line)
        )
    for kind, channel in all_channels().items():
        models = [channel.config, *([channel.entry] if isinstance(channel, TakesEntries) else [])]
        said = [sentence for model in models for sentence in _of_form(model)]
        for message in [*said, *_of_presets(channel)]:
            found[message].append((f"channels/{kind}", 1))
    return dict(found)


def _of_form(model: type[BaseModel]) -> list[str]:
    """A channel's form: titles, explanations and the words of its choices."""
    said = []
    for name, info in model.model_fields.items():
        said.append(info.title or name.replace("_", " ").capitalize())
        said += [info.description] if info.description else []
        said += [word for value in _choices(info.annotation) if (word := word_of(value))]
    for fold in getattr(model, "folds", ()):
        said += [fold.title, fold.words]
    return said


def _of_presets(channel: Channel) -> list[str]:
    presets = channel.presets if isinstance(channel, OffersPresets) else ()
    said = [sentence for one in presets for sentence in (one.region, one.words) if sentence]
    return [*said, *(one.name for one in presets if one.key == OTHER)]


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(one) for one in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(one.value) for one in annotation]
    return []


def path_of(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "messages.po"


def stored(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def ids_of(message: Message) -> list[str]:
    """The message, or its singular and plural."""
    return [message.id] if isinstance(message.id, str) else list(message.id)


def strings_of(message: Message) -> list[str]:
    found = message.string
    return [found] if isinstance(found, str) else list(found or ("",))


def update(language: str) -> None:
    """Keep what is translated, add what is new, drop what is gone."""
    template = Catalog(project="Setten", charset="utf-8", fuzzy=False, msgid_bugs_address="")
    for message, places in sorted(extracted().items(), key=lambda item: item[1]):
        # No line numbers: they would change the file with every change of a template.
        template.add(message, locations=[(name, 0) for name in sorted({one for one, _ in places})])
    catalogue = stored(language)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with path_of(language).open("wb") as file:
        write_po(file, catalogue, width=100, include_lineno=False, omit_header=False)


if __name__ == "__main__":
    for one in sys.argv[1:] or LANGUAGES:
        update(one)

"""The long rules by which a person labels an inquiry: what belongs to a category and what not.

Nothing learns from these: they are for readers, so that two of them come to the same label.
"""

import re
from importlib import resources

from classifier.taxonomy import FLAGS, STAGE_KEYS, TOPIC_KEYS

# `general` stands above all categories; `oos` is what is no inquiry at all; flags come besides.
KEYS: tuple[str, ...] = ("general", *STAGE_KEYS, *TOPIC_KEYS, "oos", *FLAGS)
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


class BadGuide(Exception):
    """A guide does not have exactly one section for each key; the message names the file."""


def load(language: str) -> dict[str, str]:
    """The section of every key, in the order of `KEYS`. Raises `BadGuide`."""
    name = f"guide/{language}.md"
    source = resources.files("classifier") / "guide" / f"{language}.md"
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadGuide(f"{name} is missing") from error
    return parse(text, name=name)


def parse(text: str, *, name: str) -> dict[str, str]:
    """Cut a guide at its headings. Raises `BadGuide` unless they are `KEYS`, in that order."""
    _, *parts = _HEADING.split(text)
    headings, sections = parts[::2], [section.strip() for section in parts[1::2]]
    if tuple(headings) != KEYS:
        raise BadGuide(f"{name}: its headings must be {', '.join(KEYS)}, in this order")
    for heading, section in zip(headings, sections, strict=True):
        if not section:
            raise BadGuide(f"{name}: {heading} says nothing")
    return dict(zip(headings, sections, strict=True))

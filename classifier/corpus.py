"""The sample inquiries that come with Setten: where they are and what a valid one looks like."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from classifier.taxonomy import STAGE_KEYS, TOPIC_KEYS

LANGUAGES = ("en", "ja", "de")
_CHANNELS = ("email", "chat", "phone")
_KEYS = frozenset({"text", "stage", "topic", "channel", "firm"})


class BadCorpus(Exception):
    """A sample cannot be learned from; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Sample:
    text: str
    stage: str
    topic: str
    channel: str
    firm: str  # samples of one firm resemble each other, so they are kept on one side of a test
    language: str


def load(languages: Iterable[str] = LANGUAGES) -> tuple[Sample, ...]:
    """All samples of these languages, in the order of the files. Raises `BadCorpus`."""
    samples: list[Sample] = []
    for language in languages:
        name = f"{language}.jsonl"
        source = resources.files("classifier") / "seed" / name
        try:
            text = source.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise BadCorpus(f"seed/{name} is missing") from error
        except UnicodeDecodeError as error:
            raise BadCorpus(f"seed/{name} is not UTF-8: {error.reason}") from error
        samples.extend(parse(text, language=language, name=f"seed/{name}"))
    return tuple(samples)


def parse(text: str, *, language: str, name: str) -> list[Sample]:
    """Read one file of one JSON object a line. Raises `BadCorpus` at the first bad line."""
    samples: list[Sample] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        sample = _sample(line, language, where)
        first = seen.setdefault(sample.text, number)
        if first != number:
            raise BadCorpus(f"{where}: the text of line {first} again")
        samples.append(sample)
    return samples


def _sample(line: str, language: str, where: str) -> Sample:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise BadCorpus(f"{where}: not JSON ({error})") from error
    if not isinstance(fields, dict) or set(fields) != _KEYS:
        raise BadCorpus(f"{where}: needs exactly the keys {', '.join(sorted(_KEYS))}")
    for key, value in fields.items():
        if not isinstance(value, str) or not value.strip():
            raise BadCorpus(f"{where}: {key} must be a text that is not empty")
    for key, allowed in (("stage", STAGE_KEYS), ("topic", TOPIC_KEYS), ("channel", _CHANNELS)):
        if fields[key] not in allowed:
            raise BadCorpus(f"{where}: {key} {fields[key]!r} is none of {', '.join(allowed)}")
    return Sample(language=language, **fields)

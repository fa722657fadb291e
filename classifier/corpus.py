"""The sample inquiries that come with Setten: where they are and what a valid one looks like."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from classifier.taxonomy import FLAGS, STAGE_KEYS, TOPIC_KEYS

LANGUAGES = ("en", "ja", "de")
_CHANNELS = ("email", "chat", "phone")
_KEYS = frozenset({"text", "stage", "topic", "channel", "firm"})
_STRANGE_KEYS = frozenset({"text", "kind", "channel", "firm"})
KINDS = (
    "spam",
    "job_application",
    "out_of_office",
    "supplier_pitch",
    "misdirected",
    "newsletter",
    "private",
)


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
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Strange:
    """A text that is no inquiry: out of scope for every stage and topic."""

    text: str
    kind: str
    channel: str
    firm: str
    language: str


def load(languages: Iterable[str] = LANGUAGES) -> tuple[Sample, ...]:
    """All samples of these languages, in the order of the files. Raises `BadCorpus`."""
    samples: list[Sample] = []
    flags = load_flags()
    for language in languages:
        name = f"{language}.jsonl"
        samples.extend(parse(_read(name), language=language, name=f"seed/{name}"))
    return tuple(
        replace(sample, flags=flags.get(key_of(sample.text), frozenset())) for sample in samples
    )


def key_of(text: str) -> str:
    """By what a text is recognised whatever becomes of its place in the file."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_flags() -> dict[str, frozenset[str]]:
    """Which samples are urgent or a complaint, by their key; all others are neither."""
    return parse_flags(_read("flags.jsonl"), name="seed/flags.jsonl")


def parse_flags(text: str, *, name: str, none: bool = False) -> dict[str, frozenset[str]]:
    """Raises `BadCorpus` at the first bad line. Only with `none` may a text have no flag."""
    found: dict[str, frozenset[str]] = {}
    for line, where in _lines(text, name):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadCorpus(f"{where}: not JSON ({error})") from error
        if not isinstance(row, dict) or set(row) != {"key", "flags"}:
            raise BadCorpus(f"{where}: needs exactly the keys flags, key")
        flags = row["flags"]
        if not isinstance(flags, list) or not (flags or none) or not set(flags) <= set(FLAGS):
            raise BadCorpus(f"{where}: flags must be some of {', '.join(FLAGS)}")
        if row["key"] in found:
            raise BadCorpus(f"{where}: the key {row['key']} again")
        found[row["key"]] = frozenset(flags)
    return found


def load_strange(languages: Iterable[str] = LANGUAGES) -> tuple[Strange, ...]:
    """The same of the texts that are out of scope. They teach and measure when to keep silent."""
    found: list[Strange] = []
    for language in languages:
        name = f"oos.{language}.jsonl"
        for line, where in _lines(_read(name), f"seed/{name}"):
            fields = _fields(line, where, _STRANGE_KEYS, (("kind", KINDS), ("channel", _CHANNELS)))
            found.append(Strange(language=language, **fields))
    return tuple(found)


def ref_of(text: str) -> str:
    """What a sample is called where it is shown, whatever others come and go."""
    return f"sample-{key_of(text)}"


@cache
def by_ref() -> Mapping[str, Sample]:
    """The samples by what they are called."""
    return {ref_of(sample.text): sample for sample in load()}


def _read(name: str) -> str:
    try:
        return (resources.files("classifier") / "seed" / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadCorpus(f"seed/{name} is missing") from error
    except UnicodeDecodeError as error:
        raise BadCorpus(f"seed/{name} is not UTF-8: {error.reason}") from error


def parse(text: str, *, language: str, name: str) -> list[Sample]:
    """Read one file of one JSON object a line. Raises `BadCorpus` at the first bad line."""
    samples: list[Sample] = []
    seen: dict[str, str] = {}
    for line, where in _lines(text, name):
        fields = _fields(
            line,
            where,
            _KEYS,
            (("stage", STAGE_KEYS), ("topic", TOPIC_KEYS), ("channel", _CHANNELS)),
        )
        first = seen.setdefault(fields["text"], where)
        if first != where:
            raise BadCorpus(f"{where}: the text of {first.rpartition(', ')[2]} again")
        samples.append(Sample(language=language, flags=frozenset(), **fields))
    return samples


def _lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    """Each line that says something, with where it stands."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield line, f"{name}, line {number}"


def _fields(
    line: str, where: str, keys: Set[str], choices: Iterable[tuple[str, Sequence[str]]]
) -> dict[str, str]:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise BadCorpus(f"{where}: not JSON ({error})") from error
    if not isinstance(fields, dict) or set(fields) != keys:
        raise BadCorpus(f"{where}: needs exactly the keys {', '.join(sorted(keys))}")
    for key, value in fields.items():
        if not isinstance(value, str) or not value.strip():
            raise BadCorpus(f"{where}: {key} must be a text that is not empty")
    for key, allowed in choices:
        if fields[key] not in allowed:
            raise BadCorpus(f"{where}: {key} {fields[key]!r} is none of {', '.join(allowed)}")
    return fields

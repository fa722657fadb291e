"""Reading our own pages: their links, their tables, and the commands they name."""

import argparse
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from app import cli

ROOT = Path(__file__).parent.parent
START_PAGES = {"en": "README.md", "ja": "docs/ja/README.md", "de": "docs/de/README.md"}
_HIDDEN = {"crash-points"}  # for tests and developers; not in `setten --help`

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Where a command line of ours begins, whoever runs it.
_SETTEN = re.compile(r"^(?:sudo -u setten )?(?:/opt/setten/)?(?:\.venv/bin/)?setten\b(.*)")
_IN_CONTAINER = re.compile(r"^docker compose (?:--profile \w+ )?exec \w+ ")


def pages() -> list[Path]:
    """Every page written for people, wherever it is."""
    inside = [ROOT / name for name in ("docs", "app", "channels", "classifier", "tests")]
    found = [*ROOT.glob("*.md"), *(path for folder in inside for path in folder.rglob("*.md"))]
    return sorted(found)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fences(text: str) -> list[tuple[str, str]]:
    """(language, content) of every block of code."""
    return _FENCE.findall(text)


def prose(text: str) -> str:
    """What is neither code nor an address."""
    return _LINK.sub("", _SPAN.sub("", _FENCE.sub("", text)))


def links(text: str) -> list[str]:
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What hosting sites make of headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def first_cells(text: str) -> list[str]:
    """The code in the first column of every table, one string each."""
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return [word for row in rows for word in _SPAN.findall(row)]


def said(text: str) -> Iterator[str]:
    """Every line of a block of code, every stretch of code in a sentence."""
    for language, content in fences(text):
        if language in {"sh", ""}:
            for line in content.replace("\\\n", " ").splitlines():
                yield from (part.strip() for part in re.split(r"&&|;", line))
    yield from _SPAN.findall(_FENCE.sub("", text))


def setten_lines(text: str) -> Iterator[list[str]]:
    """The arguments of every command line of ours in a page."""
    for line in said(text):
        found = _SETTEN.match(_IN_CONTAINER.sub("", line).partition(" < ")[0])
        if found and not found.group(1).startswith(("/", "_", ":", ".")):
            yield shlex.split(found.group(1).replace("$(date +%F)", "TODAY"))


def made_targets(text: str) -> set[str]:
    """Every `make X` in a page."""
    found = (re.match(r"make (?:-C \S+ )?([\w./-]+)$", line) for line in said(text))
    return {match.group(1) for match in found if match}


@dataclass
class Command:
    """One parser of the command line, with the commands below it."""

    options: set[str] = field(default_factory=set)
    below: dict[str, "Command"] = field(default_factory=dict)

    def leaves(self, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        if not self.below:
            yield before
        for name, command in self.below.items():
            yield from command.leaves((*before, name))


def command_line() -> Command:
    return _read(cli._parser())


def _read(parser: argparse.ArgumentParser) -> Command:
    made = Command()
    for action in parser._actions:
        made.options.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                if name not in _HIDDEN:
                    made.below[name] = _read(below)
    return made


def unknown_in(words: list[str], command: Command) -> list[str]:
    """What the command line does not know of a line somebody wrote down."""
    for at, word in enumerate(words):
        if word.startswith("-"):
            if word not in command.options:
                return [word]
        elif command.below and word not in {"COMMAND", "…"}:
            if word not in command.below:
                return [] if word in _HIDDEN else [word]
            return unknown_in(words[at + 1 :], command.below[word])
    return []

"""Sentences around names and numbers are known to the pages, whichever part of Setten says them."""

import ast
import re
from collections.abc import Iterator
from contextvars import copy_context
from importlib import import_module
from pathlib import Path

import pytest

from app.web import speech, stored_words
from app.web.speech import Voice
from tests.documents import ROOT

_OURS = {"Invalid", "Conflict", "NotFound", "NotAllowed", "TooMany"}
_OF_CHANNELS = {"Unreadable", "TryLater", "Refused", "InDoubt", "Ignored", "ValueError"}
# What the rest of the program says is read in a terminal.
_FLOORS = {
    "app/core/passwords.py": _OURS,
    "app/domain": _OURS,
    "app/services": _OURS,
    "app/store/blobs.py": _OURS,
    "app/web": _OURS,
    "channels": _OF_CHANNELS,
}


def _files(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _sentences() -> Iterator[tuple[str, str]]:
    """Where each sentence is said, and how it reads with something in its gaps."""
    for place, kinds in _FLOORS.items():
        for path in _files(place):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(kind), args=[ast.JoinedStr() as said, *_]):
                        if kind in kinds:
                            name = path.relative_to(ROOT).as_posix()
                            yield f"{name}:{node.lineno}", _filled(said, name)


def _filled(said: ast.JoinedStr, name: str) -> str:
    made = ""
    for part in said.values:
        if isinstance(part, ast.Constant):
            made += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            known = vars(import_module(name.removesuffix(".py").replace("/", ".")))
            names = [one.id for one in ast.walk(part.value) if isinstance(one, ast.Name)]
            if isinstance(part.value, ast.Name) and part.value.id.isupper():
                made += str(known[part.value.id])
            elif all(one.isupper() for one in names):
                made += "7"
            else:
                made += "two words" if made.endswith("“") else "x7"
    return made


def _says_something(sentence: str) -> bool:
    """More than who it is about and what others said of it."""
    return re.fullmatch(r"\w+: x7", sentence) is None


@pytest.mark.parametrize("language", ["ja", "de"])
def test_no_sentence_with_a_name_or_a_number_is_left_in_english(language: str) -> None:
    def said(sentence: str) -> str:
        speech.speak(Voice(language))
        return stored_words.say_stored(sentence)

    found = [one for one in _sentences() if _says_something(one[1])]

    assert len(found) > 40
    assert [one for one in found if copy_context().run(said, one[1]) == one[1]] == []

"""No text that comes from outside can keep a pattern of the project busy."""

import json
import re
import subprocess
import sys

import pytest

from tests.patterns import ROOT, Found, stopping, too_slow

# Patterns that look at a text of which this is the longest there can be, in characters, and why.
BOUNDED = {
    "channels/email/addresses.py _ADDRESS": (580, "the text is cut around its last @"),
    "channels/email/reading.py _AROUND_COLON": (200, "a date is cut before it is read"),
    "channels/phone/times.py _WEEKDAY": (100, "a cell is cut to `LONGEST`"),
    "channels/phone/times.py _NAMED": (100, "a cell is cut to `LONGEST`"),
}

# What only the running program puts together; the pattern itself is measured all the same.
MADE_LATER = [
    "app/domain/reuse.py in without_person",
    "app/web/stored_words.py in _pattern",
    "channels/email/letters.py in the module",
    "channels/phone/times.py in the module",
    "channels/text.py in the module",
    "classifier/alarms.py in _any",
    "classifier/alarms.py in _one",
]


def test_no_pattern_needs_longer_than_its_text_does() -> None:
    """In a process of its own: what a pattern of the program does cannot be ended from inside."""
    bounds = json.dumps({where: bound for where, (bound, _) in BOUNDED.items()})

    run = subprocess.run(
        [sys.executable, "-m", "tests.patterns", bounds],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["slow"] == []
    assert found["unknown"] == MADE_LATER
    assert set(BOUNDED) - set(found["places"]) == set(), "no longer there: take it out of the table"
    assert len(found["places"]) > 150


BAD = {
    "blanks at the end": (r"\s+$", "search"),
    "blanks around a mark": (r"\s*,\s*", "finditer"),
    "a repeat in a repeat": (r"(a+)+b", "match"),
    "two ways to read one word": (r"(?:\w\w|\w)+:", "match"),
    "blanks twice": (r"<\s*([^<>]*)\s*>", "finditer"),
    "an end that never comes": (r"<!--.*?-->", "finditer"),
    "an address without end": (r"[a-z.]+@[a-z]+", "search"),
    "behind a word": (r"charset\s*=?\s*x", "match"),
    "Japanese blanks": (r"^署名：[\s　]*[\s　]*：", "match"),
}


@pytest.mark.parametrize(("pattern", "use"), BAD.values(), ids=BAD)
def test_a_bad_pattern_is_found(pattern: str, use: str) -> None:
    with stopping():
        found = next(too_slow(Found("here", re.compile(pattern, re.DOTALL), (use,)), None), None)

    assert found is not None
    assert found.where == "here"


GOOD = {
    "blanks at the end": (r"\s{1,9}$", "search"),
    "one class": (r"[^<>]+>", "match"),
    "from a fixed beginning": (r"<[^<>]{1,200}>", "finditer"),
    "a long bound": (r".{1,200}x", "search"),
    "never twice": (r"(?<!\s)\s+x", "finditer"),
}


@pytest.mark.parametrize(("pattern", "use"), GOOD.values(), ids=GOOD)
def test_a_good_pattern_is_left_alone(pattern: str, use: str) -> None:
    with stopping():
        assert list(too_slow(Found("here", re.compile(pattern, re.DOTALL), (use,)), None)) == []

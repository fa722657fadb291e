"""Places where a test kills the process: listed, counted, and free of charge otherwise."""

import os
import signal
import subprocess
import sys

import pytest

import app.store.blobs  # noqa: F401 - importing is what declares its points
from app.core import crashpoints

PROGRAM = """
from app.core import crashpoints
reached = crashpoints.declare("here", "a place")
other = crashpoints.declare("there", "another")
for number in range(3):
    other()
    print(number, flush=True)
    reached()
"""


def run(wanted: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "SETTEN_CRASH_AT": wanted},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("wanted", "ends", "printed"),
    [
        ("", 0, ["0", "1", "2"]),
        ("nowhere", 0, ["0", "1", "2"]),
        ("here", -signal.SIGKILL, ["0"]),
        ("here:2", -signal.SIGKILL, ["0", "1"]),
        ("here:9", 0, ["0", "1", "2"]),
        ("there", -signal.SIGKILL, []),
    ],
)
def test_a_process_dies_where_it_is_told(wanted: str, ends: int, printed: list[str]) -> None:
    assert run(wanted) == (ends, printed)


def test_a_place_is_declared_once() -> None:
    # One that stands in the program: what is declared here would stay declared for every test.
    meaning = crashpoints.declared()["blob.renamed"]

    with pytest.raises(ValueError, match=r"blob\.renamed"):
        crashpoints.declare("blob.renamed", "again")
    assert crashpoints.declared()["blob.renamed"] == meaning

"""Shows, in a fresh clone, that Setten does what it says: `make proof`.

Prints the version, the machine, and for each point the command that was run and what it said.
`make proof ARGS="--only 8 14"` runs some of the points.
"""

import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

ROOT = Path(__file__).parents[1]
CEILING = 3600.0  # seconds one command may take


@dataclass(frozen=True)
class Point:
    number: int
    title: str
    commands: Sequence[str]


def pytest(what: str) -> str:
    return f"CI=true .venv/bin/python -m pytest -q -p no:cacheprovider {what}"


POINTS = (
    Point(2, "The tests, in tiers", ["CI=true make check"]),
    Point(3, "The documents say what is so", [
        pytest("tests/test_docs.py tests/test_container_files.py"),
    ]),
    Point(4, "The commands", [pytest("tests/test_cli.py tests/store/test_backup.py")]),
    Point(5, "The house", [pytest("tests/test_house.py tests/store/test_schema.py")]),
    Point(6, "What is stored", [pytest("tests/store tests/services")]),
    Point(7, "Every channel keeps the contract", [pytest("tests/channels")]),
    Point(8, "A mail becomes a ticket", [pytest("tests/journeys tests/classifier")]),
    Point(9, "Answers are threaded, strangers are not", [
        pytest("tests/journeys/test_mail_round.py tests/services/test_filing.py"),
    ]),
    Point(10, "Feedback, once and only if allowed", [
        pytest("tests/services/test_surveys.py tests/services/test_followups.py"),
        pytest("tests/web/pages/test_surveys.py"),
    ]),
    Point(11, "Search and live", [
        pytest("tests/store/test_search.py tests/domain/test_tokens.py tests/web/test_live.py"),
    ]),
    Point(12, "Sign-in and the edge", [
        pytest("tests/web tests/services/test_agents.py tests/services/test_sessions.py"),
    ]),
    Point(13, "The books are in order", [pytest("tests/services/test_integrity.py")]),
    Point(14, "Killed at every crash point", [
        "CI=true make test-faults",
        pytest("tests/faults/test_long_outage.py -m faults").removeprefix("CI=true "),
    ]),
    Point(15, "Bad input", [
        pytest("tests/web/test_limits.py tests/web/test_hooks.py tests/channels/test_contract.py"),
    ]),
    Point(16, "Speed and memory", ["make bench"]),
    Point(17, "Looks and languages", [pytest("tests/test_templates.py tests/web/pages")]),
    Point(18, "Broken on purpose", ["make sabotage"]),
)  # fmt: skip


def main() -> int:
    asked = argparse.ArgumentParser(prog="make proof")
    asked.add_argument("--only", nargs="*", type=int, default=[])
    only = set(asked.parse_args().only)
    _say(_heading())
    with tempfile.TemporaryDirectory(prefix="setten-proof-") as folder:
        clone = Path(folder) / "setten"
        subprocess.run(
            ["git", "-c", "advice.detachedHead=false", "clone", "-q", str(ROOT), str(clone)],
            check=True,
        )
        good = True
        if not only or 1 in only:
            good &= _newcomer(clone)
        points = [point for point in POINTS if not only or point.number in only]
        if points:
            _say("\nWhat the other points need")
            good &= _command(clone, "make .venv/.dev")
        for point in points:
            good &= _point(clone, point)
    _say("all of it held" if good else "NOT all of it held")
    return 0 if good else 1


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _heading() -> str:
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%h %s"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"commit   {commit.stdout.strip()}\n"
        f"machine  {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform()}, "
        f"Python {platform.python_version()}\n"
        f"load     {os.getloadavg()[0]:.1f}"
    )


def _point(clone: Path, point: Point) -> bool:
    _say(f"\n{point.number}. {point.title}")
    results = [_command(clone, command) for command in point.commands]
    return all(results)


def _command(clone: Path, command: str) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=CEILING,
        check=False,
    )
    seconds = time.monotonic() - began
    _say(f"   $ {command}\n   exit {done.returncode} after {seconds:.0f} s")
    # What is under way goes to the error output: it is only of interest where something failed.
    said = done.stdout if done.returncode == 0 and done.stdout else done.stdout + done.stderr
    lines = [line for line in said.splitlines() if line.strip()]
    shown = lines[-4:] if done.returncode == 0 and "bench" not in command else lines[-80:]
    _say("\n".join(f"   | {line}" for line in shown))
    return done.returncode == 0


def _newcomer(clone: Path) -> bool:
    """`make run`, twice; the second time without a network where the machine lets us cut it."""
    _say("\n1. A newcomer")
    good = True
    cut = shutil.which("unshare") is not None and os.getuid() == 0
    offline = ["unshare", "-n", "bash", "-c", "ip link set lo up 2>/dev/null; exec make run"]
    for words in (["make", "run"], offline if cut else ["make", "run"]):
        good &= _run_and_stop(clone, words)
    if not cut:
        _say("   the network could not be cut on this machine; the second run had one")
    return good


def _run_and_stop(clone: Path, words: list[str]) -> bool:
    port = free_port()
    log = clone / "run.log"
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, cwd=clone, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "SETTEN_PORT": str(port), "SETTEN_MAIL_PORT": str(free_port())},
        )  # fmt: skip
    shown = " ".join(words[-1:] if words[0] == "unshare" else words)
    try:
        while time.monotonic() - began < 600 and process.poll() is None:
            if b"Ctrl-C stops it" in log.read_bytes() and (words[0] == "unshare" or _answers(port)):
                break
            time.sleep(0.1)  # the condition decides, this only keeps the processor free
        up = time.monotonic() - began
        stopping = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        down = time.monotonic() - stopping
    except (subprocess.TimeoutExpired, ProcessLookupError):
        _say(f"   $ {shown}\n   did not start or stop\n{log.read_text(errors='replace')[-2000:]}")
        return False
    link = re.search(r"/invitation/\S+", log.read_text(errors="replace"))
    offline = ", network cut" if words[0] == "unshare" else ""
    _say(f"   $ make run{offline}\n   served after {up:.1f} s, stopped in {down:.1f} s, "
         f"first link shown: {'yes' if link else 'no'}")  # fmt: skip
    return down < 10 and link is not None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    sys.exit(main())

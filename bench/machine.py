"""What the figures were measured on."""

import os
import platform
import sqlite3
import subprocess
from pathlib import Path

from app import __version__
from app.core import clock


def lines() -> list[str]:
    load = " ".join(f"{part:.2f}" for part in os.getloadavg())
    return [
        f"Setten {__version__} at {_commit()}, {clock.now():%Y-%m-%d %H:%M} UTC",
        f"{_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.platform(terse=True)}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {_postgres()}",
        f"load average at the end: {load}",
    ]


def _commit() -> str:
    """The version measured, and whether files differ from it."""
    said = _said("git", "describe", "--always", "--dirty", "--abbrev=10")
    return said or "an unknown commit"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.0f} GiB"


def _postgres() -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if said := _said(str(folder / "postgres"), "--version"):
            return said
    return _said("postgres", "--version") or "no PostgreSQL"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

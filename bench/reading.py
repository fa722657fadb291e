"""How long it takes to read a mail that is in memory: own mails and, if there are, real ones."""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench import corpus
from bench.table import Aim, Table
from channels.contract import Raw, Unreadable
from channels.email import channel
from channels.email.config import EmailConfig

_CONFIG = EmailConfig(address=corpus.TO)
_TIMES = 3  # each mail is read; the best counts, because the others were disturbed


def measure(table: Table, mails: int) -> None:
    own = [letter.raw for letter in corpus.backlog("r", mails, [])]
    with table.under_way("reading mails"):
        _rows(table, f"reading {len(own)} own mails", own)
        folder = os.environ.get("SETTEN_FIXTURES")
        real = (
            [path.read_bytes() for path in sorted(Path(folder, "mail").rglob("*.eml"))]
            if folder
            else []
        )
        if real:
            _rows(table, f"reading {len(real)} mails of others", real)
        else:
            table.skip("Mails of others: not measured, SETTEN_FIXTURES names no folder of them.")


def _rows(table: Table, name: str, mails: Sequence[bytes]) -> None:
    spent = sorted(_milliseconds(raw) for raw in mails)
    table.add(f"{name}: median", spent[len(spent) // 2], "ms a mail", Aim(at_most=2))
    table.add(f"{name}: p99", spent[min(len(spent) * 99 // 100, len(spent) - 1)], "ms a mail")
    table.add(f"{name}: one process", 1000 * len(spent) / sum(spent), "mails/s")


def _milliseconds(raw: bytes) -> float:
    """CPU time, so that what else runs here is not counted along."""
    best = float("inf")
    for _ in range(_TIMES):
        began = time.process_time()
        with contextlib.suppress(Unreadable):
            channel.parse(_CONFIG, Raw("1", raw))
        best = min(best, time.process_time() - began)
    return best * 1000

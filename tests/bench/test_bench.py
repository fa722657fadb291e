"""The table has all its rows; what they say is not asserted, only that everything is right."""

from pathlib import Path

import pytest

from bench import run
from bench.rig import Sizes
from bench.table import Aim, Table

TINY = Sizes(
    mails=10, answered=2, traced=2, huge=100_000, backfill=8, hostile=0.001, tickets=60,
    hostile_mails=5,
    open=30, follow_ups=20, sequential=5, seconds=0.2, starts=1, rest=0.1, triage=False,
)  # fmt: skip

ANCHORS = [
    "anchor: parse a mail", "mean size of a mail", "anchor: commit, CPU", "anchor: commit, wall",
    "anchor: bare list, 8 clients", "anchor: bare list, CPU", "anchor: bare list, p95",
]  # fmt: skip
READING = [
    "reading 10 own mails: median", "reading 10 own mails: p99",
    "reading 10 own mails: one process",
]  # fmt: skip
HOUSE = [
    "cold start", "cold start, CPU", "cold start, quickest", "memory idle", "idle",
    "inbox JSON, 8 clients", "inbox JSON, 8 clients p95", "inbox JSON, CPU", "inbox JSON p95",
    "inbox page p50", "inbox page p95", "inbox page, CPU", "inbox page",
    "ticket JSON p95", "ticket JSON, CPU", "ticket page p95", "ticket page, CPU",
    "search zeppelin, found of 50", "search zeppelin p95",
    "search 鰻重, found of 50", "search 鰻重 p95",
    "search refund, found of 11", "search refund p95",
    "a mail, all processes", "mails",
    "our commits", "our empty commits", "job engine's commits",
    "decoded of 10", "doubled", "threaded of 3", "fsync and fdatasync",
    *(f"any order, twice: {name}" for name in ("decoded of 5", "doubled", "threaded of 1")),
    "a mail of 0 MB", "delay by a million fields", "delay by a million quotes",
    "delay by HTML without an end", "delay by a text of 40 MB", "delay by 3,000 parts in parts",
    "delay by 5 hostile mails", "back-fill of 8 (scaled)",
]  # fmt: skip


@pytest.mark.dovecot
@pytest.mark.faults  # minutes long: it starts the program many times
def test_table_has_every_row_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    table = Table(note=lambda _line: None)

    run.all_rows(table, run.Plan(TINY, ["sqlite"], run.PARTS), tmp_path)

    measures = (row.measure for row in table.rows)
    ours = [measure for measure in measures if "mails of others" not in measure]
    assert ours == [
        *ANCHORS[:4], *READING, *ANCHORS[4:], *(f"sqlite: {name}" for name in HOUSE),
    ]  # fmt: skip
    exact = {row.measure: row.value for row in table.rows if row.unit in {"hits", "replies"}}
    assert {name.partition(": ")[2]: value for name, value in exact.items()} == {
        "search zeppelin, found of 50": 50,
        "search 鰻重, found of 50": 50,
        "search refund, found of 11": 11,
        "threaded of 3": 3,
        "any order, twice: threaded of 1": 1,
    }
    assert table.value("sqlite: decoded of 10") == 10
    assert table.value("sqlite: doubled") == 0
    assert [words for words in table.skipped if "SETTEN_FIXTURES" not in words] == []


def test_table_names_what_was_missed() -> None:
    table = Table(note=lambda _line: None)
    table.add("anchor", 2.0, "CPU ms")
    table.add("quick", 4.0, "CPU ms", Aim(at_most=3, relative=True), "anchor")
    table.add("slow", 7.0, "CPU ms", Aim(at_most=3, relative=True), "anchor")
    table.add("few", 3, "hits", Aim(at_least=4))

    assert table.missed() == ["slow", "few"]
    assert table.lines()[-1] == "Aims missed: slow; few."

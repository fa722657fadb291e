"""The table at the end of a run: what was killed where, and what could not be shown here."""

from dataclasses import dataclass

import pytest

KILLS, NOT_RUN = "kills", "not run"
HEAD = ("where", "database", "kills", "mails", "lost", "doubled", "sent", "in doubt", "besides")


@dataclass(frozen=True)
class Tally:
    """What a test compared, one by one, and found to be there exactly once; else it is red."""

    mails: int = 0
    sent: int = 0  # answers and requests, those in doubt among them
    in_doubt: int = 0  # for a person to decide
    besides: str = ""

    def cells(self) -> list[str]:
        counts = (self.mails, 0, 0, self.sent, self.in_doubt) if self.mails else ("",) * 5
        return [*map(str, counts), self.besides]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests said of themselves, in whichever process they ran."""
    reports = [
        report
        for found in terminalreporter.stats.values()
        for report in found
        if isinstance(report, pytest.TestReport) and report.when in {"call", "setup"}
    ]
    said = {
        (report.nodeid, name, str(value)): value
        for report in reports
        for name, value in report.user_properties
    }
    rows = [
        tuple(str(cell) for cell in value)
        for (_, name, _), value in said.items()
        if name == KILLS and isinstance(value, list)
    ]
    for _, name, words in said:
        if name == NOT_RUN:
            terminalreporter.write_line(f"NOT RUN: {words}", yellow=True)
    if not rows:
        return
    terminalreporter.section("kills")
    every = ("all", "", str(sum(int(row[2]) for row in rows)), *("",) * (len(HEAD) - 3))
    table = [HEAD, *sorted(rows), every]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEAD))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())

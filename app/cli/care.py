"""`check`, `doctor`, `reindex`, `openapi`: looking after an installation."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from app.cli import console
from app.cli.console import Installation, complain, say
from app.core.settings import Settings
from app.domain.words import ArrivalState
from app.services import indexing, integrity
from app.services.integrity import InboxBalance, Problem


def check(asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house, house.database.reading() as session:
        balance = integrity.balance(session)
        problems = integrity.problems(session, house.blobs)
    (_print_check if asked.json else _say_check)(balance, problems)
    return 1 if problems else 0


def _print_check(balance: Sequence[InboxBalance], problems: Sequence[Problem]) -> None:
    found = {
        "balance": [asdict(one) for one in balance],
        "problems": [asdict(one) for one in problems],
    }
    say(json.dumps(found, ensure_ascii=False, indent=1))


def _say_check(balance: Sequence[InboxBalance], problems: Sequence[Problem]) -> None:
    headings = (
        "INBOX", "RECEIVED", *(state.replace("_", " ").upper() for state in ArrivalState)
    )  # fmt: skip
    rows = [
        (one.name, str(one.received), *(str(one.by_state[state]) for state in ArrivalState))
        for one in balance
    ]
    console.table(headings, rows)
    for problem in problems:
        complain(f"{problem.kind} {', '.join(map(str, problem.ids))}: {problem.words}")
    say("Nothing is wrong." if not problems else f"{len(problems)} rules do not hold, see above.")


def doctor(_asked: argparse.Namespace, settings: Settings) -> int:
    from app.cli import diagnosis

    findings = diagnosis.of(settings)
    for finding in findings:
        say(f"{finding.mark}  {finding.words}")
    return 1 if any(finding.bad for finding in findings) else 0


def reindex(_asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house:
        count = _reindex(house)
    say(f"{count} messages can be found.")
    return 0


def _reindex(house: Installation) -> int:
    last, count = 0, 0
    while True:
        with house.database.transaction() as session:
            done, last = indexing.reindex(session, last)
        if not done:
            return count
        count += done


def openapi(_asked: argparse.Namespace, settings: Settings) -> int:
    from app.main import create_app

    print(json.dumps(create_app(settings, with_worker=False).openapi(), indent=1))
    return 0


def crash_points(_asked: argparse.Namespace, _settings: Settings) -> int:
    """Every place where a test may kill the program, with what is true there."""
    import app.main
    import app.worker.engine  # noqa: F401 - importing is what declares them
    from app.core import crashpoints

    for name, meaning in crashpoints.declared().items():
        print(f"{name}\t{meaning}")
    return 0

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
from app.services.access import SYSTEM
from app.services.integrity import InboxBalance, Problem
from app.services.queries import mailboxes as query
from app.services.queries.mailboxes import FolderBalance, Import


def check(asked: argparse.Namespace, settings: Settings) -> int:
    with (
        console.opened(settings) as house,
        house.blobs.all_staying(),
        house.database.reading() as session,
    ):
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


def mailboxes(asked: argparse.Namespace, settings: Settings) -> int:
    """What servers hold against what became of it; fails where a mail is not accounted for."""
    with console.opened(settings) as house, house.database.reading() as session:
        folders = query.balances(session, SYSTEM)
        imports = query.imports(session, SYSTEM)
    if asked.json:
        found = {
            "folders": [asdict(one) for one in folders],
            "imports": [asdict(one) for one in imports],
        }
        say(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        _say_mailboxes(folders, imports)
    return 1 if any(one.difference or one.unexplained for one in folders) else 0


def _say_mailboxes(folders: Sequence[FolderBalance], imports: Sequence[Import]) -> None:
    if not folders:
        say("No mail server has been looked at yet.")
        return
    states = [state for state in ArrivalState if state is not ArrivalState.REFUSED]
    headings = (
        "INBOX", "FOLDER", "ON SERVER", "OLDER",
        *(state.replace("_", " ").upper() for state in states), "NOT FETCHED", "UNEXPLAINED",
    )  # fmt: skip
    rows = [
        (
            one.inbox,
            one.folder,
            str(one.on_server),
            str(one.older + one.skipped),
            *(str(one.states[state]) for state in states),
            str(one.not_fetched),
            str(one.unexplained + abs(one.difference)),
        )
        for one in folders
    ]
    console.table(headings, rows)
    for folder in folders:
        for problem in folder.problems:
            complain(f"{folder.inbox}, mail {problem.number}: {problem.problem}")
    for one in imports:
        left = f", about {one.minutes_left:.0f} minutes left" if one.minutes_left else ""
        rate = f", {one.a_minute:.0f} a minute" if one.a_minute else ""
        fetched = f" ({one.fetched} are fetched)" if one.to_fetch else ""
        say(f"{one.inbox}: {one.filed} of {one.total} mails are filed{fetched}{rate}{left}.")


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

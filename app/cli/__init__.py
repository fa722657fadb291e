"""The command line: `setten serve` and everything else done without a browser.

What a command needs is imported when it runs, so that `--help` is instant and `serve` is quick.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import __version__
from app.core.errors import SettenError

if TYPE_CHECKING:
    from app.core.settings import Settings

Run = Callable[[argparse.Namespace, "Settings"], int]

Alone = Callable[[argparse.Namespace], int]

_SERVERS = {"serve", "web", "worker"}
_ALONE = {"mail"}  # these need no installation, not even settings that are right
_PAGES = {"serve", "web"}
_AFTERWORD = """\
Every setting is an environment variable SETTEN_… (or a line in the file .env).
Start with “setten serve”; when something is odd, ask “setten doctor”.
"""
_OF_INBOXES = """\
Of every inbox: name, language_of_inbox, enabled (yes, no), undo_seconds (0 to 30), and
reopen_days: for how long a reply reopens a resolved ticket (a number, ever, never). Not here
but in the browser: access by OAuth, keys for signing, the test of the connection, the
self-test, signatures and first answers.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The result is the exit status: 0 well, 1 not, 2 asked wrongly."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if not asked.run:
        (asked.of or parser).print_help()
        return 0 if asked.of is None else 2
    if asked.command in _PAGES:
        gc.disable()  # until it serves: nearly all that is made until then stays
    os.umask(0o077)  # what customers wrote is for this user only, whoever starts us
    try:
        if asked.command in _ALONE:
            alone: Alone = _find(asked.run)
            return alone(asked)
        from app.core import logs
        from app.core import settings as configuration

        given = {name: getattr(asked, name, None) for name in ("host", "port")}
        settings = configuration.load(**{k: v for k, v in given.items() if v is not None})
        logs.set_up(settings.log_level if asked.command in _SERVERS else "WARNING")
        run: Run = _find(asked.run)
        return run(asked, settings)
    except SettenError as problem:
        print(f"setten: {problem.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `setten … | head`
        sys.stderr.close()
        return 1


def _find(run: str) -> Any:
    module, _, name = run.partition(":")
    return getattr(importlib.import_module(f"app.cli.{module}"), name)


class _Group:
    """Commands of one parser, added one line each."""

    def __init__(self, parser: argparse.ArgumentParser, name: str) -> None:
        parser.set_defaults(run="", of=parser if name != "command" else None)
        self._commands = parser.add_subparsers(dest=name, metavar="COMMAND", title="commands")

    def add(self, name: str, run: str, words: str) -> argparse.ArgumentParser:
        parser = self._commands.add_parser(name, help=words, description=words)
        parser.set_defaults(run=run)
        return parser

    def group(self, name: str, words: str) -> "_Group":
        return _Group(self._commands.add_parser(name, help=words, description=words), "verb")

    def hidden(self, name: str, run: str) -> None:
        self._commands.add_parser(name).set_defaults(run=run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="setten",
        description="One inbox for mail, chat and phone, with triage, feedback and a map.",
        epilog=_AFTERWORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"setten {__version__}")
    commands = _Group(parser, "command")
    _add_servers(commands)
    _add_people_and_inboxes(commands)
    _add_care(commands)
    return parser


def _add_servers(commands: _Group) -> None:
    serve = commands.add("serve", "serve:serve", "Serve pages and do the waiting work, in one.")
    web = commands.add("web", "serve:web", "Serve pages only; run a worker beside it.")
    for parser in (serve, web):
        parser.add_argument("--host", help="address to listen on (SETTEN_HOST, 127.0.0.1)")
        parser.add_argument("--port", help="port to listen on (SETTEN_PORT, 8000)")
    serve.add_argument(
        "--demo",
        action="store_true",
        help="with sample inquiries in a data folder that is thrown away afterwards",
    )
    commands.add("worker", "work:worker", "Fetch, file, deliver and ask, without pages.")
    migrate = commands.add(
        "migrate", "work:migrate", "Bring the database to this version; copies SQLite first."
    )
    migrate.add_argument(
        "--new-key",
        action="store_true",
        help="go on with the key file there is now, or a new one: the old key is lost for good",
    )


def _add_people_and_inboxes(commands: _Group) -> None:
    agent = commands.group("agent", "The people who answer.")
    add = agent.add("add", "agent:add", "Invite somebody: prints a link that works once.")
    add.add_argument("email")
    add.add_argument("--role", choices=("agent", "lead", "admin"), default="agent")
    add.add_argument("--name", default="", help="only needed with --password")
    add.add_argument(
        "--password",
        action="store_true",
        help="make the account now and ask for its password (read from a pipe when there is one)",
    )
    reset = agent.add("reset", "agent:reset", "Print a link to choose a new password, for an hour.")
    reset.add_argument("email")
    agent.add("list", "agent:show", "Everybody who has an account.")

    inbox = commands.group("inbox", "The addresses, numbers and hooks customers reach you by.")
    add = inbox.add("add", "inbox:add", "Add an inbox; asks for what its channel needs.")
    add.add_argument("kind", help="the channel: email, chat, phone, …")
    change = inbox.add("change", "inbox:change", "Change settings of an inbox; the others stay.")
    change.add_argument("number", type=int, help="as “setten inbox list” shows it")
    for parser in (add, change):
        parser.epilog = _OF_INBOXES
        parser.add_argument(
            "--json-stdin",
            action="store_true",
            help="read answers, secrets too, as one JSON object from standard input",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting, such as imap_port=143 or reopen_days=14; not for passwords",
        )
    add.add_argument(
        "--preset", default="", help="a provider whose servers are known, such as gmail"
    )
    inbox.add("list", "inbox:show", "Every inbox and how it is doing.")

    imports = commands.group("import", "Bring in what was recorded elsewhere.")
    calls = imports.add("calls", "calls:take", "A call log, as CSV or JSON.")
    calls.add_argument("file", type=Path)
    calls.add_argument("--inbox", help="number or name of the inbox, when there are several")

    trial = commands.add(
        "try", "trial:run", "Send sample inquiries in three languages to the running Setten."
    )
    trial.add_argument("--host", help="where it listens (SETTEN_HOST, 127.0.0.1)")
    trial.add_argument("--port", help="where it listens (SETTEN_PORT, 8000)")


def _add_care(commands: _Group) -> None:
    commands.add("doctor", "care:doctor", "Explain in sentences what is wrong or missing.")
    check = commands.add("check", "care:check", "Check that nothing was lost; fails if it was.")
    check.add_argument("--json", action="store_true", help="print it for a program")
    mailboxes = commands.add(
        "mailboxes", "care:mailboxes", "Compare what mail servers hold with what became of it."
    )
    mailboxes.add_argument("--json", action="store_true", help="print it for a program")
    backup = commands.add("backup", "copies:backup", "Write all there is into one file.")
    backup.add_argument("file", type=Path)
    restore = commands.add("restore", "copies:restore", "Bring back what a backup file holds.")
    restore.add_argument("file", type=Path)
    restore.add_argument("--force", action="store_true", help="replace what is here now")
    restore.add_argument(
        "--send-waiting",
        action="store_true",
        help="send what waited; only if nothing was sent after the backup was made",
    )
    keys = commands.group("keys", "The keys that sign and seal.")
    keys.add("list", "keys:show", "Every key there is, the newest first.")
    keys.add("rotate", "keys:rotate", "Sign and seal with a new key; older ones still prove.")
    withdraw = keys.add("withdraw", "keys:withdraw", "Trust an older key no more.")
    withdraw.add_argument("number", type=int)
    mail = commands.group("mail", "Mails that lie in files.")
    show = mail.add(
        "show", "mail:show", "Print what is understood of a mail, such as a strange one."
    )
    show.add_argument(
        "files", type=Path, nargs="+", metavar="FILE.eml", help="- for standard input"
    )
    show.add_argument("--json", action="store_true", help="one line of JSON for each file")
    _add_triage(commands.group("triage", "What guesses stage and topic, and how good it is."))
    commands.add("reindex", "care:reindex", "Make every message findable anew.")
    commands.add("openapi", "care:openapi", "Print the description of the JSON API.")
    commands.hidden("crash-points", "care:crash_points")


def _add_triage(triage: _Group) -> None:
    profiles = ("encoder", "plain")
    evaluate = triage.add(
        "evaluate",
        "triage:evaluate",
        "Learn from labelled texts and say how many of others are found; nothing is kept.",
    )
    evaluate.add_argument(
        "file", type=Path, nargs="?", help="CSV text,label,lang: each fifth asked after the rest"
    )
    evaluate.add_argument("--train", type=Path, metavar="A.csv", help="the texts to learn from")
    evaluate.add_argument("--test", type=Path, metavar="B.csv", help="the texts to be asked about")
    evaluate.add_argument(
        "--labels",
        type=Path,
        metavar="NAMES.csv",
        help="label,lang,name,description: to learn from, too",
    )
    evaluate.add_argument("--profile", choices=profiles, default="encoder")
    evaluate.add_argument("--json", action="store_true", help="print it for a program")
    predict = triage.add(
        "predict", "triage:predict", "Say the stage and the topic of each text in a CSV."
    )
    predict.add_argument("file", type=Path, metavar="FILE.csv", help="with a column text")
    predict.add_argument(
        "--profile", choices=profiles, help="the model of the samples, not your own"
    )
    predict.add_argument("--json", action="store_true", help="one line of JSON for each row")
    triage.add("train", "triage:train", "Learn now from what people said of inquiries.")
    report = triage.add("report", "report:show", "Say how good it is, by what people said of it.")
    report.add_argument(
        "--days", type=int, default=90, help="whose inquiries count; 0 for all there are (90)"
    )
    report.add_argument("--json", action="store_true", help="print it for a program")
    export = triage.add(
        "export",
        "report:export",
        "Write what people labelled as CSV text,label,lang, without names, addresses and numbers.",
    )
    export.add_argument("--head", choices=("stage", "topic"), default="topic")
    export.add_argument("--out", type=Path, metavar="FILE.csv", help="else it is printed")

"""The command line as people use it: what it prints, and how it ends.

Commands that end by themselves are called in this process; those that serve are processes.
"""

import io
import json
import logging
import os
import signal
import socket
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from app import __version__, cli
from app.cli.trial import Call, status_of
from app.core import clock, key_file
from app.core.errors import Invalid
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import inboxes
from app.store.database import Database
from app.store.tables import Inbox
from channels.email.config import EmailConfig
from tests.factories import make_inbox
from tests.servers import free_port
from tests.servers.setten import Setten, until

STOPS_WITHIN = 10.0
COMMANDS = (
    "serve", "web", "worker", "migrate", "agent", "inbox", "import", "try", "doctor", "check",
    "backup", "restore", "keys", "reindex", "openapi",
)  # fmt: skip
CALLS = (
    "call id,number,start,seconds,notes\n"
    "1,+49 30 901820,2026-11-20 10:00,120,Asked for a catalogue\n"
    "2,+49 30 901821,never,60,This row has no time\n"
    "3,+49 30 901822,2026-11-20 11:00,30,Wants to be called back\n"
)


@dataclass(frozen=True)
class Done:
    """A command that ended: its status, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def surroundings() -> Iterator[None]:
    """Of a process that a command changes as if it were its own."""
    root = logging.getLogger()
    mask, handlers, level = os.umask(0o022), root.handlers[:], root.level
    yield
    os.umask(mask)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(setten, "agent", "list")`: a command on that installation, to its end."""

    def call(on: Setten, *words: str, given: str = "") -> Done:
        with monkeypatch.context() as changed:
            for name in [name for name in os.environ if name.startswith("SETTEN_")]:
                changed.delenv(name)
            for name, value in on.variables.items():
                changed.setenv(name, value)
            changed.setattr("sys.stdin", io.StringIO(given))
            capsys.readouterr()
            status = cli.main(words)
        return Done(status, *capsys.readouterr())

    return call


@pytest.fixture
def setten(tmp_path: Path) -> Iterator[Setten]:
    made = Setten(tmp_path / "data")
    yield made
    made.stop()


@pytest.fixture
def migrated(setten: Setten, run: Run) -> Setten:
    done = run(setten, "migrate")
    assert (done.stdout, done.stderr) == ("The database is up to date.\n", "")
    return setten


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setten]:
    """One that serves, for all tests that leave it running."""
    made = Setten(tmp_path_factory.mktemp("serving") / "data")
    made.serve()
    until(lambda: "Ctrl-C stops it." in made.log, "greeting")
    until(lambda: "worker ready" in made.log, "worker")
    until(lambda: "taking test mail" in made.log, "listener for test mail")
    yield made
    made.stop()


def received(on: Setten, run: Run) -> dict[str, int]:
    """How much every inbox took in, once it is certain that nothing of it is lost."""
    checked = json.loads(run(on, "check", "--json").stdout)
    assert checked["problems"] == []
    return {one["name"]: one["received"] for one in checked["balance"]}


def test_help_names_every_command(setten: Setten) -> None:
    done = setten.run("--help")  # a process: this is how the command itself starts

    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ")]
    assert [word for word in listed if word in COMMANDS] == list(COMMANDS)
    assert "crash-points" not in done.stdout


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"setten {__version__}\n")


def test_a_wrong_setting_is_named_in_a_sentence(setten: Setten, run: Run) -> None:
    setten.environment["SETTEN_PUBLIC_URL"] = "support.example.com"

    done = run(setten, "serve")

    assert done.returncode == 1
    assert done.stderr == (
        "setten: Setten cannot start. "
        "SETTEN_PUBLIC_URL: must look like https://support.example.com\n"
    )


def test_serve_greets_and_stops_and_greets_an_administrator_without_a_link(setten: Setten) -> None:
    process = setten.serve()
    link = setten.first_link()
    until(lambda: "Ctrl-C stops it." in setten.log, "greeting")
    setten.set_up()

    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    status = process.wait(STOPS_WITHIN + 5)
    took = time.monotonic() - began

    said = [line for line in setten.log.splitlines() if not line.startswith("{")]
    mail = (
        f"Test mail: send it to hello@localhost by SMTP at 127.0.0.1:{setten.mail_port}, "
        "or run “setten try”."
    )
    assert said == [
        f"Setten {__version__} serves on http://127.0.0.1:{setten.port}",
        "There is no administrator yet. Whoever opens this link becomes one; it works once:",
        f"  http://127.0.0.1:{setten.port}{link}",
        mail,
        "Ctrl-C stops it.",
    ]
    assert status == 0
    assert took < STOPS_WITHIN
    assert stat.S_IMODE((setten.data / "secret.key").stat().st_mode) == 0o600

    again = setten.serve()
    until(lambda: setten.log.count("Ctrl-C stops it.") == 2, "second greeting")

    assert setten.log.count("/invitation/") == 1
    again.send_signal(signal.SIGTERM)
    assert again.wait(STOPS_WITHIN + 5) == 0


def test_serve_names_another_port_when_its_own_is_taken(setten: Setten, run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", setten.port))
        taken.listen()

        done = run(setten, "serve")

    assert done.returncode == 1
    assert done.stderr.startswith(
        f"setten: Port {setten.port} on 127.0.0.1 is taken by another program. Port "
    )
    named = int(done.stderr.rpartition("--port ")[2].rstrip(".\n"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", named))


def test_serve_promises_no_test_mail_at_a_port_that_is_taken(setten: Setten) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", setten.mail_port))
        taken.listen()

        setten.serve()
        until(lambda: "Ctrl-C stops it." in setten.log, "greeting")

    assert "Test mail: send it" not in setten.log
    assert (
        f"Test mail cannot come in: port {setten.mail_port} on 127.0.0.1 is taken by "
        "another program. Set SETTEN_MAIL_PORT to a free one." in setten.log
    )


def test_serve_says_when_its_address_is_of_another_machine(setten: Setten, run: Run) -> None:
    done = run(setten, "serve", "--host", "192.0.2.1")

    assert done.returncode == 1
    assert done.stderr.startswith("setten: SETTEN_HOST: 192.0.2.1 is no address of this machine")


def test_demo_shows_samples_and_throws_them_away(setten: Setten, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    process = setten.spawn("serve", "--demo", more={"TMPDIR": str(folder)})
    until(setten.answers, "answering Setten")
    until(lambda: "Ctrl-C stops it." in setten.log, "greeting")
    line = next(one for one in setten.log.splitlines() if one.startswith("Sign in as"))
    _, _, _, email, *_, password = line.split()

    answer = setten.client.post("/sign-in", data={"email": email, "password": password})
    rows = setten.tickets()

    assert answer.status_code == 303
    assert len(rows) == 16
    process.send_signal(signal.SIGINT)
    assert process.wait(STOPS_WITHIN + 5) == 0
    assert list(folder.iterdir()) == []
    assert not (setten.data / "setten.sqlite3").exists()


def test_try_sends_by_every_way_and_names_the_tickets(serving: Setten, run: Run) -> None:
    before = received(serving, run)

    done = run(serving, "try")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"3 mails sent to hello@localhost at 127.0.0.1:{serving.mail_port}." in done.stdout
    assert "返品について教えてください" in done.stdout
    assert "Rechnungsadresse ändern" in done.stdout
    assert f"Look at them in http://127.0.0.1:{serving.port}/inbox" in done.stdout
    after = received(serving, run)
    assert {name: after[name] - before[name] for name in after} == {
        "Chat": 1,
        "Test mail": 3,
        "Phone": 1,
    }


def test_try_says_when_an_answer_takes_too_long(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()  # connects, and never answers
        settings = Settings(_env_file=None, data_dir=tmp_path, port=busy.getsockname()[1])

        with pytest.raises(Invalid) as slow:
            status_of(settings, Call("GET", "/healthz"), patience=0.1)

    assert slow.value.message == (
        f"Setten on 127.0.0.1:{settings.port} took longer than 0 seconds to answer. Its log may "
        "say why; try again when it is less busy."
    )


def test_try_says_that_nothing_runs(migrated: Setten, run: Run) -> None:
    done = run(migrated, "try")

    assert done.returncode == 1
    assert done.stderr == (
        f"setten: Setten does not answer on 127.0.0.1:{migrated.port}. Start “setten serve” "
        "first, in another terminal.\n"
    )


def test_migrate_does_nothing_twice(migrated: Setten, run: Run) -> None:
    done = run(migrated, "migrate")

    assert (done.returncode, done.stdout) == (0, "The database was up to date already.\n")
    listed = run(migrated, "inbox", "list").stdout.splitlines()
    assert [line.split()[1] for line in listed[1:]] == ["chat", "email", "phone"]


def test_worker_stops_in_time(migrated: Setten) -> None:
    process = migrated.spawn("worker")
    until(lambda: "works as embedded" in migrated.log, "worker")

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = process.wait(STOPS_WITHIN + 5)

    assert status == 0
    assert time.monotonic() - began < STOPS_WITHIN


def test_agents_are_invited_added_listed_and_reset(migrated: Setten, run: Run) -> None:
    nobody = run(migrated, "agent", "list")
    invited = run(migrated, "agent", "add", "lena@example.com", "--role", "lead")
    words = ("ann@example.com", "--role", "admin", "--name", "Ann Bell", "--password")
    added = run(migrated, "agent", "add", *words, given="a long enough password\n")
    weak = run(migrated, "agent", "add", "tom@example.com", "--password", given="password1\n")
    reset = run(migrated, "agent", "reset", "ann@example.com")
    unknown = run(migrated, "agent", "reset", "tom@example.com")
    listed = run(migrated, "agent", "list")

    base = f"http://127.0.0.1:{migrated.port}"
    assert nobody.stderr.startswith("setten: Nobody has an account yet.")
    assert f"  {base}/invitation/" in invited.stdout
    assert added.stdout == f"Ann Bell <ann@example.com> can sign in at {base}.\n"
    assert weak.stderr == "setten: A password needs at least 10 characters.\n"
    assert f"  {base}/invitation/" in reset.stdout
    assert unknown.stderr == "setten: There is no agent with the address tom@example.com.\n"
    assert listed.stdout.splitlines() == [
        "NAME      EMAIL             ROLE",
        "Ann Bell  ann@example.com   admin",
        "          lena@example.com  lead   invited",
    ]


def test_an_inbox_is_added_from_standard_input(migrated: Setten, run: Run) -> None:
    answers = {
        "name": "Support",
        "address": "support@example.com",
        "imap_host": "imap.example.com",
        "imap_username": "support",
        "imap_password": "very secret words",
    }

    done = run(migrated, "inbox", "add", "email", "--json-stdin", given=json.dumps(answers))
    again = run(migrated, "inbox", "add", "email", "--json-stdin", given=json.dumps(answers))
    listed = run(migrated, "inbox", "list").stdout

    assert done.stdout == (
        "Inbox 4 (Support) is there; a running Setten uses it within a few seconds.\n"
    )
    assert again.stderr == ("setten: Another inbox already has the address support@example.com.\n")
    assert "support@example.com" in listed
    assert b"very secret words" not in (migrated.data / "setten.sqlite3").read_bytes()


def test_an_inbox_asks_and_says_what_is_wrong_without_quoting_it(
    migrated: Setten, run: Run
) -> None:
    wrong = {"address": "support", "imap_password": "very secret words", "imap_port": "many"}

    done = run(migrated, "inbox", "add", "email", "--json-stdin", given=json.dumps(wrong))
    unknown = run(migrated, "inbox", "add", "pigeon")
    chat = run(migrated, "inbox", "add", "chat", given="Widget\n\n\n\n\n\n\n")

    assert done.returncode == 1
    assert "address: this is not a mail address" in done.stderr
    assert "imap_port: " in done.stderr
    assert "very secret words" not in done.stderr
    assert unknown.stderr == "setten: There is no channel “pigeon”; there are chat, email, phone.\n"
    assert f"Its hook is http://127.0.0.1:{migrated.port}/hooks/chat/" in chat.stdout
    assert "Secret, shown only now: whsec_" in chat.stdout


def test_an_inbox_is_changed_and_what_is_not_named_stays(migrated: Setten, run: Run) -> None:
    answers = {
        "name": "Support",
        "address": "support@example.com",
        "imap_host": "imap.example.com",
        "imap_password": "very secret words",
        "language_of_inbox": "de",
        "reopen_days": 14,
        "undo_seconds": 5,
    }
    run(migrated, "inbox", "add", "email", "--json-stdin", given=json.dumps(answers))

    def change(*wanted: str, given: str = "") -> tuple[int, str]:
        done = run(migrated, "inbox", "change", "4", *wanted, given=given)
        return done.returncode, done.stdout + done.stderr

    def stored() -> tuple[Any, ...]:
        keys = Keys(key_file.read_key(migrated.data / "secret.key"))
        database = Database("", migrated.data / "setten.sqlite3")
        with database.reading() as session:
            inbox = session.get_one(Inbox, 4)
            config = inboxes.config_of(inbox, keys, EmailConfig)
        database.close()
        beside = inbox.name, inbox.language, inbox.reopen_days, inbox.undo_seconds, inbox.enabled
        return *beside, config.imap_port, config.imap_password.get_secret_value()

    first = stored()
    changed = change("--set", "reopen_days=never", "--set", "imap_port=143", "--set", "enabled=no")
    second = stored()
    secret = change("--json-stdin", given='{"imap_password": "others", "reopen_days": null}')

    assert first == ("Support", "de", 14, 5, True, 993, "very secret words")
    assert changed[1].startswith("Inbox 4 (Support) is changed; ")
    assert second == ("Support", "de", 0, 5, False, 143, "very secret words")
    assert secret[0] == 0
    last = stored()
    assert last == ("Support", "de", None, 5, False, 143, "others")
    refused = {
        ("--set", "reopen_days=soon"): "reopen_days: give a number of days, ever, or never.",
        ("--set", "reopen_days=99999"): "This must be between 0 and 3650.",
        ("--set", "undo_seconds=x"): "undo_seconds: give a number of seconds.",
        ("--set", "enabled=perhaps"): "enabled: say yes or no.",
        ("--set", "imap_port=many"): "Nothing was changed. imap_port: ",
        ("--set", "imap_password=x"): "--set imap_password: everybody can read arguments",
        (): "Say what to change",
    }
    for wanted, words in refused.items():
        code, said = change(*wanted)
        assert (code, said.startswith(f"setten: {words}")) == (1, True), said
    assert stored() == last
    assert run(migrated, "inbox", "change", "99", "--set", "name=x").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        ((), "Help\na@gmail.com\nShop\n\nsecret words\n", "Google refuses the usual password"),
        (("--preset", "gmail"), "Help\na@shop.test\n\n\nsecret words\n", "Inbox 4 (Help)"),
        ((), "Help\na@shop.test\n\n\nsecret words\nimap.gmail.com\n\n", "Incoming server"),
        (("--preset", "microsoft"), "Help\na@b.test\n\n\nid\nsecret words\n", "Grant access"),
        (("--set", "imap_host=x.test"), "Help\na@shop.test\n\n\nw\nsmtp.x.test\n", "Inbox 4"),
    ],
)
def test_an_inbox_asks_only_for_what_its_provider_leaves_open(
    migrated: Setten, run: Run, arguments: tuple[str, ...], given: str, said: str
) -> None:
    done = run(migrated, "inbox", "add", "email", *arguments, given=given)

    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout
    assert "secret words" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--preset", "pigeon"), "There is no preset “pigeon” for this channel; there are: other,"),
        (("--set", "imap_password=x"), "--set imap_password: everybody can read arguments"),
        (("--set", "wings=2"), "--set wings: there is no such setting"),
        (("--set", "imap_port"), "--set imap_port: there is no such setting"),
    ],
)
def test_an_inbox_refuses_options_it_cannot_use(
    migrated: Setten, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    done = run(migrated, "inbox", "add", "email", *arguments, given="")

    assert done.returncode == 1
    assert words in done.stderr


def test_calls_are_imported_once_and_bad_rows_named(
    migrated: Setten, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "calls.csv"
    log.write_text(CALLS, encoding="utf-8")

    first = run(migrated, "import", "calls", str(log))
    second = run(migrated, "import", "calls", str(log))
    missing = run(migrated, "import", "calls", str(tmp_path / "none.csv"))

    assert first.stdout == "2 taken, 0 were here already, 1 could not be read.\n"
    assert first.returncode == 1
    assert first.stderr.startswith(f"{log}, line 3: ")
    assert second.stdout == "0 taken, 2 were here already, 1 could not be read.\n"
    assert missing.stderr.endswith("none.csv cannot be read: No such file or directory.\n")


def test_doctor_explains_an_installation_that_is_not_there(setten: Setten, run: Run) -> None:
    done = run(setten, "doctor")

    assert done.returncode == 1
    assert f"!!  The data folder {setten.data} is not there yet" in done.stdout
    assert not setten.data.exists() or list(setten.data.iterdir()) == []


def test_doctor_finds_a_key_that_others_can_read(migrated: Setten, run: Run) -> None:
    before = run(migrated, "doctor")
    (migrated.data / "secret.key").chmod(0o644)
    after = run(migrated, "doctor")

    assert before.returncode == 0
    assert "--  SETTEN_PUBLIC_URL: it is not set, so customers could open no link" in before.stdout
    assert after.returncode == 1
    assert after.stdout.splitlines()[0] == (
        f"!!  Others on this machine can read the key: chmod 600 {migrated.data}/secret.key."
    )


def test_keys_change_without_losing_what_is_sealed(
    serving: Setten, migrated: Setten, run: Run
) -> None:
    first = (migrated.data / "secret.key").read_bytes()
    busy = run(serving, "keys", "rotate")
    turned = run(migrated, "keys", "rotate")
    listed = run(migrated, "keys", "list")
    newest, missing = run(migrated, "keys", "withdraw", "2"), run(migrated, "keys", "withdraw", "7")
    gone = run(migrated, "keys", "withdraw", "1")

    assert busy.stderr == f"setten: Setten works on {serving.data}: stop it first.\n"
    assert turned.stdout.splitlines()[0] == (
        "Key 2 signs from now on, and 3 inboxes are sealed with it."
    )
    assert [line.split() for line in listed.stdout.splitlines()] == [
        ["KEY", "SINCE", "DOES"],
        ["2", f"{clock.now():%Y-%m-%d}", "signs", "and", "proves"],
        ["1", "the", "beginning", "proves"],
    ]
    assert newest.stderr == "setten: Key 2 is the newest: “setten keys rotate” comes first.\n"
    assert missing.stderr == "setten: There is no key 7; see “setten keys list”.\n"
    assert (gone.returncode, gone.stderr) == (0, "")
    assert run(migrated, "doctor").returncode == 0
    keys = Keys(key_file.read_key(migrated.data / "secret.key"))
    database = Database("", migrated.data / "setten.sqlite3")
    with database.reading() as session:
        opened = [
            keys.unseal(inbox.sealed_config, label=f"inbox {inbox.token}")
            for inbox in session.exec(select(Inbox))
        ]
    database.close()
    assert len(opened) == 3
    # The old file is another installation's by now.
    (migrated.data / "secret.key").write_bytes(first)
    assert run(migrated, "doctor").returncode == 1


def test_a_change_of_keys_that_was_cut_off_is_simply_made_again(migrated: Setten, run: Run) -> None:
    path = migrated.data / "secret.key"
    key_file.write_key(path, key_file.with_new_key(path.read_bytes(), clock.now().date()))

    assert run(migrated, "check").returncode == 0
    assert run(migrated, "keys", "withdraw", "1").returncode == 0
    assert run(migrated, "check").returncode == 0


def test_the_data_folder_is_shut_to_others(setten: Setten, run: Run, tmp_path: Path) -> None:
    log = tmp_path / "calls.csv"
    log.write_text(CALLS, encoding="utf-8")
    run(setten, "migrate")
    run(setten, "import", "calls", str(log))
    made = [setten.data, *setten.data.rglob("*")]
    shut = [path for path in made if path.stat().st_mode & 0o077]
    setten.data.chmod(0o755)
    told = run(setten, "doctor")
    run(setten, "migrate")

    assert shut == []
    assert told.returncode == 1
    assert told.stdout.splitlines()[0] == (
        f"!!  Others on this machine can look into the data folder: chmod 700 {setten.data}."
    )
    assert stat.S_IMODE(setten.data.stat().st_mode) == 0o700


def test_a_folder_that_is_not_ours_keeps_its_mode(setten: Setten, run: Run) -> None:
    setten.data.mkdir(mode=0o755)
    (setten.data / "of-others.txt").touch()

    run(setten, "migrate")

    assert stat.S_IMODE(setten.data.stat().st_mode) == 0o755


def test_doctor_asks_whether_the_public_address_leads_here(migrated: Setten, run: Run) -> None:
    migrated.environment["SETTEN_PUBLIC_URL"] = f"http://support.invalid:{free_port()}"

    done = run(migrated, "doctor")

    assert done.returncode == 1
    assert "does not answer from here: no such host is known." in done.stdout


PASSWORD = (
    "nothing comes in. The server refused the password. The last attempt to fetch failed; "
    "look at Settings → Inboxes → Support, where saving tries at once."
)
NO_SUCH_USER = (
    "its self-test failed. 550 no such user. Nothing was changed by it; when the cause is "
    "gone, test again under Settings → Inboxes → Support."
)
SILENT = "its server last answered 9 minutes ago: is a worker running, and does its log say why?"
NOT_ARRIVED = (
    "the mail of the self-test begun 3 hours ago has not arrived. The provider may refuse "
    "addresses with a plus; answers go on without one. Test again under Settings → Inboxes → "
    "Support."
)


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"last_in_error": "The server refused the password."}, PASSWORD),
        ({"looked_at": timedelta(minutes=9)}, SILENT),
        ({"self_test": "failed", "self_test_error": "550 no such user."}, NO_SUCH_USER),
        ({"self_test": "running", "self_test_at": timedelta(hours=3)}, NOT_ARRIVED),
    ],
)
def test_doctor_says_what_is_wrong_with_an_inbox_and_what_to_do(
    migrated: Setten, run: Run, trouble: dict[str, Any], sentence: str
) -> None:
    before = run(migrated, "doctor")
    trouble = {
        name: clock.now() - value if isinstance(value, timedelta) else value
        for name, value in trouble.items()
    }
    database = Database("", migrated.data / "setten.sqlite3")
    with database.transaction() as session:
        make_inbox(session, name="Support", **trouble)
    database.close()

    after = run(migrated, "doctor")

    assert (before.returncode, after.returncode) == (0, 1)
    assert [line for line in after.stdout.splitlines() if "Inbox Support" in line] == [
        f"!!  Inbox Support: {sentence}"
    ]


def test_check_fails_when_a_file_is_lost(migrated: Setten, run: Run, tmp_path: Path) -> None:
    log = tmp_path / "calls.csv"
    log.write_text(CALLS, encoding="utf-8")
    run(migrated, "import", "calls", str(log))
    sound = run(migrated, "check")
    for blob in (migrated.data / "blobs").glob("??/*"):
        blob.unlink()

    done = run(migrated, "check")

    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "Nothing is wrong.")
    assert done.returncode == 1
    assert done.stderr == "arrival 1, 2: has lost its file, or the file is damaged\n"


def test_a_backup_of_a_working_installation_is_restored(
    serving: Setten, run: Run, tmp_path: Path
) -> None:
    file, log = tmp_path / "setten.tar", tmp_path / "calls.csv"
    log.write_text(CALLS.replace("\n1,", "\n5,").replace("\n3,", "\n7,"), encoding="utf-8")
    imported = run(serving, "import", "calls", str(log))
    made = run(serving, "backup", str(file))
    busy = run(serving, "restore", str(file), "--force")
    other = Setten(tmp_path / "other")

    twice = run(serving, "backup", str(file))
    restored = run(other, "restore", str(file))
    refused = run(other, "restore", str(file))

    assert imported.stdout == "2 taken, 0 were here already, 1 could not be read.\n"
    assert (made.returncode, made.stderr) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert busy.stderr == f"setten: Setten works on {serving.data}: stop it first.\n"
    assert twice.stderr == f"setten: {file} is there already; choose another name.\n"
    assert (restored.returncode, restored.stderr) == (0, "")
    assert refused.returncode == 1
    assert refused.stderr.endswith(" here already; --force replaces all of it.\n")
    assert (other.data / "secret.key").read_bytes() == (serving.data / "secret.key").read_bytes()
    there = received(other, run)
    assert there == received(serving, run)
    assert there["Phone"] >= 2
    other.stop()


def test_reindex_makes_every_message_findable_again(
    serving: Setten, run: Run, tmp_path: Path
) -> None:
    log = tmp_path / "calls.csv"
    log.write_text(CALLS, encoding="utf-8")
    run(serving, "import", "calls", str(log))
    waiting = "SELECT count(*) = 0 FROM arrival WHERE state = 'waiting'"
    until(lambda: _counted(serving, waiting), "filed calls")
    messages = _counted(serving, "SELECT count(*) FROM message")

    assert messages >= 2
    assert run(serving, "reindex").stdout == f"{messages} messages can be found.\n"


def _counted(setten: Setten, statement: str) -> int:
    with sqlite3.connect(setten.data / "setten.sqlite3") as connection:
        found = connection.execute(statement).fetchone()
    connection.close()
    return int(found[0])


def test_openapi_and_crash_points_are_printed(migrated: Setten, run: Run) -> None:
    described = json.loads(run(migrated, "openapi").stdout)
    points = run(migrated, "crash-points").stdout.splitlines()

    assert described["info"] == {"title": "Setten", "version": __version__}
    assert "/healthz" in described["paths"]
    names = [line.partition("\t")[0] for line in points]
    assert {"intake.raw_stored", "outbox.ambiguous", "pull.kept"} <= set(names)
    assert len(names) == len(set(names))

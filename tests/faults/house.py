"""An installation that is ready for work, made once and copied for every fault."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.settings import Settings
from app.services import integrity
from app.services.access import SYSTEM
from app.services.queries import mailboxes
from app.services.queries.mailboxes import FolderBalance
from app.store.blobs import Blobs
from app.store.database import Database
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import Received, SmtpSink

PUBLIC = "https://help.example.com"
CUSTOMER_USER = "support"
ADDRESS = "support@example.com"
CHAT_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwQm9zdGVuLXRlc3Q="
ENVIRONMENT = {
    "SETTEN_PUBLIC_URL": PUBLIC,
    "SETTEN_POLL_SECONDS": "1",
    "SETTEN_TRIAGE": "off",  # it loads for a second at every start, and is killed elsewhere
    "SETTEN_WORKER_NAME": "one",  # on PostgreSQL, too, the next process finds its own work
    "SETTEN_LOG_LEVEL": "INFO",
}


@dataclass(frozen=True)
class Surroundings:
    """The servers that outlive every kill."""

    dovecot: Dovecot
    sink: SmtpSink
    postgres: Callable[[], Postgres]

    def to_customers(self) -> list[Received]:
        """What the sink got, without what an inbox sent to itself to test its own address."""
        return [one for one in list(self.sink.received) if one.rcpt_tos[0] != ADDRESS]

    def forget_mail(self) -> None:
        """An empty mailbox with new numbers, and a sink that has seen nothing."""
        shutil.rmtree(self.dovecot.top / "mail" / CUSTOMER_USER, ignore_errors=True)
        self.sink.received.clear()
        self.sink.answers.clear()


@dataclass
class Prepared:
    """A data folder and, on PostgreSQL, a database to copy, with an administrator signed in."""

    kind: str
    data: Path
    database: str
    cookies: dict[str, str]
    chat_hook: str
    copies: int = 0

    @contextmanager
    def copy(self, around: Surroundings, folder: Path) -> Iterator[Setten]:
        """A fresh installation, stopped, with the mailbox connected and empty."""
        self.copies += 1
        around.forget_mail()
        shutil.copytree(self.data, folder / "data")
        name = f"{self.database}_{self.copies}"
        environment = dict(ENVIRONMENT)
        if self.database:
            url = around.postgres().create(name, self.database)
            environment["SETTEN_DATABASE_URL"] = url
        setten = Setten(folder / "data", environment)
        setten.client.cookies.update(self.cookies)
        try:
            yield setten
        finally:
            setten.kill()
            setten.client.close()
            if self.database:
                around.postgres().drop(name)


def prepare(kind: str, around: Surroundings, folder: Path) -> Prepared:
    """Start Setten once, answer its first page, connect the mailbox and a chat; stop it."""
    environment, database = dict(ENVIRONMENT), ""
    if kind == "postgres":
        database = "setten_prepared"
        environment["SETTEN_DATABASE_URL"] = around.postgres().create(database)
    setten = Setten(folder / "data", environment)
    try:
        setten.serve()
        setten.set_up()
        setten.put(
            "/api/organisation/rules", {"feedback_delay_minutes": 0, "feedback_notice": True}
        )
        setten.add_inbox("email", **mailbox(around))
        chat = setten.add_inbox("chat", secret=CHAT_SECRET)
        cookies = dict(setten.client.cookies)
    finally:
        setten.stop()
    for log in setten.data.glob("*.test-log"):
        log.unlink()
    hook = f"/hooks/chat/{_token_of(setten, chat)}"
    return Prepared(kind, setten.data, database, cookies, hook)


def _token_of(setten: Setten, inbox: dict[str, Any]) -> str:
    with books(setten) as rows:
        return str(rows("SELECT token FROM inbox WHERE id = :id", id=inbox["id"])[0][0])


def mailbox(around: Surroundings) -> dict[str, object]:
    return {
        "address": ADDRESS,
        "imap_host": "127.0.0.1",
        "imap_port": around.dovecot.port,
        "imap_security": "none",
        "imap_username": CUSTOMER_USER,
        "imap_password": "secret",
        "import_since": "all",
        "after_filing": "seen",
        "smtp_host": "127.0.0.1",
        "smtp_port": around.sink.port,
        "smtp_security": "none",
    }


Rows = Callable[..., list[tuple[Any, ...]]]


@contextmanager
def opened(setten: Setten) -> Iterator[tuple[Database, Settings]]:
    """The installation's database, beside whatever runs on it."""
    settings = Settings(
        _env_file=None,
        data_dir=setten.data,
        database_url=setten.environment.get("SETTEN_DATABASE_URL", ""),
    )
    database = Database(settings.database_url, settings.sqlite_file)
    try:
        yield database, settings
    finally:
        database.close()


@contextmanager
def books(setten: Setten) -> Iterator[Rows]:
    """Plain statements, so that what is compared does not come through the code under test."""
    with opened(setten) as (database, _):

        def rows(statement: str, **values: object) -> list[tuple[Any, ...]]:
            with database.reading() as session:
                return [tuple(row) for row in session.connection().execute(text(statement), values)]

        yield rows


def assert_in_order(setten: Setten) -> None:
    """What `setten check` looks at, without the second its process takes to start."""
    with opened(setten) as (database, settings), database.reading() as session:
        problems = integrity.problems(session, Blobs(settings.blob_dir))
    assert problems == [], problems


def assert_balanced(setten: Setten, mails: int) -> None:
    """What the page of the mail balance says, once the whole folder was looked at again."""

    def looked() -> FolderBalance | None:
        with opened(setten) as (database, _), database.reading() as session:
            found = mailboxes.balances(session, SYSTEM)
        return found[0] if found and found[0].on_server == mails else None

    folder = until(looked, f"look at a folder of {mails} mails", 180)
    assert folder is not None
    left = {str(state): count for state, count in folder.states.items() if count}
    assert (left, folder.unexplained, folder.difference) == ({"filed": mails}, 0, 0), folder

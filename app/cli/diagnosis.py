"""What `setten doctor` looks at, and the sentences it says about it."""

import errno
import os
import shutil
import socket
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.cli import console
from app.core import clock
from app.core.errors import Invalid, SettenError
from app.core.key_file import load_key
from app.core.settings import Settings
from app.domain.words import DeliveryState, Role, SelfTest, SurveyState
from app.services.queries import workload
from app.store import keeping, schema
from app.store.database import Database
from app.store.tables import (
    Agent,
    Complaint,
    Delivery,
    DroppedFile,
    Inbox,
    Organisation,
    Survey,
    Ticket,
    Worker,
)
from channels.contract import Channel
from channels.registry import all_channels

LOW_DISK = 1_000_000_000  # bytes
LATE = timedelta(minutes=5)
AWAITED = timedelta(hours=1)  # a mail to oneself takes minutes
_PATIENCE = 5.0  # seconds for our own address to answer


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad` needs somebody; otherwise it is good to know."""

    words: str
    bad: bool = False
    good: bool = False

    @property
    def mark(self) -> str:
        return "!!" if self.bad else "ok" if self.good else "--"


def _well(words: str) -> Finding:
    return Finding(words, good=True)


def _ill(words: str) -> Finding:
    return Finding(words, bad=True)


def of(settings: Settings) -> list[Finding]:
    """Everything that can be seen from outside a running Setten, the worst first."""
    found = [*_folder(settings), *_key(settings), *_address(settings)]
    if settings.database_url or settings.sqlite_file.exists():
        try:
            database = console.database_of(settings)
        except SettenError as problem:
            return [*found, _ill(problem.message)]
        try:
            found += _database(settings, database)
        finally:
            database.close()
    return sorted(dict.fromkeys(found), key=lambda one: not one.bad)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        yield _ill(f"The data folder {folder} is not there yet: “setten serve” makes it.")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield _ill(f"SETTEN_DATA_DIR: this user may not write to {folder}.")
        return
    if folder.stat().st_mode & 0o077:
        yield _ill(f"Others on this machine can look into the data folder: chmod 700 {folder}.")
    free = shutil.disk_usage(folder).free
    words = f"The data folder {folder} can be written and has {free / 1e9:.1f} GB left."
    yield _ill(words + " That is little.") if free < LOW_DISK else _well(words)


def _key(settings: Settings) -> Iterator[Finding]:
    path = settings.key_file
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        load_key(path)
    except FileNotFoundError:
        return  # whether there should be one, the database knows
    except PermissionError:
        yield _ill(f"SETTEN_SECRET_KEY_FILE: this user may not read {path}.")
    except SettenError as problem:
        yield _ill(problem.message)
    else:
        if mode & 0o077:
            yield _ill(f"Others on this machine can read the key: chmod 600 {path}.")
        else:
            yield _well(f"The key in {path} is readable for its owner only.")


def _address(settings: Settings) -> Iterator[Finding]:
    url = settings.public_url
    if not settings.reachable:
        given = f"{url} is only this machine" if url else "it is not set"
        yield Finding(
            f"SETTEN_PUBLIC_URL: {given}, so customers could open no link and no feedback request "
            "leaves; those that are due wait in the outbox."
        )
        return
    if urlsplit(url).scheme == "http":
        yield _ill(f"SETTEN_PUBLIC_URL: {url} is not encrypted; use https.")
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=_PATIENCE) as answer:  # noqa: S310
            ours = b'"status":"ok"' in answer.read(200).replace(b" ", b"")
    except urllib.error.HTTPError as problem:
        yield _ill(f"{url}/healthz answers {problem.code}: does the proxy lead to Setten?")
    except (OSError, ValueError) as problem:
        yield _ill(f"{url} does not answer from here: {_reason(problem)}.")
    else:
        yield (
            _well(f"{url} answers.")
            if ours
            else _ill(f"{url} answers, but it is not Setten that does.")
        )


def _reason(problem: Exception) -> str:
    cause = getattr(problem, "reason", problem)
    match cause:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted ({cause.verify_message})"
        case socket.gaierror():
            return "no such host is known"
        case TimeoutError():
            return f"no answer within {_PATIENCE:.0f} seconds"
        case OSError() if cause.errno == errno.ECONNREFUSED:
            return "nothing listens there"
        case _:
            return str(cause)


def _database(settings: Settings, database: Database) -> Iterator[Finding]:
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        with console.answering(settings):
            schema.check_current(database)
    except Invalid as problem:
        yield _ill(problem.message)
        return
    yield _well(f"The database ({kind}) answers, and its tables are those of this version.")
    try:
        keeping.check_key(database, settings.key_file)
    except Invalid as problem:
        yield _ill(problem.message)
    else:
        if not settings.key_file.exists():
            yield _ill(f"There is no key in {settings.key_file} yet: the first start makes it.")
    looks: tuple[Callable[[Session], Iterator[Finding]], ...] = (
        _workers, _accounts, _inboxes, _waiting, _outbox, _complaints, _dropped, _feedback
    )  # fmt: skip
    with database.reading() as session:
        for look in looks:
            yield from look(session)


def _workers(session: Session) -> Iterator[Finding]:
    seen = session.exec(select(func.max(Worker.seen_at))).one()
    if seen is None:
        yield Finding("No worker has run yet: nothing comes in or goes out without one.")
    elif clock.now() - seen > timedelta(minutes=1):
        yield Finding(f"No worker is at work; the last one was {_ago(seen)}.")
    else:
        yield _well("A worker is at work.")


def _accounts(session: Session) -> Iterator[Finding]:
    admin = select(Agent.id).where(Agent.role == Role.ADMIN, col(Agent.active).is_(True))
    if session.exec(admin.limit(1)).first() is None:
        yield Finding("There is no administrator yet: “setten serve” prints a link for the first.")


def _inboxes(session: Session) -> Iterator[Finding]:
    for inbox in session.exec(select(Inbox).order_by(col(Inbox.id))):
        channel: Channel | None = all_channels().get(inbox.kind)
        if not inbox.enabled:
            yield Finding(f"Inbox {inbox.name}: switched off.")
        elif channel is None:
            yield _ill(f"Inbox {inbox.name}: its channel “{inbox.kind}” is not installed.")
        elif troubles := list(_troubles(inbox)):
            yield from troubles
        else:
            last = f", last arrival {_ago(inbox.last_in_at)}" if inbox.last_in_at else ""
            yield _well(f"Inbox {inbox.name} ({inbox.kind}) is well{last}{_connected(inbox)}.")


def _connected(inbox: Inbox) -> str:
    """A connection that is made anew very often tells of the line, or of the server's limits."""
    if inbox.connected_at is None:
        return ""
    return f", connected {_ago(inbox.connected_at)}, reconnects so far: {inbox.reconnects}"


def _troubles(inbox: Inbox) -> Iterator[Finding]:
    """What went wrong at the last try, in the server's words, and what to do."""
    page = f"Settings → Inboxes → {inbox.name}"
    if inbox.last_in_error:
        yield _ill(
            f"Inbox {inbox.name}: nothing comes in. {inbox.last_in_error} "
            f"The last attempt to fetch failed; look at {page}, where saving tries at once."
        )
    elif inbox.looked_at and clock.now() - inbox.looked_at > LATE:
        yield _ill(
            f"Inbox {inbox.name}: its server last answered {_ago(inbox.looked_at)}: "
            "is a worker running, and does its log say why?"
        )
    if inbox.last_in_warning and not inbox.last_in_error:
        yield _ill(f"Inbox {inbox.name}: mail comes in, but: {inbox.last_in_warning}")
    if inbox.last_out_error:
        yield _ill(
            f"Inbox {inbox.name}: nothing goes out. {inbox.last_out_error} "
            f"Look at {page}, and then send what waits in the outbox again."
        )
    if inbox.sent_error:
        yield _ill(
            f"Inbox {inbox.name}: its Sent folder cannot be used. {inbox.sent_error} "
            f"What is sent leaves all the same; choose the folder under {page}."
        )
    at = inbox.self_test_at
    if inbox.self_test is SelfTest.FAILED:
        yield _ill(
            f"Inbox {inbox.name}: its self-test failed. {inbox.self_test_error} Nothing was "
            f"changed by it; when the cause is gone, test again under {page}."
        )
    elif inbox.self_test is SelfTest.RUNNING and at and clock.now() - at > AWAITED:
        yield _ill(
            f"Inbox {inbox.name}: the mail of the self-test begun {_ago(at)} has not arrived. "
            "The provider may refuse addresses with a plus; answers go on without one. "
            f"Test again under {page}."
        )


def _waiting(session: Session) -> Iterator[Finding]:
    now = workload.view(session)
    if now.arrival_age > LATE.total_seconds():
        yield _ill(
            f"An arrival has been waiting for {now.arrival_age / 60:.0f} minutes to be filed: "
            "is a worker running, and does its log say why?"
        )
    if now.delivery_age > LATE.total_seconds():
        yield _ill(f"An answer is {now.delivery_age / 60:.0f} minutes late.")


def _outbox(session: Session) -> Iterator[Finding]:
    words = {
        DeliveryState.FAILED: "failed",
        DeliveryState.IN_DOUBT: "are in doubt: look whether they arrived, then send them again",
        DeliveryState.HELD: "are held until somebody lets them go",
    }
    counted = (
        sql_select(col(Delivery.state), func.count())
        .where(col(Delivery.state).in_(list(words)))
        .group_by(col(Delivery.state))
    )
    for state, count in session.execute(counted):
        sentence = f"Deliveries that {words[state]}: {count}."
        yield Finding(sentence) if state is DeliveryState.HELD else _ill(sentence)


def _complaints(session: Session) -> Iterator[Finding]:
    since = clock.now() - timedelta(days=30)
    told = select(func.count(), func.count(col(Complaint.noted_at))).where(Complaint.at > since)
    count, noted = session.exec(told).one()
    if count:
        yield Finding(
            f"Mails of ours reported as spam in the last 30 days: {count}, not noted by anybody: "
            f"{count - noted}. Providers stop taking mail from whoever is reported often."
        )


def _dropped(session: Session) -> Iterator[Finding]:
    before = clock.now() - timedelta(days=3)
    left = session.exec(select(func.count()).where(DroppedFile.at < before)).one()
    if left:
        yield _ill(
            f"Files of deleted raw sources that are still on the disk: {left}. Is a worker "
            "running, and does the disk of the data folder know file locks?"
        )


def _feedback(session: Session) -> Iterator[Finding]:
    organisation = session.exec(select(Organisation)).first()
    if organisation is None:
        yield Finding("The organisation is not set up yet; nobody is asked for feedback.")
        return
    if not organisation.ask_feedback:
        yield Finding("Feedback requests are switched off, so none is sent.")
        return
    if organisation.feedback_policy == "de-strict" and not organisation.feedback_notice:
        yield Finding(
            "Feedback policy “de-strict”: only customers who agreed are asked, because the "
            "organisation has not stated that its notice mentions such requests."
        )
    counted = (
        sql_select(col(Survey.reason), func.count())
        .where(col(Survey.state).in_((SurveyState.SUPPRESSED, SurveyState.HELD)))
        .where(col(Survey.resolved_at) > clock.now() - timedelta(days=30))
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
        .where(col(Ticket.sample).is_(False))
        .group_by(col(Survey.reason))
        .order_by(func.count().desc())
        .limit(5)
    )
    for reason, count in session.execute(counted):
        yield Finding(f"Not asked for feedback in the last 30 days: {count}. {reason}")


def _ago(moment: datetime) -> str:
    minutes = (clock.now() - moment).total_seconds() / 60
    if minutes < 90:
        return f"{max(minutes, 0):.0f} minutes ago"
    return f"{minutes / 60:.0f} hours ago" if minutes < 2880 else f"{minutes / 1440:.0f} days ago"

"""A backlog of mail from a real IMAP server to tickets: CPU time, commits, threads."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from pathlib import Path

from sqlmodel import Session, col, func, select, text

from app.core import clock
from app.domain.words import ArrivalState
from app.store.tables import Arrival, Inbox, LedgerRow, Message, PredictionRow
from bench import anchors, corpus, usage
from bench.corpus import Letter, Written
from bench.counting import Commits
from bench.rig import House, Sizes
from bench.table import Aim, Table
from tests.servers import require
from tests.servers.dovecot import Dovecot
from tests.servers.setten import until
from tests.servers.smtp_sink import SmtpSink, sink_beside

_CEILING = 900.0
_MARKER = re.compile(r"目印(\w+?)号です|marker (\w+)\.")


@dataclass(frozen=True, slots=True)
class Street:
    """The house and the mail servers around it."""

    house: House
    dovecot: Dovecot
    sink: SmtpSink

    def connect(self, user: str) -> int:
        """Add an inbox that fetches all there is of `user`; its id."""
        address = f"{user}@example.com"
        made = self.house.setten.add_inbox(
            "email",
            address=address,
            imap_host="127.0.0.1",
            imap_port=self.dovecot.port,
            imap_security="none",
            imap_username=user,
            imap_password="secret",
            import_since="all",
            after_filing="seen",
            smtp_host="127.0.0.1",
            smtp_port=self.sink.port,
            smtp_security="none",
        )
        return int(made["id"])

    def drop(self, user: str, letters: Sequence[Letter]) -> None:
        for letter in letters:
            self.dovecot.drop(user, letter.raw)

    def wait_until_done(self, inbox_id: int, count: int) -> None:
        """Everything is filed, and marked on the server."""
        until(lambda: self._settled(inbox_id) >= count, f"{count} mails filed", _CEILING)

    def _settled(self, inbox_id: int) -> int:
        with self.house.database.reading() as session:
            return session.exec(
                select(func.count())
                .select_from(LedgerRow)
                .where(LedgerRow.inbox_id == inbox_id, col(LedgerRow.settled_at).is_not(None))
            ).one()


@contextmanager
def street_of(house: House, folder: Path) -> Iterator[Street]:
    """The house serves, and there are mail servers around it that know nobody yet."""
    dovecot = Dovecot.start(folder / "dovecot")
    try:
        with sink_beside() as sink:
            house.setten.serve()
            yield Street(house, dovecot, sink)
    finally:
        house.setten.stop()
        dovecot.stop()


def measure(table: Table, street: Street, answered: Sequence[Written], sizes: Sizes) -> None:
    house = street.house
    with table.under_way(f"{house.kind}: mail to ticket"):
        if house.setten.environment["SETTEN_TRIAGE"] == "on":
            memory = usage.pss_mib(house.setten.processes[-1].pid)
            at_most = Aim(at_most=400) if house.kind == "sqlite" else None
            table.add(f"{house.kind}: memory with classifier", memory, "MiB PSS", at_most)
        letters = corpus.backlog("a", sizes.mails, answered)
        inbox_id = _backlog(table, street, letters)
        read_back(table, street, inbox_id, letters)
    if house.kind == "sqlite":
        _traced(table, street, sizes)


def warm_up(street: Street, sizes: Sizes) -> list[Written]:
    """Load everything, and answer some mails that customers then reply to."""
    setten = street.house.setten
    letters = corpus.openers("w", sizes.answered)
    street.drop("warm", letters)
    inbox_id = street.connect("warm")
    street.wait_until_done(inbox_id, len(letters))
    if setten.environment["SETTEN_TRIAGE"] == "on":
        until(lambda: "classifier ready" in setten.newest_log, "classifier", _CEILING)
    threads = {letter.sender: letter.thread for letter in letters}
    newest = setten.get(f"/api/tickets?view=open&sort=newest&limit={len(letters)}")["rows"]
    for row in newest:
        setten.post(f"/api/tickets/{row['ref']}/replies", {"text": "We are looking into it."})
    until(lambda: len(street.sink.received) >= len(letters), "answers sent", _CEILING)
    street.house.quiet()
    return [
        Written(threads[sent.rcpt_tos[0]], sent.rcpt_tos[0], _id_of(sent.body))
        for sent in street.sink.received
    ]


def _id_of(raw: bytes) -> str:
    return str(message_from_bytes(raw)["Message-ID"]).strip()


def _backlog(table: Table, street: Street, letters: Sequence[Letter]) -> int:
    """All mails wait on the server before the inbox is connected."""
    house, kind, count = street.house, street.house.kind, len(letters)
    street.drop("main", letters)
    house.quiet()
    cpu, commits, synced = house.cpu_ms(), house.setten.commits(), _wal_syncs(house)
    inbox_id = street.connect("main")
    until(lambda: _filed(house, inbox_id) >= count, f"{count} mails filed", _CEILING)
    seconds = (clock.now() - _began(house, inbox_id)).total_seconds()
    street.wait_until_done(inbox_id, count)
    spent = house.cpu_ms() - cpu
    made = house.setten.commits().since(commits)
    aim = Aim(at_most=21, stretch=10)
    table.add(f"{kind}: a mail, all processes", spent / count, "CPU ms", aim, anchors.PARSE)
    table.add(f"{kind}: mails", count / seconds, "mails/s", Aim(at_least=50))
    _add_commits(table, kind, made, count)
    if kind == "postgres":
        table.add("postgres: WAL syncs", (_wal_syncs(house) - synced) / count, "a mail")
    return inbox_id


def _add_commits(table: Table, kind: str, made: Commits, count: int) -> None:
    aim = Aim(at_most=2)
    table.add(f"{kind}: our commits", made.ours / count, "a mail", aim)
    table.add(f"{kind}: our empty commits", made.ours_empty / count, "a mail")
    table.add(f"{kind}: job engine's commits", made.jobs / count, "a mail")


def _filed(house: House, inbox_id: int) -> int:
    with house.database.reading() as session:
        return session.exec(
            select(func.count())
            .select_from(Arrival)
            .where(Arrival.inbox_id == inbox_id, Arrival.state == ArrivalState.FILED)
        ).one()


def _began(house: House, inbox_id: int) -> datetime:
    with house.database.reading() as session:
        first = session.exec(
            select(Arrival).where(Arrival.inbox_id == inbox_id).order_by(col(Arrival.id)).limit(1)
        ).one()
        return first.received_at


def _wal_syncs(house: House) -> int:
    if house.kind != "postgres":
        return 0
    with house.database.reading() as session:
        return int(session.connection().scalar(text("SELECT wal_sync FROM pg_stat_wal")) or 0)


def read_back(
    table: Table, street: Street, inbox_id: int, letters: Sequence[Letter], how: str = ""
) -> None:
    """Every mail once, decoded, on the ticket it belongs to."""
    kind = f"{street.house.kind}: {how}".rstrip(": ")
    with street.house.database.reading() as session:
        found = _by_marker(session, [inbox_id])
        every = _by_marker(session, session.exec(select(Inbox.id)).all())
        tagged = session.exec(
            select(func.count(func.distinct(PredictionRow.ticket_id)))
            .join(Message, col(Message.id) == col(PredictionRow.message_id))
            .where(Message.inbox_id == inbox_id)
        ).one()
    decoded = sum(len(found.get(letter.marker, ())) == 1 for letter in letters)
    doubles = sum(max(0, len(tickets) - 1) for tickets in found.values())
    home = {letter.thread: every.get(letter.thread, [])[:1] for letter in letters}
    replies = [letter for letter in letters if letter.is_reply]
    threaded = sum(found.get(letter.marker) == home[letter.thread] for letter in replies)
    count = len(letters)
    table.add(f"{kind}: decoded of {count}", decoded, "mails", Aim(at_least=count))
    table.add(f"{kind}: doubled", doubles, "mails", Aim(at_most=0))
    aim = Aim(at_least=len(replies))
    table.add(f"{kind}: threaded of {len(replies)}", threaded, "replies", aim)
    if street.house.setten.environment["SETTEN_TRIAGE"] == "on" and not how:
        table.add(f"{kind}: seen by the model", tagged, "tickets")


def _by_marker(session: Session, inbox_ids: Sequence[int]) -> dict[str, list[int]]:
    """Which tickets hold the mail with a marker."""
    found: dict[str, list[int]] = {}
    rows = session.exec(
        select(Message.text, Message.ticket_id)
        .where(col(Message.inbox_id).in_(inbox_ids), Message.kind == "inbound")
        .order_by(col(Message.id))
    )
    for words, ticket_id in rows:
        if mark := _MARKER.match(words):
            found.setdefault(mark[0], []).append(ticket_id)
    return found


def _traced(table: Table, street: Street, sizes: Sizes) -> None:
    """The same with every fsync counted by strace: it slows all down, so nothing else is read."""
    letters = corpus.backlog("t", sizes.traced, [])
    street.drop("traced", letters)
    street.house.quiet()
    with table.under_way("sqlite: counting fsync"), _fsyncs(street.house) as counted:
        street.wait_until_done(street.connect("traced"), len(letters))
    table.add("sqlite: fsync and fdatasync", counted[0] / len(letters), "a mail")


@contextmanager
def _fsyncs(house: House) -> Iterator[list[int]]:
    program = require("strace", "apt-get install strace")
    counted = [0]
    with tempfile.NamedTemporaryFile("r") as said:
        pids = [word for pid in usage.tree(house.roots()[0]) for word in ("-p", str(pid))]
        watch = ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none"]
        tracer = subprocess.Popen([program, *watch, "-o", said.name, *pids])
        try:
            yield counted
        finally:
            tracer.terminate()
            tracer.wait()
            lines = said.read().splitlines()
            counted[0] = sum("sync(" in line for line in lines)

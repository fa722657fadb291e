"""Mail that is no ordinary backlog: shuffled and twice, huge, hostile, very much of it."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlmodel import col, func, select

from app.domain.words import ArrivalState
from app.store.tables import Arrival, Message
from bench import corpus, usage
from bench.corpus import Letter, Written
from bench.ingest import Street, read_back
from bench.rig import House, Sizes
from bench.table import Aim, Table
from tests.servers.setten import until

_CEILING = 3600.0
_BACKFILL, _WITHIN = 20_000, 8.0  # mails, minutes
_SAMPLE = 0.01  # seconds between two looks at the memory

_HEAD = b"From: a@customers.example\r\nTo: support@example.com\r\nSubject: s\r\n"


def hostile(share: float) -> dict[str, bytes]:
    """Mails that were written to take long, or a share of each."""
    depth = int(3_000 * share)
    inner = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )
    html = b"Content-Type: text/html\r\n\r\n"
    return {
        "a million fields": _HEAD + b"X: y\r\n" * int(1_000_000 * share) + b"\r\nhello",
        "a million quotes": _HEAD + b"Cc: " + b'"' * int(1_000_000 * share) + b"\r\n\r\nhello",
        "HTML without an end": _HEAD + html + b"<table><tr><td>" * int(300_000 * share),
        "a text of 40 MB": _HEAD + b"\r\n" + b"> hello world\r\n" * int(2_700_000 * share),
        "3,000 parts in parts": _HEAD + b"".join(inner),
    }


def measure(table: Table, street: Street, answered: Sequence[Written], sizes: Sizes) -> None:
    house = street.house
    with table.under_way(f"{house.kind}: mails in any order, each twice"):
        _twice(table, street, corpus.backlog("s", sizes.mails // 2, answered))
    if house.kind == "sqlite":
        with table.under_way("sqlite: a huge mail"):
            _huge(table, street, sizes)
        with table.under_way("sqlite: hostile mails"):
            _hostile(table, street, sizes)
        with table.under_way("sqlite: many hostile mails"):
            _behind_many(table, street, sizes)
        with table.under_way(f"sqlite: {sizes.backfill} mails of back-fill"):
            _backfill(table, street, sizes)
    else:
        with table.under_way(f"{house.kind}: two workers"):
            _two_workers(table, street, sizes)


def _twice(table: Table, street: Street, letters: Sequence[Letter]) -> None:
    shuffled = [*letters, *letters]
    random.Random(corpus.SEED).shuffle(shuffled)
    street.drop("shuffled", shuffled)
    inbox_id = street.connect("shuffled")
    street.wait_until_done(inbox_id, len(shuffled))
    read_back(table, street, inbox_id, letters, "any order, twice: ")


@dataclass
class _Peak:
    """The most memory that all processes of a house held at once."""

    house: House
    most: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        root = self.house.roots()[0]
        while not self.over.wait(_SAMPLE):
            self.most = max(self.most, usage.pss_mib(root))

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()


def _huge(table: Table, street: Street, sizes: Sizes) -> None:
    house, size = street.house, sizes.huge
    inbox_id = street.connect("huge")
    writer = corpus.Writer("h")
    # The process that reads is there: it is what every mail finds, and not what this one costs.
    street.drop("huge", [writer.letter("en utf-8")])
    street.wait_until_done(inbox_id, 1)
    letter = writer.letter("de utf-8", attached=True, size=size * 3 // 4)
    before, peak = usage.pss_mib(house.roots()[0]), _Peak(house)
    with peak.watched():
        street.drop("huge", [letter])
        street.wait_until_done(inbox_id, 2)
    name = f"sqlite: a mail of {len(letter.raw) / 1e6:.0f} MB"
    table.add(name, max(0.0, peak.most - before), "MiB PSS", Aim(at_most=120))


def _hostile(table: Table, street: Street, sizes: Sizes) -> None:
    """Between the filing of an ordinary mail and of the next one, with such a mail between them."""
    mails = hostile(sizes.hostile)
    writer = corpus.Writer("o")
    ordinary = [writer.letter("en utf-8") for _ in range(len(mails) + 1)]
    for raw, letter in zip((b"", *mails.values()), ordinary, strict=True):
        if raw:
            street.dovecot.drop("hostile", raw)
        street.drop("hostile", [letter])
    inbox_id = street.connect("hostile")
    street.wait_until_done(inbox_id, len(ordinary) + len(mails))
    filed = [_filed_at(street, letter.message_id) for letter in ordinary]
    for name, (before, after) in zip(mails, pairwise(filed), strict=True):
        delay = (after - before).total_seconds()
        table.add(f"sqlite: delay by {name}", delay, "s", Aim(at_most=10))


def _behind_many(table: Table, street: Street, sizes: Sizes) -> None:
    """What an ordinary mail waits that comes after many of a quarter of that size."""
    kinds = list(hostile(sizes.hostile / 4).values())
    for number in range(sizes.hostile_mails):
        street.dovecot.drop("many", kinds[number % len(kinds)] + b"%d" % number)
    letter = corpus.Writer("m").letter("en utf-8")
    street.drop("many", [letter])
    inbox_id = street.connect("many")
    street.wait_until_done(inbox_id, sizes.hostile_mails + 1)
    name = f"sqlite: delay by {sizes.hostile_mails} hostile mails"
    table.add(name, _waited(street, letter.message_id), "s", Aim(at_most=10))


def _waited(street: Street, message_id: str) -> float:
    """From when it was fetched until it was filed."""
    with street.house.database.reading() as session:
        received, filed = session.exec(
            select(Arrival.received_at, Arrival.filed_at)
            .join(Message, col(Message.arrival_id) == col(Arrival.id))
            .where(Message.external_id == message_id.strip("<>"))
        ).one()
    assert filed is not None
    return (filed - received).total_seconds()


def _filed_at(street: Street, message_id: str) -> datetime:
    with street.house.database.reading() as session:
        found = session.exec(
            select(Arrival.filed_at)
            .join(Message, col(Message.arrival_id) == col(Arrival.id))
            .where(Message.external_id == message_id.strip("<>"))
        ).one()
    assert found is not None
    return found


def _backfill(table: Table, street: Street, sizes: Sizes) -> None:
    """Ordinary mails, each of them often, by other senders."""
    pattern = corpus.openers("b", min(500, sizes.backfill))
    for number in range(sizes.backfill):
        letter = pattern[number % len(pattern)]
        raw = letter.raw.replace(letter.message_id.encode(), b"<old.%d@customers.example>" % number)
        sender = b"old%d@customers.example" % (number % 5_000)
        street.dovecot.drop("backfill", raw.replace(letter.sender.encode(), sender))
    inbox_id = street.connect("backfill")
    until(lambda: _filed(street, inbox_id) >= sizes.backfill, "end of the back-fill", _CEILING)
    minutes = _seconds(street, inbox_id) / 60
    scaled = "" if sizes.backfill == _BACKFILL else " (scaled)"
    aim = Aim(at_most=_WITHIN * sizes.backfill / _BACKFILL)
    table.add(f"sqlite: back-fill of {sizes.backfill:,}{scaled}", minutes, "min", aim)


def _filed(street: Street, *inbox_ids: int) -> int:
    with street.house.database.reading() as session:
        return session.exec(
            select(func.count())
            .select_from(Arrival)
            .where(col(Arrival.inbox_id).in_(inbox_ids), Arrival.state == ArrivalState.FILED)
        ).one()


def _seconds(street: Street, *inbox_ids: int) -> float:
    """From the first mail that was fetched to the last one that was filed."""
    with street.house.database.reading() as session:
        first, last = session.exec(
            select(func.min(Arrival.received_at), func.max(Arrival.filed_at)).where(
                col(Arrival.inbox_id).in_(inbox_ids)
            )
        ).one()
    assert first is not None
    assert last is not None
    return (last - first).total_seconds()


def _two_workers(table: Table, street: Street, sizes: Sizes) -> None:
    """Two inboxes, because one is filed in its own order by one worker at a time."""
    house, count = street.house, sizes.mails
    house.setten.stop()
    house.setten.spawn("web")
    for name in ("w1", "w2"):
        house.setten.spawn("worker", more={"SETTEN_WORKER_NAME": name})
    until(house.setten.answers, "pages")
    letters = corpus.openers("d", count)
    for user, half in (("left", letters[::2]), ("right", letters[1::2])):
        street.drop(user, half)
    house.quiet()
    spent = house.cpu_ms()
    inbox_ids = [street.connect(user) for user in ("left", "right")]
    until(lambda: _filed(street, *inbox_ids) >= count, f"{count} mails filed", _CEILING)
    spent = house.cpu_ms() - spent
    seconds = _seconds(street, *inbox_ids)
    table.add(f"{house.kind}: two workers, mails", count / seconds, "mails/s", Aim(at_least=50))
    table.add(f"{house.kind}: two workers, a mail", spent / count, "CPU ms", Aim(at_most=21))

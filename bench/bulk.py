"""Fills a house with tickets nobody has to wait for: rows in bulk, findable like all others."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import Session, col, func, select

from app.core import clock, secrets
from app.domain.words import ArrivalState, MessageKind, Status
from app.store import search
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import (
    Address,
    Agent,
    Arrival,
    Customer,
    Inbox,
    Message,
    Segment,
    Ticket,
    Topic,
    Touchpoint,
    metadata,
)
from bench.rig import Sizes
from classifier import corpus as samples

RARE, RARE_JAPANESE, COMMON = "zeppelin", "鰻重", "refund"
NEEDLES = 50  # tickets that hold a rare word
COMMON_SHARE = 9_494 / 50_000
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Base:
    """What the rows hang on, and from which number on they count."""

    inbox: Inbox
    agent_id: int
    topics: Sequence[int]
    segment_id: int
    first: Mapping[str, int]
    now: datetime


def fill(database: Database, sizes: Sizes, blobs: Blobs | None) -> None:
    """Customers, tickets of all states, first mails and follow-ups, and their search index.

    All mails have the same raw source; without `blobs` they have none, and cannot be found.
    """
    writer = _Writer(sizes, blobs.put(b"From: bulk\r\n\r\nwritten in bulk\r\n") if blobs else "")
    with database.transaction() as session:
        base = _base(session)
        connection = session.connection()
        for model, rows in (
            (Customer, writer.customers(base)),
            (Address, writer.addresses(base)),
            (Ticket, writer.tickets(base)),
            (Arrival, writer.arrivals(base)),
            (Message, writer.messages(base)),
            (Touchpoint, writer.touchpoints(base)),
        ):
            table = metadata.tables[str(model.__tablename__)]
            for batch in _batches(rows):
                connection.execute(table.insert(), batch)
            if connection.dialect.name == "postgresql":
                _go_on_counting(connection, table.name)
        if blobs:
            search.reindex(session, writer.entries(base))
    if not database.is_sqlite:  # it would do so by itself within a minute
        with database.transaction() as session:
            session.connection().execute(text("ANALYZE"))


def _base(session: Session) -> Base:
    inbox = session.exec(select(Inbox).where(Inbox.kind == "email").limit(1)).one()
    first = {
        model.__tablename__: (session.exec(select(func.max(col(model.id)))).one() or 0) + 1
        for model in (Customer, Address, Ticket, Arrival, Message, Touchpoint)
    }
    return Base(
        inbox,
        session.exec(select(Agent.id).limit(1)).one(),
        session.exec(select(Topic.id).order_by(col(Topic.id))).all(),
        session.exec(select(Segment.id).limit(1)).one(),
        {str(name): number for name, number in first.items()},
        clock.now(),
    )


class _Writer:
    """Rows as mappings; the same sizes give the same rows but for their random references."""

    def __init__(self, sizes: Sizes, sha256: str) -> None:
        self.sizes, self.sha256 = sizes, sha256
        self.random = random.Random(sizes.tickets)
        self.texts = [one.text for one in samples.load()]
        self.people = max(1, sizes.tickets // 5)
        rare = self.random.sample(range(sizes.tickets), min(NEEDLES, sizes.tickets))
        japanese = self.random.sample(range(sizes.tickets), min(NEEDLES, sizes.tickets))
        common = self.random.sample(range(sizes.tickets), int(sizes.tickets * COMMON_SHARE))
        self.needles: dict[int, list[str]] = {}
        for word, holders in (
            (f"A {RARE} over the river", rare),
            (f"昨日届いた{RARE_JAPANESE}の件です", japanese),
            (f"About my {COMMON}", common),
        ):
            for number in holders:
                self.needles.setdefault(number, []).append(word)

    def customers(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Customer(ref="", created_at=base.now).model_dump()
        for number in range(self.people):
            yield same | {
                "id": base.first["customer"] + number,
                "ref": secrets.new_ref(),
                "name": f"Customer {number}",
            }

    def addresses(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Address(customer_id=0, kind="email", value="", normal="", created_at=base.now)
        row = same.model_dump()
        for number in range(self.people):
            value = f"c{number}@bulk.example"
            yield row | {
                "id": base.first["address"] + number,
                "customer_id": base.first["customer"] + number,
                "value": value,
                "normal": value,
            }

    def tickets(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Ticket(
            ref="",
            inbox_id=base.inbox.id,
            channel=base.inbox.kind,
            customer_id=0,
            stage_by="model",
            stage_probability=0.8,
            topic_by="model",
            topic_probability=0.7,
            created_at=base.now,
            last_activity_at=base.now,
        ).model_dump()
        is_open = set(self.random.sample(range(self.sizes.tickets), self.sizes.open))
        for number in range(self.sizes.tickets):
            at, words, waits = self._at(base, number), self._words(number), number in is_open
            yield same | {
                "id": base.first["ticket"] + number,
                "ref": secrets.new_ref(),
                "customer_id": base.first["customer"] + number % self.people,
                "subject": words[:50],
                "preview": words[:140],
                "status": Status.OPEN if waits else Status.RESOLVED,
                "assignee_id": base.agent_id if number % 2 else None,
                "language": ("ja", "de", "en")[number % 3],
                "stage": "ABCDEFGH"[number % 8],
                "topic_id": base.topics[number % len(base.topics)],
                **dict.fromkeys(("created_at", "last_activity_at", "last_inbound_at"), at),
                "waiting_since": at if waits else None,
                "resolved_at": None if waits else at,
                "message_count": 1 + (number < self.sizes.follow_ups),
            }

    def arrivals(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Arrival(
            inbox_id=base.inbox.id,
            external_id="",
            sha256=self.sha256,
            received_at=base.now,
            state=ArrivalState.FILED,
            reason="Written in bulk.",
        ).model_dump()
        for made, (number, _) in enumerate(self._mails()):
            at = self._at(base, number)
            yield same | {
                "id": base.first["arrival"] + made,
                "external_id": f"bulk/1/{made}",
                "received_at": at,
                "settled_at": at,
                "canonical": f"bulk{made}",
            }

    def messages(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Message(
            ticket_id=0,
            inbox_id=base.inbox.id,
            kind=MessageKind.INBOUND,
            sent_at=base.now,
            created_at=base.now,
        ).model_dump()
        self.random.seed(self.sizes.follow_ups)  # asked twice, it says the same twice
        for made, (number, follows) in enumerate(self._mails()):
            at = self._at(base, number)
            yield same | {
                "id": base.first["message"] + made,
                "ticket_id": base.first["ticket"] + number,
                "arrival_id": base.first["arrival"] + made,
                "author": f"Customer {number % self.people}",
                "address_id": base.first["address"] + number % self.people,
                "external_id": f"<bulk.{made}@bulk.example>",
                "subject": "Re: your answer" if follows else self._words(number)[:50],
                "text": self.random.choice(self.texts) if follows else self._text(number),
                "sent_at": at,
                "created_at": at,
            }

    def entries(self, base: Base) -> Iterator[search.Entry]:
        for row in self.messages(base):
            parts = (row["subject"], row["text"], row["author"])
            yield search.Entry(row["id"], row["ticket_id"], parts)

    def touchpoints(self, base: Base) -> Iterator[dict[str, Any]]:
        same = Touchpoint(
            ticket_id=0,
            customer_id=0,
            segment_id=base.segment_id,
            channel=base.inbox.kind,
            direction="in",
            at=base.now,
        ).model_dump()
        for made, (number, _) in enumerate(self._mails()):
            yield same | {
                "id": base.first["touchpoint"] + made,
                "ticket_id": base.first["ticket"] + number,
                "message_id": base.first["message"] + made,
                "customer_id": base.first["customer"] + number % self.people,
                "stage": "ABCDEFGH"[number % 8],
                "at": self._at(base, number),
            }

    def _mails(self) -> Iterator[tuple[int, bool]]:
        """Ticket and whether it is a follow-up, of every mail in the order they came."""
        yield from ((number, False) for number in range(self.sizes.tickets))
        yield from ((number, True) for number in range(self.sizes.follow_ups))

    def _at(self, base: Base, number: int) -> datetime:
        return base.now - timedelta(minutes=self.sizes.tickets - number)

    def _words(self, number: int) -> str:
        return " ".join(self.texts[number % len(self.texts)].split())

    def _text(self, number: int) -> str:
        return "\n".join([*self.needles.get(number, ()), self.texts[number % len(self.texts)]])


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _go_on_counting(connection: Connection, table: str) -> None:
    connection.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
        )
    )


def common_tickets(sizes: Sizes) -> int:
    """How many tickets hold the common word at least."""
    return int(sizes.tickets * COMMON_SHARE)

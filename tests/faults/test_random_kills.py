"""Killed at random while twenty mails a second arrive: what was promised is there, once.

Two processes serve pages. On PostgreSQL two workers share the work; on SQLite there is one.
Whoever writes keeps a ledger of their own, and it is all the oracle that is asked at the end.
"""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.faults.chats import chat_message, signed
from tests.faults.fleet import Fleet
from tests.faults.house import (
    CUSTOMER_USER,
    Prepared,
    Surroundings,
    assert_balanced,
    assert_in_order,
    books,
)
from tests.faults.rounds import customer, letter, own_id, same, sha256
from tests.faults.table import Tally
from tests.servers.setten import Setten, until

pytestmark = [pytest.mark.dovecot]

RATE = 20  # mails a second, whatever happens to whoever fetches them
MAILS_A_CALL = 10  # after so many mails there is one call and one answer
ANSWERS = 20  # at least, however long a slow machine takes for them
# A lost job is found after a minute, a mailbox is free again a minute after its holder died;
# and what came while everybody was dying has to be filed on whatever machine this is.
SETTLES_WITHIN = 1200.0


@dataclass
class Ledger:
    """What was promised to the outside, on the disk before anything else happens."""

    file: Path

    def note(self, what: str, which: str) -> None:
        with self.file.open("a", encoding="utf-8") as page:
            page.write(json.dumps([what, which]) + "\n")
            page.flush()
            os.fsync(page.fileno())

    def all(self, what: str) -> list[str]:
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        return [which for noted, which in lines if noted == what]


@dataclass
class Postman:
    """Brings mails at their rate, into the mailbox itself."""

    around: Surroundings
    ledger: Ledger
    wanted: int
    brought: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def walk(self) -> None:
        began = time.monotonic()
        while self.brought < self.wanted and not self.over.is_set():
            due = min(int((time.monotonic() - began) * RATE) + 1, self.wanted)
            while self.brought < due:
                raw = letter(self.brought)
                self.ledger.note("mail", sha256(raw))
                self.around.dovecot.drop(CUSTOMER_USER, raw)
                self.brought += 1
            self.over.wait(1 / RATE)


@dataclass
class Desk:
    """A chat that calls and an agent who answers: each insists."""

    fleet: Fleet
    hook: str
    ledger: Ledger
    calls: int = 0
    answers: int = 0

    def client(self) -> httpx.Client:
        port = self.fleet.rng.choice(self.fleet.ports)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"origin": f"http://127.0.0.1:{port}"},
            cookies=dict(self.fleet.setten.client.cookies),
            timeout=10,
        )

    def call(self) -> None:
        """As Standard Webhooks asks: again with the same id until it is answered."""
        body, webhook = chat_message(self.calls), f"hook-{self.calls}"
        self.calls += 1
        self.ledger.note("call", webhook)

        def taken() -> bool:
            try:
                with self.client() as client:
                    answer = client.post(self.hook, content=body, headers=signed(webhook, body))
            except httpx.HTTPError:
                return False
            return answer.status_code == 202

        until(taken, "answer to a call", 120)

    def answer(self) -> None:
        """The oldest ticket nobody answered; whoever gets no answer says the same again."""
        ref = str(until(self._unanswered, "ticket to answer", 300)[0][0])
        self.ledger.note("reply", ref)

        def answered() -> bool:
            with books(self.fleet.setten) as rows:
                query = (
                    "SELECT 1 FROM message JOIN ticket ON ticket.id = message.ticket_id"
                    " WHERE ticket.ref = :ref AND message.kind = 'outbound'"
                )
                if rows(query, ref=ref):
                    return True
            try:
                with self.client() as client:
                    client.post(
                        f"/api/tickets/{ref}/replies",
                        json={"text": "Thank you."},
                        headers={"Idempotency-Key": f"answer-{ref}"},
                    )
            except httpx.HTTPError:
                return False
            return False

        until(answered, "answer on the ticket", 120)
        self.answers += 1

    def _unanswered(self) -> list[tuple[Any, ...]]:
        with books(self.fleet.setten) as rows:
            return rows(
                "SELECT ref FROM ticket WHERE message_count = 1 AND channel = 'email'"
                " AND status = 'open' ORDER BY id LIMIT 1"
            )


def _all_done(setten: Setten, around: Surroundings, mails: int) -> Callable[[], bool]:
    """Filed, marked on the server, and sent."""

    def look() -> bool:
        with books(setten) as rows:
            left = rows(
                "SELECT (SELECT count(*) FROM arrival WHERE state = 'filed' AND external_id"
                " NOT LIKE 'hook-%'), (SELECT count(*) FROM arrival WHERE state = 'waiting'),"
                " (SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'retry'))"
            )
        return left == [(mails, 0, 0)] and around.dovecot.count_marked(CUSTOMER_USER) == mails

    return look


def _assert_kept(setten: Setten, around: Surroundings, ledger: Ledger) -> Tally:
    """Ledger against books and sink: nothing is missing, nothing is there twice."""
    mails, calls = len(ledger.all("mail")), len(ledger.all("call"))
    assert around.dovecot.marked(CUSTOMER_USER) == set(ledger.all("mail"))
    with books(setten) as rows:
        fetched = "SELECT sha256 FROM arrival JOIN ledger ON ledger.arrival_id = arrival.id"
        same([row[0] for row in rows(fetched)], ledger.all("mail"))
        called = "SELECT external_id FROM arrival WHERE external_id LIKE 'hook-%'"
        same([row[0] for row in rows(called)], ledger.all("call"))
        read = rows("SELECT external_id FROM message WHERE kind = 'inbound'")
        said = [f"said-{number}" for number in range(calls)]
        same([row[0] for row in read], [*said, *map(own_id, range(mails))])
        answers: list[Any] = rows(
            "SELECT ticket.ref, delivery.recipient, delivery.state FROM delivery"
            " JOIN message ON message.id = delivery.message_id"
            " JOIN ticket ON ticket.id = message.ticket_id"
        )
        same([row[0] for row in answers], ledger.all("reply"))
    seen = [recipient for one in around.to_customers() for recipient in one.rcpt_tos]
    same(sorted(set(seen)), sorted(seen))  # every customer got one answer at most
    assert set(seen) <= {customer(number) for number in range(mails)}
    sent = {row[1] for row in answers if row[2] == "sent"}
    doubtful = {row[1] for row in answers if row[2] == "in_doubt"}
    assert len(sent) + len(doubtful) == len(answers)
    assert sent <= set(seen) <= sent | doubtful
    return Tally(mails, len(answers), len(doubtful), f"{calls} calls")


def harassed(
    seconds: float, seed: int, prepared: Prepared, setten: Setten, around: Surroundings
) -> tuple[int, Tally]:
    fleet = Fleet(setten, random.Random(seed))
    ledger = Ledger(setten.data / "promised.jsonl")
    ledger.file.touch()
    desk = Desk(fleet, prepared.chat_hook, ledger)
    postman = Postman(around, ledger, int(seconds * RATE))
    fleet.start()
    threads = [threading.Thread(target=fleet.harass), threading.Thread(target=postman.walk)]
    for thread in threads:
        thread.start()
    try:
        while threads[1].is_alive() or desk.answers < ANSWERS:
            desk.call()
            desk.answer()
            until(
                lambda: postman.brought >= desk.calls * MAILS_A_CALL or not threads[1].is_alive(),
                "mails",
                seconds,
            )
            assert threads[0].is_alive(), setten.log[-4000:]
    finally:
        fleet.over.set()
        postman.over.set()
        for thread in threads:
            thread.join(60)
    until(_all_done(setten, around, postman.wanted), "end of all work", SETTLES_WITHIN)
    fleet.assert_alive()
    assert_in_order(setten)
    fleet.start_workers_again()
    assert_balanced(setten, postman.wanted)
    return fleet.kills, _assert_kept(setten, around, ledger)


@pytest.mark.faults
def test_a_minute_of_random_kills_costs_nothing(
    setten: Setten,
    kind: str,
    around: Surroundings,
    prepared: Callable[[str], Prepared],
    kills: Callable[..., None],
) -> None:
    done, tally = harassed(60, 20261122, prepared(kind), setten, around)
    kills(f"anywhere for 60 s, {RATE} mails/s", kind, done, tally)


@pytest.mark.soak
def test_ten_minutes_of_random_kills_cost_nothing(
    setten: Setten,
    kind: str,
    around: Surroundings,
    prepared: Callable[[str], Prepared],
    kills: Callable[..., None],
) -> None:
    done, tally = harassed(600, 20261123, prepared(kind), setten, around)
    kills(f"anywhere for 600 s, {RATE} mails/s", kind, done, tally)

"""Killed at random under a steady trickle: what the outside was promised is there, once.

Two processes serve pages. On PostgreSQL two workers share the work; on SQLite there is one.
The trickle keeps a ledger of its own, and is all the oracle that is asked at the end.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.faults.chats import chat_message, signed
from tests.faults.house import CUSTOMER_USER, Prepared, Surroundings, assert_in_order, books
from tests.faults.rounds import customer, letter, own_id, same, sha256
from tests.servers import free_port
from tests.servers.setten import Setten, until

pytestmark = [pytest.mark.dovecot]

BETWEEN_KILLS = (1.0, 4.0)  # seconds
AHEAD = 8  # mails that may wait to be filed before the next one is written


@dataclass
class Ledger:
    """What was promised to the outside, on the disk before anything else happens."""

    file: Path
    lines: list[tuple[str, str]] = field(default_factory=list)

    def note(self, what: str, which: str) -> None:
        with self.file.open("a", encoding="utf-8") as page:
            page.write(json.dumps([what, which]) + "\n")
            page.flush()
            os.fsync(page.fileno())

    def all(self, what: str) -> list[str]:
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        return [which for noted, which in lines if noted == what]


@dataclass
class Fleet:
    """The processes, and somebody who kills one of them again and again."""

    setten: Setten
    rng: random.Random
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)
    kills: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        workers = ["w1"] if "SETTEN_DATABASE_URL" not in self.setten.environment else ["w1", "w2"]
        for name in (*(f"web{at}" for at in range(len(self.ports))), *workers):
            self._start(name)
        until(lambda: all(self.answers(port) for port in self.ports), "pages")

    def _start(self, name: str) -> None:
        if name.startswith("web"):
            port = str(self.ports[int(name[3:])])
            self.running[name] = self.setten.spawn("web", more={"SETTEN_PORT": port})
        else:
            self.running[name] = self.setten.spawn("worker", more={"SETTEN_WORKER_NAME": name})
            self.logs[name] = max(self.setten.data.glob("*-worker.test-log"))

    def answers(self, port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def harass(self) -> None:
        """Until it is over: kill one, mostly at work and sometimes while it starts."""
        while not self.over.wait(self.rng.uniform(*BETWEEN_KILLS)):
            name = self.rng.choice(sorted(self.running))
            if self.rng.random() < 0.8:
                until(lambda: self.over.is_set() or self.ready(name), f"{name} at work", 120)  # noqa: B023
            if not self.over.is_set():
                self._kill(name)

    def _kill(self, name: str) -> None:
        process = self.running[name]
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL, self.setten.log[-3000:]
        self.kills += 1
        self._start(name)

    def ready(self, name: str) -> bool:
        if name.startswith("web"):
            return self.answers(self.ports[int(name[3:])])
        return "worker ready" in self.logs[name].read_text(errors="replace")

    def assert_alive(self) -> None:
        for name, process in self.running.items():
            assert process.poll() is None, f"{name} ended by itself\n{self.setten.log[-4000:]}"


@dataclass
class Trickle:
    """Customers who write, a chat that calls, an agent who answers: each insists."""

    fleet: Fleet
    around: Surroundings
    hook: str
    ledger: Ledger
    mails: int = 0
    chats: int = 0
    raw: dict[str, bytes] = field(default_factory=dict)

    def client(self) -> httpx.Client:
        port = self.fleet.rng.choice(self.fleet.ports)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"origin": f"http://127.0.0.1:{port}"},
            cookies=dict(self.fleet.setten.client.cookies),
            timeout=10,
        )

    def go_on(self) -> None:
        """One more of everything."""
        until(lambda: self.mails - self.filed() < AHEAD, "filed mails", 120)
        for _ in range(2):
            raw = letter(self.mails)
            self.ledger.note("mail", sha256(raw))
            self.around.dovecot.drop(CUSTOMER_USER, raw)
            self.mails += 1
        self.call()
        self.answer()

    def filed(self) -> int:
        with books(self.fleet.setten) as rows:
            query = "SELECT count(*) FROM message WHERE kind = 'inbound' AND external_id LIKE :like"
            return int(rows(query, like="first-%")[0][0])

    def call(self) -> None:
        """As Standard Webhooks asks: again with the same id until it is answered."""
        body, webhook = chat_message(self.chats), f"hook-{self.chats}"
        self.chats += 1
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
        with books(self.fleet.setten) as rows:
            found = rows(
                "SELECT ref FROM ticket WHERE message_count = 1 AND channel = 'email'"
                " AND status = 'open' ORDER BY id LIMIT 1"
            )
        if not found:
            return
        ref = str(found[0][0])
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


def _settled(setten: Setten) -> Callable[[], bool]:
    def look() -> bool:
        with books(setten) as rows:
            left = rows(
                "SELECT (SELECT count(*) FROM arrival WHERE state = 'waiting'),"
                " (SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'retry'))"
            )
        return left == [(0, 0)]

    return look


def _assert_kept(trickle: Trickle) -> str:
    """Ledger against books and sink: nothing is missing, nothing is there twice."""
    ledger = trickle.ledger
    with books(trickle.fleet.setten) as rows:
        mails = "SELECT sha256 FROM arrival JOIN ledger ON ledger.arrival_id = arrival.id"
        same([row[0] for row in rows(mails)], ledger.all("mail"))
        calls = "SELECT external_id FROM arrival WHERE external_id LIKE 'hook-%'"
        same([row[0] for row in rows(calls)], ledger.all("call"))
        read = rows("SELECT external_id FROM message WHERE kind = 'inbound'")
        said = [f"said-{number}" for number in range(trickle.chats)]
        wrote = [own_id(number) for number in range(trickle.mails)]
        same([row[0] for row in read], [*said, *wrote])
        answers: list[Any] = rows(
            "SELECT ticket.ref, delivery.recipient, delivery.state FROM delivery"
            " JOIN message ON message.id = delivery.message_id"
            " JOIN ticket ON ticket.id = message.ticket_id"
        )
        same([row[0] for row in answers], ledger.all("reply"))
    seen = [recipient for one in trickle.around.to_customers() for recipient in one.rcpt_tos]
    same(sorted(set(seen)), sorted(seen))  # every customer got one answer at most
    assert set(seen) <= {customer(number) for number in range(trickle.mails)}
    sent = {row[1] for row in answers if row[2] == "sent"}
    doubtful = {row[1] for row in answers if row[2] == "in_doubt"}
    assert len(sent) + len(doubtful) == len(answers)
    assert sent <= set(seen) <= sent | doubtful
    return (
        f"{trickle.mails} mails, {trickle.chats} calls, {len(answers)} answers:"
        f" 0 lost, 0 doubled, {len(doubtful)} in doubt"
    )


def harassed(
    seconds: float, seed: int, prepared: Prepared, setten: Setten, around: Surroundings
) -> tuple[int, str]:
    fleet = Fleet(setten, random.Random(seed))
    trickle = Trickle(fleet, around, prepared.chat_hook, Ledger(setten.data / "promised.jsonl"))
    trickle.ledger.file.touch()
    fleet.start()
    killer = threading.Thread(target=fleet.harass)
    killer.start()
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            trickle.go_on()
            assert killer.is_alive(), setten.log[-4000:]
    finally:
        fleet.over.set()
        killer.join(60)
    # A lost job is found after a minute; a mailbox is free again a minute after its holder died.
    until(lambda: trickle.filed() == trickle.mails, "filed mails", 180)
    until(_settled(setten), "end of all work", 240)
    fleet.assert_alive()
    assert_in_order(setten)
    return fleet.kills, _assert_kept(trickle)


@pytest.mark.faults
def test_a_minute_of_random_kills_costs_nothing(
    setten: Setten,
    kind: str,
    around: Surroundings,
    prepared: Callable[[str], Prepared],
    kills: Callable[..., None],
) -> None:
    done, result = harassed(60, 20261122, prepared(kind), setten, around)
    kills("anywhere, 60 s", kind, done, result)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_an_hour_of_random_kills_costs_nothing(
    seed: int,
    setten: Setten,
    kind: str,
    around: Surroundings,
    prepared: Callable[[str], Prepared],
    kills: Callable[..., None],
) -> None:
    done, result = harassed(180, seed, prepared(kind), setten, around)
    kills(f"anywhere, 180 s, seed {seed}", kind, done, result)

"""Grown: two processes that serve pages and two that work, on PostgreSQL, without containers."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import psycopg
import pytest

from tests.journeys.mails import mail
from tests.servers import free_port
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import SmtpSink

pytestmark = [pytest.mark.dovecot, pytest.mark.postgres, pytest.mark.faults]

TAKEN_OVER_WITHIN = 240.0  # a minute of silence, a minute until somebody looks, and this machine


@dataclass
class House:
    """One installation of four processes."""

    setten: Setten
    url: str
    other: httpx.Client
    workers: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tickets(self) -> dict[str, str]:
        return {row["subject"]: row["ref"] for row in self.setten.tickets()}


@pytest.fixture
def house(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink, postgres_server: Postgres
) -> Iterator[House]:
    url = postgres_server.create("setten_scale")
    setten.environment |= {
        "SETTEN_DATABASE_URL": url,
        "SETTEN_PUBLIC_URL": "https://help.example.com",
        "SETTEN_POLL_SECONDS": "1",
        "SETTEN_TRIAGE": "off",
    }
    try:
        with _grown(setten, dovecot, sink, url) as made:
            yield made
            setten.check()
    finally:
        setten.kill()
        postgres_server.drop("setten_scale")


@contextmanager
def _grown(setten: Setten, dovecot: Dovecot, sink: SmtpSink, url: str) -> Iterator[House]:
    """Begun as one program, as everybody does, and then taken apart."""
    one = setten.serve()
    setten.set_up()
    setten.add_mailbox(dovecot.port, sink.port)
    one.send_signal(signal.SIGTERM)
    assert one.wait(30) == 0, setten.log[-3000:]

    port = free_port()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"origin": f"http://127.0.0.1:{port}"},
        cookies=dict(setten.client.cookies),
        timeout=30,
    ) as other:
        made = House(setten, url, other)
        setten.spawn("web")
        setten.spawn("web", more={"SETTEN_PORT": str(port)})
        for name in ("w1", "w2"):
            made.workers[name] = setten.spawn("worker", more={"SETTEN_WORKER_NAME": name})
        until(setten.answers, "first web process")
        until(lambda: _answers(other), "second web process")
        yield made


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def _write(dovecot: Dovecot, first: int, last: int) -> None:
    for number in range(first, last):
        sender = f"c{number}@customers.example"
        dovecot.drop("support", mail(number, subject=f"Inquiry {number}", sender=sender))


def _said(client: httpx.Client, ref: str) -> list[str]:
    answer = client.get(f"/api/tickets/{ref}")
    assert answer.status_code == 200, answer.text
    return [one["kind"] for one in answer.json()["said"]]


def _recipients(sink: SmtpSink) -> Counter[str]:
    """Customers only: an inbox may write to itself to test its own address."""
    everybody = (to for one in sink.received for to in one.rcpt_tos)
    return Counter(to for to in everybody if to.endswith("@customers.example"))


def test_two_of_each_do_everything_once_and_hear_each_other(
    house: House, dovecot: Dovecot, sink: SmtpSink
) -> None:
    _write(dovecot, 0, 20)
    until(lambda: len(house.tickets()) == 20, "ticket for every mail")
    tickets = house.tickets()
    clients = (house.setten.client, house.other)

    # What one process changes, a screen at the other hears.
    with house.other.stream("GET", "/live") as live:
        lines = live.iter_lines()
        next(lines)  # it listens
        ref = tickets["Inquiry 0"]
        house.setten.post(f"/api/tickets/{ref}/replies", {"text": "By the first one."})
        heard = next(line for line in lines if line.startswith("data:") and ref in line)
    assert json.loads(heard.removeprefix("data:"))["ticket"] == ref

    for number in range(1, 12):
        sent = clients[number % 2].post(
            f"/api/tickets/{tickets[f'Inquiry {number}']}/replies", json={"text": f"No. {number}."}
        )
        assert sent.status_code == 201, sent.text
    until(lambda: _recipients(sink).total() >= 12, "answers")
    until(lambda: house.rows("SELECT DISTINCT state FROM delivery") == [("sent",)], "word on each")

    assert _recipients(sink) == {f"c{number}@customers.example": 1 for number in range(12)}
    assert [_said(client, ref) for client in clients] == [["inbound", "outbound"]] * 2
    assert house.rows("SELECT state, count(*) FROM arrival GROUP BY state") == [("filed", 20)]


def test_one_worker_dies_and_the_other_takes_over(
    house: House, dovecot: Dovecot, sink: SmtpSink
) -> None:
    _write(dovecot, 0, 5)
    until(lambda: len(house.tickets()) == 5, "ticket for every mail")
    fetching = "SELECT holder FROM lease WHERE name LIKE 'pull %'"
    dead = str(house.rows(fetching)[0][0])

    # It is killed while it fetches mail, and while each worker may be handing something over.
    house.workers[dead].send_signal(signal.SIGSTOP)
    for number, ref in enumerate(house.tickets().values()):
        house.setten.post(f"/api/tickets/{ref}/replies", {"text": f"No. {number}."})
    _write(dovecot, 5, 10)
    house.workers[dead].kill()
    house.workers[dead].wait()

    until(lambda: len(house.tickets()) == 10, "tickets by the other worker", TAKEN_OVER_WITHIN)
    assert house.rows(fetching) == [("w1" if dead == "w2" else "w2",)]
    open_states = "SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'retry')"
    until(lambda: house.rows(open_states) == [(0,)], "end of sending", TAKEN_OVER_WITHIN)
    sent = house.rows("SELECT recipient, state FROM delivery ORDER BY recipient")
    assert sent == [(f"c{number}@customers.example", "sent") for number in range(5)]
    assert _recipients(sink) == {f"c{number}@customers.example": 1 for number in range(5)}

"""After thirty days away: thousands of unread mails, and what arrives now goes first.

What runs where: with `make test-faults` 20 000 mails on SQLite and 1 000 on PostgreSQL; where
CI=true, which has an hour for everything, 4 000 and 1 000; with `make soak` 100 000 on both. The
mails are tiny, because what is tried here is their number. In each run the program is killed once
and stopped once on the way.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.faults.house import (
    ADDRESS,
    CUSTOMER_USER,
    Surroundings,
    assert_balanced,
    assert_in_order,
    books,
)
from tests.faults.rounds import same, sha256
from tests.faults.table import Tally
from tests.servers.setten import Setten, until

pytestmark = [pytest.mark.dovecot]

UNREAD = {"sqlite": 4_000 if os.environ.get("CI") == "true" else 20_000, "postgres": 1_000}
DAY = 86_400.0
SECONDS_A_MAIL = 0.5  # a ceiling, not a promise: what is promised is measured by the benchmark
# One packet of mails that is being fetched and one that is being filed may be ahead of it.
AHEAD = 25 * 3
AHEAD_IN_FILING = 50 * 3


def note(name: str, number: int, at: float) -> bytes:
    """The least that is a mail; every fifth is of the same customer."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(at))
    return (
        f"From: c{number % 4_000}@customers.example\r\nTo: {ADDRESS}\r\nDate: {date}\r\n"
        f"Subject: {name} {number}\r\nMessage-ID: <{name}.{number}@customers.example>\r\n\r\n"
        f"Where is my order {number}?\r\n"
    ).encode()


@dataclass
class Outage:
    setten: Setten
    around: Surroundings
    count: int
    live: int = 0
    noted: int = 0  # when it was started last
    dropped: list[str] = field(default_factory=list)
    serving: "subprocess.Popen[bytes] | None" = None

    def fill(self) -> None:
        now = time.time()
        for number in range(self.count):
            at = now - 30 * DAY * (1 - number / self.count)
            self._drop(note("old", number, at), at)

    def _drop(self, raw: bytes, at: float) -> None:
        self.around.dovecot.drop(CUSTOMER_USER, raw, at)
        self.dropped.append(sha256(raw))

    def start(self) -> None:
        self.noted = self._noted()
        self.serving = self.setten.serve()

    def end(self, how: signal.Signals) -> None:
        assert self.serving is not None
        self.serving.send_signal(how)
        self.serving.wait(60)

    def wait_until_filed(self, count: int) -> None:
        ceiling = 120 + count * SECONDS_A_MAIL
        until(lambda: self._one("SELECT count(*) FROM arrival WHERE state = 'filed'") >= count,
              f"{count} mails filed", ceiling)  # fmt: skip

    def overtake(self) -> None:
        """One more mail now: it is filed while the others still wait."""
        # What is there when the folder is looked at first is an import, whenever it came.
        until(lambda: self._noted() > min(self.noted, len(self.dropped) - 1), "look at it", 300)
        known = self._one("SELECT coalesce(max(id), 0) FROM ledger")
        filed = self._one("SELECT count(*) FROM arrival WHERE state = 'filed'")
        name = f"live.{self.live}@customers.example"
        self._drop(note("live", self.live, time.time()), time.time())
        self.live += 1
        query = "SELECT count(*) FROM message WHERE external_id = :name"
        until(lambda: self._one(query, name=name) == 1, "live mail", 300)

        at = self._one("SELECT arrival_id FROM message WHERE external_id = :name", name=name)
        noted = self._one("SELECT min(id) FROM ledger WHERE arrival_id = :at", at=at)
        before = self._one(
            "SELECT count(*) FROM arrival WHERE state = 'filed' AND filed_at <="
            " (SELECT filed_at FROM arrival WHERE id = :at)",
            at=at,
        )
        assert noted - known <= AHEAD
        assert before - filed <= AHEAD + AHEAD_IN_FILING
        behind = self._one(
            "SELECT count(*) FROM arrival WHERE id < :at AND (filed_at IS NULL OR filed_at >"
            " (SELECT filed_at FROM arrival WHERE id = :at))",
            at=at,
        )
        assert behind > 0, "there was nothing to overtake"

    def _noted(self) -> int:
        return self._one("SELECT count(*) FROM ledger")

    def _one(self, statement: str, **values: object) -> int:
        with books(self.setten) as rows:
            return int(rows(statement, **values)[0][0])

    def assert_all_there_once(self) -> Tally:
        with books(self.setten) as rows:
            same([row[0] for row in rows("SELECT sha256 FROM arrival")], self.dropped)
            read = [row[0] for row in rows("SELECT external_id FROM message")]
            names = [
                *(f"old.{n}" for n in range(self.count)),
                *(f"live.{n}" for n in range(self.live)),
            ]
            same(read, [f"{name}@customers.example" for name in names])
            same(rows("SELECT count(*), count(DISTINCT ticket_id) FROM message"),
                 [(len(read), len(read))])  # fmt: skip
            order = "SELECT id FROM arrival WHERE backlog ORDER BY filed_at, id"
            numbers = [row[0] for row in rows(order)]
            assert numbers == sorted(numbers), "filed in another order than they came"
        return Tally(len(self.dropped), besides=f"{self.live} overtook")


def outlive(setten: Setten, around: Surroundings, count: int) -> Tally:
    outage = Outage(setten, around, count)
    outage.fill()
    outage.start()
    for part, how in enumerate((signal.SIGKILL, None, signal.SIGTERM, None)):
        outage.wait_until_filed(count * (3 * part + 2) // 20)
        outage.overtake()
        if how:
            outage.end(how)
            outage.start()
    outage.wait_until_filed(len(outage.dropped))
    marked = len(outage.dropped)
    until(lambda: around.dovecot.count_marked(CUSTOMER_USER) == marked, "mark on every mail", 600)
    outage.end(signal.SIGTERM)
    outage.start()
    assert_balanced(setten, len(outage.dropped))
    assert_in_order(setten)
    return outage.assert_all_there_once()


@pytest.mark.faults
def test_a_month_of_unread_mail_is_filed_and_new_mail_does_not_wait(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    tally = outlive(setten, around, UNREAD[kind])
    kills("30 days of unread mail", kind, 1, tally)


@pytest.mark.soak
def test_a_hundred_thousand_unread_mails_are_filed_and_new_mail_does_not_wait(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    kills("30 days of unread mail", kind, 1, outlive(setten, around, 100_000))

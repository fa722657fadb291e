"""One round of work that a kill may interrupt anywhere: mails, answers, requests, ratings.

The round drives Setten as people do. When the process dies it is started again, and whoever was
talking to it looks whether their act was done and does it again if not, as a person would.
"""

import hashlib
import re
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from subprocess import Popen
from typing import Any

import httpx2 as httpx

from tests.faults.house import ADDRESS, CUSTOMER_USER, Surroundings, books
from tests.faults.table import Tally
from tests.servers.setten import Setten, until

TEXTS = (
    "Could you send me a quote for 240 glasses, including delivery to Leeds?",
    "先週届いた電気ケトルの蓋が閉まりません。返品か交換をお願いします。",
    "Die Rechnungsadresse auf RE-1187 stimmt nicht. Bitte auf die GmbH umschreiben!",
)


@dataclass(frozen=True)
class Size:
    new: int
    follow: int
    replies: int
    resolved: int
    ratings: int


def letter(number: int, *, answers: str = "", part: str = "first") -> bytes:
    """Mail `number` of its own customer; every fifth brings a file."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = f"Customer {number} <{customer(number)}>"
    mail["To"] = ADDRESS
    mail["Subject"] = f"Inquiry {number}"
    mail["Message-ID"] = f"<{own_id(number, part)}>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}>"
    mail.set_content(f"{TEXTS[number % 3]} {part} {number}\r\n", cte="base64")
    if number % 5 == 0:
        mail.add_attachment(
            f"page {number} of {part}".encode() * 50,
            maintype="application",
            subtype="octet-stream",
            filename=f"order-{number}.bin",
        )
    return mail.as_bytes()


def customer(number: int) -> str:
    return f"c{number}@customers.example"


@dataclass
class Round:
    setten: Setten
    around: Surroundings
    size: Size
    armed: list[str] = field(default_factory=list)
    """What `SETTEN_CRASH_AT` is at the first start, at the next one, and so on."""
    serving: "Popen[bytes] | None" = None
    starts: int = 0
    awaited: int = 0  # kills
    dropped: list[bytes] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        return self.starts - 1

    def finish(self) -> None:
        """From the last answer to the last mark."""
        self.wait(self.nothing_under_way, "end of sending")
        self.write_again(range(self.size.follow))
        for number in self.resolved:
            self.resolve(number)
        self.wait(self.nothing_under_way, "end of asking")
        for number in self.rated():
            self.rate(number)
        self.settle()

    def settle(self) -> None:
        self.wait(self.nothing_under_way, "end of all work")
        self.wait(self.all_marked, "mark on every mail on the server")

    @property
    def resolved(self) -> range:
        """Those that were answered and did not write again."""
        return range(self.size.replies - 1, self.size.replies - 1 - self.size.resolved, -1)

    # Living with a process that dies

    def start(self) -> None:
        point = self.armed[self.starts : self.starts + 1]
        self.starts += 1
        self.serving = self.setten.serve({"SETTEN_CRASH_AT": point[0]} if point else None)

    def wait_for_kill(self) -> None:
        """It dies, or has died meanwhile, at the next point it was armed with; never reaching it
        is a failure."""
        self.awaited += 1
        point, kills = self.armed[self.awaited - 1], self.awaited
        self.wait(lambda: self.kills >= kills, f"kill: {point} was never reached")

    def wait(self, look: Callable[[], Any], what: str) -> Any:
        def looked() -> Any:
            self.mind()
            try:
                return look()
            except httpx.TransportError:
                return None

        try:
            return until(looked, what)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.setten.log[-4000:]}") from None

    def mind(self) -> None:
        """Start again what a kill ended; anything else that ends the process is a failure."""
        assert self.serving is not None
        if self.serving.poll() is None:
            return
        ended = self.serving.returncode
        assert ended == -signal.SIGKILL, f"Setten ended with {ended}\n{self.setten.log[-4000:]}"
        assert self.marked() <= self.safe(), "marked on the server before it was filed"
        self.start()

    def insist(self, done: Callable[[], Any], act: Callable[[], object], what: str) -> None:
        """Act until it is done: whoever got no answer looks, and tries again."""

        def tried() -> bool:
            if done():
                return True
            act()
            return bool(done())

        self.wait(tried, what)

    # What agents and customers do

    def write(self, numbers: Sequence[int]) -> None:
        self._drop([letter(number) for number in numbers])

    def write_again(self, numbers: Sequence[int]) -> None:
        """In reply to our answer, if it is known to have arrived."""
        ours = self.answers_sent()
        self._drop(
            [letter(n, answers=ours.get(customer(n), own_id(n)), part="second") for n in numbers]
        )
        self.wait(lambda: self.filed() == len(self.dropped), "filed mails")

    def _drop(self, mails: Sequence[bytes]) -> None:
        for raw in mails:
            self.around.dovecot.drop(CUSTOMER_USER, raw)
            self.dropped.append(raw)

    def find_tickets(self) -> None:
        self.refs = self.wait(lambda: self.all_tickets(self.size.new), "ticket for every mail")

    def ref(self, number: int) -> str:
        return self.refs[f"Inquiry {number}"]

    def tickets(self) -> dict[str, str]:
        with books(self.setten) as rows:
            return {str(row[0]): str(row[1]) for row in rows("SELECT subject, ref FROM ticket")}

    def all_tickets(self, count: int) -> dict[str, str] | None:
        found = self.tickets()
        return found if len(found) >= count else None

    def answer(self, number: int) -> None:
        ref = self.ref(number)

        def answered() -> bool:
            said = self.setten.get(f"/api/tickets/{ref}")["said"]
            return any(one["kind"] == "outbound" for one in said)

        text = {"text": f"Thank you. This is our answer to {ref}."}
        path, key = f"/api/tickets/{ref}/replies", f"answer-{ref}"
        self.insist(answered, lambda: self.setten.post(path, text, key), f"reply {ref}")

    def resolve(self, number: int) -> None:
        ref = self.ref(number)
        self.insist(
            lambda: self.setten.get(f"/api/tickets/{ref}")["status"] == "resolved",
            lambda: self.setten.post(f"/api/tickets/{ref}/resolve"),
            f"resolution of {ref}",
        )

    def rated(self) -> list[int]:
        asked = {mail["To"] for mail in self.requests_sent()}
        return [n for n in self.resolved if customer(n) in asked][: self.size.ratings]

    def rate(self, number: int) -> None:
        ref = self.ref(number)
        mail = next(one for one in self.requests_sent() if one["To"] == customer(number))
        plain = next(one for one in mail.walk() if one.get_content_type() == "text/plain")
        found = re.search(r"(/f/[\w.-]+)\s", plain.get_content())
        assert found is not None
        path = found.group(1)

        def press() -> None:
            page = self.setten.client.get(path)
            nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
            assert nonce is not None, page.text[:2000]
            form = {"score": "4", "comment": "Quick.", "nonce": nonce.group(1)}
            sent = self.setten.client.post(path, data=form)
            assert sent.status_code == 303, (sent.status_code, sent.text[:500])

        self.insist(
            lambda: self.setten.get(f"/api/tickets/{ref}")["request"]["state"] == "answered",
            press,
            f"rating of {ref}",
        )

    # What is on the outside

    def mails_sent(self) -> list[EmailMessage]:
        return [
            message_from_bytes(one.body, policy=policy.default)
            for one in self.around.to_customers()
        ]

    def requests_sent(self) -> list[EmailMessage]:
        return [mail for mail in self.mails_sent() if mail["List-Unsubscribe"]]

    def answers_sent(self) -> dict[str, str]:
        """Message-ID of our answer by customer."""
        mails = [mail for mail in self.mails_sent() if not mail["List-Unsubscribe"]]
        return {str(mail["To"]): str(mail["Message-ID"]).strip("<>") for mail in mails}

    def marked(self) -> set[str]:
        """SHA-256 of every mail the server was told is done with."""
        return self.around.dovecot.marked(CUSTOMER_USER)

    def all_marked(self) -> bool:
        return self.marked() == {sha256(raw) for raw in self.dropped}

    # What is in the books

    def safe(self) -> set[str]:
        with books(self.setten) as rows:
            return {row[0] for row in rows("SELECT sha256 FROM arrival WHERE state = 'filed'")}

    def filed(self) -> int:
        with books(self.setten) as rows:
            return int(rows("SELECT count(*) FROM arrival WHERE state = 'filed'")[0][0])

    def nothing_under_way(self) -> bool:
        with books(self.setten) as rows:
            left = rows(
                "SELECT (SELECT count(*) FROM arrival WHERE state = 'waiting'),"
                " (SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'retry')),"
                " (SELECT count(*) FROM survey WHERE state = 'scheduled')"
            )
        return left == [(0, 0, 0)]

    def assert_nothing_lost_or_doubled(self) -> Tally:
        """Compare both ends, and say what was compared."""
        size = self.size
        with books(self.setten) as rows:
            kept = [row[0] for row in rows("SELECT sha256 FROM arrival")]
            same(kept, [sha256(raw) for raw in self.dropped])
            read = rows(
                "SELECT ticket.subject, message.external_id FROM message JOIN ticket"
                " ON ticket.id = message.ticket_id WHERE message.kind = 'inbound'"
            )
            expected = [
                *((f"Inquiry {n}", own_id(n)) for n in range(size.new)),
                *((f"Inquiry {n}", own_id(n, "second")) for n in range(size.follow)),
            ]
            same(read, expected)
            same(rows("SELECT count(*) FROM ticket"), [(size.new,)])
            same(rows("SELECT count(*) FROM answer"), [(len(self.rated()),)])
            asked = rows("SELECT ticket_id, resolution, count(*) FROM survey GROUP BY 1, 2")
            same([row[2] for row in asked], [1] * size.resolved)
            doubtful = self._assert_sent_once(rows)
        for raw in self.dropped:
            name = sha256(raw)
            assert (self.setten.data / "blobs" / name[:2] / name).read_bytes() == raw
        return Tally(len(self.dropped), size.replies + size.resolved, doubtful)

    def _assert_sent_once(self, rows: Callable[..., list[tuple[Any, ...]]]) -> int:
        deliveries = {
            (str(external_id), str(recipient)): str(state)
            for external_id, recipient, state in rows(
                "SELECT message.external_id, delivery.recipient, delivery.state FROM delivery"
                " JOIN message ON message.id = delivery.message_id"
            )
        }
        assert len(deliveries) == self.size.replies + self.size.resolved
        seen = Counter(
            (str(message_from_bytes(one.body)["Message-ID"]).strip("<>"), recipient)
            for one in self.around.to_customers()
            for recipient in one.rcpt_tos
        )
        assert set(seen) <= set(deliveries)
        for key, state in deliveries.items():
            # In doubt may have arrived or not; sent by a person's decision only.
            wanted = {0, 1} if state == "in_doubt" else {1}
            assert (state, seen[key] in wanted) in {("in_doubt", True), ("sent", True)}, key
        return sum(state == "in_doubt" for state in deliveries.values())


def own_id(number: int, part: str = "first") -> str:
    return f"{part}-{number}@customers.example"


def same(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """The same things, each as often; says what is too much and what is missing."""
    left, right = Counter(found), Counter(expected)
    assert left == right, f"too much: {left - right}; missing: {right - left}"


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()

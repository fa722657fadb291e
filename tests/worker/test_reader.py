"""The process that reads: nothing it is given harms the one that asks, and all of it is shown."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.worker.patience import Patience
from app.worker.reader import Overrun, Reader
from channels.contract import InboundMessage, Raw, Unreadable
from channels.email import channel as email
from channels.email.config import EmailConfig
from channels.email.known import Known
from tests.servers.setten import until
from tests.worker.poison import message

RAW = Raw("1", b"From: a@b.test\r\nSubject: s\r\n\r\nhello")
CONFIG = EmailConfig(address="help@shop.test", imap_password="a secret")  # type: ignore[arg-type]
CEILING = 60.0  # a hang is longer


@dataclass
class Poisoned:
    """A channel whose reading goes wrong in a way of its own."""

    how: str

    def elsewhere(self, config: Any) -> tuple[str, Any]:
        module = "slow_start" if self.how == "reads" else "poison"
        return f"tests.worker.{module}:{self.how}", config

    def parse_least(self, config: Any, raw: Raw) -> Sequence[InboundMessage]:
        return [message("least")]


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader(within=(2.0, 2.0))
    yield made
    made.close()


def texts(reader: Reader, how: str) -> list[str]:
    found = reader.parse(Poisoned(how), "x", RAW)
    return [one.text for one in found if isinstance(one, InboundMessage)]


def processes() -> list[int]:
    """Of our children, those that read."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"isolated" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_a_mail_is_read_by_one_process_that_stays_for_the_next(reader: Reader) -> None:
    before = set(processes())
    (first,) = reader.parse(email, CONFIG, RAW)
    (second,) = reader.parse(email, CONFIG, RAW)

    assert first == second == email.parse(CONFIG, RAW)[0]
    assert len(set(processes()) - before) == 1


@pytest.mark.parametrize("how", ["spins", "eats", "falls", "dies", "has_a_bug"])
def test_what_costs_too_much_is_read_in_part(reader: Reader, how: str) -> None:
    assert texts(reader, how)[0].startswith("in part")
    assert texts(reader, "tells")[0].startswith("x ")


def test_what_always_costs_too_much_is_read_here_but_hardly(reader: Reader) -> None:
    before = set(processes())
    began = time.monotonic()

    assert texts(reader, "always_spins") == ["least"]
    assert time.monotonic() - began < CEILING
    assert set(processes()) == before


@pytest.mark.parametrize(("how", "stays"), [("spins", True), ("rests", False)])
def test_what_others_would_wait_for_is_put_off(how: str, stays: bool) -> None:
    reader = Reader(patience=Patience(most=0.2))
    pid = texts(reader, "tells")[0].split()[1]

    with pytest.raises(Overrun):
        reader.parse_at_once(Poisoned(how), "x", RAW)

    # A process that can be interrupted goes on with the next one: to begin one takes time, too.
    assert (texts(reader, "tells")[0].split()[1] == pid) == stays
    reader.close()


def test_what_is_read_as_fast_as_others_is_not_put_off(reader: Reader) -> None:
    assert reader.parse_at_once(email, CONFIG, RAW) == email.parse(CONFIG, RAW)


def test_what_is_no_mail_is_said_so(reader: Reader) -> None:
    with pytest.raises(Unreadable, match=r"^This is no mail\.$"):
        texts(reader, "says_no")


def test_an_answer_is_never_run_as_code(reader: Reader) -> None:
    assert texts(reader, "answers_with_code") == ["least"]


def test_a_process_that_ended_meanwhile_is_begun_anew(reader: Reader) -> None:
    pid = int(texts(reader, "tells")[0].split()[1])
    os.kill(pid, signal.SIGKILL)

    assert reader.parse(email, CONFIG, RAW) == email.parse(CONFIG, RAW)
    assert pid not in processes()


def test_nothing_is_left_of_a_process_that_ended_by_itself(reader: Reader) -> None:
    pid = int(texts(reader, "tells")[0].split()[1])
    reader.tidy()
    assert pid in processes()
    os.kill(pid, signal.SIGKILL)

    def gone() -> bool:
        reader.tidy()
        return not Path(f"/proc/{pid}").exists()

    until(gone, "end of it")


def test_it_knows_no_secret(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTEN_DATABASE_URL", "postgresql://user:secret@db/setten")

    (text,) = texts(reader, "tells")

    assert "SETTEN" not in text
    assert email.elsewhere(CONFIG) == ("channels.email.parse:parse_for", Known("help@shop.test"))


def test_many_threads_may_ask_at_once(reader: Reader) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.extend(texts(reader, "tells"))) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CEILING)

    assert (len(found), len(set(found))) == (8, 1)


def nested(depth: int) -> bytes:
    boundaries = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )
    return RAW.body.partition(b"\r\n\r\n")[0] + b"\r\n" + boundaries + b"\r\ninnermost"


HOSTILE = {
    "3,000 parts in parts": nested(3000),
    "a million quotes": b'From: "a" <a@b.test>\r\nSubject: s\r\nTo: '
    + b'"' * 1_000_000
    + b"\r\n\r\nx",
    "a million lines of fields": RAW.body[:28] + b"X: y\r\n" * 1_000_000 + b"\r\nhello",
    "a text of 40 MB": RAW.body + b"> hello world\r\n" * 2_700_000,
    "HTML without an end": RAW.body[:28]
    + b"Content-Type: text/html\r\n\r\n"
    + b"<table><tr><td>" * 300_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_visible_in_time(body: bytes) -> None:
    reader = Reader()
    began = time.monotonic()

    (found,) = reader.parse(email, CONFIG, Raw("1", body))

    assert time.monotonic() - began < CEILING
    assert isinstance(found, InboundMessage)
    assert (found.sender.value, found.subject) == ("a@b.test", "s")
    reader.close()


def test_large_and_empty_files_come_back_whole(reader: Reader) -> None:
    body = RAW.body[:28] + b"Content-Type: multipart/mixed; boundary=b\r\n"
    files = {"a.pdf": b"%PDF" * 2_000_000, "b.pdf": b"", "c.pdf": b"%PDF."}
    for name, content in files.items():
        body += (
            b"\r\n--b\r\nContent-Type: application/pdf; name=%s\r\n\r\n" % name.encode() + content
        )

    (found,) = reader.parse(email, CONFIG, Raw("1", body))

    assert isinstance(found, InboundMessage)
    assert {file.name: file.body for file in found.files} == files
    assert texts(reader, "tells")[0].startswith("x ")


def test_no_mail_is_blamed_for_a_slow_start(reader: Reader) -> None:
    assert texts(reader, "reads") == ["rung 0"]

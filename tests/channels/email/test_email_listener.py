"""The mail server on this machine that a newcomer writes to."""

import smtplib
import socket
from asyncio import to_thread
from collections.abc import Callable
from typing import TypeVar

import pytest

from channels.contract import Raw
from channels.email import channel

MAIL = b"From: a@example.org\r\nSubject: hello\r\n\r\ntext\r\n.dot\r\n"


class Desk:
    """What was taken; `fails` for the next ones."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Raw]] = []
        self.fails = False

    def knows(self, address: str) -> bool:
        return address.lower().endswith("@localhost")

    async def take(self, recipient: str, raw: Raw) -> None:
        if self.fails:
            raise OSError("disk full")
        self.taken.append((recipient, raw))


T = TypeVar("T")


async def _talk(desk: Desk, talk: Callable[[smtplib.SMTP], T]) -> T:
    async with channel.listen("127.0.0.1", 0, desk.knows, desk.take) as port:

        def session() -> T:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                return talk(client)

        return await to_thread(session)


async def test_a_mail_is_taken_as_it_is_and_only_then_acknowledged() -> None:
    desk = Desk()

    refused = await _talk(desk, lambda c: c.sendmail("a@example.org", ["Hello@localhost"], MAIL))

    ((recipient, raw),) = desk.taken
    assert refused == {}
    assert recipient == "Hello@localhost"
    assert raw.body == MAIL
    assert raw.external_id.startswith("smtp/")
    assert raw.received_at is not None


async def test_every_handing_over_has_an_id_of_its_own_even_of_the_same_mail() -> None:
    desk = Desk()

    def twice(client: smtplib.SMTP) -> None:
        client.sendmail("a@example.org", ["one@localhost", "two@localhost"], MAIL)
        client.sendmail("a@example.org", ["one@localhost"], MAIL)

    await _talk(desk, twice)

    ids = [raw.external_id for _, raw in desk.taken]
    assert (len(ids), len(set(ids))) == (3, 3)
    assert [raw.body for _, raw in desk.taken] == [MAIL] * 3


async def test_strangers_are_not_taken_in() -> None:
    desk = Desk()

    def stranger(client: smtplib.SMTP) -> tuple[int, bytes]:
        client.ehlo()
        client.mail("a@example.org")
        return client.rcpt("nobody@example.org")

    code, words = await _talk(desk, stranger)

    assert (code, words) == (550, b"5.1.1 There is no inbox with this address here")


async def test_without_durable_storage_there_is_no_acknowledgement() -> None:
    desk = Desk()
    desk.fails = True

    def sent(client: smtplib.SMTP) -> int:
        with pytest.raises(smtplib.SMTPDataError) as told:
            client.sendmail("a@example.org", ["x@localhost"], MAIL)
        return int(told.value.smtp_code)

    assert await _talk(desk, sent) == 451


async def test_too_much_is_refused_by_size_before_and_after() -> None:
    desk = Desk()
    big = b"x" * 998 + b"\r\n"

    def sent(client: smtplib.SMTP) -> tuple[int, int]:
        client.ehlo()
        client.esmtp_features.pop("size")  # or smtplib would announce it by itself
        announced = client.docmd("MAIL", f"FROM:<a@example.org> SIZE={26 * 1024 * 1024 + 1}")[0]
        with pytest.raises(smtplib.SMTPDataError) as told:
            client.sendmail("a@example.org", ["x@localhost"], big * 26_300)
        return announced, int(told.value.smtp_code)

    assert await _talk(desk, sent) == (552, 552)
    assert desk.taken == []


async def test_a_mail_hidden_behind_bare_line_feeds_stays_one_mail() -> None:
    desk = Desk()
    smuggled = b"Subject: one\r\n\r\nx\n.\nMAIL FROM:<evil@x>\nRCPT TO:<x@localhost>\nDATA\nbad\r\n"

    def raw_talk(client: smtplib.SMTP) -> bytes:
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt("x@localhost")
        client.docmd("DATA")
        client.send(smuggled + b".\r\n")
        return client.getreply()[1]

    assert await _talk(desk, raw_talk) == b"2.0.0 Stored"
    assert [raw.body for _, raw in desk.taken] == [smuggled]


async def test_a_long_line_is_no_reason_to_lose_a_mail() -> None:
    desk = Desk()
    body = b"Subject: x\r\n\r\n" + b"y" * 200_000 + b"\r\n"

    await _talk(desk, lambda c: c.sendmail("a@example.org", ["x@localhost"], body))

    assert [raw.body for _, raw in desk.taken] == [body]


async def test_it_listens_on_this_machine_only() -> None:
    desk = Desk()

    with pytest.raises(ValueError, match="this machine only"):
        async with channel.listen("0.0.0.0", 0, desk.knows, desk.take):  # noqa: S104
            pass


async def test_it_stops_listening_and_hangs_up() -> None:
    desk = Desk()
    async with channel.listen("127.0.0.1", 0, desk.knows, desk.take) as port:
        talk = socket.create_connection(("127.0.0.1", port), 20)
        await to_thread(talk.recv, 100)
    with talk:
        assert await to_thread(talk.recv, 100) == b""

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 20)

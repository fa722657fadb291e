"""Servers that answer late, wrongly or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.contract import Mailbox, Misconfigured, ServerId, TryLater
from channels.email import channel, imap, imap_protocol
from channels.email.config import EmailConfig
from channels.email.imap_protocol import Protocol
from tests.servers.imap_liar import ImapLiar, Reply, imap_liar

CEILING = 20.0
ITEM = ServerId("INBOX/2482a4a1.42", 2)
FETCHED = (
    b'* 2 FETCH (UID 2 RFC822.SIZE 5 INTERNALDATE "17-Nov-2026 09:00:00 +0900")\r\n{tag} OK\r\n'
)


def config(liar: ImapLiar, **changes: Any) -> EmailConfig:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "imap_host": "127.0.0.1",
        "imap_port": liar.port,
        "imap_security": "none",
        "imap_password": "p",
    }
    return EmailConfig.model_validate(settings | changes)


async def _refusal(replies: dict[str, Reply], kind: type[Exception], **changes: Any) -> str:
    async with imap_liar(replies) as liar:
        with pytest.raises(kind) as told:
            async with asyncio.timeout(CEILING), channel.open(config(liar, **changes)):
                pass
    return str(told.value)


async def _fetched(body: bytes, **replies: Reply) -> Any:
    answers: dict[str, Reply] = {
        "UID FETCH 2 (UID RFC822": FETCHED,
        "UID FETCH 1,2 (UID RFC822": FETCHED,
        "UID FETCH 2 (UID BODY": body,
    }
    async with imap_liar(answers | replies) as liar, channel.open(config(liar)) as box:
        return await box.fetch(ITEM)


async def test_a_connection_closed_without_a_greeting_is_tried_later() -> None:
    async with imap_liar(greeting=b"") as liar:

        async def close(writer: asyncio.StreamWriter) -> None:
            writer.close()

        liar.replies["CAPABILITY"] = close
        liar.greeting = b"* OK\r\n"
        with pytest.raises(TryLater):
            async with asyncio.timeout(5), channel.open(config(liar)):
                pass


@pytest.mark.parametrize(
    "answer",
    [
        b"* 2 FETCH (UID 2 BODY[] {5}\r\nhello)\r\n{tag} OK\r\n",
        b"* 2 FETCH (BODY[] {5}\r\nhello UID 2)\r\n{tag} OK\r\n",
        b'* 2 FETCH (UID 2 BODY[] "hello")\r\n{tag} OK\r\n',
        (
            b"* 9 EXISTS\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nbad)\r\n* 1 EXPUNGE\r\n"
            b"* 2 FETCH (UID 2 FLAGS (\\Seen) BODY[] {5}\r\nhello)\r\n{tag} OK\r\n"
        ),
        b"* 2 FETCH (UID 2 BODY[] ~{5}\r\nhello)\r\n{tag} OK\r\n",
    ],
    ids=["usual", "number last", "quoted", "others between", "binary"],
)
async def test_the_body_is_found_however_it_is_said(answer: bytes) -> None:
    raw = await _fetched(answer)

    assert raw.body == b"hello"
    assert raw.external_id == "INBOX/2482a4a1.42/2"
    assert raw.received_at.isoformat() == "2026-11-17T00:00:00+00:00"


async def test_a_body_may_contain_what_looks_like_protocol() -> None:
    body = b"* 3 FETCH (UID 3)\r\nA1 OK done {9}\r\n) * b (((\r\n"
    said = b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%s)\r\n{tag} OK\r\n" % (len(body), body)

    raw = await _fetched(said)

    assert raw.body == body


async def test_a_mail_that_is_gone_is_none() -> None:
    gone: dict[str, Reply] = {"UID SEARCH UID 2": b"* SEARCH\r\n{tag} OK\r\n"}

    raw = await _fetched(b"{tag} OK done\r\n", **gone)

    assert raw is None


async def test_a_literal_cut_by_the_end_of_the_connection_is_no_mail() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b"* 2 FETCH (UID 2 BODY[] {5000}\r\nhalf of it")
        await writer.drain()
        writer.close()

    with pytest.raises(TryLater):
        async with asyncio.timeout(CEILING):
            await _fetched(b"", **{"UID FETCH 2 (UID BODY": cut})


@asynccontextmanager
async def _protocol(liar: ImapLiar) -> AsyncIterator[Protocol]:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(Protocol, "127.0.0.1", liar.port)
    await protocol.greeting
    protocol.state = "SELECTED"
    yield protocol
    protocol.transport.abort()
    await protocol.lost.wait()


async def test_idle_refused_is_told_as_nothing_new() -> None:
    refusing: dict[str, Reply] = {"IDLE": b"{tag} NO not today\r\n"}
    async with imap_liar(refusing) as liar, _protocol(liar) as protocol:
        assert await protocol.idle(1) == []
        assert (await protocol.run("NOOP")).ok


async def test_idle_offered_but_refused_is_waited_for_without() -> None:
    refusing: dict[str, Reply] = {"IDLE": b"{tag} NO not today\r\n"}
    async with imap_liar(refusing) as liar, channel.open(config(liar)) as box:
        await box.list(None)

        await box.wait(0.1)

    heard = [command for command in liar.heard if command in {"IDLE", "NOOP"}]
    assert heard == ["IDLE", "NOOP", "NOOP"]


async def test_without_idle_the_server_is_asked_now_and_then() -> None:
    quiet: dict[str, Reply] = {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n"}
    async with imap_liar(quiet) as liar, channel.open(config(liar)) as box:
        await box.list(None)
        liar.replies["NOOP"] = b"* 3 EXISTS\r\n{tag} OK\r\n"

        await box.wait(0.05)

        assert liar.heard[-1] == "NOOP"


async def test_what_is_said_before_encryption_is_not_believed_after_it() -> None:
    injected = b"{tag} OK go ahead\r\n* CAPABILITY IMAP4rev1 EVIL\r\nX"

    await _refusal({"STARTTLS": injected}, TryLater, imap_security="starttls")


async def test_no_starttls_is_said_so() -> None:
    words = await _refusal(
        {"STARTTLS": b"{tag} BAD unknown\r\n"}, Misconfigured, imap_security="starttls"
    )

    assert words.startswith("127.0.0.1 offers no STARTTLS on port")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n", Misconfigured),
        (b"{tag} NO LOGIN failed\r\n", Misconfigured),
        (b"{tag} NO [UNAVAILABLE] backend down\r\n", TryLater),
        (b"{tag} NO [OVERQUOTA] over the limit of today\r\n", TryLater),
        (b"{tag} NO [LIMIT] Too many simultaneous connections\r\n", TryLater),
        (b"{tag} BAD User is authenticated but not connected.\r\n", TryLater),
    ],
)
async def test_only_what_an_admin_can_change_stops_the_inbox(
    answer: bytes, kind: type[Exception]
) -> None:
    await _refusal({"LOGIN": answer}, kind)


@pytest.mark.parametrize(
    "answer",
    [
        b"{tag} NO [INUSE] locked by another\r\n",
        b"{tag} NO [UNAVAILABLE] backend down\r\n",
        b"{tag} BAD User is authenticated but not connected.\r\n",
    ],
)
async def test_a_folder_that_cannot_be_opened_just_now_is_tried_later(answer: bytes) -> None:
    await _refusal({"EXAMINE": answer}, TryLater)


async def test_no_password_is_sent_where_the_server_takes_none() -> None:
    closed: dict[str, Reply] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK\r\n"
    }
    async with imap_liar(closed) as liar:
        with pytest.raises(Misconfigured):
            async with channel.open(config(liar)):
                pass

    assert [command for command in liar.heard if command.startswith("LOGIN ")] == []


async def test_a_server_without_lasting_numbers_cannot_be_used() -> None:
    words = await _refusal({"EXAMINE": b"* 0 EXISTS\r\n{tag} OK\r\n"}, Misconfigured)

    assert "UIDVALIDITY" in words


async def test_sizes_are_asked_for_many_mails_at_once() -> None:
    sizes = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 5)\r\n" % (n, n) for n in (1, 2))
    replies: dict[str, Reply] = {
        "UID FETCH 1,2 (UID RFC822": sizes + b"{tag} OK\r\n",
        "UID FETCH 1 (UID BODY": b"* 1 FETCH (UID 1 BODY[] {3}\r\none)\r\n{tag} OK\r\n",
        "UID FETCH 2 (UID BODY": b"* 2 FETCH (UID 2 BODY[] {3}\r\ntwo)\r\n{tag} OK\r\n",
    }
    async with imap_liar(replies) as liar, channel.open(config(liar)) as box:
        bodies = [await _body(box, item) for item in await box.list(None)]

    assert bodies == [b"one", b"two"]
    assert len([command for command in liar.heard if "RFC822.SIZE" in command]) == 1


async def _body(box: Mailbox, item: ServerId) -> bytes:
    raw = await box.fetch(item)
    assert raw is not None
    return raw.body


def test_the_limits_are_those_that_are_documented() -> None:
    limits = (imap.MAX_SIZE, imap.IDLE_SECONDS, imap_protocol.PATIENCE)

    assert limits == (50_000_000, 240.0, 60.0)

"""Fetching from a real Dovecot."""

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from channels.contract import InboundMessage, Mailbox, Misconfigured, ServerId, TryLater
from channels.email import channel
from channels.email.config import EmailConfig
from channels.email.folders import mutf7
from tests.servers import free_port
from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.dovecot
CEILING = 20.0


def mail(number: int, size: int = 0) -> bytes:
    return (
        f"From: a@example.org\r\nSubject: mail {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\n\r\ntext {number}\r\n" + "x" * 76 + "\r\n"
    ).encode() + (b"y" * 74 + b"\r\n") * (size // 76)


def config(dovecot: Dovecot, user: str, **changes: Any) -> EmailConfig:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "imap_host": "localhost",
        "imap_port": dovecot.port_tls,
        "imap_username": user,
        "imap_password": "secret",
        "catch_tls_ca": str(dovecot.ca),
    }
    return EmailConfig.model_validate(settings | changes)


def opened(dovecot: Dovecot, user: str, **changes: Any) -> AbstractAsyncContextManager[Mailbox]:
    return channel.open(config(dovecot, user, **changes))


async def numbers(box: Mailbox, after: ServerId | None = None) -> list[int]:
    return [item.number for item in await box.list(after)]


async def test_list_fetch_and_parse_what_lies_in_a_mailbox(dovecot: Dovecot, user: str) -> None:
    dovecot.drop(user, mail(1))
    dovecot.drop(user, mail(2))

    async with opened(dovecot, user) as box:
        items = await box.list(None)
        raws = [await box.fetch(item) for item in items]

    assert [item.number for item in items] == [1, 2]
    assert sorted(raw.body for raw in raws if raw) == [mail(1), mail(2)]
    assert [raw.external_id for raw in raws if raw] == [f"{i.scope}/{i.number}" for i in items]
    assert all(raw is not None and raw.received_at is not None for raw in raws)


async def test_nothing_new_is_nothing_though_the_server_names_the_last_mail(
    dovecot: Dovecot, user: str
) -> None:
    dovecot.drop(user, mail(1))
    async with opened(dovecot, user) as box:
        (first,) = await box.list(None)

        nothing = await box.list(first)
        dovecot.drop(user, mail(2))
        async with asyncio.timeout(CEILING):
            await box.wait(CEILING)

        assert nothing == []
        assert await numbers(box, first) == [2]


async def test_new_numbers_are_a_new_scope_and_all_is_listed_again(
    dovecot: Dovecot, user: str
) -> None:
    dovecot.drop(user, mail(1))
    async with opened(dovecot, user) as box:
        (before,) = await box.list(None)
    dovecot.renumber(user)

    async with opened(dovecot, user) as box:
        (after,) = await box.list(before)
        gone = await box.fetch(before)

    assert after.scope != before.scope
    assert gone is None


async def test_fetching_leaves_no_mark_and_settling_only_the_wanted_one(
    dovecot: Dovecot, user: str
) -> None:
    dovecot.drop(user, mail(1))
    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        await box.fetch(item)
        await box.settle(item)
    left = [path.name.partition(":2,")[2] for path in dovecot.maildir(user).glob("*/*.test*")]

    async with opened(dovecot, user, after_filing="seen") as box:
        await box.settle(item)
    seen = [path.name.partition(":2,")[2] for path in dovecot.maildir(user).glob("*/*.test*")]

    assert (left, seen) == ([""], ["S"])


async def test_a_deleted_mail_is_none(dovecot: Dovecot, user: str) -> None:
    path = dovecot.drop(user, mail(1))
    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        for left in dovecot.maildir(user).glob(f"*/{path.name}*"):
            left.unlink()
    async with opened(dovecot, user) as box:
        await box.list(None)

        assert await box.fetch(item) is None


async def test_waiting_ends_when_a_mail_arrives(dovecot: Dovecot, user: str) -> None:
    dovecot.drop(user, mail(1))
    async with opened(dovecot, user) as box:
        (first,) = await box.list(None)
        waiting = asyncio.create_task(box.wait(CEILING))
        dovecot.drop(user, mail(2))

        async with asyncio.timeout(CEILING / 2):
            await waiting

        assert await numbers(box, first) == [2]


async def test_a_mail_that_came_between_listing_and_waiting_is_not_slept_over(
    dovecot: Dovecot, user: str
) -> None:
    async with opened(dovecot, user) as box:
        assert await box.list(None) == []
        dovecot.drop(user, mail(1))

        async with asyncio.timeout(CEILING / 2):
            await box.wait(CEILING)

        assert await numbers(box) == [1]


async def test_waiting_ends_after_the_given_time(dovecot: Dovecot, user: str) -> None:
    async with opened(dovecot, user) as box:
        async with asyncio.timeout(CEILING):
            await box.wait(0.3)

        assert await box.list(None) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
async def test_a_server_killed_during_idle_is_noticed_at_once(
    dovecot: Dovecot, user: str, how: signal.Signals
) -> None:
    others = set(dovecot.sessions())
    async with opened(dovecot, user) as box:
        await box.list(None)
        waiting = asyncio.create_task(box.wait(300))
        async with asyncio.timeout(CEILING):
            os.kill((set(dovecot.sessions()) - others).pop(), how)

            with pytest.raises(TryLater):
                await waiting
        with pytest.raises(TryLater):
            await box.list(None)


async def test_a_thousand_mails_are_listed_and_their_sizes_read(
    dovecot: Dovecot, user: str
) -> None:
    for number in range(1200):
        dovecot.drop(user, mail(number))

    async with opened(dovecot, user) as box:
        items = await box.list(None)
        first, last = await box.fetch(items[0]), await box.fetch(items[-1])

    assert [item.number for item in items] == list(range(1, 1201))
    assert first is not None
    assert last is not None
    assert first.body != last.body


async def test_a_mail_of_25_megabytes_comes_whole(dovecot: Dovecot, user: str) -> None:
    body = mail(1, 25_000_000)
    dovecot.drop(user, body)

    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        raw = await box.fetch(item)

    assert raw is not None
    assert raw.body == body
    assert raw.oversized == 0


async def test_of_a_giant_the_header_fields_and_the_beginning_of_its_text_come(
    dovecot: Dovecot, user: str
) -> None:
    body = mail(1, 51_000_000)
    dovecot.drop(user, body)

    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        raw = await box.fetch(item)

    assert raw is not None
    assert raw.oversized == len(body)
    header, _, text = body.partition(b"\r\n\r\n")
    assert raw.body == header + b"\r\n\r\n" + text[:1_000_000]


async def test_of_a_giant_with_files_the_text_is_a_mail_of_its_own(
    dovecot: Dovecot, user: str
) -> None:
    files = b"--o\r\nContent-Type: application/zip\r\n\r\n" + b"z" * 76 + b"\r\n"
    body = (
        b"From: a@example.org\r\nSubject: giant\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed;\r\n boundary="o"\r\nMessage-ID: <g@example.org>\r\n\r\n'
        b"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
        b"--i\r\nContent-Type: text/html\r\n\r\n<b>HTML</b>\r\n"
        b'--i\r\nContent-Type: text/plain; charset="iso-2022-jp"\r\n\r\n'
    ) + "大きなファイルです。\r\n--i--\r\n".encode("iso-2022-jp")
    body += files.replace(b"z" * 76, (b"z" * 76 + b"\r\n") * 655_000) + b"--o--\r\n"
    dovecot.drop(user, body)

    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        raw = await box.fetch(item)

    assert raw is not None
    assert raw.oversized == len(body)
    assert len(raw.body) < 300
    [message] = channel.parse(config(dovecot, user), raw)
    assert isinstance(message, InboundMessage)
    assert (message.sender.value, message.subject, message.text, message.files) == (
        "a@example.org",
        "giant",
        "大きなファイルです。",
        (),
    )


@pytest.mark.parametrize(
    ("security", "port"), [("tls", "port_tls"), ("starttls", "port"), ("none", "port")]
)
async def test_every_kind_of_encryption_signs_in(
    dovecot: Dovecot, user: str, security: str, port: str
) -> None:
    dovecot.drop(user, mail(1, 3_000_000))

    async with opened(
        dovecot, user, imap_security=security, imap_port=getattr(dovecot, port)
    ) as box:
        (item,) = await box.list(None)
        raw = await box.fetch(item)

    assert raw is not None
    assert raw.body == mail(1, 3_000_000)


async def _words(dovecot: Dovecot, user: str, kind: type[Exception], **changes: Any) -> str:
    with pytest.raises(kind) as told:
        async with opened(dovecot, user, **changes):
            pass
    return str(told.value)


async def test_a_wrong_password_stops_and_says_whose(dovecot: Dovecot, user: str) -> None:
    words = await _words(dovecot, user, Misconfigured, imap_password="wrong")

    assert words.startswith(f"localhost refused the user name or password of {user}.")


async def test_an_untrusted_certificate_stops(dovecot: Dovecot, user: str) -> None:
    words = await _words(dovecot, user, Misconfigured, catch_tls_ca="")

    assert words.startswith("The certificate of localhost is not trusted: self-signed certificate")


async def test_tls_on_a_port_without_it_says_what_to_choose(dovecot: Dovecot, user: str) -> None:
    words = await _words(dovecot, user, Misconfigured, imap_port=dovecot.port)

    assert words == (
        f"localhost does not start with TLS on port {dovecot.port}: "
        "choose STARTTLS or another port."
    )


async def test_a_folder_that_is_not_there_stops(dovecot: Dovecot, user: str) -> None:
    words = await _words(dovecot, user, Misconfigured, folder="Anfragen")

    assert words.startswith("localhost has no folder Anfragen that can be opened.")


async def test_nobody_at_the_port_is_tried_later(dovecot: Dovecot, user: str) -> None:
    port = free_port()

    words = await _words(dovecot, user, TryLater, imap_port=port)

    assert words == f"localhost cannot be reached on port {port}: Connection refused"


async def test_folders_with_any_name_are_opened(dovecot: Dovecot, user: str) -> None:
    name = "お問い合わせ & more"
    folder = dovecot.maildir(user) / f".{mutf7(name)}"
    for path in (folder, *(folder / part for part in ("cur", "new", "tmp"))):
        path.mkdir(mode=0o700)
        os.chown(path, dovecot.uid, dovecot.gid)

    async with opened(dovecot, user, folder=name) as box:
        items = await box.list(None)

    assert items == []


def test_folder_names_are_written_as_imap_wants_them() -> None:
    names = ["INBOX", "Entwürfe", "台北", "A & B", "~peter/mail/日本語"]

    assert [mutf7(name) for name in names] == [
        "INBOX",
        "Entw&APw-rfe",
        "&U,BTFw-",
        "A &- B",
        "~peter/mail/&ZeVnLIqe-",
    ]

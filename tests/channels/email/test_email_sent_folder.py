"""The folder of what was sent on a real server: found, added to once, and watched."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from channels.contract import Direction, InboundMessage, Misconfigured, Raw, Rendered
from channels.email import channel
from channels.email.config import EmailConfig
from tests.servers.dovecot import Dovecot

OWN = "t.abc-1-xyz.7.0a1b2c3d@shop.test"
MAIL = (
    b"From: help@shop.test\r\nTo: yumi@example.jp\r\nSubject: Re: lid\r\nMessage-ID: <%s>\r\n"
    b"\r\nTurn it.\r\n"
)


def config(dovecot: Dovecot, user: str, **changes: Any) -> EmailConfig:
    given = {
        "address": "help@shop.test",
        "imap_host": "127.0.0.1",
        "imap_port": dovecot.port,
        "imap_security": "none",
        "imap_username": user,
        "imap_password": "secret",
    }
    return EmailConfig.model_validate(given | changes)


def rendered(external_id: str = OWN) -> Rendered:
    return Rendered(external_id, MAIL % external_id.encode())


async def put(inbox: EmailConfig) -> None:
    async with channel.open_sent(inbox) as box:
        await box.keep_copy(OWN, rendered().body)


def lying(folder: Path) -> list[bytes]:
    found = [path for part in ("cur", "new") for path in (folder / part).iterdir()]
    return sorted(path.read_bytes().replace(b"\r\n", b"\n") for path in found)


async def test_a_copy_is_put_there_once_and_counts_as_read(dovecot: Dovecot, user: str) -> None:
    dovecot.maildir(user)
    sent = dovecot.maildir(f"{user}/.Sent")
    inbox = config(dovecot, user)
    big = Rendered("t.abc-1-xyz.8.0a1b2c3d@shop.test", rendered().body * 20_000)

    async with channel.open_sent(inbox) as box:
        for one in (rendered(), rendered(), big):
            await box.keep_copy(one.external_id, one.body)
    async with channel.open_sent(inbox) as box:
        await box.keep_copy(OWN, rendered().body)

    whole = [one.body.replace(b"\r\n", b"\n") for one in (rendered(), big)]
    assert lying(sent) == sorted(whole)
    assert len(dovecot.marked(f"{user}/.Sent")) == 2


async def test_a_folder_that_nobody_marks_has_to_be_chosen(dovecot: Dovecot, user: str) -> None:
    dovecot.maildir(user)
    chosen = dovecot.maildir(f"{user}/.&kAFP4W4IMH8-")

    with pytest.raises(Misconfigured, match=r"127\.0\.0\.1 marks no folder as the one for sent"):
        await put(config(dovecot, user))
    with pytest.raises(Misconfigured, match=r"has no folder Elsewhere that can be opened"):
        await put(config(dovecot, user, sent_folder="Elsewhere"))
    await put(config(dovecot, user, sent_folder="送信済み"))

    assert len(lying(chosen)) == 1


async def test_a_copy_is_put_there_while_it_is_watched(dovecot: Dovecot, user: str) -> None:
    dovecot.maildir(user)
    dovecot.maildir(f"{user}/.Sent")

    async with channel.open_sent(config(dovecot, user, sent_watch=True)) as box:
        assert await box.list(None) == []
        waiting = asyncio.create_task(box.wait(3600))
        await asyncio.sleep(0)
        box.hurry()
        await waiting
        await box.keep_copy(OWN, rendered().body)
        await box.wait(3600)
        [item] = await box.list(None)
        found = await box.fetch(item)

    assert isinstance(found, Raw)
    assert found.body == rendered().body


async def test_what_lies_there_is_fetched_as_words_of_ours(dovecot: Dovecot, user: str) -> None:
    dovecot.maildir(user)
    sent = dovecot.maildir(f"{user}/.Sent")
    inbox = config(dovecot, user, sent_watch=True, after_filing="delete")
    dovecot.drop(f"{user}/.Sent", MAIL % b"1@shop.test")

    async with channel.open_sent(inbox) as box:
        [item] = await box.list(None)
        raw = await box.fetch(item)
        await box.settle(item)

    assert item.scope.startswith("Sent/")
    assert isinstance(raw, Raw)
    assert raw.sent
    [message] = channel.parse(inbox, raw)
    assert isinstance(message, InboundMessage)
    assert (message.direction, message.to[0].value) == (Direction.OUTBOUND, "yumi@example.jp")
    assert len(lying(sent)) == 1  # whatever is done with mails that come in


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sent_copy": True}, "imap_host: the Sent folder is on the incoming server"),
        ({"sent_watch": True}, "imap_host: the Sent folder is on the incoming server"),
        (
            {"imap_host": "imap.gmail.com", "smtp_host": "smtp.gmail.com", "sent_copy": True},
            "sent_copy: this provider puts a copy there by itself",
        ),
        (
            {"imap_host": "a.test", "smtp_host": "smtp.office365.com", "sent_copy": True},
            "sent_copy: this provider puts a copy there by itself",
        ),
        (
            {"imap_host": "a.test", "sent_watch": True, "sent_folder": "INBOX"},
            "sent_folder: this is the folder that is fetched",
        ),
    ],
)
def test_what_cannot_work_is_said_when_it_is_saved(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EmailConfig.model_validate({"address": "help@shop.test", **changes})

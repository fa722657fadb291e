"""How long it takes until a mail, or the end of a connection, is noticed."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import pytest

from channels.contract import Mailbox, TryLater
from channels.email import channel, imap
from tests.channels.email.imap_talk import config, silence
from tests.servers.imap_liar import ImapLiar, Reply, imap_liar
from tests.worker.hurry import hurried

T = TypeVar("T")
MINUTE = 60.0
FIVE_MINUTES = 300.0
WITHOUT_IDLE: Reply = b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"


async def begin(liar: ImapLiar, writer: asyncio.StreamWriter) -> None:
    """Takes up IDLE, and ends it as soon as it is told to."""
    tag = liar.tag
    writer.write(b"+ idling\r\n")
    liar.replies["DONE"] = f"{tag} OK done\r\n".encode()


def in_short_minutes(
    act: Callable[[ImapLiar, Mailbox], Coroutine[Any, Any, T]], **replies: Reply
) -> T:
    """Run `act` at a server whose minutes are fractions of a second."""

    async def acted() -> T:
        async with imap_liar(dict(replies)) as liar:
            liar.replies.setdefault("IDLE", partial(begin, liar))
            async with channel.open(config(liar)) as box:
                await box.list(None)
                return await act(liar, box)

    return hurried(acted, faster=100)


async def waited(box: Mailbox, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with suppress(TryLater):
        await box.wait(seconds)
    return loop.time() - began


@pytest.mark.parametrize("idles", [True, False])
def test_it_looks_at_least_every_two_minutes_whatever_the_server_tells(idles: bool) -> None:
    replies = {} if idles else {"CAPABILITY": WITHOUT_IDLE}

    seconds = in_short_minutes(lambda _, box: waited(box, 60 * MINUTE), **replies)

    assert imap.LOOK_SECONDS <= seconds < imap.LOOK_SECONDS + 30


@pytest.mark.parametrize("dead", ["IDLE", "DONE", "NOOP"])
def test_a_silently_dead_connection_is_noticed_within_five_minutes(dead: str) -> None:
    async def act(liar: ImapLiar, box: Mailbox) -> tuple[float, bool]:
        liar.mute.add(dead)
        seconds = await waited(box, 60 * MINUTE)
        with pytest.raises(TryLater):
            await box.list(None)  # asks whether anybody is there
        return seconds, True

    seconds, noticed = in_short_minutes(act)

    assert noticed
    assert seconds < FIVE_MINUTES


def test_a_silently_dead_connection_without_idle_is_noticed_within_five_minutes() -> None:
    async def act(liar: ImapLiar, box: Mailbox) -> float:
        liar.replies["NOOP"] = silence
        return await waited(box, 60 * MINUTE)

    assert in_short_minutes(act, CAPABILITY=WITHOUT_IDLE) < FIVE_MINUTES


def test_a_closed_connection_is_noticed_at_once() -> None:
    async def act(liar: ImapLiar, box: Mailbox) -> float:
        async def begin_and_hang_up(writer: asyncio.StreamWriter) -> None:
            writer.write(b"+ idling\r\n")
            await writer.drain()
            writer.close()

        liar.replies["IDLE"] = begin_and_hang_up
        return await waited(box, 60 * MINUTE)

    assert in_short_minutes(act) < 30


def test_idle_is_begun_again_and_again() -> None:
    async def act(liar: ImapLiar, box: Mailbox) -> list[str]:
        for _ in range(3):
            await box.wait(MINUTE)
            await box.list(None)
        return [command for command in liar.heard if command in {"IDLE", "DONE"}]

    assert in_short_minutes(act) == ["IDLE", "DONE"] * 3


def test_no_idle_lasts_so_long_that_five_minutes_are_not_enough_to_miss_it() -> None:
    longest = imap.IDLE_SECONDS + 15 + imap.ALIVE_SECONDS

    assert longest < FIVE_MINUTES


def test_capabilities_are_read_after_encryption_and_again_after_signing_in() -> None:
    async def act(liar: ImapLiar, _: Mailbox) -> list[str]:
        return liar.heard[:4]

    assert in_short_minutes(act) == [
        "CAPABILITY",
        'LOGIN "support@example.com" "p"',
        "CAPABILITY",
        'EXAMINE "INBOX"',
    ]

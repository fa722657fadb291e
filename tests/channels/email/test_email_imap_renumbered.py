"""A mail is known again by what it is, when its server gives it another number."""

import os
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest

from channels.contract import Identity, Raw
from channels.email.imap import ImapMailbox, identity, imap_date, open_mailbox
from tests.channels.email.test_email_imap import config, mail
from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.dovecot
NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def opened(dovecot: Dovecot, user: str) -> AbstractAsyncContextManager[ImapMailbox]:
    return open_mailbox(config(dovecot, user))


async def test_every_mail_keeps_its_identity_under_new_numbers(dovecot: Dovecot, user: str) -> None:
    for number in range(1, 4):
        dovecot.drop(user, mail(number))
    async with opened(dovecot, user) as box:
        before = await box.list(None)
        fetched = [await box.fetch(item) for item in before]
    dovecot.renumber(user)

    async with opened(dovecot, user) as box:
        after = await box.list(None)
        known = await box.identities(after)

    kept = {raw.identity for raw in fetched if isinstance(raw, Raw)}
    assert len(kept) == 3
    assert not {""} & kept
    assert {item.scope for item in after} != {item.scope for item in before}
    assert {one.key for one in known.values()} == kept
    assert set(known) == set(after)


async def test_two_accounts_with_the_same_numbers_are_never_mixed_up(
    dovecot: Dovecot, user: str
) -> None:
    other = f"{user}-other"
    for number, name in enumerate((user, other), 1):
        dovecot.drop(name, mail(number))
        numbers = dovecot.maildir(name) / "dovecot-uidlist"
        numbers.write_text("3 V1700000000 N1\n")
        os.chown(numbers, dovecot.uid, dovecot.gid)

    async with opened(dovecot, user) as box, opened(dovecot, other) as another:
        [mine], [theirs] = await box.list(None), await another.list(None)
        mixed_up = await box.fetch(theirs)
        told = await another.identities([mine])
        fetched = await another.fetch(theirs)

    assert (mine.number, theirs.number, mixed_up, told) == (1, 1, None, {})
    assert mine.scope.endswith(".1700000000")
    assert theirs.scope.endswith(".1700000000")
    assert isinstance(fetched, Raw)
    assert fetched.external_id == f"{theirs.scope}/1" != f"{mine.scope}/1"


async def test_a_mail_without_an_id_of_its_own_is_known_by_nothing(
    dovecot: Dovecot, user: str
) -> None:
    dovecot.drop(user, b"From: a@customers.example\r\nSubject: Hello\r\n\r\nMessage-ID: <x@y>\r\n")

    async with opened(dovecot, user) as box:
        (item,) = await box.list(None)
        known = await box.identities([item])
        raw = await box.fetch(item)

    assert isinstance(raw, Raw)
    assert raw.identity == ""
    assert known == {item: Identity("", raw.received_at)}


async def test_what_came_before_a_day_is_told_by_the_server(dovecot: Dovecot, user: str) -> None:
    dovecot.drop(user, mail(1))
    now = datetime.fromtimestamp(time.time(), UTC)

    async with opened(dovecot, user) as box:
        items = await box.list(None)
        older = [
            await box.older(now + timedelta(days=2)),
            await box.older(now - timedelta(days=2)),
        ]

    assert older == [list(items), []]


@pytest.mark.parametrize(
    ("head", "key"),
    [
        (b"Message-ID: <a@b>\r\n\r\n", "a@b 2026-03-09T12:00:00+00:00 7"),
        (b"From: x\nMESSAGE-ID:\n  <a@b>\n\n", "a@b 2026-03-09T12:00:00+00:00 7"),
        (b"From: x\r\n\r\nMessage-ID: <a@b>\r\n", ""),
        (b"X-Message-ID: <a@b>\r\n\r\n", ""),
        (b"Message-ID: <a\x00@\x1bb>\r\n\r\n", "a@b 2026-03-09T12:00:00+00:00 7"),
        (b"", ""),
    ],
)
def test_an_identity_is_id_time_and_size(head: bytes, key: str) -> None:
    assert identity(head, NOON, 7) == key
    assert identity(head, None, 7) == ""


def test_days_are_written_as_imap_writes_them() -> None:
    assert imap_date(NOON) == "9-Mar-2026"

"""The folder of what was sent is watched from now on, beside what comes in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlmodel import select
from typing_extensions import override

from app.services import leases, tickets
from app.services.tickets import Draft
from app.store.tables import Arrival, Folder, Lease, LedgerRow, Message
from app.worker import pull, refusals, sent_turn
from app.worker.copies import copy
from app.worker.deliver import deliver
from app.worker.file import file
from channels.contract import (
    Direction,
    Ignored,
    InboundMessage,
    Misconfigured,
    Raw,
    SentMailbox,
    ServerId,
    SignInRefused,
    TryLater,
)
from tests.fakes import FakeConfig, raw
from tests.inquiries import NOON
from tests.worker.conftest import Plant
from tests.worker.hurry import ended, hurried, until
from tests.worker.post import Box, Post

ACCOUNT = "support imap.shop.test"
HOUR = timedelta(hours=1)


class TwoFolders(Post):
    """`sent` is the other folder of the account; `copies` is what was put there by us."""

    def __init__(self, *items: Raw) -> None:
        super().__init__(*items)
        self.sent = Post()
        self.sent.server.scope = "Sent/1"
        self.sent.box = lambda: SentBox(self)
        self.copies: list[str] = []
        self.refuses: list[Exception] = []
        self.most = 0  # connections at once
        self.on_open = self.sent.on_open = self._count

    def _count(self) -> None:
        self.most = max(self.most, self.open_now + self.sent.open_now + 1)

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        [message] = super().parse(config, raw)
        assert isinstance(message, InboundMessage)
        direction = Direction.OUTBOUND if raw.sent else Direction.INBOUND
        return [replace(message, direction=direction)]

    def keeps_copies(self, config: FakeConfig) -> bool:
        return True

    def watches_sent(self, config: FakeConfig) -> bool:
        return True

    def account(self, config: FakeConfig) -> str:
        return ACCOUNT

    def open_sent(self, config: FakeConfig) -> AbstractAsyncContextManager[SentMailbox]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[SentMailbox]:
            async with self.sent.open(config) as box:
                assert isinstance(box, SentBox)
                yield box

        return opened()

    def lay(self, *names: str) -> None:
        number = len(self.sent.server.items)
        for name in names:
            number += 1
            one = replace(raw(name), external_id=f"Sent/1/{number}", sent=True)
            self.sent.server.items.append(one)


class SentBox(Box):
    def __init__(self, folders: TwoFolders) -> None:
        super().__init__(folders.sent)
        self.folders = folders

    async def keep_copy(self, external_id: str, body: bytes) -> None:
        if self.folders.refuses:
            raise self.folders.refuses.pop(0)
        self.folders.copies.append(external_id)

    def hurry(self) -> None:
        self.post.new.set()


def known(plant: Plant) -> list[tuple[str, int, bool]]:
    return [(row.scope, row.number, row.sent) for row in plant.desk.all(LedgerRow)]


def folders(plant: Plant) -> list[tuple[str, int, int, int]]:
    return [
        (row.scope, row.on_server, row.older, row.not_explained) for row in plant.desk.all(Folder)
    ]


def test_what_is_sent_from_now_on_is_fetched_and_nothing_is_mixed_up(plant: Plant) -> None:
    post = TwoFolders(raw("1"), raw("2"))
    post.server.scope = "INBOX/1"
    post.lay("old", "older")
    plant = plant.with_channel(post)

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and post.sent.rests > 0)
        post.server.items.append(raw("3"))
        await post.look_again()
        post.lay("new")
        await post.sent.look_again()
        await ended(task)

    hurried(act)
    assert known(plant) == [
        ("INBOX/1", 1, False),
        ("INBOX/1", 2, False),
        ("INBOX/1", 3, False),
        ("Sent/1", 3, True),
    ]
    assert [(row.external_id, row.sent) for row in plant.desk.all(Arrival)][-1] == (
        "Sent/1/3",
        True,
    )
    assert sorted(folders(plant)) == [("INBOX/1", 2, 0, 0), ("Sent/1", 3, 2, 0)]


@pytest.mark.parametrize("problem", [TryLater("It is away."), Misconfigured("No such folder.")])
def test_a_sent_folder_in_trouble_does_not_stop_what_comes_in(
    plant: Plant, problem: Exception
) -> None:
    post = TwoFolders(raw("1"))
    post.sent.troubles = [problem] * 99
    plant = plant.with_channel(post)

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and plant.inbox().sent_error)
        post.server.items.append(raw("2"))
        await post.look_again()
        await ended(task)

    hurried(act)
    assert [row.external_id for row in plant.desk.all(Arrival)] == ["1", "2"]
    inbox = plant.inbox()
    assert (inbox.sent_error, inbox.last_in_error) == (str(problem), "")


class Western(SentBox):
    """A server that knows only days, and begins each ten hours later."""

    @override
    async def older(self, than: datetime) -> Sequence[ServerId]:
        return [
            item
            for item, known in (await self.identities(await self.list(None))).items()
            if known.received_at and (known.received_at - timedelta(hours=10)).date() < than.date()
        ]


@pytest.mark.parametrize(
    ("scope", "fetched"), [("Sent/a.2", [2]), ("Sent/b.1", []), ("Old/a.1", [])]
)
def test_new_numbers_lose_nothing_and_another_place_begins_from_now_on(
    plant: Plant, scope: str, fetched: list[int]
) -> None:
    post = TwoFolders(raw("1"))
    post.sent.server.scope = "Sent/a.1"
    post.sent.box = lambda: Western(post)
    post.lay("old", "new")
    old, new = post.sent.server.items
    post.sent.server.items = [replace(old, received_at=NOON - timedelta(days=9))]
    plant = plant.with_channel(post)

    async def look() -> None:
        rests = post.sent.rests
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.sent.rests > rests)
        await ended(task)

    plant.forward(timedelta(hours=13))
    hurried(look)
    post.sent.server.items.append(replace(new, received_at=NOON + timedelta(hours=14)))
    post.sent.server.scope = scope
    hurried(look)

    assert post.sent.fetched == fetched


class Silent(SentBox):
    @override
    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        await asyncio.Event().wait()
        raise AssertionError


def test_a_sent_folder_that_says_nothing_does_not_hold_up_what_comes_in(plant: Plant) -> None:
    post = TwoFolders(raw("1"))
    post.sent.box = lambda: Silent(post)
    plant = plant.with_channel(post)

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and post.sent.open_now)
        await file(plant.works, plant.inbox_id)
        await post.look_again()
        await ended(task)

    hurried(act)
    assert [item.number for item in post.server.settled] == [1]
    assert post.sent.open_now == 0


async def answered(plant: Plant) -> Message:
    ticket = plant.desk.ticket()
    message: Message = plant.desk.do(
        tickets.reply, plant.desk.ann, ticket.ref, Draft(f"Turn {ticket.id}.")
    )
    await deliver(plant.works, message.id)
    found: Message = plant.desk.one(Message, message.id)
    return found


async def test_a_copy_is_put_there_after_it_was_sent(plant: Plant) -> None:
    post = TwoFolders()
    post.refuses = [TryLater("It is away.")]
    plant = plant.with_channel(post)
    message = await answered(plant)
    await copy(plant.works, plant.inbox_id)
    assert (post.copies, plant.inbox().sent_error) == ([], "It is away.")

    plant.forward(timedelta(minutes=2))
    await copy(plant.works, plant.inbox_id)
    await copy(plant.works, plant.inbox_id)

    assert (post.copies, plant.inbox().sent_error) == ([message.external_id], "")
    assert plant.delivery() == ("sent", "")
    assert len(post.server.sent) == 1


async def test_a_refused_account_is_left_in_peace_by_copies(plant: Plant) -> None:
    post = TwoFolders()
    post.sent.troubles = [SignInRefused("It says no."), SignInRefused("It says no again.")]
    plant = plant.with_channel(post)
    ids = [(await answered(plant)).external_id for _ in range(3)]

    for minutes in (0, 2, 50):
        plant.forward(timedelta(minutes=minutes))
        await copy(plant.works, plant.inbox_id)
    assert (post.copies, len(post.sent.troubles)) == ([], 1)
    assert await asyncio.to_thread(refusals.seconds_left, plant.works, plant.inbox_id) == 8 * 60

    plant.forward(timedelta(minutes=9))
    post.sent.troubles = []
    await copy(plant.works, plant.inbox_id)
    assert sorted(post.copies) == sorted(ids)


async def test_copies_of_an_inbox_go_over_one_connection(plant: Plant) -> None:
    post = TwoFolders()
    plant = plant.with_channel(post)
    ids = [(await answered(plant)).external_id for _ in range(3)]

    await asyncio.gather(*(copy(plant.works, plant.inbox_id) for _ in range(3)))

    assert (post.copies, len(post.sent.attempts)) == (ids, 1)


# A database that takes its time is no reason to hang up here: that is another test.
SLOWER = 20.0


def test_a_mailbox_has_two_connections_at_once_at_most(plant: Plant) -> None:
    post = TwoFolders(raw("1"))
    plant = plant.with_channel(post)
    another = replace(plant.works, name="two", turns={}, sent={})
    ids: list[str] = []

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and post.sent.rests > 0)
        ids.append((await answered(plant)).external_id)
        await copy(plant.works, plant.inbox_id)
        await until(lambda: post.copies == ids)

        ids.append((await answered(plant)).external_id)
        await copy(another, plant.inbox_id)
        assert post.copies == ids[:1]  # another worker leaves it to the one that is connected
        await post.sent.look_again()
        await ended(task)

    hurried(act, SLOWER)
    assert (post.copies, post.most) == (ids, 2)
    assert (len(post.attempts), len(post.sent.attempts)) == (1, 1)


def test_inboxes_of_one_account_take_turns_at_what_was_sent(plant: Plant) -> None:
    post = TwoFolders(raw("1"))
    plant = plant.with_channel(post)
    plant.add_inbox("sales@shop.test")

    def had(turns: int) -> bool:
        return len(post.sent.attempts) == turns

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.open_now == 2)
        for turns in (1, 2, 3):
            await until(partial(had, turns))
            await until(lambda: plant.desk.do(leases.is_wanted, lease, "nobody"))
            post.sent.new.set()
        await ended(task)

    lease = sent_turn.lease_of(ACCOUNT)
    hurried(act, SLOWER)
    assert post.most == 3  # one for each inbox, and one for what was sent
    assert len(folders(plant)) == 4


def test_who_may_not_be_connected_any_more_hangs_up(plant: Plant) -> None:
    post = TwoFolders(raw("1"))
    plant = plant.with_channel(post)

    async def act() -> None:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and post.sent.rests > 0)
        plant.forward(HOUR)
        plant.desk.do(leases.take, sent_turn.lease_of(ACCOUNT), "another watch 9", HOUR)
        await until(lambda: post.sent.open_now == 0)
        assert post.open_now == 1
        plant.desk.do(leases.drop, "another")
        await until(lambda: post.sent.open_now == 1)
        await ended(task)

    hurried(act)
    assert (post.most, post.open_now, post.sent.open_now) == (2, 0, 0)


def test_who_cannot_ask_whether_it_is_still_theirs_hangs_up_in_time(plant: Plant) -> None:
    post = TwoFolders(raw("1"))
    plant = plant.with_channel(post)

    async def act() -> float:
        task = asyncio.create_task(pull.supervise(plant.works))
        await until(lambda: post.rests > 0 and post.sent.rests > 0)
        with plant.desk.db.transaction() as session:  # the database answers nobody about it
            session.exec(select(Lease).with_for_update()).all()
            began = asyncio.get_running_loop().time()
            await until(lambda: post.sent.open_now == 0)
            took: float = asyncio.get_running_loop().time() - began
        await ended(task)
        return took

    assert hurried(act, 50) < sent_turn.LEASE.total_seconds()

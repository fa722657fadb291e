"""Mails that are listed and not handed out, marks that are refused, accounts that are refused."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr
from typing_extensions import override

from app.services import inboxes
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.store.tables import LedgerRow
from app.worker import pull, refusals
from app.worker.file import file
from channels.contract import Mailbox, NotSettled, ServerId, SignInRefused, TryLater, Withheld
from tests.fakes import FakeConfig, raw
from tests.worker.conftest import Plant
from tests.worker.hurry import ended, hurried, until
from tests.worker.post import Box, Post

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
MINUTE = timedelta(minutes=1)
REPLACED = FakeConfig(secret=SecretStr("new"))
WORDS = "The server lists mail 1 but does not hand it out."


def ledger(plant: Plant) -> list[tuple[int, bool, int, str]]:
    """Number, whether it was kept, how often it was tried in vain, and what went wrong."""
    return [
        (row.number, row.arrival_id is not None, row.attempts, row.problem)
        for row in plant.desk.all(LedgerRow)
    ]


def pulling(plant: Plant) -> "asyncio.Task[None]":
    return asyncio.create_task(pull.supervise(plant.works))


def withholding(post: Post, *numbers: int) -> None:
    def refuse() -> None:
        if post.fetched[-1] in numbers:
            raise Withheld(f"The server lists mail {post.fetched[-1]} but does not hand it out.")

    post.on_fetch = refuse


def test_a_mail_that_is_withheld_is_tried_again_later_and_the_next_ones_come(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"))
    withholding(post, 1)
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        assert ledger(plant) == [(1, False, 1, WORDS), (2, True, 0, "")]
        assert plant.inbox().last_in_warning == WORDS

        await post.look_again()  # not yet
        post.server.items.append(raw("c"))
        await post.look_again()
        assert post.fetched == [1, 2, 3]
        assert plant.inbox().last_in_warning == WORDS  # mail comes in, and still one is missing

        plant.forward(MINUTE)
        await post.look_again()
        assert ledger(plant)[0] == (1, False, 2, WORDS)

        post.on_fetch = lambda: None
        plant.forward(4 * MINUTE)
        await post.look_again()
        await ended(task)

    hurried(act)

    assert post.fetched == [1, 2, 3, 1, 1]
    assert ledger(plant) == [(1, True, 2, ""), (2, True, 0, ""), (3, True, 0, "")]
    assert plant.states() == [("b", "waiting"), ("c", "waiting"), ("a", "waiting")]
    assert plant.inbox().last_in_warning == ""


@on_sqlite
def test_a_withheld_mail_that_somebody_removed_is_no_trouble_any_more(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"))
    withholding(post, 1, 2)
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        assert plant.inbox().last_in_warning == f"2 mails are not handed out. {WORDS}"

        post.on_fetch = lambda: None
        post.gone = {1, 2}
        plant.forward(MINUTE)
        await post.look_again()
        await ended(task)

    hurried(act)

    gone = "It was gone before it could be fetched."
    assert ledger(plant) == [(1, False, 1, gone), (2, False, 1, gone)]
    assert plant.inbox().last_in_warning == ""


class _Stubborn(Box):
    """Its server refuses marks as long as `words` is not empty."""

    words = "The server refused to mark a filed mail: over quota"

    most = 1000  # the last number it refuses

    @override
    async def settle(self, item: ServerId, *, whole: bool = True) -> None:
        if self.words and item.number <= self.most:
            raise NotSettled(self.words)
        await super().settle(item, whole=whole)


def test_a_refused_mark_is_said_and_tried_again_while_mail_comes_in(plant: Plant) -> None:
    post = Post(raw("a"))
    boxes: list[_Stubborn] = []

    def boxed() -> Mailbox:
        boxes.append(_Stubborn(post))
        return boxes[-1]

    post.box = boxed
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await file(plant.works, plant.inbox_id)
        post.server.items.append(raw("b"))
        await post.look_again()
        await post.look_again()
        assert plant.inbox().last_in_warning == _Stubborn.words
        assert post.server.settled == []

        boxes[0].words = ""
        await post.look_again()
        await ended(task)

    hurried(act)

    assert plant.states() == [("a", "filed"), ("b", "waiting")]
    assert post.server.settled == [ServerId("inbox/1", 1)]
    assert plant.inbox().last_in_warning == ""


def _filed_and_marked(plant: Plant, post: Post, looks: int) -> None:
    """All that is there is filed, and looked at again so many times."""

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await file(plant.works, plant.inbox_id)
        for _ in range(looks):
            await post.look_again()
        await ended(task)

    hurried(act)


class _Together(_Stubborn):
    """Its server can mark many at once, but not those that it refuses to mark at all."""

    async def settle_together(self, items: Sequence[ServerId]) -> bool:
        if self.words and any(item.number <= self.most for item in items):
            return False
        self.post.server.settled += items
        return True


@pytest.mark.parametrize(
    ("most", "marked", "words"), [(0, [1, 2, 3], ""), (1, [2, 3], _Stubborn.words)]
)
def test_many_are_marked_at_once_or_else_each_by_itself(
    plant: Plant, most: int, marked: list[int], words: str
) -> None:
    post = Post(*(raw(str(number)) for number in range(3)))
    box = _Together(post)
    box.most, post.box = most, lambda: box
    plant = plant.with_channel(post)

    _filed_and_marked(plant, post, 2)

    assert [item.number for item in post.server.settled] == marked
    assert plant.inbox().last_in_warning == words


@pytest.mark.parametrize("refused", [1, pull.REFUSALS])
@on_sqlite
def test_marks_that_are_refused_keep_no_other_mail_from_its_own(plant: Plant, refused: int) -> None:
    post = Post(*(raw(str(number)) for number in range(refused + 2)))
    box = _Stubborn(post)
    box.most, post.box = refused, lambda: box
    plant = plant.with_channel(post)

    _filed_and_marked(plant, post, 3)

    assert plant.inbox().last_in_warning == _Stubborn.words
    assert post.server.settled == [ServerId("inbox/1", refused + more) for more in (1, 2)]


class _Busy(Box):
    """While it leaves marks, more is filed."""

    filing: Callable[[], Coroutine[Any, Any, None]]

    async def settle_together(self, items: Sequence[ServerId]) -> bool:
        self.post.server.settled += items
        await self.filing()
        return True


def test_what_is_filed_while_marks_are_left_waits_for_a_look_at_what_is_new(plant: Plant) -> None:
    post = Post(raw("a"))
    box = _Busy(post)
    post.box = lambda: box
    plant = plant.with_channel(post)
    box.filing = lambda: file(plant.works, plant.inbox_id)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await file(plant.works, plant.inbox_id)
        post.server.items += [raw("b"), raw("c")]
        await post.look_again()
        assert [item.number for item in post.server.settled] == [1]
        looked = len(post.listed)
        await post.look_again()
        assert len(post.listed) == looked + 1
        assert [item.number for item in post.server.settled] == [1, 2, 3]
        await ended(task)

    hurried(act)


class _Slow(_Stubborn):
    """Its server takes longer for one mark than is left for all of them."""

    words = ""

    @override
    async def settle(self, item: ServerId, *, whole: bool = True) -> None:
        await super().settle(item, whole=whole)
        await asyncio.sleep(pull.MARKING + 1)


def test_many_marks_that_take_long_keep_nothing_new_waiting(plant: Plant) -> None:
    post = Post(*(raw(str(number)) for number in range(3)))
    box = _Slow(post)
    post.box = lambda: box
    plant = plant.with_channel(post)

    _filed_and_marked(plant, post, 1)

    assert len(post.listed) == 2 + 3  # two looks, and one after each mark
    assert [item.number for item in post.server.settled] == [1, 2, 3]


class _Rotating(Post):
    """Its provider replaces the secret once."""

    def renewed(self, config: FakeConfig) -> FakeConfig | None:
        return None if config == REPLACED else REPLACED


def test_a_secret_the_provider_replaced_is_stored(plant: Plant) -> None:
    post = _Rotating(raw("a"))
    plant = plant.with_channel(post)
    before = plant.inbox().sealed_config

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: len(post.attempts) == 2)  # once more, with the new one
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    stored = inboxes.config_of(plant.inbox(), plant.works.keys, FakeConfig)
    assert stored == REPLACED
    assert len(post.attempts) == 2

    # what a person saved meanwhile stays
    plant.desk.do(inboxes.renew, plant.works.keys, plant.inbox_id, before, FakeConfig())
    assert inboxes.config_of(plant.inbox(), plant.works.keys, FakeConfig) == stored


class _Limited(Box):
    """Its server cannot leave the mark that was configured."""

    warning = "The server takes no new keywords."


@on_sqlite
def test_what_a_server_cannot_do_is_said_for_as_long_as_mail_is_fetched_from_it(
    plant: Plant,
) -> None:
    post = Post(raw("a"))
    post.box = lambda: _Limited(post)
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        post.server.items.append(raw("b"))
        await post.look_again()
        await ended(task)

    hurried(act)

    assert plant.states() == [("a", "waiting"), ("b", "waiting")]
    assert plant.inbox().last_in_warning == "The server takes no new keywords."


class _Dropping(Box):
    """Its connection is lost after six minutes of rest."""

    @override
    async def wait(self, seconds: float) -> None:
        self.post.rests += 1
        await asyncio.sleep(360)
        raise TryLater("The connection broke.")


@on_sqlite
def test_a_connection_that_lasted_is_made_anew_at_once_whatever_was_before(plant: Plant) -> None:
    post = Post()
    post.troubles = [TryLater("Away.", after=250)]
    post.box = lambda: _Dropping(post)
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: len(post.attempts) == 3)
        await ended(task)

    hurried(act)

    _, again = (after - before for before, after in pairwise(post.attempts))
    assert 360 < again < 360 + 250  # and not the double of the wait before


def test_a_refused_account_is_left_in_peace_by_every_worker_for_an_hour(plant: Plant) -> None:
    post = Post(raw("a"))
    post.troubles = [SignInRefused("The password is wrong.")]
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.inbox().last_in_error == "The password is wrong.")
        await ended(task)

        plant.forward(59 * MINUTE)
        task = pulling(plant)  # as after a restart
        looks = 0

        def several_looks() -> bool:
            nonlocal looks
            looks += refusals.seconds_left(plant.works, plant.inbox_id) == 60.0
            return looks > 20

        await until(several_looks)
        assert len(post.attempts) == 1

        plant.forward(MINUTE)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    assert len(post.attempts) == 2
    assert plant.inbox().last_in_error == ""


@on_sqlite
def test_what_comes_after_a_refused_account_is_backed_off_as_ever(plant: Plant) -> None:
    post = Post(raw("a"))
    post.troubles = [SignInRefused("Wrong."), *(TryLater("Away.") for _ in range(3))]
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.inbox().last_in_error == "Wrong.")
        plant.forward(60 * MINUTE)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    waits = [after - before for before, after in pairwise(post.attempts)][1:]
    assert [wait >= least for wait, least in zip(waits, (2.8, 3.9, 5.4), strict=True)] == [True] * 3


@on_sqlite
def test_settings_saved_again_end_the_peace_of_a_refused_account(plant: Plant) -> None:
    post = Post(raw("a"))
    post.troubles = [SignInRefused("The password is wrong.")]
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.inbox().last_in_error == "The password is wrong.")

        same = NewInbox("fake", "Support", FakeConfig(), "help@shop.test")
        plant.desk.do(inboxes.change, SYSTEM, plant.works.keys, plant.inbox_id, same)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    assert len(post.attempts) >= 2  # its task may begin anew as well

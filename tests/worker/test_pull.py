"""Fetching: the ledger says what is missing, and only what is filed is marked on the server."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from app.services import inboxes, leases
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.store.tables import Arrival, LedgerRow
from app.worker import pull
from app.worker.file import file
from channels.contract import Misconfigured, Raw, ServerId, TryLater
from tests.fakes import FakeConfig, raw
from tests.inquiries import NOON
from tests.worker.conftest import Plant
from tests.worker.hurry import ended, hurried, until
from tests.worker.post import Post

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
HOUR = timedelta(hours=1)


def item(number: int) -> ServerId:
    return ServerId("inbox/1", number)


def ledger(plant: Plant) -> list[tuple[int, bool, bool, str]]:
    """Number, whether it was kept, whether it is marked on the server, and what went wrong."""
    return [
        (row.number, row.arrival_id is not None, row.settled_at is not None, row.problem)
        for row in plant.desk.all(LedgerRow)
    ]


def pulling(plant: Plant) -> "asyncio.Task[None]":
    return asyncio.create_task(pull.supervise(plant.works))


def test_what_the_ledger_lacks_is_fetched_and_nothing_else(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"))
    post.gone = {1}
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        post.server.items.append(raw("c"))
        await post.look_again()
        await ended(task)
        assert ledger(plant) == [
            (1, False, False, "It was gone before it could be fetched."),
            (2, True, False, ""),
            (3, True, False, ""),
        ]

        post.gone.clear()  # moved away and back again: the cursor is past it
        task = pulling(plant)
        await until(
            lambda: plant.states() == [("b", "waiting"), ("c", "waiting"), ("a", "waiting")]
        )
        await ended(task)

    hurried(act)

    assert post.fetched == [1, 2, 3, 1]
    assert post.listed == [None, item(2), None]
    assert ledger(plant) == [(1, True, False, ""), (2, True, False, ""), (3, True, False, "")]


def test_a_mail_at_which_the_connection_breaks_every_time_holds_up_no_other(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"), raw("c"))

    def hang_up() -> None:
        if post.fetched[-1] == 2:
            raise TryLater("The connection broke.")

    post.on_fetch = hang_up
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await ended(task)

    hurried(act)

    assert post.fetched == [1, 2, 2, 2, 3]
    assert plant.states() == [("a", "waiting"), ("c", "waiting")]
    words = "Mail 2 could not be fetched: The connection broke."
    assert ledger(plant) == [(1, True, False, ""), (2, False, False, words), (3, True, False, "")]
    assert plant.inbox().last_in_warning == words


@pytest.mark.parametrize("kind", ["postgres"])
def test_a_mail_the_database_cannot_take_does_not_hold_up_the_others(plant: Plant) -> None:
    bad = Raw("b\x00", b"{}")  # PostgreSQL stores no NUL
    post = Post(raw("a"), bad, raw("c"))
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await ended(task)

    hurried(act)

    assert post.fetched == [1, 2, 3]
    assert plant.states() == [("a", "waiting"), ("c", "waiting")]
    words = "The database does not take mail 2; see the log."
    assert ledger(plant) == [(1, True, False, ""), (2, False, False, words), (3, True, False, "")]


@on_sqlite
def test_once_an_hour_it_looks_at_everything(plant: Plant) -> None:
    post = Post(raw("a"))
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await post.look_again()
        plant.forward(HOUR + timedelta(seconds=1))
        await post.look_again()
        await post.look_again()
        await ended(task)

    hurried(act)

    assert post.listed == [None, item(1), None, item(1)]


def test_what_was_there_before_is_left_alone_where_that_is_wanted(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"))
    plant = plant.with_channel(post)
    new = NewInbox("fake", "Support", FakeConfig(import_days=0), "help@shop.test")
    plant.desk.do(inboxes.change, SYSTEM, plant.works.keys, plant.inbox_id, new)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        post.server.items.append(raw("c"))
        await post.look_again()
        await ended(task)
        task = pulling(plant)  # from then on everything is new, after a restart as well
        await until(lambda: post.rests == 3)
        await ended(task)

    hurried(act)

    assert post.fetched == [3]
    assert plant.states() == [("c", "waiting")]


def test_only_what_is_filed_is_marked_on_the_server(plant: Plant) -> None:
    post = Post(raw("a"), Raw("broken", b"{"), raw("c"))
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        await post.look_again()
        assert post.server.settled == []

        await file(plant.works, plant.inbox_id)
        await post.look_again()
        await post.look_again()
        await ended(task)

    hurried(act)

    assert post.server.settled == [item(1), item(3)]
    assert ledger(plant) == [(1, True, True, ""), (2, True, False, ""), (3, True, True, "")]


def test_whoever_lost_the_lease_keeps_nothing_more(plant: Plant) -> None:
    post = Post(raw("a"), raw("b"))
    lease = f"pull {plant.inbox_id}"

    def another_takes_over() -> None:
        post.on_fetch = lambda: None
        plant.forward(timedelta(seconds=61))
        assert plant.desk.do(leases.take, lease, "another", HOUR) == 2

    post.on_fetch = another_takes_over
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.fetched and not post.open_now)
        assert (post.fetched, plant.states(), ledger(plant)) == ([1, 2], [], [])
        assert plant.inbox().last_in_error == ""

        plant.desk.do(leases.drop, "another")
        await until(lambda: len(plant.states()) == 2)
        await ended(task)

    hurried(act)

    assert post.fetched == [1, 2, 1, 2]
    assert plant.states() == [("a", "waiting"), ("b", "waiting")]


@on_sqlite
def test_whoever_cannot_renew_the_lease_lets_go_of_the_mailbox(plant: Plant) -> None:
    post = Post()
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.rests)
        plant.forward(timedelta(seconds=61))
        plant.desk.do(leases.take, f"pull {plant.inbox_id}", "another", HOUR)

        await until(lambda: not post.open_now)
        await ended(task)

    hurried(act)

    assert len(post.attempts) == 1


def test_a_server_that_is_away_is_tried_again_and_again_later(plant: Plant) -> None:
    post = Post(raw("a"))
    post.troubles = [TryLater("Too many connections.", after=40), TryLater("Too many.", after=60)]
    plant = plant.with_channel(post)
    said: list[str] = []
    post.on_open = lambda: said.append(plant.inbox().last_in_error)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    waits = [after - before for before, after in pairwise(post.attempts)]
    assert [wait >= least for wait, least in zip(waits, (40, 60), strict=True)] == [True, True]
    assert said == ["", "Too many connections.", "Too many."]
    assert (plant.inbox().last_in_error, plant.inbox().reconnects) == ("", 0)


@on_sqlite
def test_how_often_a_connection_was_made_anew_is_counted(plant: Plant) -> None:
    post = Post(raw("a"))
    plant = plant.with_channel(post)

    async def act() -> None:
        for _ in range(3):
            post.rests = 0
            task = pulling(plant)
            await until(lambda: post.rests)
            await ended(task)

    hurried(act)

    assert (plant.inbox().reconnects, plant.inbox().connected_at) == (2, NOON)


@on_sqlite
def test_without_a_word_from_the_server_the_waits_double(plant: Plant) -> None:
    post = Post()
    post.troubles = [TryLater("Away.") for _ in range(4)]
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.open_now)
        await ended(task)

    hurried(act)

    waits = [after - before for before, after in pairwise(post.attempts)]
    # 4, 8, 16, 32 seconds, each up to three tenths less by chance, and that carries on.
    assert [wait >= least for wait, least in zip(waits, (2.8, 3.9, 5.4, 7.6), strict=True)] == (
        [True] * 4
    )


def test_what_a_person_must_change_is_said_and_tried_again_when_it_is_changed(
    plant: Plant,
) -> None:
    post = Post(raw("a"))
    post.troubles = [Misconfigured("The password is wrong.")]
    plant = plant.with_channel(post)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.inbox().last_in_error == "The password is wrong.")
        assert len(post.attempts) == 1

        new = NewInbox("fake", "Support", FakeConfig(), "help@shop.test")
        plant.desk.do(inboxes.change, SYSTEM, plant.works.keys, plant.inbox_id, new)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act, faster=40)  # so that the wait it does not wait for is long

    assert len(post.attempts) == 2
    assert post.attempts[1] - post.attempts[0] < pull.AFTER_MISCONFIGURED
    assert plant.inbox().last_in_error == ""


@on_sqlite
def test_a_mailbox_is_let_go_when_its_inbox_is_switched_off_and_when_all_ends(
    plant: Plant,
) -> None:
    post = Post()
    plant = plant.with_channel(post)
    other = plant.add_inbox("other@shop.test")

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: post.open_now == 2)

        plant.desk.do(inboxes.set_enabled, SYSTEM, other.id, enabled=False)
        await until(lambda: post.open_now == 1)
        await ended(task)

    hurried(act)

    assert post.open_now == 0


@on_sqlite
def test_a_bug_in_one_mailbox_is_said_and_tried_again(plant: Plant) -> None:
    post = Post(raw("a"))
    post.troubles = [KeyError("uid")]
    plant = plant.with_channel(post)
    said: list[str] = []
    post.on_open = lambda: said.append(plant.inbox().last_in_error)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.states() == [("a", "waiting")])
        await ended(task)

    hurried(act)

    assert said == ["", "Setten failed while fetching; see the log."]


@on_sqlite
def test_an_inbox_nobody_can_open_does_not_stop_the_others(plant: Plant) -> None:
    post = Post(raw("a"))
    plant = plant.with_channel(post)
    lost = plant.add_inbox("lost@shop.test")
    plant.break_config(lost.id)

    async def act() -> None:
        task = pulling(plant)
        await until(lambda: plant.states() == [("a", "waiting")])
        await until(lambda: plant.inbox(lost.id).last_in_error)
        await ended(task)

    hurried(act)

    assert plant.inbox(lost.id).last_in_error == (
        "A stored secret cannot be opened with this installation's key: "
        "was the database moved without secret.key?"
    )
    assert [row.inbox_id for row in plant.desk.all(Arrival)] == [plant.inbox_id]

"""Folders with new numbers, imports of old mail, and what a look at everything found."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select
from typing_extensions import override

from app.domain.words import ArrivalState
from app.services import inboxes, intake
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.services.queries import mailboxes
from app.store.tables import Arrival, Change, Folder, Inbox, LedgerRow
from app.worker import pull
from channels.contract import Raw, ServerId, TryLater
from tests.fakes import FakeConfig, raw
from tests.inquiries import NOON
from tests.worker.conftest import Plant
from tests.worker.hurry import ended, hurried, until
from tests.worker.post import Box, Post

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def mail(name: str, age: timedelta = timedelta(0)) -> Raw:
    """One with an identity, as a server tells it; its arrival is named by folder and number."""
    return replace(raw(name), identity=f"<{name}>", received_at=NOON - age)


def numbered(post: Post, scope: str, *mails: Raw) -> None:
    post.server.scope = scope
    post.server.items = [
        replace(one, external_id=f"{scope}/{number}") for number, one in enumerate(mails, 1)
    ]


async def looked(plant: Plant, post: Post) -> None:
    """One connection, until everything there was looked at."""
    rests = post.rests
    task = asyncio.create_task(pull.supervise(plant.works))
    await until(lambda: post.rests > rests)
    await ended(task)


def with_config(plant: Plant, post: Post, config: FakeConfig) -> Plant:
    plant = plant.with_channel(post)
    new = NewInbox("fake", "Support", config, "help@shop.test")
    plant.desk.do(inboxes.change, SYSTEM, plant.works.keys, plant.inbox_id, new)
    return plant


def rows(plant: Plant) -> list[tuple[str, int, bool, bool, bool]]:
    """Folder, number; whether it was kept, is not wanted, is on the server no more."""
    return [
        (row.scope, row.number, row.arrival_id is not None, row.skipped, row.gone_at is not None)
        for row in plant.desk.all(LedgerRow)
    ]


def folders(plant: Plant) -> list[tuple[str, int, int, list[int]]]:
    return [
        (row.scope, row.on_server, row.older, row.unexplained) for row in plant.desk.all(Folder)
    ]


def test_a_server_that_numbers_anew_makes_nothing_fetched_twice(plant: Plant) -> None:
    post = Post()
    a, b, c, d = (mail(name) for name in "abcd")
    numbered(post, "INBOX/1", a, b, c)
    plant = plant.with_channel(post)

    async def act() -> None:
        await looked(plant, post)
        numbered(post, "INBOX/2", c, a, d)
        await looked(plant, post)
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [1, 2, 3, 3]
    assert len(plant.desk.all(Arrival)) == 4
    assert rows(plant) == [
        ("INBOX/1", 1, True, False, True),
        ("INBOX/1", 2, True, False, True),
        ("INBOX/1", 3, True, False, True),
        ("INBOX/2", 1, True, False, False),
        ("INBOX/2", 2, True, False, False),
        ("INBOX/2", 3, True, False, False),
    ]
    first = {row.identity: row.arrival_id for row in plant.desk.all(LedgerRow, scope="INBOX/1")}
    again = {row.identity: row.arrival_id for row in plant.desk.all(LedgerRow, scope="INBOX/2")}
    assert {name: again[name] for name in ("<a>", "<c>")} == {
        name: first[name] for name in ("<a>", "<c>")
    }
    assert folders(plant) == [("INBOX/2", 3, 0, [])]
    assert [
        change.data["scope"] for change in plant.desk.all(Change, what="mailbox_renumbered")
    ] == ["INBOX/2"]


def test_two_mails_that_look_the_same_stay_two(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a"), mail("a"))
    plant = plant.with_channel(post)

    async def act() -> None:
        await looked(plant, post)
        numbered(post, "INBOX/2", mail("a"), mail("a"), mail("a"))
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [1, 2, 3]


def test_what_is_known_by_nothing_is_fetched_again(plant: Plant) -> None:
    post = Post()
    nameless = replace(mail("a"), identity="")
    numbered(post, "INBOX/1", nameless)
    plant = plant.with_channel(post)

    async def act() -> None:
        await looked(plant, post)
        numbered(post, "INBOX/2", nameless)
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [1, 1]  # filing finds that it is a copy


def test_old_mail_that_was_not_wanted_is_not_wanted_under_new_numbers(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a", DAY), mail("b", DAY))
    plant = with_config(plant, post, FakeConfig(import_days=0))

    async def act() -> None:
        await looked(plant, post)
        new = mail("c", -DAY)
        numbered(post, "INBOX/1", mail("a", DAY), mail("b", DAY), new)
        await looked(plant, post)
        assert folders(plant) == [("INBOX/1", 3, 0, [])]
        numbered(post, "INBOX/2", mail("b", DAY), new, mail("a", DAY), mail("d", -DAY))
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [3, 4]
    assert rows(plant)[3:] == [
        ("INBOX/2", 1, False, True, False),
        ("INBOX/2", 2, True, False, False),
        ("INBOX/2", 3, False, True, False),
        ("INBOX/2", 4, True, False, False),
    ]
    assert folders(plant) == [("INBOX/2", 4, 0, [])]


def test_what_comes_in_the_moment_an_inbox_is_connected_is_wanted(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a"))

    class Slow(Box):
        @override
        async def older(self, than: datetime) -> Sequence[ServerId]:
            numbered(self.post, "INBOX/1", mail("a"), mail("b"))
            return await super().older(than)

    post.box = lambda: Slow(post)
    plant = with_config(plant, post, FakeConfig(import_days=0))

    hurried(lambda: looked(plant, post))

    assert post.fetched == [2]


def test_an_import_of_some_days_leaves_out_what_is_older(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a", 9 * DAY), mail("b", DAY), mail("c", 8 * DAY), mail("d"))
    plant = with_config(plant, post, FakeConfig(import_days=7))

    hurried(lambda: looked(plant, post))

    assert post.fetched == [2, 4]
    assert [(number, skipped) for _, number, _, skipped, _ in rows(plant)] == [
        (1, True),
        (3, True),
        (2, False),
        (4, False),
    ]


def test_new_numbers_bring_back_nothing_from_before_an_import_of_some_days(plant: Plant) -> None:
    post = Post()
    mails = [mail("a", 90 * DAY), mail("b", 8 * DAY), mail("c", DAY)]
    numbered(post, "INBOX/1", *mails)
    plant = with_config(plant, post, FakeConfig(import_days=7))

    async def act() -> None:
        await looked(plant, post)
        # what nobody knows may be new, though its server tells a time shortly before
        numbered(post, "INBOX/2", *mails, mail("d", 8 * DAY), mail("e"))
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [3, 4, 5]


@pytest.mark.parametrize(("days", "fetched"), [(0, [2, 3]), (7, [1, 2, 3]), (None, [1, 1, 2, 3])])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_another_folder_is_begun_anew(plant: Plant, days: int | None, fetched: list[int]) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a"))
    plant = with_config(plant, post, FakeConfig(import_days=days))

    async def act() -> None:
        await looked(plant, post)
        if days == 0:
            numbered(post, "INBOX/1", mail("a"), mail("b", -DAY))
            await looked(plant, post)
        post.server.place = "another"
        numbered(post, "Shop/7", mail("x", 20 * DAY), mail("y", DAY), mail("z", -DAY))
        await looked(plant, post)
        await looked(plant, post)

    hurried(act)

    assert post.fetched == fetched


def test_what_came_while_another_place_was_looked_at_is_fetched_on_return(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a", DAY))
    plant = with_config(plant, post, FakeConfig(import_days=0))

    async def act() -> None:
        await looked(plant, post)
        plant.forward(2 * HOUR)
        post.server.place = "another"
        numbered(post, "Shop/7", mail("x", DAY))
        await looked(plant, post)
        post.server.place = "inbox"
        numbered(post, "INBOX/1", mail("a", DAY), mail("b", -HOUR))
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [2]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_another_name_for_its_server_ends_no_catching_up(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a", DAY))
    plant = with_config(plant, post, FakeConfig(import_days=0))
    many = [mail(f"new {number}", -HOUR) for number in range(110)]

    def rename() -> None:
        if len(post.fetched) == 60:
            post.server.place = "the same by another name"
            numbered(post, "INBOX/2", mail("a", DAY), *many)
            raise TryLater("The settings were changed.")

    async def act() -> None:
        await looked(plant, post)
        plant.forward(2 * HOUR)
        numbered(post, "INBOX/1", mail("a", DAY), *many)
        post.on_fetch = rename
        await looked(plant, post)

    hurried(act)

    assert len(plant.desk.all(Arrival)) == 110


def test_another_account_with_the_same_numbers_is_begun_anew(plant: Plant) -> None:
    """Only what is the same mail in both is known; whatever else has the same number is not."""
    post = Post()
    numbered(post, "INBOX/a.1", mail("a"), mail("b"), mail("both"))
    plant = plant.with_channel(post)

    async def act() -> None:
        await looked(plant, post)
        plant.desk.do(mark_all_filed)
        plant.forward(HOUR)
        post.server.place = "another account"
        numbered(post, "INBOX/b.1", mail("c"), mail("both"))
        await looked(plant, post)
        plant.desk.do(mark_all_filed)
        await looked(plant, post)

    hurried(act)

    assert post.fetched == [1, 2, 3, 1]
    assert [row.external_id for row in plant.desk.all(Arrival)] == [
        *("INBOX/a.1/1", "INBOX/a.1/2", "INBOX/a.1/3"),
        "INBOX/b.1/1",
    ]
    assert rows(plant) == [
        ("INBOX/a.1", 1, True, False, True),
        ("INBOX/a.1", 2, True, False, True),
        ("INBOX/a.1", 3, True, False, True),
        ("INBOX/b.1", 2, True, False, False),
        ("INBOX/b.1", 1, True, False, False),
    ]
    assert folders(plant) == [("INBOX/b.1", 2, 0, [])]
    assert plant.desk.all(Change, what="mailbox_renumbered") == []
    with plant.desk.db.reading() as session:
        [balance] = mailboxes.balances(session, SYSTEM)
    assert (balance.folder, balance.on_server, balance.difference) == ("INBOX", 2, 0)
    assert balance.states[ArrivalState.FILED] == 2


def mark_all_filed(session: Session) -> None:
    for arrival in session.exec(select(Arrival)):
        arrival.state = ArrivalState.FILED


def test_what_comes_during_an_import_goes_first(plant: Plant) -> None:
    post = Post()
    many = [mail(f"old {number}") for number in range(160)]
    numbered(post, "INBOX/1", *many)

    def customer_writes() -> None:
        if len(post.fetched) == 30:
            numbered(post, "INBOX/1", *many, mail("new"))

    post.on_fetch = customer_writes
    plant = plant.with_channel(post)

    hurried(lambda: looked(plant, post))

    assert post.fetched == [*range(1, 51), 161, *range(51, 161)]
    arrivals = {row.external_id: row for row in plant.desk.all(Arrival)}
    assert [name for name, row in arrivals.items() if not row.backlog] == ["INBOX/1/161"]
    with plant.desk.db.reading() as session:
        first = intake.due(session, plant.inbox_id, 2)
    assert [row.external_id for row in first] == ["INBOX/1/161", "INBOX/1/1"]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_import_tells_how_much_is_still_on_the_server(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", *(mail(f"old {number}") for number in range(160)))
    plant = plant.with_channel(post)
    left = []

    def note() -> None:
        if len(post.fetched) % 50 == 30:
            left.append(plant.desk.one(Inbox, plant.inbox_id).to_fetch)

    post.on_fetch = note

    hurried(lambda: looked(plant, post))

    assert left == [135, 85, 35]
    assert plant.desk.one(Inbox, plant.inbox_id).to_fetch == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_look_at_everything_says_what_went_and_what_came_back(plant: Plant) -> None:
    post = Post()
    numbered(post, "INBOX/1", mail("a"), mail("b"), mail("c"))
    plant = plant.with_channel(post)

    async def act() -> None:
        await looked(plant, post)
        post.hidden.add(2)
        await looked(plant, post)
        assert [gone for *_, gone in rows(plant)] == [False, True, False]
        assert folders(plant) == [("INBOX/1", 2, 0, [])]
        post.hidden.clear()
        await looked(plant, post)

    hurried(act)

    assert [gone for *_, gone in rows(plant)] == [False, False, False]
    assert folders(plant) == [("INBOX/1", 3, 0, [])]

    post.hidden.update({1, 2, 3})
    hurried(lambda: looked(plant, post))

    assert [gone for *_, gone in rows(plant)] == [True, True, True]
    assert folders(plant) == [("INBOX/1", 0, 0, [])]

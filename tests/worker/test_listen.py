"""The test port is open exactly as long as nobody has a real inbox of that kind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from app.services import inboxes
from app.services.access import SYSTEM
from app.store.tables import Inbox
from app.worker import listen
from channels.contract import Take
from tests.fakes import FakeChannel, raw
from tests.worker.conftest import Plant
from tests.worker.hurry import ended, hurried, until

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
PORT = 8025


class Ear(FakeChannel):
    """A channel that can listen; hands out what it was given to whoever speaks to it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0  # attempts that find the port taken
        self.refusals = [OSError(98, "Address already in use")]
        self.asked: list[tuple[str, int]] = []
        self.speaking: list[tuple[Callable[[str], bool], Take]] = []

    def listen(
        self, host: str, port: int, knows: Callable[[str], bool], take: Take
    ) -> AbstractAsyncContextManager[int]:
        @asynccontextmanager
        async def served() -> AsyncIterator[int]:
            self.asked.append((host, port))
            if len(self.asked) <= self.taken:
                raise self.refusals[min(len(self.asked), len(self.refusals)) - 1]
            self.speaking.append((knows, take))
            try:
                yield port
            finally:
                self.speaking.pop()

        return served()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def listening(plant: Plant, ear: Ear) -> Plant:
    """The only inbox is the built-in one."""
    plant = plant.with_channel(ear)
    with plant.desk.db.transaction() as session:
        session.get_one(Inbox, plant.inbox_id).built_in = True
    settings = plant.works.settings.model_copy(update={"mail_port": PORT})
    return replace(plant, works=replace(plant.works, settings=settings))


def test_it_listens_only_while_the_built_in_inbox_is_the_only_one(
    listening: Plant, ear: Ear
) -> None:
    async def act() -> None:
        task = asyncio.create_task(listen.supervise(listening.works))
        await until(lambda: ear.speaking)

        real = listening.add_inbox("real@shop.test")
        await until(lambda: not ear.speaking)
        listening.desk.do(inboxes.set_enabled, SYSTEM, real.id, enabled=False)
        await until(lambda: ear.speaking)
        await ended(task)

    hurried(act)

    assert ear.asked == [("127.0.0.1", PORT)] * 2
    assert ear.speaking == []


def test_what_comes_is_kept_for_whom_it_is_meant(listening: Plant, ear: Ear) -> None:
    async def act() -> None:
        task = asyncio.create_task(listen.supervise(listening.works))
        await until(lambda: ear.speaking)
        knows, take = ear.speaking[0]

        assert [knows(who) for who in ("help@shop.test", "help+x@shop.test", "eve@shop.test")] == [
            True,
            True,
            False,
        ]
        assert not knows(listening.desk.all(Inbox)[0].address)  # ours, but of another channel
        await take("help@shop.test", raw("a"))
        with pytest.raises(LookupError):
            await take("eve@shop.test", raw("b"))
        await ended(task)

    hurried(act)

    assert listening.states() == [("a", "waiting")]


def test_a_taken_port_is_said_once_and_tried_again(
    listening: Plant, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    ear.taken = 4
    ear.refusals = [*ear.refusals * 3, OSError(13, "Permission denied")]

    async def act() -> None:
        task = asyncio.create_task(listen.supervise(listening.works))
        await until(lambda: ear.speaking)
        await ended(task)

    hurried(act)

    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [(record.getMessage(), vars(record)["problem"]) for record in warnings] == [
        ("the port for test mail is taken", "Address already in use"),
        ("the port for test mail is taken", "Permission denied"),
    ]
    assert len(ear.asked) == 5


def test_without_a_port_nobody_listens(plant: Plant, ear: Ear) -> None:
    hurried(lambda: listen.supervise(plant.with_channel(ear).works))

    assert ear.asked == []

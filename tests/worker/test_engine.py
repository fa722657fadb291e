"""The engine: everything in one process, that takes over, copes, and gives back."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.exc import OperationalError

from app.core.errors import Conflict
from app.core.logs import job_id
from app.services import leases, outbox, tickets, upkeep
from app.services.tickets import Draft
from app.store.tables import Arrival, Delivery, Lease, Message
from app.worker import engine
from app.worker.engine import Engine
from app.worker.works import alone
from channels.contract import Phase
from tests.fakes import raw
from tests.inquiries import LINKS, NOON
from tests.worker.conftest import Plant
from tests.worker.faults import rename, when_said
from tests.worker.hurry import ended, hurried, until
from tests.worker.post import Post

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
MINUTE = timedelta(minutes=1)


def reply(plant: Plant, words: str) -> Message:
    desk = plant.desk
    message: Message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft(words))
    return message


def left_by(plant: Plant, worker: str, phase: Phase) -> Message:
    """A reply whose worker died while it had got that far."""
    message = reply(plant, f"left by {worker}")
    parcel = plant.desk.do(outbox.pack, plant.works.keys, worker, message.id, LINKS)
    plant.desk.do(outbox.mark_phase, message.id, parcel.holder, phase)
    return message


def without_a_job(plant: Plant, external_id: str) -> None:
    """An arrival whose job was lost."""
    one = raw(external_id)
    row = Arrival(
        inbox_id=plant.inbox_id,
        external_id=external_id,
        sha256=plant.works.blobs.put(one.body),
        received_at=NOON - MINUTE,
    )
    with plant.desk.db.transaction() as session:
        session.add(row)


def state(plant: Plant, message: Message) -> str:
    [delivery] = plant.desk.all(Delivery, message_id=message.id)
    return str(delivery.state)


def test_it_does_all_there_is_takes_over_what_was_left_and_gives_its_leases_back(
    plant: Plant,
) -> None:
    post = Post(raw("a", text="Fetched"))
    plant = plant.with_channel(post)
    doubtful = left_by(plant, plant.works.name, Phase.AMBIGUOUS)
    stranger = left_by(plant, "two", Phase.TALKING)
    without_a_job(plant, "lost")
    plant.desk.do(upkeep.alive, "two")
    answer = reply(plant, "An answer")
    one = Engine(plant.works)

    async def act() -> None:
        await one.start()
        assert state(plant, doubtful) == "in_doubt"
        await until(lambda: ("a", "filed") in plant.states())
        await until(lambda: ("lost", "filed") in plant.states())
        await until(lambda: state(plant, answer) == "sent")
        assert state(plant, stranger) == "sending"  # its worker may be alive

        plant.forward(MINUTE + timedelta(seconds=1))
        await until(lambda: state(plant, stranger) == "sent")
        await post.look_again()
        held = {lease.name: lease.holder for lease in plant.desk.all(Lease)}
        assert held == {f"pull {plant.inbox_id}": "one", "tick": "one"}
        await one.stop()

    hurried(act)

    assert {lease.holder for lease in plant.desk.all(Lease)} == {""}
    assert (state(plant, doubtful), post.open_now) == ("in_doubt", 0)
    assert [number.number for number in post.server.settled] == [1]
    lock = alone(plant.works.settings)  # free again
    if lock:
        lock.close()


@on_sqlite
def test_a_second_engine_on_a_folder_is_refused_and_takes_nothing_away(plant: Plant) -> None:
    first = alone(plant.works.settings)
    assert first is not None
    token = plant.desk.do(leases.take, "tick", plant.works.name, MINUTE)
    second = Engine(plant.works)

    async def act() -> None:
        with pytest.raises(Conflict) as refused:
            await second.start()
        await second.stop()
        assert str(refused.value) == (
            f"Another Setten already works on {plant.works.settings.data_dir}. "
            "Stop it first, or use PostgreSQL for several workers."
        )

    hurried(act)
    first.close()

    assert plant.desk.do(leases.held, "tick", plant.works.name, token)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"])
def test_on_postgres_there_may_be_any_number_of_workers(plant: Plant) -> None:
    assert alone(plant.works.settings) is None


def test_a_part_that_ends_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    away = OperationalError("SELECT 1", {}, Exception("the server closed the connection"))
    ends: list[Exception | None] = [RuntimeError("a bug"), away, None]
    again = asyncio.Event()

    async def part() -> None:
        if not ends:
            again.set()
            await asyncio.Event().wait()
        problem = ends.pop(0)
        if problem:
            raise problem

    async def act() -> None:
        task = asyncio.create_task(engine._for_ever(part))
        await again.wait()
        await ended(task)

    hurried(act)

    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "a part of the worker failed; beginning it again"),
        (logging.WARNING, "the database does not answer; trying again"),
    ]


def job(plant: Plant, name: str, **args: int) -> Callable[[], None]:
    return lambda: hurried(lambda: engine._run(plant.works, name, args))


@on_sqlite
def test_a_job_waits_for_a_database_that_fails_and_then_ends(plant: Plant) -> None:
    plant.kept(raw("a"))
    rename(plant, "ticket", "ticket_away")

    with when_said("the job waits", partial(rename, plant, "ticket_away", "ticket")):
        job(plant, "file", inbox_id=plant.inbox_id)()

    assert plant.states() == [("a", "filed")]


@on_sqlite
def test_a_job_waits_for_a_disk_that_fails_and_then_ends(plant: Plant) -> None:
    plant.kept(raw("a"))
    where = plant.works.blobs.path(plant.desk.all(Arrival)[0].sha256)
    safe = where.rename(where.with_name("safe"))
    where.symlink_to(where)  # opening it is an error, but it is there

    with when_said("the job waits", partial(safe.replace, where)):
        job(plant, "file", inbox_id=plant.inbox_id)()

    assert plant.states() == [("a", "filed")]


@on_sqlite
def test_a_job_that_fails_ends_alone_and_is_logged(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    job(plant, "file", inbox_id=999)()

    assert [record.getMessage() for record in caplog.records] == [
        "job failed; the reconciler wakes its row again"
    ]
    assert job_id.get("") == ""

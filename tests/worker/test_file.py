"""Filing keeps the order, and nothing that is wrong with one arrival stops the next."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from typing_extensions import override

from app.core.errors import NotFound
from app.domain.words import Decision, Head
from app.store.tables import Arrival, Message, OtherId, PredictionRow, Ticket
from app.worker.file import file, file_slow, tag
from app.worker.patience import Patience
from app.worker.reader import Reader as ReadsApart
from app.worker.triage import Triage
from channels.contract import (
    Direction,
    Failure,
    Ignored,
    InboundFile,
    InboundMessage,
    Raw,
    Report,
    Verdicts,
)
from classifier.contract import Classifier, Prediction
from tests.fakes import FakeChannel, FakeConfig, raw
from tests.inquiries import NOON, guess
from tests.worker.conftest import Plant, answered_by
from tests.worker.faults import rename

WITHIN = 20.0  # seconds
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])


class Reader(FakeChannel):
    """Does something before it reads the arrival of that id, and remembers what it read."""

    def __init__(self, **before: Callable[[], object]) -> None:
        super().__init__()
        self.before = before
        self.read: list[str] = []

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        self.read.append(raw.external_id)
        self.before.get(raw.external_id, lambda: None)()
        return super().parse(config, raw)


class Apart(FakeChannel):
    """Has another process read; what is slow takes for ever, unless it is read in part."""

    def elsewhere(self, config: FakeConfig) -> tuple[str, Any]:
        return "tests.worker.poison:spins_for_some", config

    def parse_least(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        return self.parse(config, raw)


class Attaching(FakeChannel):
    """Reads a file out of every arrival."""

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        attached = (InboundFile("lid.txt", "text/plain", b"the lid"),)
        found = super().parse(config, raw)
        return [replace(one, files=attached) for one in found if isinstance(one, InboundMessage)]


class Returning(FakeChannel):
    """Reads a bounce out of every arrival, about the message it names."""

    def __init__(self, verdicts: Verdicts | None = None) -> None:
        super().__init__()
        self.verdicts = verdicts

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        failed = Failure("yumi@customers.test", "failed", "5.1.1", hard=True, words="no such user")
        report = Report((failed,), "ours@shop.test")
        found = super().parse(config, raw)
        return [
            replace(
                one, automatic=True, machine="bounce_hard", report=report, verdicts=self.verdicts
            )
            for one in found
            if isinstance(one, InboundMessage)
        ]


class Keeping(FakeChannel):
    """Reads a provider's copy of a message of ours out of every arrival."""

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        ours, theirs = "ours@shop.test", "1@provider.test"
        return [
            replace(one, direction=Direction.OUTBOUND, external_id=ours, other_id=theirs)
            for one in super().parse(config, raw)
            if isinstance(one, InboundMessage)
        ]


class Speaking(FakeChannel):
    """Reads a call out of every arrival; nobody noted anything at an empty one."""

    @override
    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        return [
            replace(
                one, is_call=True, subject="A call", text=one.text or "Missed.", reply_text=one.text
            )
            for one in super().parse(config, raw)
            if isinstance(one, InboundMessage)
        ]


class Model:
    """Says the same about everything, once it is let."""

    def __init__(self, say: Callable[[], Prediction]) -> None:
        self.say = say

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return self.say()


@contextmanager
def triage(say: Callable[[], Prediction]) -> Iterator[Triage]:
    """A classifier that is loaded and ready."""
    made = answered_by(lambda _: Model(say))
    made.wait("anything", language="")
    try:
        yield made
    finally:
        made.close()


def fail() -> Prediction:
    raise RuntimeError("a bug of the model")


def never(_: Path) -> Classifier:
    raise RuntimeError("there is no model")


async def test_what_came_first_is_filed_first(plant: Plant) -> None:
    plant.kept(raw("a", text="1", id="m1"))

    def meanwhile() -> None:
        plant.kept(raw("d", text="4", answers=["m1"]))

    plant = plant.with_channel(Reader(b=meanwhile))
    plant.kept(raw("b", text="2", answers=["m1"]), raw("c", text="3", answers=["m1"]))

    await file(plant.works, plant.inbox_id)

    assert plant.texts() == ["1", "2", "3", "4"]
    assert [ticket.message_count for ticket in plant.desk.all(Ticket)] == [4]


async def test_what_nobody_can_read_is_set_aside_and_the_next_is_filed(plant: Plant) -> None:
    plant.kept(Raw("broken", b"{"), raw("good"))

    await file(plant.works, plant.inbox_id)

    assert [(row.state, row.reason) for row in plant.desk.all(Arrival)] == [
        ("set_aside", "This is not what the fake writes."),
        ("filed", f"On ticket {plant.desk.all(Ticket)[0].ref}."),
    ]


async def test_the_beginning_of_what_is_too_large_is_an_inquiry_that_says_so(plant: Plant) -> None:
    head = raw("large", text="Why is it so big?")
    plant.kept(Raw("large", head.body, oversized=70_000_000), raw("good"))

    await file(plant.works, plant.inbox_id)

    assert plant.states() == [("large", "filed"), ("good", "filed")]
    assert plant.texts()[0] == (
        "[Only the beginning of this mail is here: it has 70,000,000 bytes. The whole of it, with "
        "its attachments, is still on the mail server.]\n\nWhy is it so big?"
    )


@on_sqlite
async def test_what_takes_long_to_read_is_filed_beside_the_others(plant: Plant) -> None:
    plant = plant.with_channel(Apart())
    works = replace(
        plant.works,
        reader=ReadsApart(patience=Patience(most=0.2)),
        slow_reader=ReadsApart(within=(0.3, 5.0)),
    )
    plant.kept(raw("a", text="slow 1", id="m1"), raw("b", text="slow 2", answers=["m1"]))
    plant.kept(raw("c", text="quick", answers=["m1"]))
    before = plant.desk.jobs()

    await file(works, plant.inbox_id)
    assert plant.states() == [("a", "waiting"), ("b", "waiting"), ("c", "filed")]
    assert plant.desk.jobs() == before + 2
    plant.kept(raw("d", text="quick, too"))
    assert plant.desk.jobs() == before + 3  # what waits beside them wakes nobody for it
    await file_slow(works, plant.inbox_id)

    assert plant.states()[:2] == [("a", "filed"), ("b", "filed")]
    # The order is another one, the conversation the same.
    assert plant.texts() == ["quick", "slow 1", "slow 2"]
    assert [ticket.message_count for ticket in plant.desk.all(Ticket)] == [3]
    for reader in (works.reader, works.slow_reader):
        reader.close()


async def test_a_bug_in_one_arrival_does_not_stop_the_next(plant: Plant) -> None:
    bugs = [KeyError("subject")]

    def bug() -> None:
        if bugs:
            raise bugs.pop()

    plant = plant.with_channel(Reader(b=bug))
    plant.kept(raw("a"), raw("b"), raw("c"))

    await file(plant.works, plant.inbox_id)

    assert [(row.state, row.next_at) for row in plant.desk.all(Arrival)] == [
        ("filed", None),
        ("waiting", NOON + timedelta(seconds=20)),
        ("filed", None),
    ]
    assert plant.desk.all(Arrival)[1].reason == "KeyError"

    plant.forward(timedelta(seconds=20))
    await file(plant.works, plant.inbox_id)

    assert plant.states() == [("a", "filed"), ("b", "filed"), ("c", "filed")]


async def test_an_arrival_whose_bytes_are_gone_does_not_stop_the_next(plant: Plant) -> None:
    plant.kept(raw("lost", text="nobody has this any more"), raw("good"))
    plant.works.blobs.path(plant.desk.all(Arrival)[0].sha256).unlink()

    await file(plant.works, plant.inbox_id)

    assert plant.states() == [("lost", "waiting"), ("good", "filed")]
    assert plant.desk.all(Arrival)[0].reason == NotFound.__name__


@on_sqlite
async def test_a_disk_that_fails_is_not_the_arrivals_fault(plant: Plant) -> None:
    plant.kept(raw("a"))
    where = plant.works.blobs.path(plant.desk.all(Arrival)[0].sha256)
    body = where.read_bytes()
    where.unlink()
    where.mkdir()

    with pytest.raises(IsADirectoryError):
        await file(plant.works, plant.inbox_id)
    assert [(row.state, row.attempts) for row in plant.desk.all(Arrival)] == [("waiting", 0)]

    where.rmdir()
    where.write_bytes(body)
    await file(plant.works, plant.inbox_id)
    assert plant.states() == [("a", "filed")]


@on_sqlite
async def test_a_database_that_fails_is_not_the_arrivals_fault(plant: Plant) -> None:
    plant.kept(raw("a"), raw("b"))
    rename(plant, "ticket", "ticket_away")

    with pytest.raises(OperationalError):
        await file(plant.works, plant.inbox_id)
    assert [(row.state, row.attempts) for row in plant.desk.all(Arrival)] == [("waiting", 0)] * 2

    rename(plant, "ticket_away", "ticket")
    await file(plant.works, plant.inbox_id)
    assert plant.states() == [("a", "filed"), ("b", "filed")]


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"])
async def test_what_no_database_can_hold_does_not_stop_the_next(plant: Plant) -> None:
    unstorable = "".join(f"{number:x}." for number in range(20_000))
    plant.kept(raw("a", id=unstorable), raw("b"))

    await file(plant.works, plant.inbox_id)

    assert [(row.state, row.reason[:20]) for row in plant.desk.all(Arrival)] == [
        ("waiting", "ProgramLimitExceeded"),
        ("filed", f"On ticket {plant.desk.all(Ticket)[0].ref}."[:20]),
    ]
    for seconds in (20, 80):
        plant.forward(timedelta(seconds=seconds))
        await file(plant.works, plant.inbox_id)
    first = plant.desk.all(Arrival)[0]
    assert (first.state, first.glance["address"]) == ("set_aside", "yumi@customers.test")


@on_sqlite
async def test_of_three_jobs_for_an_inbox_one_works_and_one_waits(plant: Plant) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        reading.set()
        assert go_on.wait(WITHIN)

    reader = Reader(a=hold)
    works = plant.with_channel(reader).works
    plant.kept(raw("a"))
    first = asyncio.create_task(file(works, plant.inbox_id))
    assert await asyncio.to_thread(reading.wait, WITHIN)
    second = asyncio.create_task(file(works, plant.inbox_id))
    third = asyncio.create_task(file(works, plant.inbox_id))

    done, _ = await asyncio.wait({second, third}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {third}
    plant.kept(raw("b"))
    go_on.set()
    async with asyncio.timeout(WITHIN):
        await asyncio.gather(first, second)

    assert reader.read == ["a", "b"]
    assert plant.states() == [("a", "filed"), ("b", "filed")]


async def test_a_ticket_is_filed_with_what_the_model_says(plant: Plant) -> None:
    with triage(lambda: guess("G", None)) as ready:
        plant = plant.with_triage(ready)
        plant.kept(raw("a"))
        before = plant.desk.jobs()

        await file(plant.works, plant.inbox_id)

    assert [(row.stage, row.stage_by) for row in plant.desk.all(Ticket)] == [("G", "suggestion")]
    assert plant.desk.jobs() == before


async def test_of_a_call_only_the_notes_are_judged(plant: Plant) -> None:
    heard = []

    class Listening(Model):
        @override
        def predict(self, text: str, *, language: str = "") -> Prediction:
            heard.append(text)
            return self.say()

    model = Listening(lambda: guess(None, None))
    ready = answered_by(lambda _: model)
    ready.wait("anything", language="")
    plant = plant.with_channel(Speaking()).with_triage(ready)
    plant.kept(raw("a", text="Wants a lid."), raw("b", text=""))

    await file(plant.works, plant.inbox_id)
    for row in plant.desk.all(Ticket):
        await tag(plant.works, row.id)
    ready.close()

    assert heard == ["anything", "Wants a lid.", ""]


async def test_a_model_that_is_not_there_yet_tags_later(plant: Plant) -> None:
    there = threading.Event()

    def slowly(_: Path) -> Classifier:
        assert there.wait(WITHIN)
        return Model(lambda: guess("G", None))

    loading = answered_by(slowly)
    plant = plant.with_triage(loading)
    plant.kept(raw("a"))
    before = plant.desk.jobs()

    await file(plant.works, plant.inbox_id)
    [ticket] = plant.desk.all(Ticket)
    assert (ticket.stage, plant.states()) == ("", [("a", "filed")])
    assert plant.desk.jobs() == before + 1

    there.set()
    await tag(plant.works, ticket.id)
    await tag(plant.works, ticket.id)  # twice is once

    assert [(row.stage, row.stage_by) for row in plant.desk.all(Ticket)] == [("G", "suggestion")]
    loading.close()


@on_sqlite
async def test_a_model_that_fails_or_hangs_stops_no_mail(plant: Plant) -> None:
    go_on = threading.Event()

    def hang() -> Prediction:
        assert go_on.wait(WITHIN)
        return guess("G", None)

    says = [lambda: guess("A", None), fail, hang]  # the first is asked before it is ready

    def say() -> Prediction:
        return says.pop(0)()

    with triage(say) as bad:
        plant = plant.with_triage(bad)
        plant.kept(raw("a"), raw("b", text="And this?"))
        before = plant.desk.jobs()
        async with asyncio.timeout(WITHIN):
            await file(plant.works, plant.inbox_id)
        go_on.set()

    assert plant.states() == [("a", "filed"), ("b", "filed")]
    assert [row.stage for row in plant.desk.all(Ticket)] == ["", ""]
    assert plant.desk.jobs() == before + 2


@on_sqlite
async def test_a_model_that_cannot_be_loaded_stops_no_mail(plant: Plant) -> None:
    missing = answered_by(never)
    plant = plant.with_triage(missing)
    plant.kept(raw("a"))

    await file(plant.works, plant.inbox_id)
    [ticket] = plant.desk.all(Ticket)
    await tag(plant.works, ticket.id)

    assert plant.states() == [("a", "filed")]
    assert plant.desk.again(ticket).stage == ""
    missing.close()


@on_sqlite
@pytest.mark.parametrize("load", [never, lambda _: Model(fail)])
async def test_a_model_that_cannot_be_had_leaves_the_ticket_unsure_in_the_end(
    plant: Plant, load: Callable[[Path], Classifier]
) -> None:
    missing = answered_by(load)
    plant = plant.with_triage(missing)
    plant.kept(raw("a"))
    await file(plant.works, plant.inbox_id)
    [ticket] = plant.desk.all(Ticket)
    before = plant.desk.jobs()

    for attempt in (1, 2, 3, 1):
        await tag(plant.works, ticket.id, attempt)
    missing.close()

    assert plant.desk.jobs() == before + 2  # after the first and after the second
    assert [(row.head, row.label, row.decision) for row in plant.desk.all(PredictionRow)] == [
        (Head.STAGE, "", Decision.ABSTAIN),
        (Head.TOPIC, "", Decision.ABSTAIN),
    ]
    assert plant.desk.again(ticket).stage == ""


async def test_a_bounce_is_heard_by_the_delivery_it_is_about(plant: Plant) -> None:
    plant = plant.with_channel(Returning())
    message = plant.desk.answered(plant.desk.ticket())
    with plant.desk.db.transaction() as session:
        session.get_one(Message, message.id).external_id = "ours@shop.test"
    plant.kept(raw("a"))

    await file(plant.works, plant.inbox_id)

    [delivery] = plant.desk.deliveries(message.id)
    assert (delivery.state, delivery.words) == ("failed", "5.1.1 no such user")
    assert plant.states()[-1] == ("a", "filed")


@on_sqlite
async def test_a_bounce_that_somebody_else_may_have_written_changes_nothing(plant: Plant) -> None:
    plant = plant.with_channel(Returning(Verdicts(dmarc="fail")))
    message = plant.desk.answered(plant.desk.ticket())
    with plant.desk.db.transaction() as session:
        session.get_one(Message, message.id).external_id = "ours@shop.test"
    plant.kept(raw("a"))

    await file(plant.works, plant.inbox_id)

    [delivery] = plant.desk.deliveries(message.id)
    assert delivery.state == "sent"
    assert plant.states()[-1] == ("a", "filed")


@on_sqlite
async def test_the_copy_of_a_mail_tells_what_its_provider_calls_it(plant: Plant) -> None:
    plant = plant.with_channel(Keeping())
    message = plant.desk.answered(plant.desk.ticket())
    with plant.desk.db.transaction() as session:
        session.get_one(Message, message.id).external_id = "ours@shop.test"
    plant.kept(raw("a"))

    await file(plant.works, plant.inbox_id)

    [told] = plant.desk.all(OtherId)
    assert (told.message_id, told.external_id) == (message.id, "1@provider.test")
    assert plant.states()[-1] == ("a", "copy")


@on_sqlite
async def test_a_full_disk_is_not_the_arrivals_fault(plant: Plant) -> None:
    plant = plant.with_channel(Attaching())
    plant.kept(raw("a"))
    incoming = plant.works.blobs.folder / "incoming"
    incoming.rename(incoming.with_name("away"))

    for _ in range(3):
        with pytest.raises(OSError, match="No such file"):
            await file(plant.works, plant.inbox_id)
    assert [(row.state, row.attempts) for row in plant.desk.all(Arrival)] == [("waiting", 0)]

    incoming.with_name("away").rename(incoming)
    await file(plant.works, plant.inbox_id)
    assert plant.states() == [("a", "filed")]


@on_sqlite
async def test_a_switched_off_model_leaves_no_job_behind(plant: Plant) -> None:
    plant.kept(raw("a"))
    before = plant.desk.jobs()

    await file(plant.works, plant.inbox_id)

    assert plant.desk.jobs() == before
    assert [row.automatic for row in plant.desk.all(Message)] == [False]


async def test_a_worker_that_ends_before_its_model_is_there_leaves_the_job(plant: Plant) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_: Path) -> Classifier:
        begun.set()
        assert go_on.wait(WITHIN)
        return Model(lambda: guess("G", None))

    loading = answered_by(slowly)
    plant = plant.with_triage(loading)
    plant.kept(raw("a"))
    await file(plant.works, plant.inbox_id)
    [ticket] = plant.desk.all(Ticket)
    before = plant.desk.jobs()
    waiting = asyncio.create_task(tag(plant.works, ticket.id))
    assert await asyncio.to_thread(begun.wait, WITHIN)

    loading.close()
    async with asyncio.timeout(WITHIN):
        await waiting
    go_on.set()

    assert plant.desk.again(ticket).stage == ""
    assert plant.desk.jobs() == before + 1

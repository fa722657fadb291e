"""Delivering: written once, marked before it is handed over, and never twice on a doubt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.exc import OperationalError
from typing_extensions import override

from app.services import inboxes, outbox, tickets
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.store.tables import Delivery, Message
from app.worker.deliver import deliver
from channels.contract import (
    Held,
    InDoubt,
    Later,
    OutboundMessage,
    Outcome,
    Phase,
    Progress,
    Refused,
    Rendered,
    Sent,
)
from tests.fakes import FakeChannel, FakeConfig, FakeServer
from tests.worker.conftest import Plant
from tests.worker.faults import rename, when_said
from tests.worker.hurry import hurried

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
MINUTE = timedelta(minutes=1)
BEFORE = ("retry", "Setten failed before handing it over.")
AFTER = ("in_doubt", "Setten failed while handing it over. It may have arrived.")


class Writer(FakeChannel):
    """Never writes the same bytes twice."""

    written = 0

    @override
    def render(self, config: FakeConfig, message: OutboundMessage) -> Rendered:
        self.written += 1
        made = super().render(config, message)
        return replace(made, body=made.body + f" {self.written}".encode())


class Taken(Writer):
    """Something happens when the server has it, and nobody here knows yet."""

    def __init__(self, server: FakeServer, then: Callable[[], None]) -> None:
        super().__init__(server)
        self.then = then

    @override
    async def send(
        self, config: FakeConfig, rendered: Rendered, recipients: Sequence[str], progress: Progress
    ) -> Mapping[str, Outcome]:
        outcomes = await super().send(config, rendered, recipients, progress)
        self.then()
        return outcomes


@dataclass
class Out:
    """A plant with one reply to deliver, and the server it goes to."""

    plant: Plant
    server: FakeServer = field(default_factory=FakeServer)
    message_id: int = 0

    def __post_init__(self) -> None:
        self.plant = self.plant.with_channel(Writer(self.server))
        self.message_id = self.reply("Turn it to the left.")

    def reply(self, words: str) -> int:
        desk = self.plant.desk
        ticket = desk.ticket()
        message: Message = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft(words))
        return message.id

    async def deliver(self) -> None:
        await deliver(self.plant.works, self.message_id)

    @property
    def state(self) -> tuple[str, str]:
        return self.plant.delivery()

    def answers(self, outcome: Outcome) -> None:
        self.server.outcomes["yumi@customers.test"] = outcome


@pytest.fixture
def out(plant: Plant) -> Out:
    return Out(plant)


async def test_it_is_written_once_and_every_attempt_sends_the_same_bytes(out: Out) -> None:
    out.answers(Later("busy"))
    await out.deliver()
    desk = out.plant.desk
    new = NewInbox("fake", "Renamed", FakeConfig(import_days=0), "other@shop.test")
    desk.do(inboxes.change, SYSTEM, desk.keys, out.plant.inbox_id, new)
    out.plant.forward(MINUTE)
    await out.deliver()
    out.answers(Sent())
    out.plant.forward(5 * MINUTE)

    await out.deliver()

    [message] = desk.all(Message, id=out.message_id)
    first = out.server.sent[0]
    assert out.server.sent == [first] * 3
    assert first[0].endswith(b" 1")
    assert out.plant.works.blobs.get(message.rendered_sha256) == first[0]
    assert out.state == ("sent", "")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Sent("provider 7"), ("sent", "")),
        (Later("The mailbox is busy."), ("retry", "The mailbox is busy.")),
        (Refused("No such user."), ("failed", "No such user.")),
        (InDoubt("The line broke."), ("in_doubt", "The line broke.")),
        (Held("There is no way out yet."), ("held", "There is no way out yet.")),
    ],
)
async def test_every_outcome_is_written_down(
    out: Out, outcome: Outcome, state: tuple[str, str]
) -> None:
    out.answers(outcome)

    await out.deliver()

    assert out.state == state
    assert len(out.server.sent) == 1


async def test_what_is_delivered_is_not_delivered_again(out: Out) -> None:
    await out.deliver()

    await out.deliver()

    assert len(out.server.sent) == 1


@pytest.mark.parametrize(
    ("phases", "state"),
    [
        ((), BEFORE),
        ((Phase.TALKING,), BEFORE),
        ((Phase.TALKING, Phase.AMBIGUOUS), AFTER),
    ],
)
async def test_a_failure_is_a_doubt_only_after_the_mark(
    out: Out, phases: tuple[Phase, ...], state: tuple[str, str]
) -> None:
    out.server.phases, out.server.trouble = phases, RuntimeError("a bug of the channel")

    await out.deliver()

    assert out.state == state
    assert out.server.sent == []

    out.server.trouble = None
    out.plant.forward(MINUTE)
    await out.deliver()

    assert len(out.server.sent) == (1 if state == BEFORE else 0)


async def test_a_database_that_goes_away_before_the_mark_costs_no_minute(out: Out) -> None:
    out.server.phases = (Phase.TALKING,)
    out.server.trouble = OperationalError("SELECT 1", {}, OSError("connection refused"))

    await out.deliver()

    [row] = out.plant.desk.all(Delivery)
    assert (out.state, row.attempts) == (BEFORE, 0)

    out.server.trouble = None
    out.plant.forward(timedelta(seconds=5))
    await out.deliver()

    assert len(out.server.sent) == 1


async def test_a_database_that_goes_away_after_the_mark_leaves_a_doubt(out: Out) -> None:
    out.server.phases = (Phase.TALKING, Phase.AMBIGUOUS)
    out.server.trouble = OperationalError("SELECT 1", {}, OSError("connection refused"))

    await out.deliver()
    await out.deliver()

    assert out.state == AFTER
    assert out.server.sent == []


async def test_the_mark_is_durable_before_it_is_handed_over(out: Out) -> None:
    seen: list[str] = []

    def look(_: Phase) -> None:
        seen.extend(row.phase for row in out.plant.desk.all(Delivery))

    out.server.before = look
    await out.deliver()

    assert [*seen, *(row.phase for row in out.plant.desk.all(Delivery))] == [
        "",
        "talking",
        "ambiguous",
    ]


async def test_one_whose_work_was_taken_over_hands_nothing_over(out: Out) -> None:
    def taken_for_dead(phase: Phase) -> None:
        if phase is Phase.AMBIGUOUS:
            out.plant.desk.do(outbox.recover, out.plant.works.name)

    out.server.before = taken_for_dead
    await out.deliver()

    assert out.server.sent == []
    assert out.state == ("retry", "Setten stopped before anything was handed over.")

    out.server.before = lambda _: None
    await out.deliver()

    assert len(out.server.sent) == 1
    assert out.state == ("sent", "")


async def test_the_word_of_one_that_was_taken_for_dead_does_not_count(out: Out) -> None:
    """It had marked the point of no return; then it was buried, and then it came back."""

    def taken_for_dead() -> None:
        out.plant.desk.do(outbox.recover, out.plant.works.name)

    out.plant = out.plant.with_channel(Taken(out.server, taken_for_dead))
    await out.deliver()
    await out.deliver()

    assert len(out.server.sent) == 1
    assert out.state == (
        "in_doubt",
        "Setten stopped while this was being handed over. It may have arrived.",
    )


async def test_bytes_that_are_gone_are_waited_for_and_not_written_anew(out: Out) -> None:
    out.answers(Later("busy"))
    await out.deliver()
    [message] = out.plant.desk.all(Message, id=out.message_id)
    where = out.plant.works.blobs.path(message.rendered_sha256)
    body = where.read_bytes()
    where.unlink()
    out.answers(Sent())
    out.plant.forward(MINUTE)

    await out.deliver()
    assert (out.state, len(out.server.sent)) == (BEFORE, 1)

    where.write_bytes(body)
    out.plant.forward(5 * MINUTE)
    await out.deliver()
    assert [one[0] for one in out.server.sent] == [body, body]
    assert out.state == ("sent", "")


async def test_a_configuration_nobody_can_open_sends_nothing(out: Out) -> None:
    out.plant.break_config(out.plant.inbox_id)

    await out.deliver()

    assert out.state == BEFORE
    assert out.server.sent == []
    assert out.plant.inbox().last_out_error == BEFORE[1]


async def test_what_cannot_be_written_says_why(out: Out) -> None:
    with out.plant.desk.db.transaction() as session:
        session.get_one(Message, out.message_id).text = "unwritable"

    await out.deliver()

    assert out.state == ("failed", "It cannot be written: no words for it")
    assert out.server.sent == []


async def test_a_channel_that_is_not_there_any_more_cannot_send(out: Out) -> None:
    works = replace(out.plant.works, channels={})

    await deliver(works, out.message_id)

    assert out.state == ("failed", "This channel cannot send.")


@on_sqlite
def test_an_outcome_waits_for_the_database_and_is_not_lost(out: Out) -> None:
    """The provider has it: whoever forgets that sends it twice."""
    away = Taken(out.server, lambda: rename(out.plant, "delivery", "delivery_away"))
    out.plant = out.plant.with_channel(away)
    back = partial(rename, out.plant, "delivery_away", "delivery")

    with when_said("an outcome waits for the database", back):
        hurried(out.deliver)

    assert out.state == ("sent", "")
    assert len(out.server.sent) == 1

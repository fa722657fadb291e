"""Raw sources are deleted when their tickets have been closed for long enough, and only then."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlmodel import Session, select

from app.core import clock
from app.core.errors import Conflict, NotFound
from app.domain.words import ArrivalState, DeliveryState, Status
from app.services import (
    doubts,
    intake,
    integrity,
    merging,
    organisation,
    outbox,
    retention,
    tickets,
    verdicts,
)
from app.services.access import SYSTEM
from app.services.filing import StoredFile, Understood
from app.services.queries import outbox as outbox_query
from app.store.tables import Arrival, Change, Delivery, DroppedFile, Message, SentCopy, Ticket
from app.worker.retain import retain
from channels.contract import Failure, InboundMessage, Raw, Rendered, Sent
from tests.inquiries import inquiry
from tests.worker.conftest import Plant

DAY = timedelta(days=1)
BODY = b"From: yumi@customers.test\r\n\r\nThe lid."


@pytest.fixture
def house(plant: Plant) -> Plant:
    """Raw sources are kept for 30 days after their tickets were closed."""
    plant.desk.do(organisation.keep_raw, SYSTEM, 30)
    return plant


def came(plant: Plant, body: bytes, message: InboundMessage | None = None) -> Arrival:
    """One mail, filed."""
    [number] = plant.kept(Raw(f"mail {len(plant.states())}", body))
    understood = [Understood(message or inquiry())]
    plant.desk.do(intake.file, plant.works.keys, number, understood)
    return plant.desk.one(Arrival, number)  # type: ignore[no-any-return]


def ticket_of(plant: Plant, arrival: Arrival) -> Ticket:
    [message] = plant.desk.all(Message, arrival_id=arrival.id)
    return plant.desk.one(Ticket, message.ticket_id)  # type: ignore[no-any-return]


def close(plant: Plant, arrival: Arrival, verb: Callable[..., object] = tickets.resolve) -> None:
    plant.desk.do(verb, plant.desk.ann, ticket_of(plant, arrival).ref)


def age(plant: Plant) -> None:
    """Every file was put long ago."""
    for name in plant.works.blobs.every():
        os.utime(plant.works.blobs.path(name), (1, 1))


def work(plant: Plant) -> list[bytes]:
    """A worker's step, a while after all files were put; what raw bytes are left."""
    age(plant)
    asyncio.run(retain(plant.works, ""))
    return left(plant)


def left(plant: Plant) -> list[bytes]:
    blobs = plant.works.blobs
    return sorted(blobs.get(name) for name in blobs.every())


def problems(plant: Plant) -> list[integrity.Problem]:
    with plant.desk.db.reading() as session:
        return integrity.problems(session, plant.works.blobs)


def test_deleted_once_everything_is_closed_for_long_enough(house: Plant) -> None:
    closed = [came(house, b"resolved", inquiry(canonical="one")), came(house, b"spam")]
    closed += [came(house, b"no inquiry")]
    copied = came(house, b"copy of it", inquiry(canonical="one"))
    came(house, b"open")
    [aside, waits] = house.kept(Raw("aside", b"set aside"), Raw("waits", b"waiting"))
    house.desk.do(intake.set_aside, aside, "It is empty.")
    house.forward(DAY)
    for arrival, verb in zip(
        closed, (tickets.resolve, tickets.mark_spam, verdicts.dismiss), strict=True
    ):
        close(house, arrival, verb)
    before = house.states()

    house.forward(30 * DAY - timedelta(seconds=1))
    early = work(house)
    house.forward(timedelta(seconds=1))
    late = work(house)

    others = [b"open", b"set aside", b"waiting"]
    assert early == sorted([b"resolved", b"spam", b"no inquiry", b"copy of it", *others])
    assert (late, house.states(), problems(house)) == (others, before, [])
    rows = house.desk.all(Arrival)
    gone = {row.id for row in rows if row.raw_deleted_at is not None}
    assert gone == {row.id for row in [*closed, copied]}
    assert {row.sha256 for row in rows if row.id in gone} == {""}
    assert house.desk.one(Arrival, waits).state is ArrivalState.WAITING
    assert [one.data for one in house.desk.all(Change, what="raw_deleted")] == [{"arrivals": 4}]
    assert house.desk.all(DroppedFile) == []


def test_nothing_is_deleted_unless_somebody_said_so(plant: Plant) -> None:
    close(plant, came(plant, BODY))
    plant.forward(9999 * DAY)

    assert work(plant) == [BODY]


def _reopened(plant: Plant, arrival: Arrival) -> None:
    plant.desk.do(tickets.reopen, plant.desk.ann, ticket_of(plant, arrival).ref)


def _closed_of_late(plant: Plant, arrival: Arrival) -> None:
    _reopened(plant, arrival)
    close(plant, arrival, tickets.mark_spam)


def _same_bytes_elsewhere(plant: Plant, arrival: Arrival) -> None:  # noqa: ARG001
    came(plant, BODY)


def _attached(plant: Plant, arrival: Arrival) -> None:  # noqa: ARG001
    file = StoredFile("mail.eml", "message/rfc822", len(BODY), plant.works.blobs.put(BODY))
    [number] = plant.kept(Raw("forwarded", b"look at this"))
    plant.desk.do(intake.file, plant.works.keys, number, [Understood(inquiry(), (file,))])


def _sent(plant: Plant, arrival: Arrival) -> None:
    answer = plant.desk.do(
        tickets.reply, plant.desk.ann, ticket_of(plant, arrival).ref, tickets.Draft("Turn it.")
    )
    with plant.desk.db.transaction() as session:
        session.get_one(Message, answer.id).rendered_sha256 = plant.works.blobs.put(BODY)
    close(plant, arrival)
    plant.forward(31 * DAY)


def _third_party(plant: Plant, arrival: Arrival) -> None:
    with plant.desk.db.transaction() as session:
        [row] = plant.desk.all(Message, arrival_id=arrival.id)
        session.get_one(Message, row.id).unverified = True


def _came_of_late(plant: Plant, arrival: Arrival) -> None:
    """As a bounce does, on a ticket that stays closed."""
    with plant.desk.db.transaction() as session:
        session.get_one(Arrival, arrival.id).received_at = clock.now() - 29 * DAY


def _another_message_of_it(plant: Plant, arrival: Arrival) -> None:
    other = ticket_of(plant, came(plant, b"open"))
    with plant.desk.db.transaction() as session:
        [row] = plant.desk.all(Message, ticket_id=other.id)
        session.get_one(Message, row.id).arrival_id = arrival.id


def _joined_with_one_closed_of_late(plant: Plant, arrival: Arrival) -> None:
    newer = came(plant, b"open")
    close(plant, newer)
    refs = (ticket_of(plant, one).ref for one in (newer, arrival))
    plant.desk.do(merging.merge, plant.desk.ann, *refs)


@pytest.mark.parametrize(
    "reason",
    [
        _reopened, _closed_of_late, _same_bytes_elsewhere, _attached, _sent, _third_party,
        _came_of_late, _another_message_of_it, _joined_with_one_closed_of_late,
    ],
)  # fmt: skip
def test_what_something_else_needs_stays(
    house: Plant, reason: Callable[[Plant, Arrival], None]
) -> None:
    arrival = came(house, BODY)
    close(house, arrival)
    house.forward(31 * DAY)
    reason(house, arrival)

    assert BODY in work(house)
    assert house.desk.one(Arrival, arrival.id).raw_deleted_at is None


SENT = b"From: shop@shop.test\r\n\r\nTurn it."


@pytest.fixture
def answer(house: Plant) -> Message:
    """Sent to two, on a ticket that is closed."""
    arrival = came(house, BODY)
    draft = tickets.Draft("Turn it.", cc=("bob@customers.test",))
    message = house.desk.do(tickets.reply, house.desk.ann, ticket_of(house, arrival).ref, draft)
    made = Rendered("1@shop.test", SENT)
    parcel = house.desk.do(outbox.pack, house.works.keys, "w1", message.id, "")
    house.desk.do(outbox.keep_rendered, message.id, made, house.works.blobs.put(SENT))
    said = dict.fromkeys(parcel.recipients, Sent("1"))
    house.desk.do(outbox.settle, message.id, parcel.holder, said)
    close(house, arrival)
    found: Message = house.desk.one(Message, message.id)
    return found


def test_what_was_sent_is_deleted_by_the_same_rule(house: Plant, answer: Message) -> None:
    house.forward(30 * DAY - timedelta(seconds=1))
    early = work(house)
    house.forward(timedelta(seconds=1))

    assert (early, work(house), problems(house)) == ([SENT, BODY], [], [])
    row = house.desk.one(Message, answer.id)
    assert (row.rendered_sha256, row.raw_deleted_at, row.external_id) == (
        "",
        clock.now(),
        "1@shop.test",
    )
    assert [one.data for one in house.desk.all(Change, what="raw_deleted")] == [
        {"arrivals": 1, "sent": 1}
    ]


def test_what_is_gone_is_not_sent_again_as_something_else(house: Plant, answer: Message) -> None:
    house.forward(31 * DAY)
    work(house)
    bounce = Failure("yumi@customers.test", "failed", "5.1.1", hard=True, words="unknown user")
    assert house.desk.do(doubts.returned, "1@shop.test", [bounce]) == 1
    [first, _] = house.desk.deliveries(answer.id)

    with pytest.raises(Conflict, match="write it anew"):
        house.desk.do(outbox.send_again, house.desk.ann, first.id)
    with (
        house.desk.db.reading() as session,
        pytest.raises(NotFound, match=f"deleted on {clock.now():%Y-%m-%d}"),
    ):
        outbox_query.rendered(session, SYSTEM, answer.id)
    assert problems(house) == []


def _state(state: DeliveryState) -> Callable[[Session, Message], None]:
    def put(session: Session, answer: Message) -> None:
        found = select(Delivery).where(Delivery.message_id == answer.id).order_by(Delivery.id)  # type: ignore[arg-type]
        delivery = session.exec(found.limit(1)).one()
        delivery.state, delivery.words = state, "It is away."

    return put


def _came_back_of_late(session: Session, answer: Message) -> None:
    for delivery in session.exec(select(Delivery).where(Delivery.message_id == answer.id)):
        delivery.changed_at = clock.now() - 29 * DAY


def _to_be_copied(session: Session, answer: Message) -> None:
    session.add(SentCopy(message_id=answer.id, next_at=clock.now()))


def _ticket_open(session: Session, answer: Message) -> None:
    session.get_one(Ticket, answer.ticket_id).status = Status.OPEN


def _the_same_bytes_came(session: Session, answer: Message) -> None:
    inbox_id, name = answer.inbox_id, answer.rendered_sha256
    session.add(
        Arrival(inbox_id=inbox_id, external_id="back", sha256=name, received_at=clock.now())
    )


@pytest.mark.parametrize(
    "reason",
    [
        *(
            _state(one)
            for one in DeliveryState
            if one not in {DeliveryState.SENT, DeliveryState.CANCELLED}
        ),
        _came_back_of_late,
        _to_be_copied,
        _ticket_open,
        _the_same_bytes_came,
    ],
)
def test_what_may_be_sent_again_or_is_needed_otherwise_stays(
    house: Plant, answer: Message, reason: Callable[[Session, Message], None]
) -> None:
    house.forward(31 * DAY)
    house.desk.do(reason, answer)

    assert SENT in work(house)
    row = house.desk.one(Message, answer.id)
    assert (row.rendered_sha256, row.raw_deleted_at) == (answer.rendered_sha256, None)


def test_a_stopped_copy_needs_nothing_any_more(house: Plant, answer: Message) -> None:
    with house.desk.db.transaction() as session:
        session.add(SentCopy(message_id=answer.id))
        _state(DeliveryState.CANCELLED)(session, answer)
    house.forward(31 * DAY)

    assert work(house) == []


def test_step_by_step_it_gets_everywhere(house: Plant) -> None:
    for number in range(5):
        close(house, came(house, b"%d" % number))
    house.forward(31 * DAY)
    after, steps = house.desk.do(_two, ""), 1
    while after:
        after, steps = house.desk.do(_two, after), steps + 1

    assert (work(house), steps) == ([], 3)


def _two(session: Session, after: str) -> str:
    return retention.step(session, after, 2)


@pytest.fixture
def marked(house: Plant) -> Plant:
    """Its one raw source is written down as deleted, and the worker died before its file was."""
    close(house, came(house, BODY))
    house.forward(31 * DAY)
    house.desk.do(_two, "")
    age(house)
    return house


def test_worker_that_died_in_between_leaves_it_to_the_next_one(marked: Plant) -> None:
    before = (left(marked), problems(marked))
    [name] = marked.works.blobs.every()
    after = work(marked)
    # And one that died behind the file, and before it said so.
    marked.desk.do(_drop_again, name)
    again = work(marked)

    assert before == ([BODY], [])
    assert (after, again, marked.desk.all(DroppedFile), problems(marked)) == ([], [], [], [])


def _drop_again(session: Session, name: str) -> None:
    session.add(DroppedFile(sha256=name, at=clock.now()))


def test_a_file_that_cannot_go_keeps_no_other(marked: Plant) -> None:
    stuck = "0" * 64
    path = marked.works.blobs.path(stuck)
    path.mkdir(parents=True)  # which nobody can remove as a file
    os.utime(path, (0, 0))
    with marked.desk.db.transaction() as session:
        names = [row.sha256 for row in session.exec(select(DroppedFile))]
        session.execute(delete(DroppedFile))
        session.flush()
        session.add_all(DroppedFile(sha256=name, at=clock.now()) for name in (stuck, *names))

    age(marked)
    asyncio.run(retain(marked.works, ""))
    there = [marked.works.blobs.path(name).exists() for name in (stuck, *names)]
    path.rmdir()

    assert there == [True, False]
    assert [row.sha256 for row in marked.desk.all(DroppedFile)] == [stuck]


def test_same_bytes_that_come_in_meanwhile_are_not_removed(marked: Plant) -> None:
    # They are on the disk already, and whoever brings them has not written their row yet.
    marked.works.blobs.put(BODY)
    asyncio.run(retain(marked.works, ""))
    unwritten = left(marked)
    [again] = marked.kept(Raw("again", BODY))
    # Now they have, a long time ago.
    written = work(marked)

    assert (unwritten, written, marked.desk.all(DroppedFile)) == ([BODY], [BODY], [])
    assert marked.desk.one(Arrival, again).state is ArrivalState.WAITING
    assert problems(marked) == []

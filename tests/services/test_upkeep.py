"""What is due and has no job is found again; the work of the dead is taken over."""

from collections.abc import Callable
from datetime import timedelta

from app.domain.words import DeliveryState, Status
from app.services import intake, outbox, tagging, tickets, upkeep
from app.services.tickets import Draft
from app.store.tables import Message, Worker
from channels.contract import Phase
from tests.inquiries import LINKS, NOON, Desk, guess, inquiry

Forward = Callable[[timedelta], None]


def test_reconcile_wakes_what_lost_its_job(desk: Desk, forward: Forward) -> None:
    desk.kept()
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Hello."))
    before = desk.jobs()
    assert desk.do(upkeep.reconcile) == 0

    forward(timedelta(seconds=61))

    assert desk.do(upkeep.reconcile) == 2
    assert desk.jobs() == before + 2
    assert [d.message_id for d in desk.deliveries(message.id)] == [message.id]


def test_reconcile_wakes_what_takes_long_by_a_job_of_its_own(desk: Desk, forward: Forward) -> None:
    desk.kept()
    slow = desk.kept().id
    desk.do(intake.let_others_pass, slow)
    before = desk.jobs()
    forward(timedelta(seconds=61))

    assert desk.do(upkeep.reconcile) == 2
    assert desk.jobs() == before + 2


def test_reconcile_leaves_alone_what_waits_for_its_time(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.snooze, desk.ann, ticket.ref, NOON + timedelta(days=3))
    forward(timedelta(days=1))

    assert desk.do(upkeep.reconcile) == 0


def test_reconcile_frees_an_attempt_that_lost_its_thread(desk: Desk, forward: Forward) -> None:
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Hello."))
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    desk.do(outbox.mark_phase, message.id, parcel.holder, Phase.AMBIGUOUS)
    forward(timedelta(minutes=59))
    assert desk.do(upkeep.reconcile) == 0

    forward(timedelta(minutes=2))

    assert desk.do(upkeep.reconcile) == 1
    assert [d.state for d in desk.deliveries(message.id)] == [DeliveryState.IN_DOUBT]


def test_tick_wakes_tickets_and_asks_what_is_due(desk: Desk, forward: Forward) -> None:
    asleep, done = desk.ticket(), desk.ticket()
    desk.do(tickets.snooze, desk.ann, asleep.ref, NOON + timedelta(hours=20))
    desk.answered(done)
    desk.do(tickets.resolve, desk.ann, done.ref)
    forward(timedelta(days=1))
    before = desk.jobs()

    desk.do(upkeep.tick)

    assert desk.again(asleep).status is Status.OPEN
    assert desk.jobs() == before + 1


def test_bury_dead_takes_over_from_the_silent(desk: Desk, forward: Forward) -> None:
    sent = [desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Hello.")) for _ in range(2)]
    for worker, message in zip(("w1", "w2"), sent, strict=True):
        desk.do(upkeep.alive, worker)
        desk.do(outbox.pack, desk.keys, worker, message.id, LINKS)
    forward(timedelta(seconds=50))
    desk.do(upkeep.alive, "w2")
    forward(timedelta(seconds=20))

    assert desk.do(upkeep.bury_dead) == ["w1"]

    assert [worker.name for worker in desk.all(Worker)] == ["w2"]
    assert [d.state for m in sent for d in desk.deliveries(m.id)] == [
        DeliveryState.RETRY,
        DeliveryState.SENDING,
    ]


def test_a_tag_that_lost_its_job_is_woken_until_a_model_looked(
    desk: Desk, forward: Forward
) -> None:
    desk.ticket(prediction=guess("G", None))
    desk.ticket(inquiry("robot@customers.test", automatic=True))
    missed = desk.ticket(inquiry("kei@customers.test"))
    assert desk.do(upkeep.retag) == 0
    forward(timedelta(seconds=61))
    before = desk.jobs()

    assert desk.do(upkeep.retag) == 1
    assert desk.jobs() == before + 1

    [message] = desk.all(Message, ticket_id=missed.id)
    desk.do(tagging.give_up, missed.id, message.id)
    assert desk.do(upkeep.retag) == 0


def test_tickets_of_long_ago_are_left_untagged(desk: Desk, forward: Forward) -> None:
    desk.ticket()
    forward(timedelta(days=4))

    assert desk.do(upkeep.retag) == 0

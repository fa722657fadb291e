"""Replies that have not left on purpose: taken back they leave no trace but in the log."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.domain.words import DeliveryState, MessageKind, Status, SurveyState
from app.services import drafts, integrity, outbox, resting, tickets, upkeep
from app.services.resting import When
from app.services.tickets import Draft, NewFile
from app.store import search
from app.store.blobs import Blobs
from app.store.tables import (
    Attachment,
    Change,
    Delivery,
    DraftFile,
    Message,
    Participant,
    Resting,
    Survey,
    Ticket,
    Touchpoint,
)
from app.store.tables import Draft as DraftRow
from channels.contract import Ref, RefKind, Sent
from tests.inquiries import LINKS, NOON, Desk, inquiry
from tests.services.conftest import Forward

TEN = When(undo_seconds=10)
FILE = NewFile("map.pdf", "application/pdf", "e" * 64, 7)
TO = ("yumi@customers.test",)
CC = ("boss@customers.test",)
TRACES: tuple[type[SQLModel], ...] = (
    Message, Delivery, Attachment, Touchpoint, Participant, Resting, Survey,
)  # fmt: skip
TOMORROW = NOON + timedelta(days=1)


def state(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """Everything a reply writes, but for the version of the ticket."""
    return {
        "ticket": desk.again(ticket).model_dump(exclude={"version"}),
        **{table.__name__: [row.model_dump() for row in desk.all(table)] for table in TRACES},
    }


def reply(desk: Desk, ticket: Ticket, when: When = TEN, text: str = "Wobble it.") -> Message:
    draft = Draft(text, TO, CC, (FILE,), when=when)
    message: Message = desk.do(tickets.reply, desk.ann, ticket.ref, draft)
    return message


def take_back(desk: Desk, ticket: Ticket, message: Message) -> None:
    desk.do(resting.take_back, desk.ann, ticket.ref, message.id)


def events(desk: Desk, ticket: Ticket) -> list[str]:
    return [change.what for change in desk.all(Change, ticket_id=ticket.id)]


def answer_to(message: str) -> tuple[Ref, ...]:
    return (Ref(RefKind.MESSAGE_ID, message),)


def test_a_reply_rests_before_it_leaves(desk: Desk, forward: Forward) -> None:
    message = reply(desk, desk.ticket())

    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None
    forward(timedelta(seconds=10))
    desk.send(message.id, Sent(), Sent())

    assert [one.state for one in desk.deliveries(message.id)] == [DeliveryState.SENT] * 2
    assert desk.all(Resting) == []


@pytest.mark.parametrize("before", ["open", "answered", "snoozed", "resolved"])
def test_taken_back_everything_is_as_it_was(desk: Desk, forward: Forward, before: str) -> None:
    ticket = desk.ticket()
    if before == "answered":
        desk.answered(ticket)
    elif before == "snoozed":
        desk.do(tickets.snooze, desk.ann, ticket.ref, TOMORROW)
    elif before == "resolved":
        desk.answered(ticket)
        desk.do(tickets.resolve, desk.ann, ticket.ref)
    was = state(desk, ticket)
    forward(timedelta(seconds=3))
    message = reply(desk, ticket)
    assert desk.again(ticket).status is Status.WAITING

    take_back(desk, ticket, message)

    assert state(desk, ticket) == was
    [row] = desk.all(DraftRow)
    assert (row.agent_id, row.text, tuple(row.to), tuple(row.cc)) == (
        desk.ann.agent_id, "Wobble it.", TO, CC,
    )  # fmt: skip
    assert [(f.name, f.content_type, f.sha256, f.size) for f in desk.all(DraftFile)] == [
        ("map.pdf", "application/pdf", "e" * 64, 7)
    ]
    assert events(desk, ticket)[-2:] == ["replied", "reply_taken_back"]
    with desk.db.reading() as session:
        assert search.find(session, "wobble") == []
    forward(timedelta(minutes=1))
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None


def test_a_withdrawn_request_that_was_written_leaves_after_all(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    with desk.db.transaction() as session:
        survey = session.get_one(Survey, desk.surveys()[0].id)
        survey.state, survey.message_id = SurveyState.QUEUED, desk.all(Message)[-1].id
        delivery = session.get_one(Delivery, desk.all(Delivery)[0].id)
        delivery.state, delivery.next_at = DeliveryState.QUEUED, NOON
    message = reply(desk, ticket)
    assert [one.state for one in desk.surveys()] == [SurveyState.REVOKED]

    take_back(desk, ticket, message)

    assert [(one.state, one.reason) for one in desk.surveys()] == [(SurveyState.QUEUED, "")]
    [delivery] = desk.all(Delivery)
    assert (delivery.state, delivery.next_at, delivery.words) == (DeliveryState.QUEUED, NOON, "")


def test_what_was_typed_meanwhile_stands_below(desk: Desk) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket)
    desk.do(drafts.save, desk.ann, ticket.ref, "And another thing")

    take_back(desk, ticket, message)

    assert [row.text for row in desk.all(DraftRow)] == ["Wobble it.\n\nAnd another thing"]


def test_files_of_a_draft_stay_while_its_text_changes_and_go_with_it(desk: Desk) -> None:
    ticket = desk.ticket()
    take_back(desk, ticket, reply(desk, ticket))
    [kept] = desk.all(DraftFile)

    desk.do(drafts.save, desk.ann, ticket.ref, "")
    mine = desk.do(drafts.files, desk.ann, ticket.ref, {kept.id})
    others = desk.do(drafts.files, desk.lead, ticket.ref, {kept.id})
    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Again.", files=mine))

    assert (mine, others) == ((FILE,), ())
    assert (desk.all(DraftRow), desk.all(DraftFile)) == ([], [])
    assert [file.sha256 for file in desk.all(Attachment)] == ["e" * 64]


def test_a_customer_who_wrote_meanwhile_still_waits_since_the_first_mail(
    desk: Desk, forward: Forward
) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    since = desk.again(ticket).waiting_since
    message = reply(desk, ticket)
    forward(timedelta(seconds=5))
    desk.arrive(inquiry(refs=answer_to(first.external_id)))

    take_back(desk, ticket, message)

    after = desk.again(ticket)
    assert (after.status, after.waiting_since, after.first_responded_at) == (
        Status.OPEN, since, None,
    )  # fmt: skip


def test_a_ticket_closed_meanwhile_stays_closed(desk: Desk) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)

    take_back(desk, ticket, message)

    after = desk.again(ticket)
    assert (after.status, after.waiting_since, after.first_responded_at) == (
        Status.RESOLVED, None, None,
    )  # fmt: skip


def test_what_a_worker_has_is_not_taken_back(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket)
    forward(timedelta(seconds=10))
    desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)

    with pytest.raises(Conflict, match="left already"):
        take_back(desk, ticket, message)

    assert [one.state for one in desk.deliveries(message.id)] == [DeliveryState.SENDING] * 2


def test_what_was_sent_at_once_is_not_taken_back(desk: Desk) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket, When())

    with pytest.raises(Conflict, match="left already"):
        take_back(desk, ticket, message)


def test_of_worker_and_author_one_wins(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket)
    forward(timedelta(seconds=10))
    together = threading.Barrier(2)
    won: list[str] = []

    def worker() -> None:
        together.wait(10)
        if desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS):
            won.append("sent")

    def author() -> None:
        together.wait(10)
        try:
            take_back(desk, ticket, message)
        except Conflict:
            return
        won.append("taken back")

    threads = [threading.Thread(target=one) for one in (worker, author)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(won) == 1
    left = [one.state for one in desk.deliveries(message.id)]
    assert left == ([DeliveryState.SENDING] * 2 if won == ["sent"] else [])


def test_only_the_author_takes_it_back(desk: Desk) -> None:
    ticket, other = desk.ticket(), desk.ticket(inquiry("ben@customers.test"))
    message = reply(desk, ticket)

    with pytest.raises(NotAllowed):
        desk.do(resting.take_back, desk.lead, ticket.ref, message.id)
    with pytest.raises(NotFound):
        desk.do(resting.take_back, desk.ann, other.ref, message.id)
    with pytest.raises(NotFound):
        desk.do(resting.take_back, desk.ann, ticket.ref, 999)


def test_the_number_of_what_was_taken_back_never_comes_again(desk: Desk) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket)
    take_back(desk, ticket, message)

    again = reply(desk, ticket)

    assert again.id > message.id


@pytest.mark.parametrize(
    "when", [When(-1), When(31), When(at=NOON), When(at=NOON + timedelta(days=366))]
)
def test_a_time_nobody_means_is_refused(desk: Desk, when: When) -> None:
    ticket = desk.ticket()

    with pytest.raises(Invalid):
        reply(desk, ticket, when)

    assert len(desk.all(Message)) == 1


# For later


def test_a_planned_reply_answers_nothing_until_it_leaves(
    desk: Desk, forward: Forward, blobs: Blobs
) -> None:
    ticket = desk.ticket()
    waiting = desk.again(ticket).waiting_since

    message = reply(desk, ticket, When(at=TOMORROW))

    planned = desk.again(ticket)
    assert (planned.status, planned.snoozed_until, planned.waiting_since) == (
        Status.SNOOZED, TOMORROW, waiting,
    )  # fmt: skip
    assert planned.first_responded_at is None
    assert [point.direction for point in desk.all(Touchpoint)] == ["in"]
    with desk.db.reading() as session:
        kinds = [problem.kind for problem in integrity.problems(session, blobs)]
    assert "message" not in kinds

    forward(timedelta(days=1))
    desk.do(upkeep.tick)
    assert desk.again(ticket).status is Status.SNOOZED
    desk.send(message.id, Sent(), Sent())

    after = desk.again(ticket)
    assert (after.status, after.snoozed_until, after.waiting_since, after.first_responded_at) == (
        Status.WAITING, None, None, TOMORROW,
    )  # fmt: skip
    assert [(one.direction, one.at) for one in desk.all(Touchpoint)][-1] == ("out", TOMORROW)
    assert events(desk, ticket)[-3:] == ["reply_planned", "replied", "delivery"]
    assert desk.one(Message, message.id).created_at == TOMORROW


def test_a_planned_reply_is_taken_back(desk: Desk) -> None:
    ticket = desk.ticket()
    was = state(desk, ticket)

    take_back(desk, ticket, reply(desk, ticket, When(at=TOMORROW)))

    assert state(desk, ticket) == was


@pytest.mark.parametrize("noticed_by", ["the clock", "the worker"])
def test_a_customer_who_writes_makes_it_a_draft_again(
    desk: Desk, forward: Forward, noticed_by: str
) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    message = reply(desk, ticket, When(at=TOMORROW))
    refs = answer_to(first.external_id)
    desk.arrive(inquiry(refs=refs, automatic=True, text="I am away."))
    desk.do(upkeep.tick)
    assert len(desk.deliveries(message.id)) == 2
    desk.arrive(inquiry(refs=refs, text="Never mind."))

    if noticed_by == "the clock":
        desk.do(upkeep.tick)
    forward(timedelta(days=1))
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None

    assert [row.text for row in desk.all(DraftRow)] == ["Wobble it."]
    assert desk.all(Message, kind=MessageKind.OUTBOUND) == []
    assert desk.again(ticket).status is Status.OPEN
    assert [(one.what, one.data) for one in desk.all(Change) if one.what.startswith("reply_o")] == [
        ("reply_overtaken", {"by_customer": True})
    ]


def test_nothing_leaves_for_what_is_spam_by_then(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket, When(at=TOMORROW))
    desk.do(tickets.mark_spam, desk.ann, ticket.ref)
    forward(timedelta(days=1))

    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None

    assert [row.text for row in desk.all(DraftRow)] == ["Wobble it."]
    assert desk.again(ticket).status is Status.SPAM


def test_a_ticket_resolved_meanwhile_stays_resolved(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket, When(at=TOMORROW))
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(timedelta(days=1))

    desk.send(message.id, Sent(), Sent())

    after = desk.again(ticket)
    assert (after.status, after.first_responded_at) == (Status.RESOLVED, TOMORROW)


def test_a_stranger_with_our_address_ends_no_planned_answer(desk: Desk) -> None:
    ticket = desk.ticket()
    reply(desk, ticket, When(at=TOMORROW))
    token = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)
    desk.ticket(inquiry("eve@elsewhere.test", refs=token))

    assert desk.do(resting.overtaken) == 0
    assert len(desk.all(Resting)) == 1


def test_a_planned_answer_that_is_stopped_keeps_its_ticket_asleep_no_longer(
    desk: Desk, forward: Forward
) -> None:
    ticket = desk.ticket()
    message = reply(desk, ticket, When(at=TOMORROW))
    desk.do(tickets.snooze, desk.ann, ticket.ref, NOON + timedelta(hours=1))
    for delivery in desk.deliveries(message.id):
        desk.do(outbox.cancel, desk.ann, delivery.id)

    forward(timedelta(hours=2))

    assert desk.do(tickets.wake_due) == 1

"""Answering, noting, handing on and closing; and what each refuses, leaving nothing behind."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import Conflict, Invalid, NotFound
from app.domain.words import DeliveryState, MessageKind, Status, SurveyState
from app.services import drafts, intake, tickets
from app.services.access import Actor
from app.services.filing import Understood
from app.services.tickets import Draft, NewFile
from app.store import search
from app.store.tables import (
    Address,
    Attachment,
    Change,
    Customer,
    Delivery,
    Message,
    Participant,
    Seen,
    Team,
    Ticket,
    Touchpoint,
)
from app.store.tables import Draft as DraftRow
from channels.contract import InboundMessage, Party, Ref, RefKind
from tests.factories import make_agent, make_inbox
from tests.inquiries import NOON, Desk, inquiry

Forward = Callable[[timedelta], None]


def facts(desk: Desk) -> dict[str, Any]:
    """All rows a refused act could have left."""
    tables = (Message, Delivery, Participant, Address, Customer, Attachment, Change, Touchpoint)
    return {
        **{table.__tablename__: len(desk.all(table)) for table in tables},
        "tickets": [ticket.model_dump() for ticket in desk.all(Ticket)],
        "jobs": desk.jobs(),
    }


def refused(desk: Desk, kind: type[Exception], verb: Any, *args: Any) -> Exception:
    """The verb raises, and afterwards everything is as it was."""
    before = facts(desk)
    with pytest.raises(kind) as raised:
        desk.do(verb, *args)
    assert facts(desk) == before
    return raised.value


def test_reply_writes_message_deliveries_and_job_together(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    before = desk.jobs()
    forward(timedelta(minutes=30))
    draft = Draft(
        "Turn it to the left.",
        cc=("boss@customers.test",),
        files=(NewFile("map.pdf", "application/pdf", "e" * 64, 7),),
    )

    message = desk.do(tickets.reply, desk.ann, ticket.ref, draft)

    later = NOON + timedelta(minutes=30)
    [row] = desk.all(Message, kind=MessageKind.OUTBOUND)
    assert (row.id, row.text, row.author, row.agent_id, row.to, row.cc, row.created_at) == (
        message.id,
        "Turn it to the left.",
        "Ann Bell",
        desk.ann.agent_id,
        ["yumi@customers.test"],
        ["boss@customers.test"],
        later,
    )
    assert [(d.recipient, d.is_copy, d.state, d.next_at) for d in desk.deliveries(message.id)] == [
        ("yumi@customers.test", False, DeliveryState.QUEUED, later),
        ("boss@customers.test", True, DeliveryState.QUEUED, later),
    ]
    assert desk.jobs() == before + 1
    assert [(a.name, a.sha256) for a in desk.all(Attachment)] == [("map.pdf", "e" * 64)]
    after = desk.again(ticket)
    assert (
        after.status,
        after.first_responded_at,
        after.waiting_since,
        after.assignee_id,
        after.has_files,
        after.message_count,
    ) == (Status.WAITING, later, None, desk.ann.agent_id, True, 2)
    assert [(t.direction, t.message_id) for t in desk.all(Touchpoint)][-1] == ("out", message.id)
    with desk.db.reading() as session:
        assert search.find(session, "left") == [ticket.id]


def test_reply_that_is_rolled_back_leaves_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    before = facts(desk)

    desk.in_vain(tickets.reply, desk.ann, ticket.ref, Draft("Never said."))

    assert facts(desk) == before
    with desk.db.reading() as session:
        assert search.find(session, "never") == []


def test_reply_goes_where_the_customer_wants_it(desk: Desk) -> None:
    first = inquiry(reply_to=Party("email", "office@customers.test"))
    ticket = desk.ticket(first)
    again = (Ref(RefKind.MESSAGE_ID, first.external_id),)
    desk.arrive(inquiry(refs=again, automatic=True, text="I am on holiday."))

    wanted = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("To the office."))
    chosen = desk.do(
        tickets.reply, desk.ann, ticket.ref, Draft("To you.", to=("yumi@customers.test",))
    )
    desk.arrive(inquiry(refs=again))
    changed = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("To you again."))

    assert [wanted.to, chosen.to, changed.to] == [
        ["office@customers.test"],
        ["yumi@customers.test"],
        ["yumi@customers.test"],
    ]


def test_reply_to_spam_is_refused(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.do(tickets.mark_spam, desk.ann, ticket.ref)

    refused(desk, Conflict, tickets.reply, desk.ann, ticket.ref, Draft("Hello?"))


def test_reply_to_what_was_not_seen_is_refused_and_names_it(desk: Desk) -> None:
    ticket = desk.ticket()
    [seen] = desk.all(Message)
    noted = desk.do(tickets.note, desk.lead, ticket.ref, "I am on it.")

    error = refused(
        desk, Conflict, tickets.reply, desk.ann, ticket.ref, Draft("Hello.", last_seen=seen.id)
    )

    assert isinstance(error, Conflict)
    assert error.data == {"newer": [noted.id]}


def test_of_two_replies_at_once_the_second_is_told(desk: Desk) -> None:
    ticket = desk.ticket()
    [seen] = desk.all(Message)
    together = threading.Barrier(2)
    said: list[str] = []

    def answer(actor: Actor) -> None:
        together.wait(10)
        try:
            desk.do(tickets.reply, actor, ticket.ref, Draft(actor.name, last_seen=seen.id))
            said.append("sent")
        except Conflict:
            said.append("told")

    threads = [threading.Thread(target=answer, args=(one,)) for one in (desk.ann, desk.lead)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(said) == ["sent", "told"]
    assert len(desk.all(Message, kind=MessageKind.OUTBOUND)) == 1


def test_of_one_act_done_twice_at_once_one_answer_goes_out(desk: Desk) -> None:
    ticket = desk.ticket()
    [seen] = desk.all(Message)
    together = threading.Barrier(2)
    written: list[int] = []

    def answer() -> None:
        together.wait(10)
        draft = Draft("It is on its way.", last_seen=seen.id, act="a-1")
        written.append(desk.do(tickets.reply, desk.ann, ticket.ref, draft).id)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    [message] = desk.all(Message, kind=MessageKind.OUTBOUND)
    assert written == [message.id, message.id]
    assert len(desk.deliveries(message.id)) == 1


def test_one_act_cannot_be_two_things(desk: Desk) -> None:
    ticket = desk.ticket()
    noted = desk.do(tickets.note, desk.ann, ticket.ref, "Call back.", "a-1")

    refused(desk, Conflict, tickets.reply, desk.ann, ticket.ref, Draft("Call back.", act="a-1"))
    refused(desk, Conflict, tickets.note, desk.ann, ticket.ref, "Call back at ten.", "a-1")
    again = desk.do(tickets.note, desk.ann, ticket.ref, "Call back.", "a-1")
    elsewhere = desk.do(tickets.note, desk.ann, desk.ticket().ref, "Call back.", "a-1")

    assert again.id == noted.id != elsewhere.id


NOT_ONE_ADDRESS = (
    "yumi",
    "@customers.test",
    "yumi@",
    "yumi@.",
    "a@b@customers.test",
    "yumi@customers.test, eve@elsewhere.test",
    "yumi@customers.test\r\nBcc: eve@elsewhere.test",
    "yumi@customers.test\nBcc: eve@elsewhere.test",
    "yumi@customers.test\u2028Bcc: eve@elsewhere.test",
    "Yumi <yumi@customers.test>",
    '"yumi"@customers.test',
    "yumi@customers.test\x00",
    f"{'y' * 250}@customers.test",
)


def test_what_is_not_one_address_is_refused(desk: Desk) -> None:
    ticket = desk.ticket()

    for wrong in NOT_ONE_ADDRESS:
        for draft in (Draft("Hello.", to=(wrong,)), Draft("Hello.", cc=(wrong,))):
            refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, draft)


def test_an_answer_never_goes_to_an_address_of_ours(desk: Desk) -> None:
    """It would be ignored where it arrives, as a mail of ours that comes back."""
    ticket, own_mail = desk.ticket(), inquiry(desk.inbox.address)
    aside = desk.arrive(own_mail)
    desk.do(intake.take, desk.ann, aside.id)
    desk.do(intake.file, desk.keys, aside.id, [Understood(own_mail)])
    _, from_us = desk.all(Ticket)
    own = desk.inbox.address.replace("@", "+orders@").upper()

    for draft in (Draft("Hello.", to=(own,)), Draft("Hello.", cc=(own,))):
        refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, draft)
    refused(desk, Invalid, tickets.reply, desk.ann, from_us.ref, Draft("Hello."))
    chosen = Draft("Hello.", to=("yumi@customers.test",))
    message = desk.do(tickets.reply, desk.ann, from_us.ref, chosen)

    assert message.to == ["yumi@customers.test"]


def test_one_recipient_in_two_spellings_gets_one_delivery(desk: Desk) -> None:
    ticket = desk.ticket()
    draft = Draft(
        "Hello.", to=("Yumi@Customers.test", "yumi@customers.test"), cc=("YUMI@customers.test",)
    )

    message = desk.do(tickets.reply, desk.ann, ticket.ref, draft)

    assert [(d.recipient, d.is_copy) for d in desk.deliveries(message.id)] == [
        ("Yumi@Customers.test", False)
    ]


def test_too_many_recipients_are_refused(desk: Desk) -> None:
    ticket = desk.ticket()
    many = tuple(f"c{number}@customers.test" for number in range(51))

    refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, Draft("Hello.", to=many))


def test_reply_without_words_or_with_too_many_is_refused(desk: Desk) -> None:
    ticket = desk.ticket()

    for text in ("", " \n ", "\x00", "x" * 200_001):
        refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, Draft(text))


def test_what_cannot_be_stored_is_left_out_of_the_words(desk: Desk) -> None:
    ticket = desk.ticket()

    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn\x00 it\ud800."))

    assert desk.one(Message, message.id).text == "Turn it."


def test_a_channel_that_cannot_write_takes_notes_only(desk: Desk) -> None:
    with desk.db.transaction() as session:
        phone = make_inbox(session, "phone")
    ticket = desk.ticket(inquiry(is_call=True), inbox=phone)

    refused(desk, Conflict, tickets.reply, desk.ann, ticket.ref, Draft("Hello."))
    desk.do(tickets.note, desk.ann, ticket.ref, "Called back.")

    assert desk.all(Delivery) == []


def test_a_handle_that_takes_no_part_cannot_be_written_to(desk: Desk) -> None:
    with desk.db.transaction() as session:
        chat = make_inbox(session, "chat")
    ticket = desk.ticket(_spoken("visitor 7"), inbox=chat)
    desk.ticket(_spoken("visitor 8"), inbox=chat)

    refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, Draft("Hi", to=("visitor 8",)))
    refused(desk, Invalid, tickets.reply, desk.ann, ticket.ref, Draft("Hi", to=("visitor 9",)))
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Hi"))

    assert [d.recipient for d in desk.deliveries(message.id)] == ["visitor 7"]


def _spoken(visitor: str) -> InboundMessage:
    return InboundMessage(
        external_id=f"chat {visitor}",
        sender=Party("chat", visitor),
        sent_at=NOON,
        text="Hi",
        conversation=visitor,
    )


def test_reply_to_a_resolved_ticket_takes_the_request_back(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)

    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("One more thing."))

    after = desk.again(ticket)
    assert (after.status, after.resolved_at) == (Status.WAITING, None)
    assert [(s.state, s.reason) for s in desk.surveys()] == [
        (SurveyState.REVOKED, "The ticket was answered again.")
    ]


def test_a_note_is_seen_by_the_team_only(desk: Desk) -> None:
    ticket = desk.ticket()
    before = desk.jobs()

    note = desk.do(tickets.note, desk.ann, ticket.ref, "They called twice.")

    assert desk.one(Message, note.id).kind is MessageKind.NOTE
    assert (desk.all(Delivery), desk.jobs(), len(desk.all(Touchpoint))) == ([], before, 1)
    assert desk.again(ticket).status is Status.OPEN


def test_resolve_decides_about_the_request_in_the_same_transaction(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)

    desk.in_vain(tickets.resolve, desk.ann, ticket.ref)
    assert (desk.again(ticket).status, desk.surveys()) == (Status.WAITING, [])

    desk.do(tickets.resolve, desk.ann, ticket.ref)
    after = desk.again(ticket)
    assert (after.status, after.resolved_at, after.resolutions) == (Status.RESOLVED, NOON, 1)
    assert [(s.resolution, s.state) for s in desk.surveys()] == [(1, SurveyState.SCHEDULED)]
    refused(desk, Conflict, tickets.resolve, desk.ann, ticket.ref)


def test_reopen_takes_the_request_back(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)

    desk.do(tickets.reopen, desk.ann, ticket.ref)

    assert (desk.again(ticket).status, desk.again(ticket).resolved_at) == (Status.OPEN, None)
    assert [s.reason for s in desk.surveys()] == ["The ticket was reopened."]


def test_a_reopened_ticket_waits_for_us_from_then_on(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(timedelta(hours=3))

    desk.do(tickets.reopen, desk.ann, ticket.ref)

    assert desk.again(ticket).waiting_since == NOON + timedelta(hours=3)


def test_snooze_ends_when_its_time_has_come(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    until = NOON + timedelta(hours=2)
    desk.do(tickets.snooze, desk.ann, ticket.ref, until)
    assert (desk.again(ticket).status, desk.again(ticket).snoozed_until) == (Status.SNOOZED, until)
    assert desk.do(tickets.wake_due) == 0

    forward(timedelta(hours=2))

    assert desk.do(tickets.wake_due) == 1
    assert (desk.again(ticket).status, desk.again(ticket).snoozed_until) == (Status.OPEN, None)


def test_snooze_into_the_past_is_refused(desk: Desk) -> None:
    ticket = desk.ticket()

    refused(desk, Invalid, tickets.snooze, desk.ann, ticket.ref, NOON)


def test_assign_and_hand_on_take_only_who_is_there(desk: Desk) -> None:
    ticket = desk.ticket()
    with desk.db.transaction() as session:
        team = Team(name="Shop")
        session.add(team)
        ben = make_agent(session, "Ben")

    desk.do(tickets.assign, desk.ann, ticket.ref, ben.agent_id)
    desk.do(tickets.hand_to_team, desk.ann, ticket.ref, team.id)

    after = desk.again(ticket)
    assert (after.assignee_id, after.team_id) == (ben.agent_id, team.id)
    assert [(c.what, c.data, c.agent_id) for c in desk.all(Change)][-2:] == [
        ("assigned", {"to": "Ben"}, desk.ann.agent_id),
        ("handed_on", {"to": "Shop"}, desk.ann.agent_id),
    ]
    refused(desk, Invalid, tickets.assign, desk.ann, ticket.ref, 999)
    refused(desk, Invalid, tickets.hand_to_team, desk.ann, ticket.ref, 999)
    desk.do(tickets.assign, desk.ann, ticket.ref, None)
    assert desk.again(ticket).assignee_id is None


def test_a_draft_is_kept_until_it_is_sent(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.do(drafts.save, desk.ann, ticket.ref, "Turn")
    desk.do(drafts.save, desk.lead, ticket.ref, "Mine")
    desk.do(drafts.save, desk.ann, ticket.ref, "Turn it\x00")
    assert [(d.agent_id, d.text) for d in desk.all(DraftRow)] == [
        (desk.ann.agent_id, "Turn it"),
        (desk.lead.agent_id, "Mine"),
    ]

    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it to the left."))
    desk.do(drafts.save, desk.lead, ticket.ref, "  ")

    assert desk.all(DraftRow) == []


def test_mark_seen_is_one_row_an_agent(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    desk.do(tickets.mark_seen, desk.ann, ticket.ref)
    forward(timedelta(minutes=1))

    desk.do(tickets.mark_seen, desk.ann, ticket.ref)

    assert [(s.agent_id, s.at) for s in desk.all(Seen)] == [
        (desk.ann.agent_id, NOON + timedelta(minutes=1))
    ]


def test_every_act_is_written_down_and_makes_the_row_new(desk: Desk) -> None:
    ticket = desk.ticket()

    desk.do(tickets.note, desk.ann, ticket.ref, "Hm.")
    desk.do(tickets.mark_spam, desk.ann, ticket.ref)
    desk.do(tickets.reopen, desk.ann, ticket.ref)

    changes = [c for c in desk.all(Change) if c.ticket_id == ticket.id]
    assert [c.what for c in changes] == ["filed", "noted", "marked_spam", "reopened"]
    assert desk.again(ticket).version == ticket.version + 3


def test_a_ticket_that_is_not_there_is_not_found(desk: Desk) -> None:
    refused(desk, NotFound, tickets.reply, desk.ann, "nowhere", Draft("Hello."))

"""A message finds its customer and its ticket, and proves nothing by quoting."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.words import MessageKind, Status, SurveyState
from app.services import indexing, intake, tickets
from app.services.filing import StoredFile, Understood
from app.store import search
from app.store.tables import (
    Address,
    Arrival,
    Attachment,
    Change,
    Customer,
    Message,
    Participant,
    PredictionRow,
    Survey,
    Ticket,
    Topic,
    Touchpoint,
)
from channels.contract import Direction, InboundMessage, Party, Ref, RefKind
from tests.factories import make_inbox
from tests.inquiries import NOON, Desk, guess, inquiry

Forward = Callable[[timedelta], None]


def by_id(external_id: str) -> tuple[Ref, ...]:
    return (Ref(RefKind.MESSAGE_ID, external_id),)


def test_a_first_message_opens_a_ticket_with_everything_on_it(desk: Desk) -> None:
    file = StoredFile("lid.jpg", "image/jpeg", 9, "f" * 64)
    message = inquiry(subject="AW: Re: A question", text="The lid\ndoes not close.")

    ticket = desk.ticket(message, files=(file,), prediction=guess("G", "delivery"), language="de")

    [customer] = desk.all(Customer)
    [topic] = desk.all(Topic, key="delivery")
    assert (
        ticket.subject,
        ticket.preview,
        ticket.status,
        ticket.customer_id,
        ticket.language,
        (ticket.stage, ticket.stage_by, ticket.stage_probability),
        (ticket.topic_id, ticket.topic_by, ticket.topic_probability),
        (ticket.created_at, ticket.last_activity_at, ticket.waiting_since, ticket.last_inbound_at),
        ticket.due_at,
        (ticket.message_count, ticket.has_files, ticket.automatic, ticket.claims_ref),
    ) == (
        "A question",
        "The lid does not close.",
        Status.OPEN,
        customer.id,
        "de",
        ("G", "suggestion", 0.9),
        (topic.id, "suggestion", 0.9),
        (NOON, NOON, NOON, NOON),
        NOON + timedelta(hours=8),
        (1, True, False, ""),
    )
    assert (customer.name, customer.language, customer.stage) == ("Yumi", "de", "")
    assert [(a.name, a.sha256) for a in desk.all(Attachment)] == [("lid.jpg", "f" * 64)]
    assert [(t.direction, t.stage, t.channel) for t in desk.all(Touchpoint)] == [
        ("in", "G", "email")
    ]
    assert [(c.what, c.ticket_id) for c in desk.all(Change)] == [("filed", ticket.id)]
    with desk.db.reading() as session:
        assert search.find(session, "lid close") == [ticket.id]
        assert search.find(session, "lid.jpg") == [ticket.id]


def test_the_customers_next_mail_joins_their_ticket(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)

    desk.arrive(inquiry(refs=by_id(first.external_id)))

    assert [message.ticket_id for message in desk.all(Message)] == [ticket.id, ticket.id]
    assert desk.again(ticket).message_count == 2


def test_a_stranger_who_quotes_ids_opens_a_ticket_that_says_so(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)

    other = desk.ticket(inquiry("eve@elsewhere.test", refs=by_id(first.external_id)))

    assert other.id != ticket.id
    assert other.claims_ref == ticket.ref
    assert other.customer_id != ticket.customer_id
    assert desk.again(ticket).message_count == 1


def test_a_signed_id_counts_only_for_those_who_take_part(desk: Desk) -> None:
    ticket = desk.ticket()
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    desk.arrive(inquiry(refs=token))
    stranger = desk.ticket(inquiry("eve@elsewhere.test", refs=token))

    assert desk.again(ticket).message_count == 2
    assert (stranger.id != ticket.id, stranger.claims_ref) == (True, ticket.ref)


def test_a_forged_token_names_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    forged = f"{ticket.ref}-1-aaaaaaaaaaaaaaaaaaaaaaaaaa"

    other = desk.ticket(inquiry("eve@elsewhere.test", refs=(Ref(RefKind.ID_TOKEN, forged),)))

    assert (other.id != ticket.id, other.claims_ref) == (True, "")


def test_whom_the_agent_wrote_to_may_answer(desk: Desk) -> None:
    ticket = desk.ticket()
    draft = tickets.Draft("See below.", to=("yumi@customers.test",), cc=("boss@customers.test",))
    desk.do(tickets.reply, desk.ann, ticket.ref, draft)
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    desk.arrive(inquiry("boss@customers.test", refs=token))

    assert desk.again(ticket).message_count == 3
    addresses = {row.id: row.value for row in desk.all(Address)}
    assert [(addresses[p.address_id], p.role) for p in desk.all(Participant)] == [
        ("yumi@customers.test", "customer"),
        ("boss@customers.test", "cc"),
    ]


def test_whom_a_stranger_puts_in_cc_gains_nothing(desk: Desk) -> None:
    first = inquiry(cc=(Party("email", "eve@elsewhere.test"),))
    ticket = desk.ticket(first)

    other = desk.ticket(inquiry("eve@elsewhere.test", refs=by_id(first.external_id)))

    assert other.id != ticket.id


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Party("email", "office@customers.test"), "office@customers.test"),
        (Party("email", "Support+t.abc@Shop.test"), ""),
        (Party("email", "old@shop.test"), ""),  # switched off, and still ours
        (Party("email", "not one, but two@customers.test"), ""),
        (Party("phone", "+4930123456"), ""),
    ],
)
def test_where_an_answer_is_wanted_is_kept_unless_it_is_ours(
    desk: Desk, wanted: Party, kept: str
) -> None:
    with desk.db.transaction() as session:
        make_inbox(session, address="support@shop.test")
        make_inbox(session, address="old@shop.test", enabled=False)

    ticket = desk.ticket(inquiry(reply_to=wanted))

    assert [message.reply_to for message in desk.all(Message)] == [kept]
    assert [customer.id for customer in desk.all(Customer)] == [ticket.customer_id]


def test_a_machine_has_no_say_in_where_answers_go(desk: Desk) -> None:
    elsewhere = Party("email", "office@customers.test")

    desk.ticket(inquiry(reply_to=elsewhere, automatic=True))

    assert [message.reply_to for message in desk.all(Message)] == [""]


def test_who_is_named_for_the_answer_may_speak_only_once_written_to(desk: Desk) -> None:
    first = inquiry(reply_to=Party("email", "office@customers.test"))
    ticket = desk.ticket(first)
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    before = desk.ticket(inquiry("office@customers.test", refs=token))
    desk.answered(ticket)
    desk.arrive(inquiry("office@customers.test", refs=token))

    assert (before.id != ticket.id, before.claims_ref) == (True, ticket.ref)
    assert desk.again(ticket).message_count == 3


def test_the_same_message_delivered_twice_is_a_copy(desk: Desk) -> None:
    desk.arrive(inquiry(canonical="c"))

    second = desk.arrive(inquiry(canonical="c"))

    [message] = desk.all(Message)
    assert (second.state, second.copy_of_id, second.reason) == (
        "copy",
        message.id,
        "The same message arrived before.",
    )


def test_one_mail_to_two_inboxes_is_one_inquiry(desk: Desk) -> None:
    with desk.db.transaction() as session:
        other = make_inbox(session)
    desk.arrive(inquiry(canonical="c"))

    second = desk.arrive(inquiry(canonical="c"), other)

    [message] = desk.all(Message)
    assert (second.state, second.copy_of_id) == ("copy", message.id)


def test_one_mail_that_two_workers_file_at_once_is_one_inquiry(desk: Desk) -> None:
    with desk.db.transaction() as session:
        other = make_inbox(session)
    kept = [desk.kept(inbox) for inbox in (desk.inbox, other)]
    together = threading.Barrier(2)

    def file(arrival: Arrival) -> None:
        together.wait(10)
        desk.do(intake.file, desk.keys, arrival.id, [Understood(inquiry(canonical="c"))])

    threads = [threading.Thread(target=file, args=(one,)) for one in kept]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(arrival.state for arrival in desk.all(Arrival)) == ["copy", "filed"]
    assert len(desk.all(Message)) == 1


def test_our_own_mail_that_comes_back_is_ignored(desk: Desk) -> None:
    ours = desk.keys.id_token("7qz4abcde")
    arrival = desk.arrive(inquiry(machine="ourselves", automatic=True, own_token=ours))

    assert (arrival.state, arrival.reason) == ("ignored", "Our own mail came back to us.")
    assert desk.all(Ticket) == []
    assert desk.all(Customer) == []


def test_automatic_mail_neither_reopens_nor_restarts_a_clock(desk: Desk, forward: Forward) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    before = desk.again(ticket)
    forward(timedelta(minutes=5))

    away = inquiry(refs=by_id(first.external_id), automatic=True, text="I am on holiday.")
    desk.arrive(away)

    after = desk.again(ticket)
    same = ("status", "waiting_since", "last_inbound_at", "preview", "resolved_at", "due_at")
    assert {name: getattr(after, name) for name in same} == {
        name: getattr(before, name) for name in same
    }
    assert (after.status, after.message_count) == (Status.RESOLVED, 3)
    assert [survey.state for survey in desk.surveys()] == [SurveyState.SCHEDULED]
    assert len(desk.all(Touchpoint)) == 2  # the inquiry and the answer


def test_a_bounce_that_carries_our_signed_id_is_shown_where_it_belongs(desk: Desk) -> None:
    ticket = desk.ticket()
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    desk.arrive(inquiry("mailer-daemon@x.test", automatic=True, machine="bounce", refs=token))

    assert desk.again(ticket).message_count == 2
    assert len(desk.all(Participant)) == 1
    assert desk.again(ticket).automatic is False


def test_a_ticket_only_machines_wrote_on_says_so_until_a_person_writes(desk: Desk) -> None:
    first = inquiry(automatic=True, machine="bulk")
    ticket = desk.ticket(first)
    assert (ticket.automatic, ticket.waiting_since, ticket.due_at) == (True, None, None)

    desk.arrive(inquiry(refs=by_id(first.external_id)))

    after = desk.again(ticket)
    assert (after.automatic, after.waiting_since) == (False, NOON)


@pytest.mark.parametrize(
    "before",
    [{"automatic": True, "machine": "bulk"}, {"direction": Direction.OUTBOUND, "is_call": True}],
)
def test_the_customers_first_words_are_tagged_whatever_came_before_them(
    desk: Desk, before: dict[str, Any]
) -> None:
    first = inquiry(**before)
    ticket = desk.ticket(first)
    answers = by_id(first.external_id)

    desk.arrive(inquiry(refs=answers), prediction=guess("G", "delivery"))
    desk.arrive(inquiry(refs=answers, text="Thanks!"), prediction=guess("B", "fault_repair"))

    assert desk.again(ticket).stage == "G"
    words = desk.all(Message)[1]
    assert [row.message_id for row in desk.all(PredictionRow)] == [words.id] * 2
    assert {touchpoint.stage for touchpoint in desk.all(Touchpoint)} == {"G"}


def test_a_resolved_ticket_reopens_and_its_request_is_taken_back(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)

    desk.arrive(inquiry(refs=by_id(first.external_id), text="Still open!"))

    after = desk.again(ticket)
    assert (after.status, after.resolved_at, after.preview) == (Status.OPEN, None, "Still open!")
    assert [(survey.state, survey.reason) for survey in desk.all(Survey)] == [
        (SurveyState.REVOKED, "The customer wrote again before it was sent.")
    ]


def test_a_snoozed_ticket_comes_back_when_the_customer_writes(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.do(tickets.snooze, desk.ann, ticket.ref, NOON + timedelta(days=3))

    desk.arrive(inquiry(refs=by_id(first.external_id)))

    after = desk.again(ticket)
    assert (after.status, after.snoozed_until) == (Status.OPEN, None)


def test_what_was_marked_as_spam_takes_no_more_messages(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.do(tickets.mark_spam, desk.ann, ticket.ref)

    other = desk.ticket(inquiry(refs=by_id(first.external_id)))

    assert other.id != ticket.id
    assert desk.again(ticket).status is Status.SPAM


def test_what_a_spammer_writes_next_is_filed_as_spam(desk: Desk) -> None:
    desk.do(tickets.mark_spam, desk.ann, desk.ticket().ref)

    arrival = desk.arrive(inquiry("Yumi@Customers.test", "Cheap lids!"))
    person = desk.ticket(inquiry("kei@customers.test"))

    first, second, third = desk.all(Ticket)
    assert (first.status, second.status, second.waiting_since) == (Status.SPAM, Status.SPAM, None)
    assert (arrival.state, arrival.reason) == (
        "filed",
        f"On ticket {second.ref}, as spam like the one before.",
    )
    written = [(c.what, c.cause) for c in desk.all(Change) if c.ticket_id == second.id]
    assert written == [("filed_as_spam", "rule"), ("filed", "system")]
    assert (third.id, third.status) == (person.id, Status.OPEN)
    with desk.db.reading() as session:
        assert search.find(session, "cheap lids") == [second.id]


@pytest.mark.parametrize("spam_first", [True, False])
def test_a_form_that_writes_for_everybody_is_no_spammer(desk: Desk, spam_first: bool) -> None:
    elsewhere = Party("email", "kei@customers.test")
    spam = inquiry("form@shop.test", reply_to=elsewhere if spam_first else None)
    desk.do(tickets.mark_spam, desk.ann, desk.ticket(spam).ref)

    desk.arrive(inquiry("form@shop.test", "A lid is missing.", reply_to=elsewhere))

    assert [ticket.status for ticket in desk.all(Ticket)] == [Status.SPAM, Status.OPEN]


def test_not_spam_ends_it_for_the_sender(desk: Desk) -> None:
    desk.do(tickets.mark_spam, desk.ann, desk.ticket().ref)
    second = desk.ticket(inquiry())

    desk.do(tickets.reopen, desk.ann, second.ref)

    third = desk.ticket(inquiry())
    first = desk.all(Ticket)[0]
    assert (first.status, third.status) == (Status.SPAM, Status.OPEN)
    again = desk.again(second)
    assert (again.status, again.waiting_since) == (Status.OPEN, NOON)


def test_who_was_answered_before_is_not_taken_for_a_spammer(desk: Desk) -> None:
    desk.answered(desk.ticket())
    forged = desk.ticket(inquiry())
    desk.do(tickets.mark_spam, desk.ann, forged.ref)

    assert desk.ticket(inquiry()).status is Status.OPEN
    marked = [c.data for c in desk.all(Change) if c.what == "marked_spam"]
    assert marked == [{"senders": 0}]


def test_whoever_an_agent_writes_to_may_answer(desk: Desk) -> None:
    desk.do(tickets.mark_spam, desk.ann, desk.ticket().ref)
    other = desk.ticket(inquiry("kei@customers.test"))
    draft = tickets.Draft("Is she yours?", cc=("yumi@customers.test",))
    desk.do(tickets.reply, desk.ann, other.ref, draft)

    assert desk.ticket(inquiry()).status is Status.OPEN


def test_call_of_a_spammer_that_somebody_wrote_down_is_open(desk: Desk) -> None:
    desk.do(tickets.mark_spam, desk.ann, desk.ticket().ref)

    called = desk.ticket(inquiry(is_call=True))

    assert (called.status, called.waiting_since) == (Status.OPEN, NOON)


def _chat(visitor: str, *also: Party, conversation: str = "c1") -> InboundMessage:
    return replace(
        inquiry(),
        sender=Party("chat", visitor, "Yumi"),
        also_known_as=also,
        conversation=conversation,
        refs=(Ref(RefKind.CONVERSATION, conversation),),
    )


def test_another_channel_of_the_same_person_is_the_same_customer(desk: Desk) -> None:
    with desk.db.transaction() as session:
        chat = make_inbox(session, "chat")
    mail = desk.ticket(inquiry("Yumi@Customers.test"))

    also = (Party("email", "yumi@customers.test"), Party("phone", "+81 3 1234 5678"))
    spoken = desk.ticket(_chat("visitor 7", *also), inbox=chat)

    assert spoken.customer_id == mail.customer_id
    assert [(a.kind, a.value) for a in desk.all(Address)] == [
        ("email", "Yumi@Customers.test"),
        ("chat", "visitor 7"),
        ("phone", "+81 3 1234 5678"),
    ]


def test_a_handle_means_somebody_only_in_its_own_inbox(desk: Desk) -> None:
    """Two web sites both have a visitor 7."""
    with desk.db.transaction() as session:
        one, two = make_inbox(session, "chat"), make_inbox(session, "chat")

    first = desk.ticket(_chat("7"), inbox=one)
    second = desk.ticket(_chat("7"), inbox=two)

    assert first.customer_id != second.customer_id
    assert first.id != second.id


def test_a_conversation_goes_on_in_its_own_inbox_only(desk: Desk) -> None:
    with desk.db.transaction() as session:
        one, two = make_inbox(session, "chat"), make_inbox(session, "chat")
    yumi = Party("email", "yumi@customers.test")
    first = desk.ticket(_chat("7", yumi), inbox=one)

    desk.arrive(_chat("7", yumi), one)
    other = desk.ticket(_chat("7", yumi), inbox=two)

    assert desk.again(first).message_count == 2
    assert (other.id != first.id, other.customer_id) == (True, first.customer_id)


def test_a_call_we_made_is_an_answer(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)

    called = replace(
        inquiry(refs=by_id(first.external_id)), direction=Direction.OUTBOUND, is_call=True
    )
    desk.arrive(called)

    after = desk.again(ticket)
    assert (after.status, after.waiting_since, after.first_responded_at) == (
        Status.OPEN,
        None,
        NOON,
    )
    assert [message.kind for message in desk.all(Message)] == [
        MessageKind.INBOUND,
        MessageKind.CALL,
    ]
    assert [touch.direction for touch in desk.all(Touchpoint)] == ["in", "out"]


def test_only_the_first_message_is_tagged(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first, prediction=guess("G", "delivery"))

    desk.arrive(inquiry(refs=by_id(first.external_id)), prediction=guess("A", "delivery"))

    assert desk.again(ticket).stage == "G"


def test_a_ticket_is_tagged_later_when_there_was_no_model_yet(desk: Desk) -> None:
    arrival = desk.kept()
    before = desk.jobs()

    found = Understood(inquiry(), tag_later=True)
    desk.do(intake.file, desk.keys, arrival.id, [found])

    assert desk.jobs() == before + 1


def test_the_same_new_person_in_two_inboxes_at_once_is_one_customer(desk: Desk) -> None:
    with desk.db.transaction() as session:
        other = make_inbox(session)
    arrivals = [desk.kept(), desk.kept(other)]
    together = threading.Barrier(2)

    def file(arrival: Arrival) -> None:
        together.wait(10)
        desk.do(intake.file, desk.keys, arrival.id, [Understood(inquiry("new@customers.test"))])

    threads = [threading.Thread(target=file, args=(arrival,)) for arrival in arrivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [arrival.state for arrival in desk.all(Arrival)] == ["filed", "filed"]
    assert len(desk.all(Customer)) == 1
    assert len(desk.all(Address)) == 1


def test_a_customer_is_found_by_what_stands_in_their_signature(desk: Desk) -> None:
    ticket = desk.ticket(inquiry(reply_text="It leaks.", signature="Möbelhaus Weber, 040 7788990"))

    with desk.db.reading() as session:
        assert search.find(session, "7788990") == [ticket.id]
    with desk.db.transaction() as session:
        search.remove(session, [message.id for message in desk.all(Message)])
        indexing.reindex(session, 0)
    with desk.db.reading() as session:
        assert search.find(session, "7788990") == [ticket.id]


def test_what_an_attached_mail_says_is_found(desk: Desk) -> None:
    file = StoredFile("claim.eml", "message/rfc822", 9, "f" * 64, words="Der Zeppelin leckt")

    ticket = desk.ticket(inquiry(), files=(file,))

    with desk.db.reading() as session:
        assert search.find(session, "zeppelin") == [ticket.id]
    with desk.db.transaction() as session:
        search.remove(session, [message.id for message in desk.all(Message)])
        indexing.reindex(session, 0)
    with desk.db.reading() as session:
        assert search.find(session, "zeppelin") == [ticket.id]


def test_who_takes_the_id_of_another_mail_is_flagged(desk: Desk) -> None:
    first = inquiry()

    desk.ticket(first)
    desk.ticket(inquiry("eve@elsewhere.test", external_id=first.external_id))

    assert [(one.author, one.warnings) for one in desk.all(Message)] == [
        ("Yumi", []),
        ("Yumi", ["same id: Another mail with the same id came before this one."]),
    ]

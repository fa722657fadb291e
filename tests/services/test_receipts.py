"""The first answer an inbox gives by itself: to people, once, and never in a loop."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.domain.words import MessageKind, Role, Status
from app.services import letterheads, outbox, receipts, tickets, upkeep
from app.services.access import Actor
from app.services.letterheads import Hours, Texts
from app.services.tickets import Draft
from app.store.tables import Arrival, Change, Inbox, Message, Ticket
from channels.contract import InboundMessage, Party, Ref, RefKind, Verdicts
from tests.factories import make_inbox
from tests.inquiries import LINKS, NOON, Desk, inquiry
from tests.services.conftest import Forward

ADMIN = Actor("Ada", Role.ADMIN)
ALWAYS = Hours("1234567", 0, 24 * 60)
EN = Texts("{agent}, Kotori", "We have it as {ticket}.", "We are closed. {ticket}")


def speak(desk: Desk, hours: Hours = ALWAYS, **texts: Texts) -> None:
    desk.do(letterheads.write, ADMIN, desk.inbox.id, texts or {"en": EN}, hours)


def said(desk: Desk) -> list[str]:
    return [m.text for m in desk.all(Message, kind=MessageKind.OUTBOUND, automatic=True)]


def test_a_new_inquiry_is_answered_once(desk: Desk) -> None:
    speak(desk)
    first = inquiry()
    ticket = desk.ticket(first)

    desk.do(upkeep.tick)
    desk.arrive(inquiry(refs=(Ref(RefKind.MESSAGE_ID, first.external_id),)))
    desk.do(upkeep.tick)

    assert said(desk) == [f"We have it as #{ticket.ref}."]
    after = desk.again(ticket)
    assert (after.status, after.first_responded_at, after.message_count) == (Status.OPEN, None, 3)
    assert after.waiting_since is not None
    [message] = desk.all(Message, automatic=True)
    draft = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS).draft
    assert (draft.automatic, draft.receipt, draft.text) == (True, True, message.text)
    assert (draft.to, draft.in_reply_to) == (
        (Party("email", "yumi@customers.test"),), first.external_id,
    )  # fmt: skip
    assert "receipt_sent" in [change.what for change in desk.all(Change, ticket_id=ticket.id)]


def test_what_is_said_by_itself_holds_up_no_agent(desk: Desk) -> None:
    speak(desk)
    ticket = desk.ticket()
    [seen] = desk.all(Message)
    desk.do(upkeep.tick)

    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Hello.", last_seen=seen.id))

    assert len(said(desk)) == 1


def test_nothing_is_said_where_no_text_is_written(desk: Desk) -> None:
    speak(desk, en=Texts(signature="Kotori"))
    desk.ticket()

    assert desk.do(receipts.send_due) == 0


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (Hours("3", 9 * 60, 18 * 60), "We have it"),  # Wednesday noon, and so it is
        (Hours("1245", 9 * 60, 18 * 60), "We are closed"),
        (Hours("3", 9 * 60, 12 * 60), "We are closed"),
        (Hours("3", 12 * 60, 13 * 60), "We have it"),
    ],
)
def test_outside_business_hours_it_says_so(desk: Desk, hours: Hours, text: str) -> None:
    speak(desk, hours)
    desk.ticket()

    desk.do(receipts.send_due)

    assert [one[: len(text)] for one in said(desk)] == [text]


def test_the_language_of_the_customer_comes_first(desk: Desk) -> None:
    speak(desk, de=Texts(receipt="Danke."), ja=Texts(receipt="ありがとうございます。"))
    with desk.db.transaction() as session:
        session.get_one(Ticket, desk.ticket().id).language = "ja"

    desk.do(receipts.send_due)

    assert said(desk) == ["ありがとうございます。"]


@pytest.mark.parametrize(
    "message",
    [
        inquiry(automatic=True),
        inquiry(machine="list_bulk"),
        inquiry(verdicts=Verdicts(dmarc="fail")),
        inquiry("noreply@shop.test"),
        inquiry("Do-Not-Reply@shop.test"),
        inquiry("MAILER-DAEMON@shop.test"),
        inquiry("news-bounces@lists.test"),
        inquiry("nicht-antworten@bahn.test"),
        inquiry("other@ours.test"),
        inquiry("other+t.abc@ours.test"),
    ],
    ids=lambda message: f"{message.sender.value} {message.machine}",
)
def test_machines_lists_and_ourselves_get_nothing(desk: Desk, message: InboundMessage) -> None:
    speak(desk)
    with desk.db.transaction() as session:
        make_inbox(session, address="other@ours.test")
    desk.arrive(message)

    assert desk.do(receipts.send_due) == 0


@pytest.mark.parametrize(
    "given",
    [
        {"backlog": True},
        {"server_at": NOON - timedelta(days=2)},
        {"server_at": NOON - timedelta(minutes=2)},
    ],
    ids=["a large import", "long on the server", "there before the inbox was connected"],
)
def test_what_was_imported_gets_nothing(desk: Desk, given: dict[str, Any]) -> None:
    speak(desk)
    desk.ticket()
    with desk.db.transaction() as session:
        for name, value in given.items():
            setattr(session.exec(select(Arrival)).one(), name, value)
        session.get_one(Inbox, desk.inbox.id).started_at = NOON - timedelta(minutes=1)

    assert desk.do(receipts.send_due) == 0


def test_no_words_of_the_sender_stand_in_its_subject(desk: Desk) -> None:
    speak(desk)
    ticket = desk.ticket(inquiry(subject="Buy at http://evil.test"))
    desk.do(receipts.send_due)
    [receipt] = desk.all(Message, automatic=True)

    draft = desk.do(outbox.pack, desk.keys, "w1", receipt.id, LINKS).draft

    assert draft.subject == f"金田うつわ店 · #{ticket.ref}"


def test_spam_answered_and_old_inquiries_get_nothing(desk: Desk, forward: Forward) -> None:
    speak(desk)
    desk.do(tickets.mark_spam, desk.ann, desk.ticket(inquiry("a@x.test")).ref)
    desk.answered(desk.ticket(inquiry("b@x.test")))
    desk.ticket(inquiry("c@x.test"))
    forward(timedelta(minutes=16))

    assert desk.do(receipts.send_due) == 0


def test_one_address_gets_ten_in_a_day(desk: Desk, forward: Forward) -> None:
    speak(desk)
    for number in range(12):
        desk.ticket(inquiry(text=f"Question {number}."))
    desk.do(receipts.send_due)
    assert len(said(desk)) == receipts.PER_ADDRESS
    withheld = desk.all(Change, what=receipts.CAPPED)
    assert [one.data for one in withheld] == [{"cap": "address"}] * 2

    forward(timedelta(hours=25))
    desk.ticket()
    desk.do(receipts.send_due)

    assert len(said(desk)) == receipts.PER_ADDRESS + 1


def test_the_same_words_within_the_hour_get_none(desk: Desk, forward: Forward) -> None:
    speak(desk)
    desk.ticket()
    desk.ticket(inquiry(text="The lid does not close.\n> On", reply_text="The lid does not close."))
    desk.ticket(inquiry(text="It leaks."))
    desk.ticket(inquiry("other@customers.test"))
    assert desk.do(receipts.send_due) == 3

    forward(timedelta(minutes=61))
    desk.ticket()

    assert desk.do(receipts.send_due) == 1


def test_an_inbox_that_says_too_much_falls_silent(desk: Desk, forward: Forward) -> None:
    speak(desk)
    for number in range(receipts.PER_INBOX + 2):
        desk.ticket(inquiry(f"someone{number}@x.test"))
    desk.do(receipts.send_due)
    desk.do(receipts.send_due)
    assert len(said(desk)) == receipts.PER_INBOX
    withheld = desk.all(Change, what=receipts.CAPPED)
    assert [one.data for one in withheld] == [{"cap": "inbox"}] * 2  # once on each ticket

    forward(timedelta(hours=2))
    desk.ticket(inquiry("late@x.test"))
    desk.do(receipts.send_due)

    assert len(said(desk)) == receipts.PER_INBOX + 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_those_who_get_none_stand_in_nobodys_way(desk: Desk) -> None:
    speak(desk)
    for _ in range(receipts.BATCH):
        desk.ticket(inquiry("noreply@x.test"))
    desk.ticket()

    assert desk.do(receipts.send_due) + desk.do(receipts.send_due) == 1


def test_a_signature_goes_out_below_what_an_agent_writes(desk: Desk) -> None:
    speak(desk, en=EN, de=Texts("Grüße, {agent}"))
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it.\n"))

    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)

    assert parcel.draft.text == "Turn it.\n\n-- \nAnn Bell, Kotori"
    assert desk.one(Message, message.id).text == "Turn it.\n"

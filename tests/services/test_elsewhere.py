"""What lies among what was sent: copies of ours, and answers that colleagues wrote elsewhere."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.domain.words import Status
from app.services import doubts, intake, integrity, outbox, sent_copies, tickets
from app.services.filing import Understood
from app.services.forwarding import FROM_US
from app.services.intake import Parcel, Stored
from app.services.tickets import Draft
from app.store.blobs import Blobs
from app.store.tables import (
    Agent,
    Arrival,
    Change,
    EarlyAnswer,
    Message,
    Participant,
    SentCopy,
    Ticket,
)
from channels.contract import (
    Direction,
    Forward,
    InboundMessage,
    InDoubt,
    Party,
    Raw,
    Ref,
    RefKind,
    Rendered,
    Sent,
    Verdicts,
)
from tests.factories import make_inbox
from tests.inquiries import LINKS, NOON, Desk, inquiry
from tests.services.conftest import Forward as Wait

YUMI, BOB, CARL = "yumi@customers.test", "bob@customers.test", "carl@elsewhere.test"
OUR_INBOX = "support@shop.test"
OURS = "t.token.2.dede0129@shop.test"


def elsewhere(desk: Desk, *answers: str, to: str = YUMI, **given: Any) -> InboundMessage:
    """A mail of our own address, as it lies among what was sent."""
    ours: dict[str, Any] = {
        "sender": Party("email", desk.inbox.address),
        "direction": Direction.OUTBOUND,
        "to": (Party("email", to),),
        "refs": tuple(Ref(RefKind.MESSAGE_ID, one) for one in answers),
    }
    return replace(inquiry(text="Turn the lid to the left."), **(ours | given))


def outcome(desk: Desk, message: InboundMessage) -> tuple[str, str]:
    arrival: Arrival = desk.arrive(message)
    return arrival.state, arrival.reason


def test_an_answer_from_a_mail_program_stands_on_its_ticket(desk: Desk, blobs: Blobs) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    [ann] = [one for one in desk.all(Agent) if one.id == desk.ann.agent_id]
    answer = elsewhere(
        desk,
        first.external_id,
        to=YUMI,
        sent_at=NOON + timedelta(minutes=1),
        cc=(Party("email", BOB), Party("email", desk.inbox.address)),
        sender=Party("email", ann.email.upper(), "Somebody"),
    )

    state, reason = outcome(desk, answer)

    assert (state, reason) == ("filed", f"On ticket {ticket.ref}, as an answer of ours.")
    _, said = desk.all(Message)
    assert (said.kind, said.author, said.agent_id) == ("outbound", ann.name, ann.id)
    assert (said.text, said.external_id) == (answer.text, answer.external_id)
    after: Ticket = desk.again(ticket)
    assert (after.status, after.waiting_since, after.message_count) == (Status.WAITING, None, 2)
    assert (after.first_responded_at, after.assignee_id) == (NOON, ann.id)
    assert desk.deliveries(said.id) == []
    last = desk.all(Change)[-1]
    assert (last.what, last.agent_id) == ("answered_elsewhere", ann.id)
    assert len(desk.all(Participant, ticket_id=ticket.id)) == 2  # the customer, and who got a copy
    # Who answers a colleague's mail is on the ticket as after an answer from here.
    back = inquiry(BOB, refs=(Ref(RefKind.MESSAGE_ID, answer.external_id),))
    assert outcome(desk, back) == ("filed", f"On ticket {ticket.ref}.")
    assert outcome(desk, answer)[0] == "copy"
    with desk.db.reading() as session:
        problems = [one.words for one in integrity.problems(session, blobs)]
    assert [one for one in problems if "delivery" in one] == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"refs": ()}, "A conversation that began in a mail program."),
        ({"to": (Party("email", CARL),)}, "It went to nobody who takes part in the ticket it"),
        ({"automatic": True}, "A machine wrote it."),
    ],
    ids=["a new conversation", "handed on to somebody else", "a machine's"],
)
def test_what_is_no_answer_is_ignored_with_a_reason(
    desk: Desk, given: dict[str, Any], reason: str
) -> None:
    first = inquiry()
    before = desk.ticket(first)

    state, said = outcome(desk, replace(elsewhere(desk, first.external_id), **given))

    assert state == "ignored"
    assert said.startswith(reason)
    assert [one.id for one in desk.all(Ticket)] == [before.id]
    assert desk.again(before).version == before.version


def test_an_answer_that_comes_before_what_it_answers_finds_its_ticket_later(desk: Desk) -> None:
    first = inquiry()
    answer = elsewhere(desk, "before@customers.test", first.external_id)
    early = desk.arrive(answer)
    assert (early.state, desk.all(Ticket)) == ("ignored", [])

    ticket = desk.ticket(first)

    again = desk.one(Arrival, early.id)
    assert (again.state, again.filed_at) == ("waiting", None)
    desk.do(intake.file, desk.keys, early.id, [Understood(answer)])
    assert desk.one(Arrival, early.id).state == "filed"
    assert [one.kind for one in desk.all(Message)] == ["inbound", "outbound"]
    assert desk.again(ticket).status == Status.WAITING
    desk.arrive(inquiry(external_id="before@customers.test"))
    assert desk.one(Arrival, early.id).state == "filed"  # once is enough
    assert desk.all(EarlyAnswer) == []


def test_answers_are_filed_after_the_mails_they_may_answer(desk: Desk) -> None:
    parcels = [
        Parcel(Raw("answer", b"{}", sent=True), Stored("a" * 64, 2)),
        Parcel(Raw("imported", b"{}"), Stored("b" * 64, 2), backlog=True),
        Parcel(Raw("new", b"{}"), Stored("c" * 64, 2)),
    ]
    for parcel in parcels:
        desk.do(intake.keep_all, desk.inbox.id, [parcel])

    waiting = desk.do(intake.due, desk.inbox.id, 10)

    assert [one.external_id for one in waiting] == ["new", "imported", "answer"]


def test_an_answer_older_than_the_question_answers_nothing(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.arrive(
        inquiry(
            refs=(Ref(RefKind.MESSAGE_ID, first.external_id),), sent_at=NOON + timedelta(hours=2)
        )
    )

    outcome(desk, elsewhere(desk, first.external_id, sent_at=NOON + timedelta(hours=1)))

    after = desk.again(ticket)
    assert (after.status, after.waiting_since) == (Status.OPEN, NOON)
    assert [one.kind for one in desk.all(Message)] == ["inbound", "inbound", "outbound"]


def test_neither_a_stranger_nor_a_wrong_clock_keeps_an_answered_ticket_open(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    said = (Ref(RefKind.MESSAGE_ID, first.external_id),)
    handed_on = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)
    mails = [
        (1, inquiry(refs=said, sent_at=NOON + timedelta(hours=20))),
        (3, inquiry(CARL, refs=handed_on, sent_at=NOON + timedelta(minutes=3))),
        (2, elsewhere(desk, first.external_id, sent_at=NOON + timedelta(minutes=2))),
    ]

    for minutes, message in mails:
        raw = Raw(message.external_id, b"{}", received_at=NOON + timedelta(minutes=minutes))
        arrival = desk.do(intake.keep, desk.inbox.id, raw, Stored("f" * 64, 2))
        desk.do(intake.file, desk.keys, arrival.id, [Understood(message)])

    after = desk.again(ticket)
    assert (after.message_count, after.unverified) == (4, 1)
    assert (after.status, after.waiting_since) == (Status.WAITING, None)


def in_doubt(desk: Desk) -> Message:
    message: Message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    desk.do(outbox.keep_rendered, message.id, Rendered(OURS, b"x"), "f" * 64)
    desk.do(outbox.settle, message.id, parcel.holder, {YUMI: InDoubt("It went away.")})
    return message


@pytest.mark.parametrize("copied_by_us", [False, True])
def test_a_copy_ends_a_doubt_unless_we_put_it_there(desk: Desk, copied_by_us: bool) -> None:
    message = in_doubt(desk)
    if copied_by_us:
        desk.do(sent_copies.want, message)

    desk.do(doubts.lies_among_sent, OURS)

    [delivery] = desk.deliveries(message.id)
    if copied_by_us:
        assert (delivery.state, delivery.words) == ("in_doubt", "It went away.")
    else:
        assert (delivery.state, delivery.words) == ("sent", doubts.AMONG_SENT)


def test_a_copy_of_ours_is_no_second_message(desk: Desk) -> None:
    message = in_doubt(desk)

    seen = desk.arrive(elsewhere(desk, external_id=OURS, machine="ourselves", automatic=True))

    assert (seen.state, seen.copy_of_id) == ("copy", message.id)
    # Nor is it where another inbox of the same account finds it.
    with desk.db.transaction() as session:
        other = make_inbox(session)
    seen = desk.arrive(elsewhere(desk, external_id=OURS, canonical="again"), other)
    assert (seen.state, seen.copy_of_id) == ("copy", message.id)
    assert [one.kind for one in desk.all(Message)] == ["inbound", "outbound"]


def test_a_copy_is_wanted_once_of_what_was_sent(desk: Desk, forward: Wait) -> None:
    message: Message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    desk.do(outbox.keep_rendered, message.id, Rendered(OURS, b"x"), "f" * 64)
    desk.do(outbox.settle, message.id, parcel.holder, {YUMI: Sent("p")}, keep_copy=True)
    desk.do(sent_copies.want, message)
    [row] = desk.all(SentCopy)
    assert (row.message_id, row.next_at) == (message.id, NOON)

    for _ in range(sent_copies.ATTEMPTS):
        assert desk.do(sent_copies.next_due, desk.inbox.id) is not None
        desk.do(sent_copies.failed, message.id, "imap.shop.test is full.")
        assert desk.do(sent_copies.next_due, desk.inbox.id) is None
        forward(timedelta(hours=1))

    [row] = desk.all(SentCopy)
    assert (row.attempts, row.next_at) == (sent_copies.ATTEMPTS, None)
    assert desk.one(type(desk.inbox), desk.inbox.id).sent_error == "imap.shop.test is full."
    assert desk.all(Change)[-1].what == "sent_copy_failed"
    [delivery] = desk.deliveries(message.id)
    assert (delivery.state, delivery.attempts) == ("sent", 1)  # whatever becomes of the copy


def test_a_copy_under_way_is_begun_by_nobody_else(desk: Desk, forward: Wait) -> None:
    message = in_doubt(desk)
    desk.do(sent_copies.want, message)

    begun = desk.do(sent_copies.next_due, desk.inbox.id)
    assert begun.id == message.id
    for minutes, wanted in ((0, None), (14, None), (2, message.id)):
        forward(timedelta(minutes=minutes))
        found = desk.do(sent_copies.next_due, desk.inbox.id)
        assert (found and found.id) == wanted
    forward(timedelta(minutes=2))
    assert desk.do(sent_copies.overdue, clock.now() - timedelta(minutes=1)) == []


def test_no_copy_of_a_feedback_request_is_wanted(desk: Desk) -> None:
    message = in_doubt(desk)
    message.request = True

    desk.do(sent_copies.want, message)

    assert desk.all(SentCopy) == []


def copied(desk: Desk, *answers: str, **given: Any) -> InboundMessage:
    """The same as a copy that came to an inbox, from a domain that is certain to be ours."""
    certain: dict[str, Any] = {
        "direction": Direction.INBOUND,
        "sender": Party("email", OUR_INBOX, "Shop"),
        "verdicts": Verdicts(dmarc="pass"),
    }
    return elsewhere(desk, *answers, **(certain | given))


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """With an inbox at an address."""
    with desk.db.transaction() as session:
        make_inbox(session, address=OUR_INBOX)
    return desk


def test_a_copy_of_a_colleagues_answer_stands_on_its_ticket(shop: Desk, blobs: Blobs) -> None:
    [ann] = shop.all(Agent, id=shop.ann.agent_id)
    senders: dict[str, tuple[dict[str, Any], str]] = {
        "the shared address": ({}, "Shop"),
        "signed, of a domain without a policy": (
            {"verdicts": Verdicts(dkim="pass", dkim_domain="shop.test")}, "Shop",
        ),
        "an agent": ({"sender": Party("email", ann.email)}, ann.name),
    }  # fmt: skip
    for given, author in senders.values():
        first = inquiry()
        ticket = shop.ticket(first)
        answer = copied(shop, first.external_id, cc=(Party("email", OUR_INBOX),), **given)

        assert outcome(shop, answer) == ("filed", f"On ticket {ticket.ref}, as an answer of ours.")

        _, said = shop.all(Message, ticket_id=ticket.id)
        assert (said.kind, said.author, said.address_id) == ("outbound", author, None)
        after = shop.again(ticket)
        assert (after.status, after.first_responded_at) == (Status.WAITING, NOON)
        assert shop.deliveries(said.id) == []
        assert shop.all(Change)[-1].what == "answered_elsewhere"
        # It lies among what was sent as well, with other fields about the way it took.
        sent = replace(answer, direction=Direction.OUTBOUND, canonical="another", verdicts=None)
        for again in (answer, sent):
            assert outcome(shop, again) == ("copy", "The same message arrived before.")
    with shop.db.reading() as session:
        problems = [one.words for one in integrity.problems(session, blobs)]
    assert [one for one in problems if "file" not in one] == []


def test_what_one_of_us_asks_as_a_customer_is_no_answer(shop: Desk) -> None:
    """An agent of a help desk has troubles of their own, and answers to all."""
    [ann] = shop.all(Agent, id=shop.ann.agent_id)
    first = inquiry(ann.email)
    ticket = shop.ticket(first)
    told = copied(
        shop, first.external_id, sender=Party("email", ann.email), cc=(Party("email", OUR_INBOX),)
    )
    copy_to_self = replace(told, to=(Party("email", ann.email),))

    assert outcome(shop, copy_to_self) == ("filed", f"On ticket {ticket.ref}.")
    assert shop.again(ticket).status is Status.OPEN
    assert [one.kind for one in shop.all(Message, ticket_id=ticket.id)] == ["inbound"] * 2


def test_a_copy_that_proves_or_answers_nothing_is_as_it_was(shop: Desk) -> None:
    first = inquiry()
    before = shop.ticket(first)
    named = (Ref(RefKind.MESSAGE_ID, first.external_id),)
    cases: dict[str, dict[str, Any]] = {
        "no server is trusted": {"verdicts": None},
        "nothing was found out": {"verdicts": Verdicts()},
        "it fails": {"verdicts": Verdicts(dkim="pass", dkim_domain="shop.test", dmarc="fail")},
        "somebody else signed it": {"verdicts": Verdicts(dkim="pass", dkim_domain="x.test")},
        "a form sent it": {"unproved": True},
        "it answers nothing": {"refs": ()},
        "to nobody who takes part": {"to": CARL},
        "to us alone": {"to": OUR_INBOX},
        "passed on": {"forward": Forward()},
        "of a machine": {"automatic": True},
    }

    became = {
        name: outcome(shop, copied(shop, **({"refs": named} | given)))
        for name, given in cases.items()
    }

    assert became == dict.fromkeys(cases, ("set_aside", FROM_US))
    assert shop.again(before).version == before.version
    # Nor does anybody answer by the address of an agent who is none any more, or of a customer.
    [ann] = shop.all(Agent, id=shop.ann.agent_id)
    with shop.db.transaction() as session:
        session.get_one(Agent, ann.id).active = False
    for sender in (ann.email, "eve@elsewhere.test"):
        theirs = shop.ticket(copied(shop, sender=Party("email", sender), refs=named))
        assert (theirs.id != before.id, theirs.claims_ref) == (True, before.ref)

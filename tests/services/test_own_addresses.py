"""Mail that says it is from one of us: no customer of ours, and nothing of it lost."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from app.core.errors import Conflict, NotFound
from app.domain.words import SurveyState
from app.services import intake, integrity, originals, outbox, tickets
from app.services.filing import Understood
from app.services.forwarding import FROM_US
from app.services.queries import ticket as queries
from app.services.queries import vocabulary
from app.store import search
from app.store.blobs import Blobs
from app.store.tables import (
    Address,
    Agent,
    Arrival,
    Change,
    Customer,
    Inbox,
    Message,
    Participant,
    Ticket,
    Touchpoint,
)
from channels.contract import (
    Direction,
    Forward,
    InboundMessage,
    Party,
    Ref,
    RefKind,
    Rendered,
    Sent,
)
from channels.verdicts import Verdicts
from tests.factories import make_inbox
from tests.inquiries import NOON, Desk, inquiry

SHOP, SALES = "support@shop.test", "sales@shop.test"
VISITOR = Party("email", "jane@customers.test", "Jane Doe")
JANE = Forward(VISITOR, NOON, "Lid", "The lid does not close.")


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """With two more inboxes, and one that is not used any more."""
    with desk.db.transaction() as session:
        for address in (SHOP, SALES):
            make_inbox(session, address=address)
        make_inbox(session, address="old@shop.test", enabled=False)
    return desk


def problems(desk: Desk, blobs: Blobs) -> list[str]:
    """But for files, which no test here writes."""
    with desk.db.reading() as session:
        found = [one.words for one in integrity.problems(session, blobs)]
    return [one for one in found if "file" not in one]


OURS: dict[str, dict[str, Any]] = {
    "a colleague at the shared mailbox": {},
    "of another inbox": {"sender": Party("email", "SALES@shop.test")},
    "with a part after a plus": {"sender": Party("email", "support+orders@shop.test")},
    "a machine": {"automatic": True, "machine": "auto_reply"},
    "that says it is ours without proof": {
        "automatic": True, "machine": "ourselves", "own_token": "x-1-y", "otherwise": "",
    },
    "with an address of ours to answer": {"reply_to": Party("email", "sales+t.x@shop.test")},
    "with no address to answer": {"reply_to": Party("email", "the visitor")},
    "whose sender was checked": {"verdicts": Verdicts(dmarc="pass")},
}  # fmt: skip


def test_a_mail_from_our_own_address_waits_for_a_person(desk: Desk, blobs: Blobs) -> None:
    came = {name: desk.arrive(replace(inquiry(SHOP), **given)) for name, given in OURS.items()}

    became = {name: (one.state, one.reason, one.filed_at) for name, one in came.items()}
    assert became == dict.fromkeys(OURS, ("set_aside", FROM_US, None))
    assert (desk.all(Ticket), desk.all(Customer)) == ([], [])
    assert {one.what for one in desk.all(Change)} == {"set_aside"}
    assert problems(desk, blobs) == []


def test_who_uses_an_address_that_we_do_not_is_a_customer(desk: Desk) -> None:
    assert desk.arrive(inquiry("old@shop.test")).state == "filed"


def test_a_form_that_sends_from_our_address_writes_for_its_visitor(desk: Desk) -> None:
    theirs = desk.ticket(inquiry(VISITOR.value))
    quoted = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(theirs.ref)),)

    ticket = desk.ticket(inquiry(SHOP, reply_to=VISITOR, refs=quoted))

    # Anybody can type her address into it.
    assert (ticket.id != theirs.id, ticket.claims_ref) == (True, theirs.ref)
    assert ticket.customer_id == theirs.customer_id
    assert [one.value for one in desk.all(Address)] == [VISITOR.value]
    assert [one.reply_to for one in desk.all(Message)] == ["", ""]


def test_what_was_checked_of_a_form_says_nothing_of_its_visitor(desk: Desk) -> None:
    passed, failed = Verdicts("pass", "pass", "shop.test", "pass"), Verdicts("pass", dmarc="fail")

    for checked in (passed, failed, None):
        desk.arrive(inquiry(SHOP, reply_to=VISITOR, verdicts=checked))

    assert [one.verdicts for one in desk.all(Message)] == [
        asdict(one)
        for one in (
            Verdicts(unproved=True),
            Verdicts(dmarc="fail", unproved=True),
            Verdicts(unproved=True),
        )
    ]


def test_a_mail_of_ours_that_comes_back_without_its_token_is_a_copy(desk: Desk) -> None:
    ticket = desk.ticket()
    sent = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Turn it."))
    desk.do(outbox.keep_rendered, sent.id, Rendered("1@ours.test", b"x"), "f" * 64)
    elsewhere = inquiry(SHOP, direction=Direction.OUTBOUND, to=(Party("email", VISITOR.value),))
    answers = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)
    to = (Party("email", "yumi@customers.test"),)
    answer = replace(elsewhere, refs=answers, to=to)
    assert desk.arrive(answer).state == "filed"  # found among what was sent

    back = desk.arrive(inquiry(SHOP, external_id="1@ours.test"))
    to_ourselves = desk.arrive(replace(answer, direction=Direction.INBOUND))

    assert [one.state for one in (back, to_ourselves)] == ["copy", "copy"]
    assert back.copy_of_id == sent.id


@pytest.mark.parametrize("sent_folder", [False, True])
def test_a_mail_of_ours_that_comes_back_as_its_relay_calls_it_is_a_copy(
    desk: Desk, sent_folder: bool
) -> None:
    sent = desk.do(tickets.reply, desk.ann, desk.ticket().ref, tickets.Draft("Turn it."))
    desk.do(outbox.keep_rendered, sent.id, Rendered("1@ours.test", b"x"), "f" * 64)
    desk.send(sent.id, Sent("1", ("1@relay.test",)))
    other: Inbox = desk.do(make_inbox)
    direction = Direction.OUTBOUND if sent_folder else Direction.INBOUND
    back = inquiry(SHOP, external_id="1@relay.test", direction=direction)

    came = [
        desk.arrive(replace(back, canonical=str(n)), box) for n, box in enumerate((None, other))
    ]

    assert [(one.state, one.copy_of_id) for one in came] == [("copy", sent.id)] * 2
    never_sent = desk.arrive(inquiry(SHOP, external_id="2@relay.test"))
    assert never_sent.state == "set_aside"


def test_a_person_says_that_it_is_an_inquiry(desk: Desk, blobs: Blobs) -> None:
    scan = inquiry(SHOP, "Scanned: a letter")
    arrival, unread = desk.arrive(scan), desk.kept()
    desk.do(intake.set_aside, unread.id, "It cannot be read.")

    desk.do(intake.try_again, desk.ann, arrival.id)
    assert filed_now(desk, arrival, scan).state == "set_aside"
    desk.do(intake.take, desk.ann, arrival.id)
    assert filed_now(desk, arrival, scan).state == "filed"

    [ticket] = desk.all(Ticket)
    assert ticket.preview == "Scanned: a letter"
    assert desk.arrive(inquiry(SHOP)).state == "set_aside"  # the next one is asked for again
    for number in (arrival.id, unread.id):
        with pytest.raises(Conflict):
            desk.do(intake.take, desk.ann, number)
    assert [one.data for one in desk.all(Change, what="taken_as_inquiry")] == [
        {"arrival": arrival.id}
    ]
    assert problems(desk, blobs) == []


def filed_now(desk: Desk, arrival: Arrival, message: InboundMessage) -> Arrival:
    desk.do(intake.file, desk.keys, arrival.id, [Understood(message)])
    found: Arrival = desk.one(Arrival, arrival.id)
    return found


def passed_on(desk: Desk, **given: Any) -> InboundMessage:
    """By an agent, and no server says so."""
    [ann] = desk.all(Agent, id=desk.ann.agent_id)
    text = "Ours?\n\nFrom: Jane Doe\n\nThe lid does not close."
    message = inquiry(ann.email, text=text, subject="Fwd: Lid", forward=JANE)
    return replace(message, **given)


def offered(desk: Desk, ticket: Ticket) -> list[str]:
    with desk.db.reading() as session:
        seen = queries.view(session, desk.ann, ticket.ref, vocabulary.current(session))
    return [one.passes_on for one in seen.said]


def test_a_person_takes_the_first_sender_as_the_customer(desk: Desk, blobs: Blobs) -> None:
    ticket = desk.ticket(passed_on(desk, verdicts=Verdicts()))
    by_agent = desk.again(ticket).customer_id
    assert offered(desk, ticket) == ["Jane Doe <jane@customers.test>"]
    answer = tickets.Draft("Turn it.", to=(VISITOR.value,))
    desk.do(tickets.reply, desk.ann, ticket.ref, answer)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    [first, _] = desk.all(Message)

    desk.do(originals.take, desk.ann, ticket.ref, first.id)

    after, [first, _] = desk.again(ticket), desk.all(Message)
    jane = next(one for one in desk.all(Address) if one.value == VISITOR.value)
    assert (after.customer_id, jane.customer_id != by_agent) == (jane.customer_id, True)
    assert (after.subject, after.preview) == ("Lid", "The lid does not close.")
    assert (first.author, first.address_id, first.sent_at) == ("Jane Doe", jane.id, NOON)
    assert (first.reply_text, first.quoted_text) == (
        "The lid does not close.",
        "Ours?\n\nFrom: Jane Doe",
    )
    assert first.verdicts is None
    assert [row.address_id for row in desk.all(Participant)] == [jane.id]
    assert {row.customer_id for row in desk.all(Touchpoint)} == {jane.customer_id}
    assert [(one.customer_id, one.state) for one in desk.surveys()] == [
        (jane.customer_id, SurveyState.SCHEDULED)
    ]
    told = desk.all(Change, what="sender_taken")
    assert [one.data for one in told] == [{"forwarder": "Yumi", "message": first.id}]
    assert offered(desk, ticket) == ["", ""]
    with desk.db.reading() as session:
        assert search.find(session, VISITOR.value) == [ticket.id]
    with pytest.raises(Conflict):
        desk.do(originals.take, desk.ann, ticket.ref, first.id)
    with pytest.raises(NotFound):
        desk.do(originals.take, desk.ann, ticket.ref, 999)
    assert problems(desk, blobs) == []


def test_the_first_sender_is_offered_of_what_our_own_mailbox_passed_on(desk: Desk) -> None:
    forwarded = passed_on(desk, sender=Party("email", SHOP))
    arrival = desk.arrive(forwarded)
    desk.do(intake.take, desk.ann, arrival.id)
    filed_now(desk, arrival, forwarded)
    [ticket] = desk.all(Ticket)

    assert offered(desk, ticket) == ["Jane Doe <jane@customers.test>"]


NOT_OFFERED: dict[str, dict[str, Any]] = {
    "by a stranger": {"sender": Party("email", "eve@elsewhere.test")},
    "by a form": {"unproved": True},
    "a mail of ours": {"forward": Forward(Party("email", SHOP), None, "Lid", "Turn it.")},
    "of nobody": {"forward": Forward()},
    "by an agent for certain": {"verdicts": Verdicts(dmarc="pass")},
    "nothing": {"forward": None},
}


def test_the_first_sender_is_not_offered(desk: Desk) -> None:
    found = {
        name: offered(desk, desk.ticket(passed_on(desk, **given)))
        for name, given in NOT_OFFERED.items()
    }

    assert found == {name: [""] for name in NOT_OFFERED}

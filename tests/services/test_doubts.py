"""What was in doubt ends by a person's word, by an answer to exactly it, or by a notice."""

from datetime import timedelta

import pytest

from app.core.errors import Conflict
from app.domain.words import DeliveryState, Role
from app.services import doubts, letterheads, outbox, receipts, tickets, upkeep
from app.services.access import Actor
from app.services.letterheads import Texts
from app.services.tickets import Draft
from app.store.tables import Address, Change, Customer, Message
from channels.contract import Failure, InDoubt, Outcome, Ref, RefKind, Refused, Rendered, Sent
from tests.inquiries import LINKS, NOON, Desk, inquiry
from tests.services.conftest import Forward

OURS = "t.token.2.dede0129@shop.test"
YUMI, BOB = "yumi@customers.test", "bob@customers.test"


@pytest.fixture
def doubtful(desk: Desk) -> Message:
    """A reply to two; for both the server went away after the last dot."""
    message: Message = desk.do(
        tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it.", cc=(BOB,))
    )
    send(desk, message, InDoubt("It went away."), InDoubt("It went away."))
    return message


def send(desk: Desk, message: Message, *outcomes: Outcome) -> None:
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    desk.do(outbox.keep_rendered, message.id, Rendered(OURS, b"x"), "f" * 64)
    said = dict(zip(parcel.recipients, outcomes, strict=True))
    desk.do(outbox.settle, message.id, parcel.holder, said)


def states(desk: Desk, message: Message) -> list[tuple[str, str]]:
    return [(one.state, one.words) for one in desk.deliveries(message.id)]


DOUBT = ("in_doubt", "It went away.")


def test_a_person_who_knows_that_it_arrived_ends_it(desk: Desk, doubtful: Message) -> None:
    first, _ = desk.deliveries(doubtful.id)
    before = desk.jobs()

    desk.do(doubts.arrived, desk.ann, first.id)

    assert states(desk, doubtful) == [("sent", doubts.BY_A_PERSON), DOUBT]
    assert desk.jobs() == before
    last = desk.all(Change)[-1]
    assert (last.what, last.agent_id) == ("arrived_after_all", desk.ann.agent_id)
    with pytest.raises(Conflict):
        desk.do(doubts.arrived, desk.ann, first.id)


def test_nothing_but_a_person_sends_it_again(
    desk: Desk, doubtful: Message, forward: Forward
) -> None:
    forward(timedelta(days=10))
    desk.do(upkeep.tick)
    desk.do(upkeep.reconcile)

    assert desk.do(outbox.pack, desk.keys, "w1", doubtful.id, LINKS) is None
    assert states(desk, doubtful) == [DOUBT, DOUBT]


@pytest.mark.parametrize(
    ("sender", "ref", "automatic", "ends"),
    [
        (YUMI, OURS, False, True),
        ("Yumi@Customers.test", OURS, False, True),
        (YUMI, "", False, False),  # it answers something else
        (YUMI, OURS, True, False),  # a machine quotes what it never read
    ],
)
def test_an_answer_to_exactly_this_message_ends_it(
    desk: Desk, doubtful: Message, sender: str, ref: str, automatic: bool, ends: bool
) -> None:
    first = desk.all(Message)[0].external_id
    refs = [Ref(RefKind.MESSAGE_ID, one) for one in (ref, first) if one]
    desk.arrive(inquiry(sender, refs=tuple(refs), automatic=automatic))

    desk.do(upkeep.tick)

    after = ("sent", doubts.BY_AN_ANSWER) if ends else DOUBT
    assert states(desk, doubtful) == [after, DOUBT]


def failure(action: str, address: str = YUMI, original: str = "") -> Failure:
    return Failure(address, action, "5.1.1", hard=True, original=original, words="unknown user")


@pytest.mark.parametrize(
    ("said", "after"),
    [
        (failure("failed"), ("failed", "5.1.1 unknown user")),
        (failure("failed", "elsewhere@x.test", YUMI), ("failed", "5.1.1 unknown user")),
        (failure("delivered"), ("sent", doubts.BY_A_NOTICE)),
        (failure("delayed"), DOUBT),
        (failure("failed", "nobody@x.test"), DOUBT),
    ],
)
def test_a_bounce_says_what_became_of_one_recipient(
    desk: Desk, doubtful: Message, said: Failure, after: tuple[str, str]
) -> None:
    desk.do(doubts.returned, OURS, [said])

    assert states(desk, doubtful) == [after, DOUBT]


@pytest.mark.parametrize(
    ("said", "after"),
    [
        (failure("failed"), ("failed", "5.1.1 unknown user")),
        (failure("failed", ""), ("failed", "5.1.1 unknown user")),
        (failure("delivered"), ("sent", "")),
        (failure("failed", "nobody@x.test"), ("sent", "")),
    ],
)
def test_a_bounce_may_name_our_mail_as_its_relay_does(
    desk: Desk, said: Failure, after: tuple[str, str]
) -> None:
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))
    send(desk, message, Sent("p1", ("1@relay.test",)))

    changed = desk.do(doubts.returned, "1@relay.test", [said])

    assert states(desk, message) == [after]
    assert changed == (after[0] == "failed")


def test_a_name_that_a_relay_gave_to_several_tells_none_of_them(desk: Desk) -> None:
    for text in ("Turn it.", "Lift it."):
        message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft(text))
        send(desk, message, Sent("p1", ("always@relay.test",)))

    assert desk.do(doubts.returned, "always@relay.test", [failure("failed")]) == 0


def test_a_copy_under_a_relays_name_proves_nothing_of_another_attempt(desk: Desk) -> None:
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it.", cc=(BOB,)))
    send(desk, message, Sent("p1", ("1@relay.test",)), InDoubt("It went away."))

    desk.do(doubts.lies_among_sent, "1@relay.test")

    assert states(desk, message) == [("sent", ""), DOUBT]


def test_an_address_is_undeliverable_until_mail_comes_from_there(desk: Desk) -> None:
    first = inquiry()
    message = desk.do(tickets.reply, desk.ann, desk.ticket(first).ref, Draft("Turn it."))
    send(desk, message, Sent("p1"))

    desk.do(doubts.returned, OURS, [failure("failed")])
    [address] = desk.all(Address)
    marked = address.undeliverable_at
    desk.arrive(inquiry(automatic=True))
    desk.arrive(inquiry(refs=(Ref(RefKind.MESSAGE_ID, first.external_id),)))

    [address] = desk.all(Address)
    assert (marked, address.undeliverable_at) == (NOON, None)


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        *[(one, True) for one in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")],
        *[(one, False) for one in ("5.0.0", "5.1.7", "5.1.8", "5.2.3", "5.3.4", "5.4.6")],
        *[(one, False) for one in ("5.4.7", "5.6.1", "5.7.1", "5.7.26", "5.1.100", "4.1.1")],
    ],
)
def test_what_refuses_one_mail_says_nothing_of_the_address(
    desk: Desk, status: str, gone: bool
) -> None:
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))
    send(desk, message, Sent("p1"))
    said = Failure(YUMI, "failed", status, hard=status[0] == "5", words="no")

    desk.do(doubts.returned, OURS, [said])

    assert states(desk, message) == [("failed", f"{status} no")]
    [address] = desk.all(Address)
    assert (address.undeliverable_at is not None) == gone


@pytest.mark.parametrize(
    ("outcome", "gone"),
    [(Refused("550 5.1.1 unknown", nobody_there=True), True), (Refused("550 5.7.1 no"), False)],
)
def test_so_does_a_refusal_while_it_is_handed_in(desk: Desk, outcome: Outcome, gone: bool) -> None:
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))

    send(desk, message, outcome)

    assert [state for state, _ in states(desk, message)] == ["failed"]
    assert (desk.all(Address)[0].undeliverable_at is not None) == gone


@pytest.mark.parametrize(
    ("vouched", "sure"),
    [
        ("", False),
        ("mailer-daemon@elsewhere.test", False),
        ("mailer-daemon@notcustomers.test", False),
        ("mailer-daemon@mx.customers.test", True),
        ("mailer-daemon@Customers.test", True),
        ("mailer-daemon@test", False),
        ("bob@customers.test", False),
        ("postmasterjoe@customers.test", False),
        ("microsoftexchange@customers.test", False),
        ("microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@customers.test", True),
    ],
)
def test_who_got_a_copy_can_say_nothing_of_the_others(desk: Desk, vouched: str, sure: bool) -> None:
    """They know its id. It is shown as failed; that nobody is there needs more than that. A
    complaint is believed: it only keeps automatic mail away."""
    ticket = desk.ticket()
    first = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it."))
    send(desk, first, Sent("p1"))
    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("And turn it back.", cc=(BOB,)))
    complaint = Failure(YUMI, "complained", "", hard=False, words="abuse")

    desk.do(doubts.returned, OURS, [complaint], vouched)
    desk.do(doubts.returned, OURS, [failure("failed")], vouched)

    assert states(desk, first) == [("failed", "5.1.1 unknown user")]
    [address] = [one for one in desk.all(Address) if one.value == YUMI]
    [customer] = [one for one in desk.all(Customer) if one.id == address.customer_id]
    marked = (address.undeliverable_at, address.complained_at, customer.no_feedback_at)
    assert [one is not None for one in marked] == [sure, True, True]
    assert desk.all(Change, what="complained") != []


def test_a_bounce_about_an_id_we_never_gave_out_changes_nothing(
    desk: Desk, doubtful: Message
) -> None:
    for made_up in ("t.token.3.dede0129@shop.test", ""):
        assert desk.do(doubts.returned, made_up, [failure("failed")]) == 0

    assert states(desk, doubtful) == [DOUBT, DOUBT]


def test_what_was_sent_and_came_back_can_be_sent_again(desk: Desk) -> None:
    message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it."))
    send(desk, message, Sent("p1"))
    desk.do(doubts.returned, OURS, [failure("failed")])
    [delivery] = desk.deliveries(message.id)
    assert delivery.state is DeliveryState.FAILED

    desk.do(outbox.send_again, desk.ann, delivery.id)

    assert states(desk, message) == [("queued", "")]


@pytest.mark.parametrize(("whose", "heard"), [(YUMI, True), ("", True), ("other@x.test", False)])
def test_who_complains_gets_only_what_agents_write(desk: Desk, whose: str, heard: bool) -> None:
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it."))
    send(desk, message, Sent("p1"))
    said = Failure(whose, "complained", "", hard=False, words="abuse")

    for _ in range(2):
        desk.do(doubts.returned, OURS, [said])

    [address] = desk.all(Address)
    assert (address.complained_at, address.undeliverable_at) == (NOON if heard else None, None)
    [customer] = desk.all(Customer)
    assert (customer.no_feedback_at is not None) == heard
    told = [one.data["who"] for one in desk.all(Change, what="complained")]
    assert told == [YUMI] * int(heard)
    assert states(desk, message) == [("sent", "")]
    # And nothing by itself any more, on whatever they write next.
    desk.do(
        letterheads.write_texts,
        Actor("Ada", Role.ADMIN),
        desk.inbox.id,
        {"en": Texts(receipt="We have it.")},
    )
    desk.ticket(inquiry(text="Where is my order?"))
    assert desk.do(receipts.send_due) == (0 if heard else 1)


@pytest.mark.usefixtures("doubtful")
def test_nameless_complaint_about_one_of_two_is_nobodys(desk: Desk) -> None:
    said = Failure("", "complained", "", hard=False, words="abuse")

    assert desk.do(doubts.returned, OURS, [said]) == 0

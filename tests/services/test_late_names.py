"""An answer may name our mail as its relay does, before anybody told us what that calls it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.domain.words import Status, SurveyState
from app.services import dispatched, intake, late_names, outbox, tickets
from app.services.filing import Understood
from app.store.tables import (
    Arrival,
    Awaited,
    Change,
    EarlyAnswer,
    Inbox,
    Message,
    Participant,
    Survey,
    Ticket,
)
from channels.contract import (
    Direction,
    Failure,
    InboundMessage,
    Party,
    Ref,
    RefKind,
    Rendered,
    Report,
    Sent,
)
from tests.factories import make_inbox
from tests.inquiries import LINKS, Desk, inquiry

Forward = Callable[[timedelta], None]

YUMI, EVE = "yumi@customers.test", "eve@elsewhere.test"
OURS, RELAYED = "t.token.2.dede0129@shop.test", "1@relay.test"


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    """With an answer of ours that has left, and whose relay has told no name of its own yet."""
    found = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, found.ref, tickets.Draft("Turn it."))
    parcel = desk.do(outbox.pack, desk.keys, "worker", message.id, LINKS)
    desk.do(outbox.keep_rendered, message.id, Rendered(OURS, b"x"), "f" * 64)
    desk.do(outbox.settle, message.id, parcel.holder, {YUMI: Sent("1")})
    return found


def answering(*names: str, sender: str = YUMI, **given: Any) -> InboundMessage:
    refs = tuple(Ref(RefKind.MESSAGE_ID, one) for one in names)
    return inquiry(sender, given.pop("text", "It works now."), refs=refs, **given)


def is_told(desk: Desk) -> int:
    desk.do(dispatched.called_by_provider, OURS, RELAYED)
    return resolved(desk)


def resolved(desk: Desk) -> int:
    """How many were brought where they belong, each in a transaction of its own."""
    found: list[bool] = []
    while (one := desk.do(late_names.resolve)) is not None:
        found.append(one)
    return sum(found)


def test_an_answer_that_came_before_its_name_was_known_joins_the_ticket(
    desk: Desk, ticket: Ticket
) -> None:
    early = desk.ticket(answering("unknown@x.test", RELAYED))
    assert early.id != ticket.id
    assert resolved(desk) == 0

    assert is_told(desk) == 1

    after = desk.again(ticket)
    assert [one.id for one in desk.all(Ticket)] == [ticket.id]
    assert (after.message_count, after.status) == (3, Status.OPEN)
    joined = desk.all(Change)[-1]
    assert (joined.what, joined.ticket_id, joined.by) == ("joined", ticket.id, "intake")
    assert joined.data["ref"] == early.ref
    assert [row.external_id for row in desk.all(Awaited)] == ["unknown@x.test"]
    assert resolved(desk) == 0


@pytest.mark.usefixtures("ticket")
def test_no_transaction_brings_more_than_one_answer_home(desk: Desk) -> None:
    """Each locks two tickets."""
    for number in range(3):
        desk.ticket(answering(f"{number}@x.test", RELAYED))
    desk.do(dispatched.called_by_provider, OURS, RELAYED)

    left = []
    while desk.do(late_names.resolve) is not None:
        left.append(len(desk.all(Ticket)))

    assert left == [3, 2, 1]


def test_what_was_resolved_meanwhile_is_open_again_and_asks_for_nothing(
    desk: Desk, ticket: Ticket
) -> None:
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    desk.ticket(answering(RELAYED))

    is_told(desk)

    assert (desk.again(ticket).status, desk.again(ticket).resolved_at) == (Status.OPEN, None)
    assert [one.state for one in desk.all(Survey)] == [SurveyState.REVOKED]


def test_several_answers_are_one_ticket(desk: Desk, ticket: Ticket) -> None:
    first = answering(RELAYED)
    early = desk.ticket(first)
    assert desk.ticket(answering(first.external_id, RELAYED)).id == early.id
    desk.ticket(answering(RELAYED, text="And another program's."))

    is_told(desk)

    assert [(one.id, one.message_count) for one in desk.all(Ticket)] == [(ticket.id, 5)]
    assert desk.all(Awaited) == []


def test_a_stranger_who_has_seen_the_name_stays_apart(desk: Desk, ticket: Ticket) -> None:
    theirs = desk.ticket(answering(RELAYED, sender=EVE))

    assert is_told(desk) == 0

    after = desk.again(theirs)
    assert (after.claims_ref, after.follows_ref, after.message_count) == (ticket.ref, "", 1)
    assert desk.again(ticket).message_count == 2
    assert desk.all(Awaited) == []


def test_who_takes_part_as_another_customer_is_told_what_it_follows(
    desk: Desk, ticket: Ticket
) -> None:
    theirs = desk.ticket(answering(RELAYED, sender=EVE))
    with desk.db.transaction() as session:
        address = desk.all(Message, ticket_id=theirs.id)[0].address_id
        session.add(Participant(ticket_id=ticket.id, address_id=address, role="cc"))

    assert is_told(desk) == 0

    after = desk.again(theirs)
    assert (after.claims_ref, after.follows_ref) == ("", ticket.ref)


def test_an_answer_that_came_too_late_follows_the_ticket(
    desk: Desk, ticket: Ticket, forward: Forward
) -> None:
    with desk.db.transaction() as session:
        session.get_one(Inbox, desk.inbox.id).reopen_days = 3
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(timedelta(days=4))
    late = desk.ticket(answering(RELAYED))

    assert is_told(desk) == 0

    assert (desk.again(late).follows_ref, desk.again(ticket).status) == (ticket.ref, "resolved")


@pytest.mark.parametrize("why", ["inbox", "spam", "machine", "doubted", "nearer"])
def test_nothing_else_joins(desk: Desk, ticket: Ticket, why: str) -> None:
    first = inquiry(text="Something else.")
    another = desk.ticket(first)
    answer = {
        "machine": answering(RELAYED, automatic=True),
        "doubted": answering(RELAYED, unproved=True),
        "nearer": answering(first.external_id, RELAYED),
    }.get(why, answering(RELAYED))
    early = desk.ticket(answer, inbox=desk.do(make_inbox) if why == "inbox" else None)
    assert (early.id == another.id) == (why == "nearer")
    if why == "spam":
        desk.do(tickets.mark_spam, desk.ann, early.ref)

    assert is_told(desk) == 0

    assert desk.again(ticket).message_count == 2
    assert desk.again(early).message_count == (2 if why == "nearer" else 1)


def test_a_colleagues_answer_is_looked_at_again(desk: Desk, ticket: Ticket) -> None:
    answer = answering(
        RELAYED,
        sender="anna@shop.test",
        direction=Direction.OUTBOUND,
        to=(Party("email", YUMI),),
    )
    early = desk.arrive(answer)
    assert early.state == "ignored"

    assert is_told(desk) == 1

    assert desk.all(EarlyAnswer) == []
    assert desk.one(Arrival, early.id).state == "waiting"
    desk.do(intake.file, desk.keys, early.id, [Understood(answer)])
    assert desk.again(ticket).message_count == 3


@pytest.mark.parametrize(("whose", "shown"), [(YUMI, True), ("nobody@x.test", False)])
def test_a_bounce_that_names_only_the_relays_id_is_shown_on_the_ticket(
    desk: Desk, ticket: Ticket, whose: str, shown: bool
) -> None:
    is_told(desk)
    said = Failure(whose, "failed", "5.1.1", hard=True, words="unknown user")
    bounce = answering(
        RELAYED,
        sender="mailer-daemon@relay.test",
        automatic=True,
        machine="bounce",
        report=Report((said,), RELAYED),
    )

    filed = desk.ticket(bounce)

    assert (filed.id == ticket.id) == shown
    assert desk.again(ticket).unverified == 0

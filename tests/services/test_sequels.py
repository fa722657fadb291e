"""Answers to a ticket that open one of their own, which follows the first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.core.errors import Invalid
from app.domain.words import Role, Status
from app.services import inboxes, merging, tickets, verdicts
from app.store.tables import Inbox, Message, Ticket
from channels.contract import Party, Ref, RefKind
from tests.factories import make_inbox
from tests.inquiries import Desk, inquiry

EVE = "eve@elsewhere.test"
SALES = "sales@shop.test"

Forward = Callable[[timedelta], None]


@pytest.fixture
def sales(desk: Desk) -> Inbox:
    inbox: Inbox = desk.do(make_inbox, address=SALES)
    return inbox


def mails(*addresses: str) -> tuple[Party, ...]:
    return tuple(Party("email", one) for one in addresses)


def tokens(desk: Desk, ticket: Ticket) -> dict[str, tuple[Ref, ...]]:
    """What of ours names a ticket."""
    keys, ref = desk.keys, ticket.ref
    return {
        "id": (Ref(RefKind.ID_TOKEN, keys.id_token(ref)),),
        "tag": (Ref(RefKind.TAG_TOKEN, keys.tag_token(ref)),),
        "address": (Ref(RefKind.ADDRESS_TOKEN, keys.reply_token(ref)),),
    }


def move(session: Session, ticket: Ticket, inbox: Inbox) -> None:
    session.get_one(Ticket, ticket.id).inbox_id = inbox.id


def ticket_of(desk: Desk, sender: str = "yumi@customers.test", **given: Any) -> Ticket:
    """The ticket a mail was filed on; `at` is the inbox it came to, if not the first."""
    inbox = given.pop("at", None)
    arrival = desk.arrive(inquiry(sender, **given), inbox)
    [message] = desk.all(Message, arrival_id=arrival.id)
    found: Ticket = desk.one(Ticket, message.ticket_id)
    return found


def test_what_goes_to_another_inbox_follows_the_ticket_it_quotes(desk: Desk, sales: Inbox) -> None:
    ours, alias = desk.inbox.address, "help@alias.test"
    plus = ours.replace("@", "+orders@").upper()
    cases: list[tuple[str, bool, dict[str, Any]]] = [
        ("to the other one", True, {"to": mails(SALES)}),
        ("with a plus", True, {"to": mails("Sales+x@Shop.test")}),
        ("among strangers", True, {"to": mails(EVE), "cc": mails(SALES)}),
        ("by what one reads", True, {"to": mails(SALES), "refs": "tag"}),
        ("to both", False, {"to": mails(SALES, ours)}),
        ("to both, with a plus", False, {"to": mails(SALES), "cc": mails(plus)}),
        ("to the ticket's, passed on", False, {"to": mails(ours)}),
        ("to an address we do not know", False, {"to": mails(alias)}),
        ("to nobody", False, {}),
        ("at the ticket's own address", False, {"to": mails(SALES), "refs": "address"}),
        ("of a machine", False, {"to": mails(SALES), "automatic": True}),
    ]

    found = {}
    for name, _, given in cases:
        ticket = desk.ticket(inquiry(to=mails(alias)))
        refs = tokens(desk, ticket)[given.get("refs", "id")]
        filed = ticket_of(desk, at=sales, **{**given, "refs": refs})
        found[name] = (filed.id != ticket.id, filed.inbox_id, filed.follows_ref == ticket.ref)

    assert found == {
        name: (apart, sales.id if apart else desk.inbox.id, apart) for name, apart, _ in cases
    }


def test_where_a_ticket_ever_was_it_is_still_answered(desk: Desk, sales: Inbox) -> None:
    to_sales: dict[str, Any] = {"at": sales, "to": mails(SALES)}
    moved = ticket_of(desk, **to_sales)
    desk.do(move, moved, desk.inbox)
    copied = desk.ticket(inquiry(to=mails(desk.inbox.address, SALES)))
    older, newer = desk.ticket(), ticket_of(desk, **to_sales)
    desk.do(merging.merge, desk.ann, newer.ref, older.ref)

    for ticket, names in ((moved, moved), (copied, copied), (older, newer), (older, older)):
        filed = ticket_of(desk, **to_sales, refs=tokens(desk, names)["id"])
        assert (filed.id, filed.follows_ref) == (ticket.id, "")


def test_what_follows_is_a_conversation_of_its_own(desk: Desk, sales: Inbox) -> None:
    ticket = desk.ticket(inquiry(to=mails(desk.inbox.address)))
    first = inquiry(to=mails(SALES), refs=tokens(desk, ticket)["id"])
    desk.arrive(first, sales)
    [own] = desk.all(Ticket, follows_ref=ticket.ref)

    more = (*tokens(desk, ticket)["id"], Ref(RefKind.MESSAGE_ID, first.external_id))
    ours = (*tokens(desk, own)["id"], *tokens(desk, ticket)["id"])
    for refs in (more, ours):
        assert ticket_of(desk, at=sales, to=mails(SALES), refs=refs).id == own.id
    stranger = ticket_of(desk, EVE, at=sales, to=mails(SALES), refs=tokens(desk, ticket)["id"])
    assert (stranger.claims_ref, stranger.follows_ref) == (ticket.ref, "")
    assert (desk.again(ticket).message_count, desk.again(own).message_count) == (1, 3)


def test_a_resolved_ticket_reopens_for_as_long_as_its_inbox_says(
    desk: Desk, forward: Forward
) -> None:
    boss = replace(desk.lead, role=Role.ADMIN)
    day, moment = timedelta(days=1), timedelta(minutes=1)
    cases: list[tuple[int | None, timedelta, str, bool]] = [
        (None, 400 * day, "id", True),
        (0, moment, "id", False),
        (0, moment, "address", False),
        (0, moment, "machine", True),
        (2, 2 * day - moment, "id", True),
        (2, 2 * day + moment, "id", False),
        (2, 2 * day + moment, "machine", True),
    ]

    found = []
    for days, later, by, _ in cases:
        desk.do(inboxes.set_reopening, boss, desk.inbox.id, days)
        ticket = desk.ticket()
        desk.do(tickets.resolve, desk.ann, ticket.ref)
        before = desk.again(ticket)
        forward(later)
        refs = tokens(desk, ticket)["id" if by == "machine" else by]
        filed = ticket_of(desk, refs=refs, automatic=by == "machine")
        found.append((days, later, by, filed.id == ticket.id))
        reopened = filed.id == ticket.id and by != "machine"
        assert desk.again(ticket).status is (Status.OPEN if reopened else Status.RESOLVED)
        if filed.id != ticket.id:
            assert (filed.follows_ref, desk.again(ticket)) == (ticket.ref, before)
            # What they write next is about the new one, whichever of the two they quote.
            ours = (*tokens(desk, filed)["id"], *refs)
            assert ticket_of(desk, refs=ours).id == filed.id

    assert found == cases
    with pytest.raises(Invalid):
        desk.do(inboxes.set_reopening, boss, desk.inbox.id, -1)


def test_what_is_not_resolved_is_never_too_old(desk: Desk, forward: Forward) -> None:
    boss = replace(desk.lead, role=Role.ADMIN)
    desk.do(inboxes.set_reopening, boss, desk.inbox.id, 0)
    ticket, other = desk.ticket(), desk.ticket()
    desk.do(verdicts.dismiss, desk.ann, other.ref)
    forward(timedelta(days=400))

    for one in (ticket, other):
        assert ticket_of(desk, refs=tokens(desk, one)["id"]).id == one.id
        assert desk.again(one).status is Status.OPEN


def test_no_answer_goes_back_to_what_came_before_a_resolved_ticket(
    desk: Desk, forward: Forward
) -> None:
    boss = replace(desk.lead, role=Role.ADMIN)
    older, ticket = desk.ticket(), desk.ticket()
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    desk.do(inboxes.set_reopening, boss, desk.inbox.id, 1)
    forward(timedelta(days=1))

    filed = ticket_of(desk, refs=(*tokens(desk, ticket)["id"], *tokens(desk, older)["id"]))

    assert (filed.id in {older.id, ticket.id}, filed.follows_ref) == (False, ticket.ref)


def test_a_second_answer_goes_on_where_the_first_one_began(desk: Desk, sales: Inbox) -> None:
    boss = replace(desk.lead, role=Role.ADMIN)
    old, elsewhere = desk.ticket(), desk.ticket()
    desk.do(tickets.resolve, desk.ann, old.ref)
    desk.do(inboxes.set_reopening, boss, desk.inbox.id, 0)
    mail: dict[str, Any] = {"refs": tokens(desk, old)["id"]}
    other: dict[str, Any] = {
        "refs": tokens(desk, elsewhere)["id"], "to": mails(sales.address), "at": sales
    }  # fmt: skip

    begun = [ticket_of(desk, **mail), ticket_of(desk, **other)]
    later = [ticket_of(desk, **mail), ticket_of(desk, **other)]
    desk.do(tickets.resolve, desk.ann, begun[0].ref)
    anew = ticket_of(desk, **mail)

    assert [one.follows_ref for one in (*begun, anew)] == [old.ref, elsewhere.ref, old.ref]
    assert [one.id for one in later] == [one.id for one in begun]
    assert anew.id not in {one.id for one in begun}

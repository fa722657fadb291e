"""Answers to a ticket that open one of their own, which follows the first."""

from typing import Any

import pytest
from sqlmodel import Session

from app.services import merging
from app.store.tables import Inbox, Message, Ticket
from channels.contract import Party, Ref, RefKind
from tests.factories import make_inbox
from tests.inquiries import Desk, inquiry

EVE = "eve@elsewhere.test"
SALES = "sales@shop.test"


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

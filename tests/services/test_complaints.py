"""Each complaint about a message of ours is told until somebody has noted it."""

import pytest

from app.core.errors import NotFound
from app.services import complaints, doubts, outbox, tickets
from app.services.queries import complaints as query
from app.services.tickets import Draft
from app.store.tables import Change, Ticket
from channels.contract import Failure, Rendered, Sent
from tests.inquiries import LINKS, Desk, inquiry

YUMI, BOB = "yumi@customers.test", "bob@customers.test"


def reported(desk: Desk, number: int, *whose: str) -> Ticket:
    """An answer to two that arrived, and whom of them their provider then told us of."""
    ticket = desk.ticket(inquiry(text=f"Question {number}"))
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it.", cc=(BOB,)))
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    called = f"t.token.{message.id}.dede0129@shop.test"
    desk.do(outbox.keep_rendered, message.id, Rendered(called, b"x"), "f" * 64)
    desk.do(outbox.settle, message.id, parcel.holder, dict.fromkeys(parcel.recipients, Sent("p1")))
    for address in whose:
        said = Failure(address, "complained", "", hard=False, words="abuse")
        for _ in range(2):
            desk.do(doubts.returned, called, [said])
    return ticket


def told(desk: Desk) -> list[tuple[str, str]]:
    with desk.db.reading() as session:
        return [(one.ticket_ref, one.recipient) for one in query.untold(session)]


def test_each_complaint_is_told_until_somebody_notes_it(desk: Desk) -> None:
    first, second = reported(desk, 1, YUMI), reported(desk, 2, YUMI, BOB)
    before = told(desk)
    with desk.db.reading() as session:
        newest, *_ = query.untold(session)

    for _ in range(2):
        desk.do(complaints.note, desk.ann, newest.id)

    # Also another mail to the same address, and somebody in Cc.
    assert before == [(second.ref, BOB), (second.ref, YUMI), (first.ref, YUMI)]
    assert told(desk) == before[1:]
    with desk.db.reading() as session:
        listed = [(one.recipient, one.noted_at is None) for one in query.listed(session, desk.lead)]
    assert listed == [(BOB, False), (YUMI, True), (YUMI, True)]
    assert [one.agent_id for one in desk.all(Change, what="complaint_noted")] == [desk.ann.agent_id]
    with pytest.raises(NotFound):
        desk.do(complaints.note, desk.ann, newest.id + 1)


def test_no_more_than_three_stand_above_the_inbox_at_once(desk: Desk) -> None:
    for number in range(2):
        reported(desk, number, YUMI, BOB)

    assert len(told(desk)) == 3

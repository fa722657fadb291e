"""Recorded moments of contact, in the segment the customer belonged to then."""

from typing import Any

from app.services import tickets
from app.store.tables import Segment, Touchpoint
from tests.inquiries import NOON, Desk, guess, inquiry


def test_both_sides_of_an_inquiry_are_contacts_and_a_note_is_none(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.do(tickets.note, desk.ann, ticket.ref, "Hm.")
    message = desk.answered(ticket)

    assert [
        (t.direction, t.stage, t.channel, t.customer_id, t.at, t.sample)
        for t in desk.all(Touchpoint)
    ] == [
        ("in", "G", "email", ticket.customer_id, NOON, False),
        ("out", "G", "email", ticket.customer_id, NOON, False),
    ]
    assert [t.message_id for t in desk.all(Touchpoint)][1] == message.id


def test_the_segment_is_that_of_the_moment(desk: Desk) -> None:
    desk.arrive(inquiry())
    desk.arrive(inquiry())

    keys: dict[int, Any] = {segment.id: segment.key for segment in desk.all(Segment)}
    assert [keys[t.segment_id] for t in desk.all(Touchpoint)] == ["first_time", "returning"]


def test_machines_are_no_contact(desk: Desk) -> None:
    desk.arrive(inquiry(automatic=True))

    assert desk.all(Touchpoint) == []

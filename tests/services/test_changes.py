"""Who changed what, in the order it happened."""

from app.domain.words import Cause
from app.services import changes
from app.services.access import SYSTEM
from app.store.tables import Change, Ticket
from tests.inquiries import NOON, Desk


def test_record_names_the_actor_and_makes_the_ticket_new(desk: Desk) -> None:
    ticket = desk.ticket()
    with desk.db.transaction() as session:
        row = session.get_one(Ticket, ticket.id)
        changes.record(session, desk.ann, row, "noted", message=7)
        changes.record(session, SYSTEM, None, "swept")

    assert [
        (c.at, c.ticket_id, c.cause, c.agent_id, c.by, c.what, c.data) for c in desk.all(Change)[1:]
    ] == [
        (NOON, ticket.id, Cause.PERSON, desk.ann.agent_id, "", "noted", {"message": 7}),
        (NOON, None, Cause.SYSTEM, None, "Setten", "swept", {}),
    ]
    assert desk.again(ticket).version == ticket.version + 1

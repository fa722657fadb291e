"""Figures for monitoring: how long ago each mailbox was looked at."""

from datetime import timedelta

from app.services import inboxes
from app.services.queries import workload
from app.services.queries.inboxes import row_of
from app.store.tables import Inbox
from tests.factories import make_inbox
from tests.inquiries import NOON, Desk

WEEK = timedelta(days=7)


def test_what_never_connected_or_holds_nothing_has_an_age_too(desk: Desk) -> None:
    with desk.db.transaction() as session:
        empty = make_inbox(session, address="a@shop.test", looked_at=NOON - timedelta(minutes=2))
        silent = make_inbox(session, address="b@shop.test", looked_at=NOON - timedelta(minutes=6))
        never = make_inbox(session, address="c@shop.test")
        never.created_at = NOON - WEEK
        make_inbox(session, address="d@shop.test")  # fetches nothing
        inboxes.note_trouble(session, never.id, "No such host.")
        ids = [empty.id, silent.id, never.id]

    with desk.db.reading() as session:
        found = workload.view(session)
        stale = [row_of(session.get_one(Inbox, inbox_id)).stale for inbox_id in ids]

    assert found.fetch_ages == dict(zip(ids, (120, 360, WEEK.total_seconds()), strict=True))
    assert found.unexplained == dict.fromkeys(ids, 0)
    assert stale == [False, True, False]

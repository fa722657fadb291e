"""SQLite guesses which index is best: what is asked for every mail must not read all there is.

It guesses without statistics and, if somebody has it count its rows, with them.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from app.core import clock
from app.domain.words import ArrivalState, DeliveryState, MessageKind
from app.services import dispatched, eligibility, intake, retention, sent_copies
from app.store.tables import Arrival, Delivery, OtherId, Ticket
from tests.counting import statements
from tests.factories import make_message
from tests.inquiries import NOON, Desk

DONE = 500  # far more than there is to do
SENT = DeliveryState.SENT

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


@pytest.fixture(params=["without statistics", "with statistics"])
def busy(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """With much that came, was filed, answered, and sent."""
    ticket, *_ = [desk.ticket() for _ in range(30)]
    with desk.db.transaction() as session:
        for number in range(DONE):
            sent = make_message(
                session, ticket, kind=MessageKind.OUTBOUND, external_id=f"{number}@shop.test"
            )
            session.add(_filed(desk, number))
            session.add(
                Delivery(message_id=sent.id, recipient="a@x.test", state=SENT, changed_at=NOON)
            )
            session.add(
                OtherId(inbox_id=desk.inbox.id, external_id=f"{number}@relay", message_id=sent.id)
            )
    if request.param == "with statistics":
        with desk.db.transaction() as session:
            session.connection().execute(text("ANALYZE"))
    return desk


def _filed(desk: Desk, number: int) -> Arrival:
    return Arrival(
        inbox_id=desk.inbox.id,
        external_id=f"done {number}",
        sha256=f"{number:064}",
        received_at=NOON,
        state=ArrivalState.FILED,
    )


def _is_over(session: Session, _: Desk) -> None:
    names = [f"{number:064}" for number in range(3)]
    retention._delete(session, names, clock.now() - timedelta(days=1))


def _is_answered(session: Session, desk: Desk) -> None:
    eligibility.answer_reached(session, desk.all(Ticket)[0])


ASKED: dict[str, tuple[Callable[[Session, Desk], Any], list[str]]] = {
    "a mail of ours": (
        lambda session, _: dispatched.sent_as(session, "nobody@x.test"),
        ["message USING INDEX ix_message_external (inbox_id=? AND external_id=?)"],
    ),
    "what waits in an inbox": (
        lambda session, desk: intake.due(session, desk.inbox.id, 1),
        ["arrival USING INDEX ix_arrival_inbox (inbox_id=? AND state=?)"],
    ),
    "a raw source that is over": (
        _is_over,
        ["arrival USING INDEX ix_arrival_sha256 (sha256=?)"],
    ),
    "copies that are late": (
        lambda session, _: sent_copies.overdue(session, clock.now()),
        ["message USING INTEGER PRIMARY KEY (rowid=?)"],
    ),
    "whether a ticket was answered": (
        _is_answered,
        [
            "message USING INDEX ix_message_ticket (ticket_id=?)",
            "delivery USING INDEX sqlite_autoindex_delivery_1 (message_id=?)",
        ],
    ),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_is_asked_again_and_again_is_found_by_its_own_index(busy: Desk, what: str) -> None:
    ask, wanted = ASKED[what]
    with busy.db.reading() as session, statements(busy.db) as seen:
        ask(session, busy)

    with busy.db.reading() as session:
        plans = [
            row[-1]
            for asked in seen
            for row in session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {asked}", (1,) * asked.count("?")
            )
        ]
    found = [plan.removeprefix("SEARCH ") for plan in plans]
    assert [one for one in wanted if one not in found] == [], plans

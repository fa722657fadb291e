"""Both sides of the mail balance are counted apart and are equal."""

from collections.abc import Callable
from datetime import timedelta

from app.domain.words import ArrivalState
from app.services import intake, ledger
from app.services.intake import Parcel, Stored
from app.services.queries import mailboxes
from app.services.queries.mailboxes import NotFetched
from app.store.tables import Arrival, LedgerRow
from channels.contract import Raw, ServerId
from tests.inquiries import NOON, Desk


def item(number: int) -> ServerId:
    return ServerId("INBOX/7", number)


def fetched(desk: Desk, *numbers: int, backlog: bool = False) -> list[int]:
    parcels = [
        Parcel(Raw(f"INBOX/7/{one}", b"{}"), Stored("a" * 64, 2), item(one), backlog)
        for one in numbers
    ]
    return [row.id for row in desk.do(intake.keep_all, desk.inbox.id, parcels)]


def test_every_mail_on_the_server_is_accounted_for(
    desk: Desk, forward: Callable[[timedelta], None]
) -> None:
    desk.do(ledger.start, desk.inbox.id, [item(1), item(2)])
    first, _, third = fetched(desk, 3, 4, 5)
    desk.do(ledger.skip, desk.inbox.id, [item(6)])
    desk.do(ledger.note_gone, desk.inbox.id, item(7))
    desk.do(intake.set_aside, first, "It cannot be read.")
    with desk.db.transaction() as session:
        session.get_one(Arrival, third).state = ArrivalState.FILED
    desk.do(ledger.note_look, desk.inbox.id, "INBOX/7", [item(n) for n in (1, 2, 3, 4, 5, 6, 9)])
    forward(timedelta(seconds=1))
    fetched(desk, 10)  # after the look

    with desk.db.reading() as session:
        [found] = mailboxes.balances(session, desk.ann)

    assert (found.inbox, found.folder, found.looked_at) == (desk.inbox.name, "INBOX", NOON)
    assert (found.on_server, found.older, found.skipped, found.not_fetched) == (7, 2, 1, 0)
    assert {state: count for state, count in found.states.items() if count} == {
        ArrivalState.WAITING: 1,
        ArrivalState.FILED: 1,
        ArrivalState.SET_ASIDE: 1,
    }
    assert (found.unexplained, found.numbers, found.difference) == (1, (9,), 0)


def test_what_a_server_does_not_hand_out_is_named(desk: Desk) -> None:
    with desk.db.transaction() as session:
        row = ledger.row_of(session, desk.inbox.id, item(1))
        row.problem, row.attempts, row.next_at = "Not handed out.", 3, NOON
        session.add(row)
    desk.do(ledger.note_look, desk.inbox.id, "INBOX/7", [item(1)])

    with desk.db.reading() as session:
        [found] = mailboxes.balances(session, desk.ann)

    assert found.problems == (NotFetched(1, "Not handed out.", 3, NOON),)
    assert (found.not_fetched, found.difference) == (1, 0)


def test_a_wrong_ledger_shows(desk: Desk) -> None:
    fetched(desk, 1, 2)
    desk.do(ledger.note_look, desk.inbox.id, "INBOX/7", [item(1), item(2)])
    with desk.db.transaction() as session:
        session.delete(session.get_one(LedgerRow, desk.all(LedgerRow)[0].id))

    with desk.db.reading() as session:
        [found] = mailboxes.balances(session, desk.ann)

    assert found.difference == 1


def test_an_import_tells_how_far_it_is(desk: Desk) -> None:
    ids = fetched(desk, *range(1, 11), backlog=True)
    with desk.db.transaction() as session:
        for number, arrival_id in enumerate(ids[:4]):
            row = session.get_one(Arrival, arrival_id)
            row.state, row.filed_at = ArrivalState.FILED, NOON - timedelta(seconds=120 - number)

    with desk.db.reading() as session:
        [found] = mailboxes.imports(session, desk.ann)

    assert (found.fetched, found.filed, found.waiting) == (10, 4, 6)
    assert (found.a_minute, found.minutes_left) == (2.0, 3.0)


def test_an_import_counts_what_is_still_on_the_server(desk: Desk) -> None:
    desk.do(ledger.note_left, desk.inbox.id, 30)
    with desk.db.reading() as session:
        [begun] = mailboxes.imports(session, desk.ann)
    ids = fetched(desk, *range(1, 11), backlog=True)
    with desk.db.transaction() as session:
        for number, arrival_id in enumerate(ids):
            row = session.get_one(Arrival, arrival_id)
            row.state, row.filed_at = ArrivalState.FILED, NOON - timedelta(seconds=120 - number)
    desk.do(ledger.note_left, desk.inbox.id, 20)
    with desk.db.reading() as session:
        [found] = mailboxes.imports(session, desk.ann)
    desk.do(ledger.note_look, desk.inbox.id, "INBOX/7", [item(1)])
    with desk.db.reading() as session:
        done = mailboxes.imports(session, desk.ann)

    assert (begun.total, begun.filed, begun.minutes_left) == (30, 0, None)
    assert (found.total, found.fetched, found.filed, found.minutes_left) == (30, 10, 10, 4.0)
    assert done == ()

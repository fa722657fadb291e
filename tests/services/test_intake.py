"""Kept before it is understood; then filed, set aside or tried again, and never lost."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.errors import Conflict, Invalid, NotFound
from app.domain.words import ArrivalState
from app.services import inboxes, intake, ledger
from app.services.filing import Understood
from app.services.forwarding import FROM_US
from app.services.intake import Parcel, Stored
from app.store.tables import Arrival, Change, Inbox, LedgerRow, Message, Ticket
from channels.contract import Ignored, InboundMessage, Party, Raw, ServerId
from tests.factories import make_inbox
from tests.inquiries import NOON, Desk, inquiry

Forward = Callable[[timedelta], None]
STORED = Stored("a" * 64, 2)


def states(desk: Desk) -> list[tuple[str, str]]:
    return [(arrival.state, arrival.reason) for arrival in desk.all(Arrival)]


def test_keep_writes_the_arrival_and_its_job(desk: Desk) -> None:
    arrival = desk.do(intake.keep, desk.inbox.id, Raw("a1", b"{}", {"x-id": "7"}), STORED)

    assert [row.model_dump() for row in desk.all(Arrival)] == [
        {
            "id": arrival.id,
            "inbox_id": desk.inbox.id,
            "external_id": "a1",
            "sha256": "a" * 64,
            "size": 2,
            "headers": {"x-id": "7"},
            "received_at": NOON,
            "server_at": None,
            "oversized": 0,
            "state": ArrivalState.WAITING,
            "reason": "",
            "attempts": 0,
            "next_at": None,
            "canonical": "",
            "copy_of_id": None,
            "settled_at": NOON,
            "backlog": False,
            "filed_at": None,
            "read_by": "",
            "glance": None,
            "original_sha256": "",
            "sent": False,
            "slow": False,
            "taken": False,
            "raw_deleted_at": None,
        }
    ]
    assert desk.jobs() == 1


def test_what_is_set_aside_says_what_could_be_read_of_it(desk: Desk) -> None:
    letters = "請求\u202e書\x00\n" + "x" * 400
    ours = inquiry(desk.inbox.address, subject=letters)
    with desk.db.transaction() as session:
        session.get_one(Inbox, desk.inbox.id).address = "support@shop.test"
    read = replace(ours, sender=Party("email", "support@shop.test", " The\tShop "))

    arrival = desk.arrive(read)
    unread = desk.kept()
    desk.do(intake.set_aside, unread.id, "It cannot be read.")
    broken = desk.kept()
    for _ in range(intake.ATTEMPTS):
        desk.do(intake.failed, broken.id, "KeyError", [Ignored("nothing"), read])

    said = {
        "name": "The Shop",
        "address": "support@shop.test",
        "subject": f"請求 書 {'x' * 295}",
        "sent_at": NOON.isoformat(),
    }
    assert [one.glance for one in desk.all(Arrival)] == [said, None, said]
    desk.do(intake.take, desk.ann, arrival.id)
    desk.do(intake.file, desk.keys, arrival.id, [Understood(replace(read, subject="Bill"))])
    desk.do(intake.discard, desk.ann, broken.id, "Broken")
    assert [one.glance for one in desk.all(Arrival)] == [None, None, said]


def test_keep_of_the_same_thing_again_does_nothing(desk: Desk) -> None:
    first = desk.do(intake.keep, desk.inbox.id, Raw("a1", b"{}"), STORED)

    second = desk.do(intake.keep, desk.inbox.id, Raw("a1", b"{}"), STORED)

    assert second is None
    assert [row.id for row in desk.all(Arrival)] == [first.id]
    assert desk.jobs() == 1


def test_keep_that_is_rolled_back_leaves_neither_arrival_nor_job(desk: Desk) -> None:
    desk.in_vain(intake.keep, desk.inbox.id, Raw("a1", b"{}"), STORED)

    assert desk.all(Arrival) == []
    assert desk.jobs() == 0


def test_one_job_serves_everything_that_waits(desk: Desk) -> None:
    for number in range(5):
        desk.do(intake.keep, desk.inbox.id, Raw(f"a{number}", b"{}"), STORED)

    assert desk.jobs() == 1


def test_a_job_comes_again_once_nothing_waits(desk: Desk) -> None:
    desk.arrive(inquiry())

    desk.kept()

    assert desk.jobs() == 2


def test_an_arrival_that_waits_for_a_later_attempt_does_not_serve_a_new_one(desk: Desk) -> None:
    first = desk.kept()
    desk.do(intake.failed, first.id, "KeyError")
    before = desk.jobs()

    desk.kept()

    assert desk.jobs() == before + 1


def fetched(desk: Desk, *found: tuple[str, ServerId]) -> list[Arrival]:
    parcels = [Parcel(Raw(name, b"{}"), STORED, item) for name, item in found]
    return list(desk.do(intake.keep_all, desk.inbox.id, parcels))


def test_several_are_kept_in_their_order_and_wake_one_job(desk: Desk) -> None:
    before = desk.jobs()

    kept = fetched(desk, *((f"a{number}", ServerId("inbox/1", number)) for number in (3, 5, 9)))

    assert [arrival.external_id for arrival in kept] == ["a3", "a5", "a9"]
    assert [arrival.id for arrival in kept] == sorted(arrival.id for arrival in kept)
    rows = [(row.number, row.arrival_id) for row in desk.all(LedgerRow)]
    assert rows == list(zip((3, 5, 9), [arrival.id for arrival in kept], strict=True))
    assert desk.jobs() == before + 1


def test_of_several_only_those_are_new_that_were_not_there(desk: Desk) -> None:
    [first] = fetched(desk, ("a1", ServerId("inbox/1", 1)))

    kept = fetched(
        desk,
        ("a2", ServerId("inbox/1", 2)),
        ("a1", ServerId("inbox/2", 1)),  # moved away and back
        ("a1", ServerId("inbox/2", 2)),
    )

    assert [arrival.external_id for arrival in kept] == ["a2"]
    assert [(row.scope, row.number, row.arrival_id) for row in desk.all(LedgerRow)] == [
        ("inbox/1", 1, first.id),
        ("inbox/1", 2, kept[0].id),
        ("inbox/2", 1, first.id),
        ("inbox/2", 2, first.id),
    ]


def test_what_was_noted_as_gone_and_came_back_is_entered_with_its_arrival(desk: Desk) -> None:
    item = ServerId("inbox/1", 4)
    with desk.db.transaction() as session:
        row = ledger.row_of(session, desk.inbox.id, item)
        row.problem = "It was gone before it could be fetched."
        session.add(row)

    [arrival] = fetched(desk, ("a4", item))

    assert [(row.number, row.arrival_id, row.problem) for row in desk.all(LedgerRow)] == [
        (4, arrival.id, "")
    ]


def test_keep_enters_what_the_server_calls_it(desk: Desk) -> None:
    [arrival] = fetched(desk, ("inbox/1/7", ServerId("inbox/1", 7)))

    [row] = desk.all(LedgerRow)
    assert (row.scope, row.number, row.arrival_id) == ("inbox/1", 7, arrival.id)
    assert desk.one(Arrival, arrival.id).settled_at is None


def test_keep_of_a_known_arrival_still_enters_its_other_name(desk: Desk) -> None:
    """Else the ledger would say for ever that it is missing, and it would be fetched for ever."""
    [first] = fetched(desk, ("a1", ServerId("inbox/1", 7)))

    assert fetched(desk, ("a1", ServerId("inbox/2", 1))) == []

    assert [(row.scope, row.number, row.arrival_id) for row in desk.all(LedgerRow)] == [
        ("inbox/1", 7, first.id),
        ("inbox/2", 1, first.id),
    ]


def test_next_waiting_is_the_oldest_that_is_due(desk: Desk, forward: Forward) -> None:
    first, second = desk.kept(), desk.kept()
    desk.do(intake.failed, first.id, "KeyError")

    assert desk.do(intake.next_waiting, desk.inbox.id).id == second.id
    forward(timedelta(minutes=1))
    assert desk.do(intake.next_waiting, desk.inbox.id).id == first.id


def test_nothing_kept_is_overlooked_while_a_job_ends(desk: Desk) -> None:
    """Whoever keeps an arrival and whoever looks for the last time meet at the inbox's row."""
    older = desk.kept()
    kept, looked = threading.Event(), threading.Event()
    found: list[Arrival | None] = []

    def look() -> None:
        assert kept.wait(10)
        looked.set()
        found.append(desk.do(intake.next_waiting, desk.inbox.id))

    looking = threading.Thread(target=look)
    looking.start()
    with desk.db.transaction() as session:
        intake.keep(session, desk.inbox.id, Raw("newer", b"{}"), STORED)  # sees one that waits
        older_row = session.get_one(Arrival, older.id)
        older_row.state = ArrivalState.IGNORED
        session.add(older_row)
        session.flush()
        kept.set()
        assert looked.wait(10)
    looking.join(10)

    assert [arrival and arrival.external_id for arrival in found] == ["newer"]


def test_file_names_what_became_of_it(desk: Desk) -> None:
    arrival = desk.arrive(inquiry())

    [ticket] = desk.all(Ticket)
    assert states(desk) == [("filed", f"On ticket {ticket.ref}.")]
    assert [message.arrival_id for message in desk.all(Message)] == [arrival.id]


def test_file_twice_files_once(desk: Desk) -> None:
    arrival = desk.arrive(inquiry())

    desk.do(intake.file, desk.keys, arrival.id, [Understood(inquiry())])

    assert len(desk.all(Message)) == 1


def test_what_is_understood_and_not_wanted_is_ignored_with_its_reason(desk: Desk) -> None:
    desk.ignored("nobody picked up")

    assert states(desk) == [("ignored", "nobody picked up")]


def test_an_arrival_with_nothing_in_it_says_so(desk: Desk) -> None:
    arrival = desk.kept()

    desk.do(intake.file, desk.keys, arrival.id, [])

    assert states(desk) == [("ignored", "There was nothing in it.")]


def test_several_messages_in_one_arrival_are_filed_together(desk: Desk) -> None:
    arrival = desk.kept()

    desk.do(
        intake.file,
        desk.keys,
        arrival.id,
        [Ignored("a misdial"), Understood(inquiry("a@x.test")), Understood(inquiry("b@x.test"))],
    )

    assert [arrival.state for arrival in desk.all(Arrival)] == [ArrivalState.FILED]
    assert len(desk.all(Message, arrival_id=arrival.id)) == 2


def test_file_that_fails_leaves_everything_as_it_was(desk: Desk) -> None:
    arrival = desk.kept()

    desk.in_vain(intake.file, desk.keys, arrival.id, [Understood(inquiry())])

    assert desk.all(Message) == []
    assert desk.all(Ticket) == []
    assert states(desk) == [("waiting", "")]


def test_set_aside_keeps_it_with_the_reason(desk: Desk) -> None:
    arrival = desk.kept()

    desk.do(intake.set_aside, arrival.id, "This mail is empty.")

    assert states(desk) == [("set_aside", "This mail is empty.")]
    assert [(c.what, c.data) for c in desk.all(Change)] == [("set_aside", {"arrival": arrival.id})]


def test_a_filed_arrival_is_not_set_aside_by_a_late_worker(desk: Desk) -> None:
    arrival = desk.arrive(inquiry())

    desk.do(intake.set_aside, arrival.id, "too late")
    desk.do(intake.failed, arrival.id, "too late")

    assert desk.one(Arrival, arrival.id).state is ArrivalState.FILED


def test_failed_waits_longer_each_time_and_then_asks_a_person(desk: Desk) -> None:
    arrival = desk.kept()
    seen = []

    for _ in range(3):
        desk.do(intake.failed, arrival.id, "KeyError")
        row = desk.one(Arrival, arrival.id)
        seen.append((row.state, row.attempts, row.next_at, row.reason))

    assert seen == [
        ("waiting", 1, NOON + timedelta(seconds=20), "KeyError"),
        ("waiting", 2, NOON + timedelta(seconds=80), "KeyError"),
        ("set_aside", 3, None, "Setten failed on it 3 times: KeyError"),
    ]


def test_try_again_lets_it_wait_once_more(desk: Desk) -> None:
    arrival = desk.kept()
    for _ in range(3):
        desk.do(intake.failed, arrival.id, "KeyError")
    before = desk.jobs()

    desk.do(intake.try_again, desk.ann, arrival.id)

    row = desk.one(Arrival, arrival.id)
    assert (row.state, row.attempts, row.next_at) == (ArrivalState.WAITING, 0, None)
    assert desk.jobs() == before + 1


def test_discard_keeps_the_raw_source_and_the_reason(desk: Desk) -> None:
    arrival = desk.kept()
    desk.do(intake.set_aside, arrival.id, "unreadable")

    desk.do(intake.discard, desk.ann, arrival.id, " a test of ours ")

    row = desk.one(Arrival, arrival.id)
    assert (row.state, row.reason, row.sha256) == ("discarded", "a test of ours", arrival.sha256)


def test_what_we_sent_is_discarded_at_once_as_far_as_it_was_seen(desk: Desk) -> None:
    came = [desk.kept() for _ in range(4)]
    for arrival, why in zip(came, (FROM_US, "unreadable", FROM_US, FROM_US), strict=True):
        desk.do(intake.set_aside, arrival.id, why)
    with pytest.raises(Invalid):
        desk.do(intake.discard_ours, desk.ann, came[2].id, " ")

    number = desk.do(intake.discard_ours, desk.ann, came[2].id, " copies ")

    assert (number, states(desk)) == (
        2,
        [
            ("discarded", "copies"),
            ("set_aside", "unreadable"),
            ("discarded", "copies"),
            ("set_aside", FROM_US),
        ],
    )
    told = [row.data for row in desk.all(Change) if row.what == "discarded"]
    assert told == [{"arrival": came[0].id}, {"arrival": came[2].id}]


@pytest.mark.parametrize("verb", ["try_again", "discard"])
def test_only_what_is_set_aside_can_be_decided_about(desk: Desk, verb: str) -> None:
    arrival = desk.arrive(inquiry())
    verbs = {"try_again": intake.try_again, "discard": intake.discard}
    more = ["no need"] if verb == "discard" else []

    with pytest.raises(Conflict):
        desk.do(verbs[verb], desk.ann, arrival.id, *more)
    with pytest.raises(NotFound):
        desk.do(verbs[verb], desk.ann, 999, *more)

    assert desk.one(Arrival, arrival.id).state is ArrivalState.FILED


def test_refuse_counts_what_was_turned_away_at_the_door(desk: Desk) -> None:
    desk.do(intake.refuse, desk.inbox.id, "big 1", 99_000_000, "larger than 48 MB")

    [row] = desk.all(Arrival)
    assert (row.state, row.reason, row.size, row.sha256) == (
        ArrivalState.REFUSED,
        "larger than 48 MB",
        99_000_000,
        "",
    )
    assert desk.jobs() == 0


def test_what_an_older_program_could_not_read_is_tried_once_by_a_newer_one(desk: Desk) -> None:
    old, new, gone = (desk.kept() for _ in range(3))
    for arrival in (old, new, gone):
        desk.do(intake.set_aside, arrival.id, "It cannot be read.")
    desk.do(intake.discard, desk.ann, gone.id, "spam")
    with desk.db.transaction() as session:
        for arrival in (old, gone):
            session.get_one(Arrival, arrival.id).read_by = "0.0.9"

    assert [desk.do(intake.after_upgrade) for _ in range(2)] == [1, 0]

    assert [arrival.state for arrival in desk.all(Arrival)] == [
        ArrivalState.WAITING,
        ArrivalState.SET_ASIDE,
        ArrivalState.DISCARDED,
    ]


def test_mended_bytes_are_read_and_those_that_came_are_kept(desk: Desk) -> None:
    arrival = desk.kept()
    desk.do(intake.set_aside, arrival.id, "It cannot be read.")

    desk.do(intake.mend, desk.ann, arrival.id, Stored("b" * 64, 7))
    desk.do(intake.set_aside, arrival.id, "It cannot be read.")
    desk.do(intake.mend, desk.ann, arrival.id, Stored("c" * 64, 8))

    [row] = desk.all(Arrival)
    assert (row.state, row.sha256, row.size, row.original_sha256) == (
        ArrivalState.WAITING,
        "c" * 64,
        8,
        arrival.sha256,
    )
    with pytest.raises(Conflict):
        desk.do(intake.mend, desk.ann, arrival.id, STORED)


def test_what_lay_among_what_was_sent_is_nothing_that_came_in(desk: Desk) -> None:
    desk.do(inboxes.note_trouble, desk.inbox.id, "The password is wrong.")

    desk.do(intake.keep, desk.inbox.id, Raw("sent/1", b"{}", sent=True), Stored("f" * 64, 2))

    inbox = desk.one(Inbox, desk.inbox.id)
    assert (inbox.last_in_at, inbox.last_in_error) == (None, "The password is wrong.")


def _unread(desk: Desk, arrival: Arrival, _: InboundMessage) -> None:
    desk.do(intake.set_aside, arrival.id, "It cannot be read.")


def _failed(desk: Desk, arrival: Arrival, _: InboundMessage) -> None:
    for _attempt in range(intake.ATTEMPTS):
        desk.do(intake.failed, arrival.id, "KeyError")


def _of_us(desk: Desk, arrival: Arrival, mail: InboundMessage) -> None:
    us = replace(mail, sender=Party("email", desk.inbox.address))
    _file(desk, arrival, us)


def _file(desk: Desk, arrival: Arrival, mail: InboundMessage) -> None:
    """A second reading as well, as of a worker that came too late."""
    for _ in range(2):
        desk.do(intake.file, desk.keys, arrival.id, [Understood(mail)])


def _upgrade(desk: Desk, arrival: Arrival) -> None:
    with desk.db.transaction() as session:
        session.get_one(Arrival, arrival.id).read_by = "0.0.9"
    desk.do(intake.after_upgrade)


AGAIN: dict[str, Callable[[Desk, Arrival], object]] = {
    "again": lambda desk, one: desk.do(intake.try_again, desk.ann, one.id),
    "all again": lambda desk, _: desk.do(intake.try_all_again, desk.ann),
    "upgrade": _upgrade,
    "mended": lambda desk, one: desk.do(intake.mend, desk.ann, one.id, Stored("b" * 64, 7)),
}
ASIDE = {"unread": _unread, "failed": _failed, "of us": _of_us}


@pytest.mark.parametrize("other", ["before", "meanwhile", "afterwards", "aside as well"])
@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("aside", ASIDE)
def test_what_was_set_aside_is_filed_at_most_once(
    desk: Desk, aside: str, again: str, other: str
) -> None:
    mail, sales = inquiry(), desk.do(make_inbox)
    first, second = desk.kept(), desk.kept(sales)
    if other == "before":
        _file(desk, second, mail)
    ASIDE[aside](desk, first, mail)
    if other == "meanwhile":
        _file(desk, second, mail)
    if other == "aside as well":
        ASIDE[aside](desk, second, mail)
    if other != "before" or aside != "of us":  # else it is known as a copy at once
        AGAIN[again](desk, first)
        _file(desk, first, mail)
    if other == "aside as well" and desk.one(Arrival, second.id).state == "set_aside":
        AGAIN[again](desk, second)
    _file(desk, second, mail)

    assert sorted(row.state for row in desk.all(Arrival)) == ["copy", "filed"]
    assert len(desk.all(Message)) == len(desk.all(Ticket)) == 1


@pytest.mark.parametrize("mended_first", [True, False])
def test_what_one_mends_and_a_newer_program_reads_is_one_mail(
    desk: Desk, mended_first: bool
) -> None:
    sales = desk.do(make_inbox)
    first, second = desk.kept(), desk.kept(sales)
    with desk.db.transaction() as session:
        session.get_one(Arrival, second.id).sha256 = first.sha256
    for arrival in (first, second):
        desk.do(intake.set_aside, arrival.id, "It cannot be read.")
    mail = inquiry()
    mended = replace(mail, canonical="of what a person has changed")
    desk.do(intake.mend, desk.ann, first.id, Stored("b" * 64, 7))
    _upgrade(desk, second)

    for arrival, said in [(first, mended), (second, mail)][:: 1 if mended_first else -1]:
        _file(desk, arrival, said)

    assert sorted(row.state for row in desk.all(Arrival)) == ["copy", "filed"]
    assert len(desk.all(Message)) == 1


@pytest.mark.parametrize("turn", [1, -1])
def test_of_several_in_one_arrival_none_is_filed_while_one_waits_for_a_person(
    desk: Desk, turn: int
) -> None:
    filed = inquiry(text="It is filed already.")
    desk.arrive(filed)
    theirs, ours = inquiry(), inquiry(desk.inbox.address)
    arrival = desk.kept()
    said = [Ignored("A receipt."), Understood(filed), Understood(theirs), Understood(ours)][::turn]

    desk.do(intake.file, desk.keys, arrival.id, said)

    row = desk.one(Arrival, arrival.id)
    assert (row.state, row.reason, row.canonical) == ("set_aside", FROM_US, "")
    assert len(desk.all(Message)) == len(desk.all(Ticket)) == 1

    desk.do(intake.take, desk.ann, arrival.id)
    desk.do(intake.file, desk.keys, arrival.id, said)

    assert desk.one(Arrival, arrival.id).state == "filed"
    assert len(desk.all(Message)) == 3

"""The list of the inbox: what is in a view, in which order, at what cost."""

from datetime import timedelta

import pytest

from app.core.errors import Invalid
from app.domain.words import Status
from app.services.access import Actor
from app.services.queries import frame, inbox
from app.services.queries.inbox import Selection, Sort, View
from app.store.database import Database
from app.store.tables import Seen
from tests.counting import statements
from tests.factories import (
    NOON,
    make_agent,
    make_customer,
    make_inbox,
    make_organisation,
    make_ticket,
    topic_id,
)


@pytest.fixture
def ann(db: Database) -> Actor:
    with db.transaction() as session:
        return make_agent(session, "Ann Bell")


def refs(db: Database, actor: Actor, selection: Selection) -> list[str]:
    with db.reading() as session:
        return [row.subject for row in inbox.rows(session, actor, selection).rows]


@pytest.mark.parametrize("n", [1, 3])
def test_rows_cost_one_statement_whatever_their_number(db: Database, ann: Actor, n: int) -> None:
    with db.transaction() as session:
        for number in range(n):
            customer = make_customer(session, f"Customer {number}")
            make_ticket(session, customer=customer, at=NOON + timedelta(minutes=number))

    with db.reading() as session, statements(db) as seen:
        found = inbox.rows(session, ann, Selection(View.UNASSIGNED))

    assert [row.customer for row in found.rows] == [f"Customer {number}" for number in range(n)]
    assert len(seen) == 1


@pytest.mark.parametrize("n", [1, 3])
def test_counts_cost_one_statement_whatever_their_number(db: Database, ann: Actor, n: int) -> None:
    with db.transaction() as session:
        for _ in range(n):
            make_ticket(session)
            make_ticket(session, assignee_id=ann.agent_id, status=Status.SNOOZED)

    with db.reading() as session, statements(db) as seen:
        found = inbox.counts(session, ann)

    assert found.views == {
        View.MINE: 0,
        View.UNASSIGNED: n,
        View.OPEN: n,
        View.TRIAGE: n,
        View.WAITING: 0,
        View.SNOOZED: n,
        View.UNVERIFIED: 0,
    }
    assert (found.follow_ups, found.set_aside, found.outbox, len(seen)) == (0, 0, 0, 1)


def test_samples_are_shown_and_counted_as_nobody_s_work(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        make_organisation(session, samples_at=NOON)
        make_ticket(session, subject="real")
        make_ticket(session, subject="made up", sample=True)

    with db.reading() as session:
        found = frame.view(session, ann)

    assert set(refs(db, ann, Selection(View.UNASSIGNED))) == {"real", "made up"}
    assert found is not None
    assert (found.counts.views[View.UNASSIGNED], found.counts.views[View.TRIAGE]) == (1, 1)


def test_each_view_shows_its_own(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        box, who = make_inbox(session), make_customer(session)
        sorted_out = {"stage": "F", "topic_id": topic_id(session, "delivery")}
        make_ticket(session, box, who, subject="new")
        make_ticket(session, box, who, subject="mine", assignee_id=ann.agent_id, **sorted_out)
        for status in list(Status)[1:]:
            late = 0 if status in {Status.WAITING, Status.DISMISSED} else 1
            make_ticket(session, box, who, subject=status, status=status, unverified=late)

    found = {view: refs(db, ann, Selection(view)) for view in View}

    assert found == {
        View.MINE: ["mine"],
        View.UNASSIGNED: ["new"],
        View.OPEN: ["new", "mine"],
        View.TRIAGE: ["new"],
        View.WAITING: ["waiting"],
        View.SNOOZED: ["snoozed"],
        View.RESOLVED: ["resolved"],
        View.SPAM: ["spam"],
        View.DISMISSED: ["dismissed"],
        View.UNVERIFIED: ["snoozed", "resolved"],
    }


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_paging_shows_every_ticket_once(db: Database, ann: Actor, sort: Sort, size: int) -> None:
    with db.transaction() as session:
        box, who = make_inbox(session), make_customer(session)
        for number, minutes in enumerate([3, 1, 1, None, 2, None]):
            at = NOON + timedelta(minutes=minutes or 0)
            ticket = make_ticket(session, box, who, subject=str(number), at=at)
            if minutes is None:
                ticket.waiting_since = None

    whole = refs(db, ann, Selection(View.OPEN, sort))
    paged: list[str] = []
    after = ""
    for _ in range(7):
        with db.reading() as session:
            page = inbox.rows(session, ann, Selection(View.OPEN, sort, after, size=size))
        paged += [row.subject for row in page.rows]
        after = page.next
        if not after:
            break

    assert paged == whole
    assert whole == (
        ["1", "2", "4", "0", "3", "5"] if sort is Sort.LONGEST else ["0", "4", "2", "1", "5", "3"]
    )


@pytest.mark.parametrize("after", ["zz", "-", "1e999-1", "nan-x", "5"])
def test_page_mark_nobody_made_is_refused(db: Database, ann: Actor, after: str) -> None:
    with db.reading() as session, pytest.raises(Invalid):
        inbox.rows(session, ann, Selection(View.OPEN, after=after))


def test_row_is_unread_until_it_was_seen_after_the_last_message(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        box, who = make_inbox(session), make_customer(session)
        for subject, minutes in (("never", None), ("before", -1), ("after", 1)):
            ticket = make_ticket(session, box, who, subject=subject)
            if minutes is not None:
                at = NOON + timedelta(minutes=minutes)
                session.add(Seen(agent_id=ann.agent_id or 0, ticket_id=ticket.id, at=at))

    with db.reading() as session:
        found = inbox.rows(session, ann, Selection(View.OPEN)).rows

    assert {row.subject: row.unread for row in found} == {
        "never": True,
        "before": True,
        "after": False,
    }


def test_customer_without_a_name_is_called_by_the_address(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        make_ticket(session, customer=make_customer(session, "", "who@customers.test"))

    with db.reading() as session:
        found = inbox.rows(session, ann, Selection(View.OPEN)).rows

    assert [row.customer for row in found] == ["who@customers.test"]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_badge_of_needs_triage_does_not_read_every_open_ticket(
    db: Database, ann: Actor
) -> None:
    with db.reading() as session, statements(db) as seen:
        inbox.counts(session, ann)

    [asked] = seen
    with db.reading() as session:
        plan = session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {asked}", (1,) * asked.count("?")
        )
        steps = [row[-1] for row in plan]
    assert "SEARCH ticket USING INDEX ix_ticket_without_tag (status=?)" in steps

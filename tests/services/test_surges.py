"""Alarms for topics about which unusually many write: raised once, followed, and over."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from app.core import clock
from app.core.errors import NotFound
from app.domain.words import ArrivalState, Status
from app.services import surges, topics
from app.services.access import SYSTEM, Actor
from app.services.queries import surges as query
from app.store.tables import Arrival, Customer, Inbox, Surge, Ticket, Topic
from tests.factories import make_customer, make_message, make_ticket, topic_id
from tests.inquiries import Desk
from tests.services.conftest import Forward

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
Write = Callable[..., list[Ticket]]


@pytest.fixture
def write(desk: Desk) -> Write:
    """`write(20, "delivery")`: so many wrote about it, half an hour ago or at `ago`."""
    with desk.db.transaction() as session:
        customer: Customer = make_customer(session)

    def make(number: int, topic: str = "", ago: timedelta = HOUR / 2, **given: Any) -> list[Ticket]:
        with desk.db.transaction() as session:
            inbox = session.get_one(Inbox, desk.inbox.id)
            about = topic_id(session, topic) if topic else None
            fields: Mapping[str, Any] = {"topic_id": about, "at": clock.now() - ago} | given
            return [make_ticket(session, inbox, customer, **fields) for _ in range(number)]

    return make


@pytest.fixture
def usual(write: Write) -> None:
    """Four weeks in which two write about deliveries at this hour."""
    for week in range(1, 5):
        write(2, "delivery", week * WEEK + HOUR / 2)
    write(1, "return_refund", 5 * WEEK)


@pytest.fixture
def own_topics(desk: Desk) -> Iterator[None]:
    """The PostgreSQL database is shared, and keeps its topics from test to test."""
    yield
    with desk.db.transaction() as session:
        session.execute(update(Ticket).values(topic_id=None))
        session.execute(delete(Surge))
        session.execute(delete(Topic).where(col(Topic.added_at).is_not(None)))


def found(desk: Desk, actor: Actor | None = None) -> list[tuple[str, int, float]]:
    with desk.db.reading() as session:
        alarms = query.going_on(session, actor or desk.ann)
    return [(one.topic, one.count, one.expected) for one in alarms]


@pytest.mark.usefixtures("usual")
def test_unusually_many_raise_one_alarm_that_follows_them(
    desk: Desk, write: Write, forward: Forward
) -> None:
    write(1, "delivery", 2 * HOUR)
    write(19, "delivery")
    for _ in range(2):
        desk.do(surges.watch)
    began = clock.now() - 2 * HOUR
    first = found(desk)
    forward(HOUR)
    write(5, "delivery")
    desk.do(surges.watch)

    [row] = desk.all(Surge)
    assert (first, found(desk)) == ([("delivery", 20, 2.0)], [("delivery", 25, 2.0)])
    assert (row.since, row.ended_at) == (began, None)


@pytest.mark.usefixtures("usual")
def test_alarm_is_over_once(desk: Desk, write: Write, forward: Forward) -> None:
    write(16, "delivery")
    desk.do(surges.watch)
    forward(6 * HOUR)  # nobody wrote in the last three, and the day was unusual all the same
    desk.do(surges.watch)
    later = found(desk)
    forward(20 * HOUR)
    for _ in range(2):
        desk.do(surges.watch)
        write(3, "delivery")

    [row] = desk.all(Surge)
    assert (later, found(desk)) == ([("delivery", 16, 2.0)], [])
    assert row.ended_at == clock.now()


@pytest.mark.usefixtures("usual")
def test_what_the_model_is_unsure_of_can_be_unusual(desk: Desk, write: Write) -> None:
    write(9)

    desk.do(surges.watch)

    assert found(desk) == [("", 9, 0.0)]


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(
    "given",
    [{"sample": True}, {"automatic": True}, {"status": Status.SPAM}, {"status": Status.DISMISSED}],
)
def test_what_nobody_wrote_to_us_is_not_counted(
    desk: Desk, write: Write, given: dict[str, Any]
) -> None:
    write(20, "delivery", **given)

    desk.do(surges.watch)

    assert found(desk) == []


@pytest.mark.usefixtures("usual")
def test_old_mail_that_is_brought_in_is_no_alarm(desk: Desk, write: Write) -> None:
    with desk.db.transaction() as session:
        for ticket in write(9, "delivery"):
            arrival = Arrival(
                inbox_id=desk.inbox.id,
                external_id=ticket.ref,
                received_at=clock.now(),
                state=ArrivalState.FILED,
                backlog=True,
            )
            session.add(arrival)
            session.flush()
            make_message(session, ticket, arrival_id=arrival.id)

    desk.do(surges.watch)

    assert found(desk) == []


def test_before_three_weeks_have_passed_nothing_is_told(
    desk: Desk, write: Write, forward: Forward
) -> None:
    write(1, "delivery", 20 * timedelta(days=1))
    write(20, "delivery")
    desk.do(surges.watch)
    with desk.db.reading() as session:
        early = query.overview(session, desk.ann)
    begins = clock.now() + timedelta(days=1, hours=3)
    forward(timedelta(days=1, hours=3))
    write(20, "delivery")
    desk.do(surges.watch)
    with desk.db.reading() as session:
        late = query.overview(session, desk.ann)

    assert (early.alarms, early.begins_at) == ([], begins)
    assert ([one.topic for one in late.alarms], late.begins_at) == (["delivery"], None)


@pytest.mark.usefixtures("usual", "own_topics")
def test_new_topic_has_no_past_to_compare_with(desk: Desk, write: Write) -> None:
    made: Topic = desk.do(topics.add, SYSTEM, {"en": "Recall"})
    write(20, topic_id=made.id)

    desk.do(surges.watch)

    assert found(desk) == []


@pytest.mark.usefixtures("usual", "own_topics")
def test_topic_that_became_another_is_over(desk: Desk, write: Write) -> None:
    made: Topic = desk.do(topics.add, SYSTEM, {"en": "Recall"})
    with desk.db.transaction() as session:
        session.get_one(Topic, made.id).added_at = clock.now() - 5 * WEEK
    write(20, topic_id=made.id)
    desk.do(surges.watch)
    before = found(desk)
    desk.do(topics.merge, SYSTEM, made.key, "delivery")
    desk.do(surges.watch)

    assert (before, found(desk)) == ([(made.key, 20, 0.0)], [("delivery", 20, 2.0)])


@pytest.mark.usefixtures("usual")
def test_who_knows_is_not_told_again_and_the_others_are(desk: Desk, write: Write) -> None:
    tickets = write(16, "delivery")
    desk.do(surges.watch)
    [row] = desk.all(Surge)
    for _ in range(2):
        desk.do(surges.seen, desk.ann, row.id)

    with desk.db.reading() as session:
        ann, lead = query.untold(session, desk.ann), query.untold(session, desk.lead)
        listed = query.tickets(session, desk.ann, row.id)
        with pytest.raises(NotFound):
            query.tickets(session, desk.ann, row.id + 1)
    assert (ann, [one.id for one in lead]) == ((), [row.id])
    assert listed == tuple(sorted((ticket.id for ticket in tickets), reverse=True))

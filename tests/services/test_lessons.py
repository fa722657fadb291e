"""What a model is taught: the newest word of people, in the topics of today."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.domain.words import Head, Status
from app.services import lessons, merging, tagging, tickets, topics, verdicts
from app.services.access import SYSTEM
from app.services.lessons import Curriculum, Label
from app.services.queries.models import overview
from app.store.tables import Change, Correction, Customer, Ticket, Topic
from tests.inquiries import Desk, guess, inquiry

NAMES = {"en": "Spare parts", "ja": "部品", "de": "Ersatzteile"}


def gather(desk: Desk) -> Curriculum:
    with desk.db.reading() as session:
        return lessons.gather(session)


def said(desk: Desk, head: Head) -> list[tuple[str, float]]:
    found = [lesson.labels.get(head) for lesson in gather(desk).lessons]
    return [(one.label, one.weight) for one in found if one]


def taught(desk: Desk) -> list[tuple[str, dict[Head, str]]]:
    return [
        (lesson.text.split("\n")[1], {head: one.label for head, one in lesson.labels.items()})
        for lesson in gather(desk).lessons
    ]


@pytest.fixture(autouse=True)
def default_topics(desk: Desk) -> Iterator[None]:
    """The PostgreSQL database is shared, and keeps its topics from test to test."""
    before = {topic.key: (topic.active, dict(topic.labels)) for topic in desk.all(Topic)}
    yield
    with desk.db.transaction() as session:
        session.execute(update(Ticket).values(topic_id=None))
        for topic in desk.all(Topic):
            row = session.get_one(Topic, topic.id)
            if topic.key not in before:
                session.delete(row)
                continue
            row.active, row.labels = before[topic.key]
            row.merged_into = None


def test_of_a_call_the_notes_are_taught_and_without_notes_nothing(desk: Desk) -> None:
    for notes in ("The lid is broken.", ""):
        call = inquiry(
            text=notes or "Missed call.", reply_text=notes, is_call=True, subject="Call from 030 1"
        )
        ticket = desk.ticket(call, prediction=guess("D", "delivery"))
        desk.do(verdicts.accept, desk.ann, ticket.ref)

    assert [lesson.text for lesson in gather(desk).lessons] == ["The lid is broken."]


def test_only_verdicts_that_teach_are_counted(desk: Desk) -> None:
    def counted() -> tuple[int, int]:
        with desk.db.reading() as session:
            found = overview(session, SYSTEM)
            return lessons.verdicts(session, 2**31 - 1), found.verdicts

    before = counted()
    sample, refused, spam = (
        desk.ticket(inquiry(text=text), prediction=guess("D", "delivery"))
        for text in ("When will it arrive?", "Where is it?", "Is it on its way?")
    )
    for ticket in (sample, refused, spam):
        desk.do(verdicts.accept, desk.ann, ticket.ref)
    assert counted() == (before[0] + 6, before[1] + 6)

    with desk.db.transaction() as session:
        session.get_one(Ticket, sample.id).sample = True
        session.get_one(Customer, refused.customer_id).may_learn = False
        session.get_one(Ticket, spam.id).status = Status.SPAM

    assert counted() == before


def test_the_newest_word_counts_and_corrections_weigh_double(desk: Desk) -> None:
    agreed = desk.ticket(inquiry(text="When will it arrive?"), prediction=guess("D", "delivery"))
    wrong = desk.ticket(inquiry(text="The lid is broken."), prediction=guess("D", "delivery"))
    none = desk.ticket(inquiry(text="I apply as a cook."), prediction=guess("D", "delivery"))
    desk.ticket(inquiry(text="Nobody looked at this one."), prediction=guess("D", "delivery"))
    desk.do(verdicts.accept, desk.ann, agreed.ref)
    desk.do(verdicts.choose, desk.ann, wrong.ref, Head.STAGE, "C")
    desk.do(verdicts.choose, desk.ann, wrong.ref, Head.STAGE, "F")
    desk.do(verdicts.dismiss, desk.ann, none.ref)
    ann = desk.ann.agent_id or 0

    found = gather(desk)

    numbers = [row.id for row in desk.all(Correction)]
    assert [
        (one.ticket_id, one.text.split("\n")[1], one.customer_id, one.labels)
        for one in found.lessons
    ] == [
        (
            agreed.id,
            "When will it arrive?",
            agreed.customer_id,
            {
                Head.STAGE: Label("D", 1.0, ann, numbers[0]),
                Head.TOPIC: Label("delivery", 1.0, ann, numbers[1]),
            },
        ),
        (
            wrong.id,
            "The lid is broken.",
            wrong.customer_id,
            {Head.STAGE: Label("F", 2.0, ann, numbers[3])},
        ),
        (
            none.id,
            "I apply as a cook.",
            none.customer_id,
            {
                Head.STAGE: Label("", 2.0, ann, numbers[4]),
                Head.TOPIC: Label("", 2.0, ann, numbers[5]),
            },
        ),
    ]
    assert found.through == max(row.id for row in desk.all(Correction))
    assert (found.count(Head.STAGE), found.count(Head.TOPIC)) == (3, 2)


def test_of_joined_tickets_each_word_is_taught_with_the_text_it_was_said_of(desk: Desk) -> None:
    older = desk.ticket(inquiry(text="What does it cost?"), prediction=guess("D", None))
    newer = desk.ticket(inquiry(text="The lid is broken."), prediction=guess("D", "delivery"))
    desk.do(verdicts.choose, desk.ann, older.ref, Head.STAGE, "C")
    desk.do(verdicts.choose, desk.lead, newer.ref, Head.STAGE, "F")

    desk.do(merging.merge, desk.ann, newer.ref, older.ref)
    # The guess that is agreed with is the one that was made of the second.
    desk.do(verdicts.accept, desk.ann, older.ref)

    assert taught(desk) == [
        ("What does it cost?", {Head.STAGE: "C"}),
        ("The lid is broken.", {Head.STAGE: "F", Head.TOPIC: "delivery"}),
    ]
    with pytest.raises(Conflict):
        desk.do(verdicts.take_back, desk.lead, newer.ref)
    for _ in range(2):
        desk.do(verdicts.take_back, desk.ann, older.ref)
    assert (desk.again(older).stage, desk.again(older).stage_by) == ("D", "suggestion")
    assert taught(desk) == [("The lid is broken.", {Head.STAGE: "F"})]


def test_what_went_to_another_ticket_is_not_taught_as_this_one(desk: Desk) -> None:
    first, other = desk.ticket(), desk.ticket()
    desk.do(verdicts.choose, desk.ann, first.ref, Head.STAGE, "C")

    with desk.db.transaction() as session:
        message = tagging.first_words(session, first.id)
        assert message is not None
        message.ticket_id = other.id

    assert taught(desk) == []


def test_what_an_agent_resolved_as_the_model_had_it_counts_a_little(desk: Desk) -> None:
    untouched = desk.ticket(inquiry(text="Where is it?"), prediction=guess("D", "delivery"))
    partly = desk.ticket(inquiry(text="The lid is broken."), prediction=guess("D", "delivery"))
    by_nobody = desk.ticket(prediction=guess("D", "delivery"))
    unsure = desk.ticket(prediction=guess(None, None))
    desk.ticket(prediction=guess("D", "delivery"))  # is still open
    desk.do(verdicts.choose, desk.ann, partly.ref, Head.STAGE, "F")
    for ticket in (untouched, partly, unsure):
        desk.do(tickets.resolve, desk.ann, ticket.ref)
    desk.do(tickets.resolve, SYSTEM, by_nobody.ref)

    found = gather(desk)

    [verdict] = desk.all(Correction)
    ann = desk.ann.agent_id or 0
    # Of the topic nobody said anything: what was left so cannot outweigh that.
    assert [(one.ticket_id, one.labels) for one in found.lessons] == [
        (
            untouched.id,
            {
                Head.STAGE: Label("D", 0.3, 0, 0, weak=True),
                Head.TOPIC: Label("delivery", 0.0, 0, 0, weak=True),
            },
        ),
        (
            partly.id,
            {
                Head.STAGE: Label("F", 2.0, ann, verdict.id),
                Head.TOPIC: Label("delivery", 0.0, 0, 0, weak=True),
            },
        ),
    ]
    assert (found.count(Head.STAGE), found.count(Head.TOPIC)) == (1, 0)


def test_a_renamed_topic_keeps_what_was_said_of_it(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("D", "delivery"))
    desk.do(verdicts.accept, desk.ann, ticket.ref)
    before = gather(desk)

    desk.do(topics.rename, SYSTEM, "delivery", {"en": "Shipping"})

    after = gather(desk)
    assert said(desk, Head.TOPIC) == [("delivery", 1.0)]
    assert after.topics["delivery"] == {"ja": "Shipping", "de": "Shipping", "en": "Shipping"}
    assert after.fingerprint != before.fingerprint


def test_of_two_topics_one_is_made_with_the_history_of_both(desk: Desk) -> None:
    first = desk.ticket(prediction=guess("D", "order_status"))
    second = desk.ticket(prediction=guess("D", "delivery"))
    for ticket in (first, second):
        desk.do(verdicts.accept, desk.ann, ticket.ref)
    made = desk.do(topics.add, SYSTEM, NAMES)

    desk.do(topics.merge, SYSTEM, "order_status", "delivery")
    desk.do(topics.merge, SYSTEM, "delivery", made.key)

    found = gather(desk)
    assert said(desk, Head.TOPIC) == [(made.key, 1.0)] * 2
    assert found.merged == {"order_status": made.key, "delivery": made.key}
    assert not {"order_status", "delivery"} & set(found.topics)
    assert [desk.again(one).topic_id for one in (first, second)] == [made.id] * 2
    third = desk.ticket(prediction=guess("D", "order_status"))
    assert (desk.again(third).topic_id, desk.again(third).topic_by) == (made.id, "suggestion")


def test_taken_back_it_has_the_topic_that_the_former_one_became(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("D", "delivery"))
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.TOPIC, "fault_repair")

    desk.do(topics.merge, SYSTEM, "delivery", "order_status")
    desk.do(verdicts.take_back, desk.ann, ticket.ref)

    after = desk.again(ticket)
    assert (desk.one(Topic, after.topic_id or 0).key, after.topic_by) == (
        "order_status",
        "suggestion",
    )


def test_a_topic_out_of_use_teaches_nothing(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("D", "delivery"))
    desk.do(verdicts.accept, desk.ann, ticket.ref)
    before = gather(desk)

    desk.do(topics.put_out_of_use, SYSTEM, "delivery")

    found = gather(desk)
    assert (said(desk, Head.STAGE), said(desk, Head.TOPIC)) == ([("D", 1.0)], [])
    assert ("delivery" in found.topics, dict(found.merged)) == (False, {})
    assert found.fingerprint != before.fingerprint  # so a training is due
    assert desk.again(ticket).topic_id == ticket.topic_id
    assert desk.again(desk.ticket(prediction=guess("D", "delivery"))).topic_id is None

    desk.do(topics.use_again, SYSTEM, "delivery")

    assert gather(desk) == before
    done = [row.what for row in desk.all(Change) if row.what.startswith("topic_")]
    assert done == ["topic_out_of_use", "topic_used_again"]


def test_of_a_topic_out_of_use_the_next_likeliest_is_agreed_with(desk: Desk) -> None:
    agreed, before = (desk.ticket(prediction=guess("D", "delivery")) for _ in range(2))
    desk.do(verdicts.accept, desk.ann, before.ref)

    desk.do(topics.put_out_of_use, SYSTEM, "delivery")
    desk.do(verdicts.accept, desk.ann, agreed.ref)
    desk.do(verdicts.take_back, desk.ann, before.ref)

    assert (desk.again(agreed).stage_by, desk.again(agreed).topic_by) == ("person", "suggestion")
    after = desk.again(before)
    assert (after.stage_by, after.topic_by) == ("suggestion", "suggestion")


def test_one_topic_stays_in_use_and_a_name_is_not_there_twice(desk: Desk) -> None:
    desk.do(topics.put_out_of_use, SYSTEM, "delivery")
    desk.do(topics.add, SYSTEM, {"en": "Delivery"})
    desk.do(topics.merge, SYSTEM, "fault_repair", "order_status")
    for key, error in (
        ("delivery", Conflict),
        ("order_status", Conflict),
        ("fault_repair", NotFound),
    ):
        with pytest.raises(error):
            desk.do(topics.use_again, SYSTEM, key)
    with desk.db.reading() as session:
        *others, last = [one.key for one in topics.listed(session)]
    for key in others:
        desk.do(topics.put_out_of_use, SYSTEM, key)

    with pytest.raises(Conflict, match="At least one topic stays in use"):
        desk.do(topics.put_out_of_use, SYSTEM, last)


def test_topics_are_the_business_of_administrators(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.do(topics.add, desk.ann, NAMES)
    with pytest.raises(NotAllowed):
        desk.do(topics.rename, desk.ann, "delivery", NAMES)
    with pytest.raises(NotAllowed):
        desk.do(topics.merge, desk.ann, "delivery", "order_status")
    for act in (topics.put_out_of_use, topics.use_again):
        with pytest.raises(NotAllowed):
            desk.do(act, desk.ann, "delivery")


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ({}, Invalid),
        ({"en": "  "}, Invalid),
        ({"fr": "Pièces"}, Invalid),
        ({"en": "x" * 81}, Invalid),
        ({"en": "DELIVERY"}, Conflict),
    ],
)
def test_a_topic_needs_a_name_of_its_own(
    desk: Desk, labels: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        desk.do(topics.add, SYSTEM, labels)


def test_what_cannot_be_merged_stays_two(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.do(topics.merge, SYSTEM, "delivery", "delivery")
    with pytest.raises(NotFound):
        desk.do(topics.merge, SYSTEM, "delivery", "weather")
    desk.do(topics.merge, SYSTEM, "delivery", "order_status")
    with pytest.raises(NotFound):
        desk.do(topics.rename, SYSTEM, "delivery", NAMES)


def test_old_words_of_samples_and_spam_are_not_taught(desk: Desk) -> None:
    spam = desk.ticket(prediction=guess("D", "delivery"))
    sample = desk.ticket(prediction=guess("D", "delivery"))
    for ticket in (spam, sample):
        desk.do(verdicts.accept, desk.ann, ticket.ref)
    with desk.db.transaction() as session:
        session.get_one(Ticket, spam.id).status = Status.SPAM
        session.get_one(Ticket, sample.id).sample = True

    assert gather(desk).lessons == ()

"""What is said of several inquiries at once holds for all of them, and is taken back as one."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.core.errors import Conflict, Invalid
from app.domain.words import Head, Status, Verdict
from app.services import teaching, verdicts
from app.services.teaching import MOST, Word
from app.store.tables import Correction, Customer, Ticket, Topic
from tests.inquiries import Desk, guess, inquiry


def three(desk: Desk) -> list[Ticket]:
    """The second of another customer, the third of the first."""
    senders = ("yumi@customers.test", "ben@customers.test", "yumi@customers.test")
    said = (guess("F", "fault_repair"), guess("D", "delivery"), guess("D", None))
    return [
        desk.ticket(inquiry(sender), prediction=one)
        for sender, one in zip(senders, said, strict=True)
    ]


def state(desk: Desk, tickets: Sequence[Ticket]) -> list[tuple[Any, ...]]:
    topics = {topic.id: topic.key for topic in desk.all(Topic)}
    found = [desk.again(ticket) for ticket in tickets]
    return [
        (one.stage, one.stage_by, topics.get(one.topic_id), one.topic_by, one.status)
        for one in found
    ]


SAID = [
    (Word(), ("F", "person", "fault_repair", "person", Status.OPEN), 6),
    (Word(stage="G"), ("G", "person", None, None, Status.OPEN), 3),
    (Word(no_inquiry=True), (None, None, None, None, Status.DISMISSED), 6),
]


@pytest.mark.parametrize(("word", "wanted", "verdicts_made"), SAID)
def test_one_word_for_all_and_back(
    desk: Desk, word: Word, wanted: tuple[Any, ...], verdicts_made: int
) -> None:
    tickets = three(desk)
    before, stages = state(desk, tickets), [one.stage for one in desk.all(Customer)]

    said = desk.do(teaching.say, desk.ann, [one.ref for one in tickets], word)
    after, made = state(desk, tickets), desk.all(Correction)
    desk.do(teaching.take_back, desk.ann, said.act)

    for was, now in zip(before, after, strict=True):
        kept = [old if new is None else new for old, new in zip(was, wanted, strict=True)]
        assert now == tuple(kept)
    assert {row.act for row in made} == {said.act}
    assert len(made) == verdicts_made
    assert state(desk, tickets) == before
    assert [one.stage for one in desk.all(Customer)] == stages
    assert desk.all(Correction) == []


def test_what_people_said_of_the_others_stands(desk: Desk) -> None:
    first, second, third = three(desk)
    desk.do(verdicts.choose, desk.lead, second.ref, Head.STAGE, "A")
    desk.do(verdicts.dismiss, desk.lead, third.ref)

    said = desk.do(teaching.say, desk.ann, [first.ref, second.ref, third.ref], Word(stage="G"))

    assert [one.ref for one in said.tickets] == [first.ref]
    assert [one[0] for one in state(desk, [first, second, third])] == ["G", "A", "D"]


@pytest.mark.parametrize(("head", "label"), [(Head.STAGE, "A"), (Head.URGENT, "yes")])
def test_whose_head_a_person_said_is_not_dismissed_with_the_others(
    desk: Desk, head: Head, label: str
) -> None:
    first, second, third = three(desk)
    desk.do(verdicts.choose, desk.lead, second.ref, head, label)
    before = state(desk, [second])

    refs = [first.ref, second.ref, third.ref]
    said = desk.do(teaching.say, desk.ann, refs, Word(no_inquiry=True))

    assert {one.ref for one in said.tickets} == {first.ref, third.ref}
    assert said.left == 1
    assert state(desk, [second]) == before
    assert [row.label for row in desk.all(Correction, ticket_id=second.id)] == [label]


def test_it_is_not_taken_back_where_somebody_spoke_since(desk: Desk) -> None:
    first, second, _ = three(desk)
    said = desk.do(teaching.say, desk.ann, [first.ref, second.ref], Word(stage="G"))
    desk.do(verdicts.choose, desk.lead, second.ref, Head.STAGE, "A")

    with pytest.raises(Conflict):
        desk.do(teaching.take_back, desk.lead, said.act)
    back = desk.do(teaching.take_back, desk.ann, said.act)

    assert [one.ref for one in back] == [first.ref]
    assert [one[:2] for one in state(desk, [first, second])] == [
        ("F", "suggestion"),
        ("A", "person"),
    ]


def test_agreeing_leaves_what_a_person_said(desk: Desk) -> None:
    first, *_ = three(desk)
    desk.do(verdicts.choose, desk.lead, first.ref, Head.STAGE, "A")

    desk.do(verdicts.accept, desk.ann, first.ref)
    with pytest.raises(Conflict, match="labelled this inquiry meanwhile"):
        desk.do(verdicts.accept, desk.ann, first.ref)
    with pytest.raises(Conflict, match="labelled this inquiry meanwhile"):
        desk.do(teaching.say, desk.ann, [first.ref], Word())

    assert state(desk, [first]) == [("A", "person", "fault_repair", "person", Status.OPEN)]
    assert [(row.head, row.verdict) for row in desk.all(Correction)] == [
        (Head.STAGE, Verdict.CORRECTED),
        (Head.TOPIC, Verdict.ACCEPTED),
    ]


def test_there_must_be_a_guess_and_not_too_many(desk: Desk) -> None:
    ticket = desk.ticket()

    with pytest.raises(Conflict):
        desk.do(teaching.say, desk.ann, [ticket.ref], Word())
    for refs in ([], [ticket.ref] * (MOST + 1)):
        with pytest.raises(Invalid):
            desk.do(teaching.say, desk.ann, refs, Word(stage="A"))

    assert desk.all(Correction) == []

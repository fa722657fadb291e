"""The model proposes, a person decides; both are remembered, and the person wins."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import Conflict, Invalid
from app.domain.words import Decision, Head, Status, Verdict
from app.services import merging, organisation, tagging, tickets, verdicts
from app.services.access import SYSTEM
from app.services.queries import inbox
from app.services.queries.inbox import Selection, View
from app.store.tables import (
    Correction,
    Customer,
    Meaning,
    Message,
    PredictionRow,
    Ticket,
    Topic,
    Touchpoint,
)
from channels.contract import Ref, RefKind
from classifier.contract import (
    UNSURE,
    Basis,
    Guess,
    HeadPrediction,
    Near,
    Prediction,
    Reason,
    RunnerUp,
    Why,
)
from tests.inquiries import NOON, Desk, guess, inquiry, sure


def tags(desk: Desk, ticket: Ticket) -> tuple[str, str, str, str]:
    after = desk.again(ticket)
    topic = desk.one(Topic, after.topic_id).key if after.topic_id else ""
    return after.stage, after.stage_by, topic, after.topic_by


def test_what_the_model_said_is_kept_with_how_sure_it_was(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", None))

    assert tags(desk, ticket) == ("G", "suggestion", "", "")
    assert [
        (p.head, p.label, p.decision, p.probability, p.top) for p in desk.all(PredictionRow)
    ] == [
        (Head.STAGE, "G", Decision.SUGGEST, 0.9, [["G", 0.9]]),
        (Head.TOPIC, "", Decision.ABSTAIN, 0.2, [["delivery", 0.2]]),
    ]


def test_why_it_said_so_is_kept(desk: Desk) -> None:
    stage = HeadPrediction(
        None,
        0.4,
        (Guess("F", 0.4), Guess("D", 0.3)),
        (Reason("broken", 1.2),),
        novelty=0.25,
        why=Why.UNSURE,
        runner_up=RunnerUp("D", 0.3, (Reason("leaks", 0.5),)),
        against=(Reason("parcel", -0.4),),
        nearest=(Near("sample-1", "F", 0.8),),
    )
    said = Prediction(stage, UNSURE.topic, "m1")

    desk.ticket(prediction=said)

    assert [
        (p.head, p.reasons, p.against, p.beaten_by, p.nearest, p.novelty, p.why)
        for p in desk.all(PredictionRow)
    ] == [
        (Head.STAGE, ["broken"], ["parcel"], ["leaks"], [["sample-1", "F", 0.8]], 0.25, "unsure"),
        (Head.TOPIC, [], [], [], [], 0.0, ""),
    ]


def test_a_model_that_is_not_there_leaves_no_trace(desk: Desk) -> None:
    ticket = desk.ticket(prediction=UNSURE)

    assert tags(desk, ticket) == ("", "", "", "")
    assert desk.all(PredictionRow) == []


def test_agreeing_is_remembered_as_well_as_correcting(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "G")
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.TOPIC, "fault_repair")

    assert tags(desk, ticket) == ("G", "person", "fault_repair", "person")
    assert [(c.head, c.verdict, c.was, c.label, c.agent_id) for c in desk.all(Correction)] == [
        (Head.STAGE, Verdict.ACCEPTED, "G", "G", desk.ann.agent_id),
        (Head.TOPIC, Verdict.CORRECTED, "delivery", "fault_repair", desk.ann.agent_id),
    ]


def test_an_unsure_guess_can_be_agreed_with(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess(None, None))

    desk.do(verdicts.accept, desk.ann, ticket.ref)

    assert tags(desk, ticket) == ("C", "person", "delivery", "person")
    assert [c.verdict for c in desk.all(Correction)] == [Verdict.ACCEPTED] * 2


def test_there_is_nothing_to_agree_with_before_the_model_spoke(desk: Desk) -> None:
    ticket = desk.ticket()

    with pytest.raises(Conflict):
        desk.do(verdicts.accept, desk.ann, ticket.ref)

    assert desk.all(Correction) == []


def test_the_program_learns_nothing_from_itself(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(verdicts.choose, SYSTEM, ticket.ref, Head.STAGE, "A")

    assert desk.all(Correction) == []


@pytest.mark.parametrize(("head", "label"), [(Head.STAGE, "Z"), (Head.TOPIC, "weather")])
def test_only_words_in_use_are_taken(desk: Desk, head: Head, label: str) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    with pytest.raises(Invalid):
        desk.do(verdicts.choose, desk.ann, ticket.ref, head, label)

    assert tags(desk, ticket) == ("G", "suggestion", "delivery", "suggestion")


def test_a_corrected_stage_holds_for_every_contact_of_the_inquiry(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.answered(ticket)
    other = desk.ticket(prediction=guess("A", "delivery"))

    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    assert [(t.ticket_id, t.stage) for t in desk.all(Touchpoint)] == [
        (ticket.id, "D"),
        (ticket.id, "D"),
        (other.id, "A"),
    ]
    assert [customer.stage for customer in desk.all(Customer)] == ["D"]


def test_feedback_is_no_place_on_a_customers_path(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "G")

    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "L")

    assert [customer.stage for customer in desk.all(Customer)] == ["G"]


def test_a_late_model_fills_what_nobody_said_and_overrules_nobody(desk: Desk) -> None:
    ticket = desk.ticket()
    [message] = desk.all(Message)
    with desk.db.reading() as session:
        waiting = tagging.untagged(session, ticket.id)
    assert waiting is not None
    assert waiting.id == message.id
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    desk.do(tagging.tag_later, ticket.id, message.id, guess("G", "delivery"))

    assert tags(desk, ticket) == ("D", "person", "delivery", "suggestion")
    assert [t.stage for t in desk.all(Touchpoint)] == ["D"]
    with desk.db.reading() as session:
        assert tagging.untagged(session, ticket.id) is None


def test_the_model_speaks_once(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    [message] = desk.all(Message)

    desk.do(tagging.tag_later, ticket.id, message.id, guess("A", "delivery"))

    assert tags(desk, ticket)[0] == "G"
    assert len(desk.all(PredictionRow)) == 2


def test_a_person_and_a_late_model_at_once(desk: Desk) -> None:
    ticket = desk.ticket()
    [message] = desk.all(Message)
    together = threading.Barrier(2)

    def person() -> None:
        together.wait(10)
        desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    def model() -> None:
        together.wait(10)
        desk.do(tagging.tag_later, ticket.id, message.id, guess("G", "delivery"))

    threads = [threading.Thread(target=one) for one in (person, model)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert tags(desk, ticket) == ("D", "person", "delivery", "suggestion")
    assert [t.stage for t in desk.all(Touchpoint)] == ["D"]


def state(desk: Desk, ticket: Ticket) -> tuple[object, ...]:
    after = desk.again(ticket)
    [customer] = desk.all(Customer)
    return (
        *tags(desk, ticket),
        after.stage_probability,
        after.topic_probability,
        after.status,
        after.waiting_since,
        after.snoozed_until,
        customer.stage,
        customer.stage_at,
        [contact.stage for contact in desk.all(Touchpoint)],
    )


@pytest.mark.parametrize(
    "say",
    [
        (verdicts.accept,),
        (verdicts.choose, Head.STAGE, "D"),
        (verdicts.choose, Head.TOPIC, "fault_repair"),
        (verdicts.dismiss,),
    ],
    ids=["accepted", "stage", "topic", "no inquiry"],
)
@pytest.mark.parametrize("before", [None, "snoozed", "resolved"])
def test_a_verdict_is_taken_back_whole(
    desk: Desk, say: tuple[Any, ...], before: str | None
) -> None:
    ticket = desk.ticket(prediction=guess("G", None))
    if before == "snoozed":
        desk.do(tickets.snooze, desk.ann, ticket.ref, NOON + timedelta(days=1))
    elif before == "resolved":
        desk.do(tickets.resolve, desk.ann, ticket.ref)
    was = state(desk, ticket)

    desk.do(say[0], desk.ann, ticket.ref, *say[1:])
    said = state(desk, ticket)
    desk.do(verdicts.take_back, desk.ann, ticket.ref)

    assert said != was
    assert state(desk, ticket) == was
    assert desk.all(Correction) == []


def test_no_inquiry_leaves_the_inbox_and_is_learned_from(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(verdicts.dismiss, desk.ann, ticket.ref)

    assert desk.again(ticket).status is Status.DISMISSED
    with desk.db.reading() as session:
        views = inbox.counts(session, desk.ann).views
        found = inbox.rows(session, desk.ann, Selection(View.DISMISSED)).rows
    assert (views[View.OPEN], [row.ref for row in found]) == (0, [ticket.ref])
    assert [(c.head, c.verdict, c.label) for c in desk.all(Correction)] == [
        (Head.STAGE, Verdict.NO_INQUIRY, ""),
        (Head.TOPIC, Verdict.NO_INQUIRY, ""),
    ]


def test_who_was_no_inquirer_may_write_again(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first, prediction=guess("G", "delivery"))
    desk.do(verdicts.dismiss, desk.ann, ticket.ref)

    desk.arrive(inquiry(refs=(Ref(RefKind.MESSAGE_ID, first.external_id),)))

    assert desk.again(ticket).status is Status.OPEN


def test_reopened_it_was_an_inquiry_all_along(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.do(verdicts.dismiss, desk.ann, ticket.ref)

    desk.do(tickets.reopen, desk.ann, ticket.ref)

    assert desk.again(ticket).status is Status.OPEN
    assert desk.all(Correction) == []


def test_what_happened_since_survives_taking_back(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.do(verdicts.dismiss, desk.ann, ticket.ref)
    desk.do(tickets.mark_spam, desk.ann, ticket.ref)

    desk.do(verdicts.take_back, desk.ann, ticket.ref)

    assert desk.again(ticket).status is Status.SPAM
    assert desk.all(Correction) == []


def test_only_ones_own_last_word_is_taken_back(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "D")
    desk.do(verdicts.choose, desk.lead, ticket.ref, Head.STAGE, "E")

    with pytest.raises(Conflict):
        desk.do(verdicts.take_back, desk.ann, ticket.ref)
    desk.do(verdicts.take_back, desk.lead, ticket.ref)

    assert tags(desk, ticket)[:2] == ("D", "person")
    assert [c.label for c in desk.all(Correction)] == ["D"]


def test_where_a_customer_is_now_outlives_an_older_verdict(desk: Desk) -> None:
    desk.do(organisation.let_model_act, SYSTEM, on=True)
    first, second = [desk.ticket(prediction=sure("B")) for _ in range(2)]
    desk.do(verdicts.choose, desk.ann, first.ref, Head.STAGE, "C")
    desk.do(verdicts.choose, desk.lead, second.ref, Head.STAGE, "F")

    desk.do(verdicts.take_back, desk.ann, first.ref)
    since = [customer.stage for customer in desk.all(Customer)]
    desk.do(verdicts.take_back, desk.lead, second.ref)

    # And of both nothing is left, in whatever order they go.
    assert (since, [customer.stage for customer in desk.all(Customer)]) == (["F"], ["B"])


def test_a_customers_language_outlives_an_older_verdict(desk: Desk) -> None:
    first, second = desk.ticket(language="de"), desk.ticket(language="en")
    desk.do(verdicts.choose, desk.ann, first.ref, Head.LANGUAGE, "en")
    desk.do(verdicts.choose, desk.lead, second.ref, Head.LANGUAGE, "ja")

    desk.do(verdicts.take_back, desk.ann, first.ref)
    since = [customer.language for customer in desk.all(Customer)]
    desk.do(verdicts.take_back, desk.lead, second.ref)

    assert (since, [customer.language for customer in desk.all(Customer)]) == (["ja"], ["de"])


def test_what_it_means_is_kept_once(desk: Desk) -> None:
    said = replace(guess("G", "delivery"), vector=b"12", space="test")
    ticket = desk.ticket(prediction=said)
    [message] = desk.all(Message)

    desk.do(tagging.apply, ticket, message.id, replace(said, vector=b"34"))

    [kept] = desk.all(Meaning)
    assert (kept.ticket_id, kept.message_id, kept.vector) == (ticket.id, message.id, b"12")


def test_joined_tickets_say_whose_texts_a_percentage_rests_on(desk: Desk) -> None:
    said = guess("C", "delivery")
    stage, topic = (replace(head, basis=Basis.OWN) for head in (said.stage, said.topic))
    said = replace(said, stage=stage, topic=topic)
    older = desk.ticket(prediction=guess(None, None))
    newer = desk.ticket(prediction=said)

    desk.do(merging.merge, desk.ann, newer.ref, older.ref)

    into = desk.one(Ticket, older.id)
    assert (into.stage, into.stage_basis, into.topic_basis) == ("C", "own", "own")

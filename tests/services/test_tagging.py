"""The model proposes, a person decides; both are remembered, and the person wins."""

import threading

import pytest

from app.core.errors import Conflict, Invalid
from app.domain.words import Decision, Head, Verdict
from app.services import tagging
from app.services.access import SYSTEM
from app.store.tables import (
    Correction,
    Customer,
    Message,
    PredictionRow,
    Ticket,
    Topic,
    Touchpoint,
)
from classifier.contract import UNSURE
from tests.inquiries import Desk, guess


def tags(desk: Desk, ticket: Ticket) -> tuple[str, str, str, str]:
    after = desk.again(ticket)
    topic = desk.one(Topic, after.topic_id).key if after.topic_id else ""
    return after.stage, after.stage_by, topic, after.topic_by


def test_what_the_model_said_is_kept_with_how_sure_it_was(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", None))

    assert tags(desk, ticket) == ("G", "model", "", "")
    assert [
        (p.head, p.label, p.decision, p.probability, p.top) for p in desk.all(PredictionRow)
    ] == [
        (Head.STAGE, "G", Decision.SUGGEST, 0.9, [["G", 0.9]]),
        (Head.TOPIC, "", Decision.ABSTAIN, 0.2, [["delivery", 0.2]]),
    ]


def test_a_model_that_is_not_there_leaves_no_trace(desk: Desk) -> None:
    ticket = desk.ticket(prediction=UNSURE)

    assert tags(desk, ticket) == ("", "", "", "")
    assert desk.all(PredictionRow) == []


def test_agreeing_is_remembered_as_well_as_correcting(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(tagging.choose, desk.ann, ticket.ref, Head.STAGE, "G")
    desk.do(tagging.choose, desk.ann, ticket.ref, Head.TOPIC, "fault_repair")

    assert tags(desk, ticket) == ("G", "person", "fault_repair", "person")
    assert [(c.head, c.verdict, c.was, c.label, c.agent_id) for c in desk.all(Correction)] == [
        (Head.STAGE, Verdict.ACCEPTED, "G", "G", desk.ann.agent_id),
        (Head.TOPIC, Verdict.CORRECTED, "delivery", "fault_repair", desk.ann.agent_id),
    ]


def test_an_unsure_guess_can_be_agreed_with(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess(None, None))

    desk.do(tagging.accept, desk.ann, ticket.ref)

    assert tags(desk, ticket) == ("C", "person", "delivery", "person")
    assert [c.verdict for c in desk.all(Correction)] == [Verdict.ACCEPTED] * 2


def test_there_is_nothing_to_agree_with_before_the_model_spoke(desk: Desk) -> None:
    ticket = desk.ticket()

    with pytest.raises(Conflict):
        desk.do(tagging.accept, desk.ann, ticket.ref)

    assert desk.all(Correction) == []


def test_the_program_learns_nothing_from_itself(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(tagging.choose, SYSTEM, ticket.ref, Head.STAGE, "A")

    assert desk.all(Correction) == []


@pytest.mark.parametrize(("head", "label"), [(Head.STAGE, "Z"), (Head.TOPIC, "weather")])
def test_only_words_in_use_are_taken(desk: Desk, head: Head, label: str) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    with pytest.raises(Invalid):
        desk.do(tagging.choose, desk.ann, ticket.ref, head, label)

    assert tags(desk, ticket) == ("G", "model", "delivery", "model")


def test_a_corrected_stage_holds_for_every_contact_of_the_inquiry(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))
    desk.answered(ticket)
    other = desk.ticket(prediction=guess("A", "delivery"))

    desk.do(tagging.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    assert [(t.ticket_id, t.stage) for t in desk.all(Touchpoint)] == [
        (ticket.id, "D"),
        (ticket.id, "D"),
        (other.id, "A"),
    ]
    assert [customer.stage for customer in desk.all(Customer)] == ["D"]


def test_feedback_is_no_place_on_a_customers_path(desk: Desk) -> None:
    ticket = desk.ticket(prediction=guess("G", "delivery"))

    desk.do(tagging.choose, desk.ann, ticket.ref, Head.STAGE, "L")

    assert [customer.stage for customer in desk.all(Customer)] == ["G"]


def test_a_late_model_fills_what_nobody_said_and_overrules_nobody(desk: Desk) -> None:
    ticket = desk.ticket()
    [message] = desk.all(Message)
    with desk.db.reading() as session:
        waiting = tagging.untagged(session, ticket.id)
    assert waiting is not None
    assert waiting.id == message.id
    desk.do(tagging.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    desk.do(tagging.tag_later, ticket.id, message.id, guess("G", "delivery"))

    assert tags(desk, ticket) == ("D", "person", "delivery", "model")
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
        desk.do(tagging.choose, desk.ann, ticket.ref, Head.STAGE, "D")

    def model() -> None:
        together.wait(10)
        desk.do(tagging.tag_later, ticket.id, message.id, guess("G", "delivery"))

    threads = [threading.Thread(target=one) for one in (person, model)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert tags(desk, ticket) == ("D", "person", "delivery", "model")
    assert [t.stage for t in desk.all(Touchpoint)] == ["D"]

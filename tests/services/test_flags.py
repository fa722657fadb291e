"""Flags and language of an inquiry: raised by the model, set and removed by people."""

from dataclasses import replace

import pytest

from app.core.errors import Invalid
from app.domain.words import Decision, Head, Verdict
from app.services import lessons, merging, tagging, verdicts
from app.services.queries import inbox, ticket, vocabulary
from app.services.queries.inbox import Selection, View
from app.services.queries.triage import FlagView
from app.store.tables import Correction, Customer, Message, PredictionRow, Ticket
from classifier.contract import FlagPrediction, Prediction, Reason
from tests.inquiries import Desk, guess, inquiry


def flagged(*raised: str, said: str = "") -> Prediction:
    flags = tuple(
        FlagPrediction(
            name, name in raised, 0.93, said, (Reason("smoke", 1.0),) if not said else ()
        )
        for name in ("urgent", "complaint")
    )
    return replace(guess("F", "fault_repair"), flags=flags)


def state(desk: Desk, one: Ticket) -> tuple[bool, str, bool, str]:
    after = desk.again(one)
    return after.urgent, after.urgent_by, after.complaint, after.complaint_by


def shown(desk: Desk, one: Ticket) -> tuple[FlagView, ...]:
    with desk.db.reading() as session:
        return ticket.view(session, desk.ann, one.ref, vocabulary.current(session)).triage.flags


def test_only_what_is_raised_is_kept_and_shown_with_its_reasons(desk: Desk) -> None:
    one = desk.ticket(prediction=flagged("urgent"))

    assert state(desk, one) == (True, "model", False, "")
    assert [
        (row.head, row.label, row.probability, row.decision, row.reasons)
        for row in desk.all(PredictionRow)[2:]
    ] == [(Head.URGENT, "yes", 0.93, Decision.SUGGEST, ["smoke"])]
    assert shown(desk, one) == (
        FlagView(Head.URGENT, True, "model", 0.93, ("smoke",), "samples"),
        FlagView(Head.COMPLAINT, False, "", None, (), ""),
    )


def test_the_senders_own_word_is_named_as_the_reason(desk: Desk) -> None:
    one = desk.ticket(prediction=flagged("urgent", said="至急"))

    assert state(desk, one) == (True, "rule", False, "")
    assert shown(desk, one)[0].reasons == ("至急",)


@pytest.mark.parametrize(
    ("head", "label", "after", "verdict"),
    [
        (Head.URGENT, "no", (False, "person", False, ""), Verdict.CORRECTED),
        (Head.URGENT, "yes", (True, "person", False, ""), Verdict.ACCEPTED),
        (Head.COMPLAINT, "yes", (True, "model", True, "person"), Verdict.CORRECTED),
    ],
)
def test_a_person_sets_and_removes_a_flag_and_takes_it_back(
    desk: Desk,
    head: Head,
    label: str,
    after: tuple[bool, str, bool, str],
    verdict: Verdict,
) -> None:
    one = desk.ticket(prediction=flagged("urgent"))

    desk.do(verdicts.choose, desk.ann, one.ref, head, label)
    said, kept = (
        state(desk, one),
        [(row.head, row.label, row.verdict) for row in desk.all(Correction)],
    )
    desk.do(verdicts.take_back, desk.ann, one.ref)

    assert said == after
    assert kept == [(head, label, verdict)]
    assert state(desk, one) == (True, "model", False, "")
    assert desk.all(Correction) == []


def test_a_late_model_raises_nothing_a_person_took_away(desk: Desk) -> None:
    one = desk.ticket()
    [message] = desk.all(Message)
    desk.do(verdicts.choose, desk.ann, one.ref, Head.URGENT, "no")

    desk.do(tagging.tag_later, one.id, message.id, flagged("urgent", "complaint"))

    assert state(desk, one) == (False, "person", True, "model")


@pytest.mark.parametrize(
    ("head", "label"), [(Head.URGENT, "maybe"), (Head.COMPLAINT, ""), (Head.LANGUAGE, "fr")]
)
def test_only_words_there_are_can_be_said(desk: Desk, head: Head, label: str) -> None:
    one = desk.ticket()

    with pytest.raises(Invalid):
        desk.do(verdicts.choose, desk.ann, one.ref, head, label)

    assert state(desk, one) == (False, "", False, "")
    assert desk.all(Correction) == []


def test_accepting_the_guess_says_nothing_of_flags(desk: Desk) -> None:
    one = desk.ticket(prediction=flagged("urgent"))

    desk.do(verdicts.accept, desk.ann, one.ref)

    assert state(desk, one) == (True, "model", False, "")
    assert [row.head for row in desk.all(Correction)] == [Head.STAGE, Head.TOPIC]


def test_a_corrected_language_is_the_customers_too_until_it_is_taken_back(desk: Desk) -> None:
    one = desk.ticket(inquiry(), language="de")

    desk.do(verdicts.choose, desk.ann, one.ref, Head.LANGUAGE, "en")
    corrected = desk.again(one).language, [one.language for one in desk.all(Customer)]
    desk.do(verdicts.take_back, desk.ann, one.ref)

    assert corrected == ("en", ["en"])
    assert (desk.again(one).language, [one.language for one in desk.all(Customer)]) == (
        "de",
        ["de"],
    )


def test_flags_are_learned_from_and_a_language_is_not(desk: Desk) -> None:
    one = desk.ticket(prediction=flagged("urgent"))
    other = desk.ticket(prediction=flagged())
    desk.do(verdicts.choose, desk.ann, one.ref, Head.URGENT, "no")
    desk.do(verdicts.choose, desk.ann, other.ref, Head.LANGUAGE, "ja")

    with desk.db.reading() as session:
        found = lessons.gather(session).lessons

    assert [
        (lesson.ticket_id, {head: said.label for head, said in lesson.labels.items()})
        for lesson in found
    ] == [(one.id, {Head.URGENT: "no"})]


def test_joined_tickets_keep_what_was_said_of_either(desk: Desk) -> None:
    older = desk.ticket(prediction=flagged("complaint"))
    newer = desk.ticket(prediction=flagged("urgent"))
    desk.do(verdicts.choose, desk.ann, older.ref, Head.COMPLAINT, "no")

    desk.do(merging.merge, desk.ann, newer.ref, older.ref)

    assert state(desk, older) == (True, "model", False, "person")


def test_a_list_can_show_only_what_has_a_flag_or_is_in_one_language(desk: Desk) -> None:
    urgent = desk.ticket(prediction=flagged("urgent"), language="de")
    both = desk.ticket(prediction=flagged("urgent", "complaint"), language="ja")
    plain = desk.ticket(prediction=flagged(), language="de")

    def rows(**chosen: object) -> list[str]:
        with desk.db.reading() as session:
            selection = Selection(View.OPEN, **chosen)  # type: ignore[arg-type]
            return [row.ref for row in inbox.rows(session, desk.ann, selection).rows]

    assert rows() == [urgent.ref, both.ref, plain.ref]
    assert rows(flag=Head.URGENT) == [urgent.ref, both.ref]
    assert rows(flag=Head.COMPLAINT) == [both.ref]
    assert rows(language="de") == [urgent.ref, plain.ref]
    assert rows(flag=Head.URGENT, language="de") == [urgent.ref]
    assert rows(flag=Head.URGENT, found=(both.id, plain.id)) == [both.ref]

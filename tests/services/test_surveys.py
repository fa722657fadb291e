"""Asked once after a resolution, if at all; answered once, by a person."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from app.core.errors import Conflict, Invalid
from app.core.secrets import Keys
from app.domain.words import DeliveryState, FollowUpState, SurveyState
from app.services import customers, held, outbox, surveys, tickets, upkeep
from app.services.surveys import Rating
from app.services.tickets import Draft
from app.services.withdrawals import OBJECTED
from app.store.database import Database
from app.store.tables import (
    Address,
    Agent,
    Answer,
    Change,
    Customer,
    Delivery,
    FollowUp,
    Inbox,
    Message,
    Organisation,
    Survey,
    Ticket,
    Touchpoint,
)
from channels.contract import (
    Held,
    InDoubt,
    Later,
    Outcome,
    Party,
    Ref,
    RefKind,
    Refused,
    Sent,
    Verdicts,
)
from tests.factories import make_inbox
from tests.inquiries import LINKS, NOON, Desk, inquiry, make_desk

Forward = Callable[[timedelta], None]
DAY = timedelta(days=1)
UNANSWERED = "No answer of a person has reached the customer."
WAITING = "Another request to this customer is waiting."


def resolved(desk: Desk, **given: Any) -> Ticket:
    ticket = desk.ticket(inquiry(**given))
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    return desk.again(ticket)


def decided(desk: Desk) -> list[tuple[str, str]]:
    return [(survey.state, survey.reason) for survey in desk.surveys()]


def withdrawn(session: Session) -> None:
    for survey in session.exec(select(Survey)):
        survey.state = SurveyState.REVOKED


def change(desk: Desk, table: type[Any], **given: object) -> None:
    """What other verbs than the tested ones made of the one row there is."""
    with desk.db.transaction() as session:
        row = session.exec(select(table)).one()
        for name, value in given.items():
            setattr(row, name, value)
        session.add(row)


def ask(desk: Desk, *, reachable: bool = True) -> None:
    for survey_id in desk.do(surveys.due, reachable=reachable):
        desk.do(surveys.ask, desk.keys, survey_id, reachable=reachable)


def sent(desk: Desk, forward: Forward) -> str:
    """A request reached the customer; the token of its link."""
    resolved(desk)
    forward(DAY)
    ask(desk)
    [message] = desk.all(Message, request=True)
    desk.send(message.id)
    return desk.keys.survey_token(desk.surveys()[0].nonce)


# Whether


def test_a_resolution_schedules_one_request_for_the_next_day(desk: Desk) -> None:
    ticket = resolved(desk)

    [survey] = desk.surveys()
    assert (
        survey.ticket_id,
        survey.resolution,
        survey.state,
        survey.due_at,
        survey.message_id,
    ) == (
        ticket.id,
        1,
        SurveyState.SCHEDULED,
        NOON + DAY,
        None,
    )
    assert (desk.do(surveys.due), survey.digest) == ([], "")


SUPPRESSED = {
    "This is a sample inquiry.": lambda desk: change(desk, Ticket, sample=True),
    "Only machines wrote on this ticket.": lambda desk: change(desk, Ticket, automatic=True),
    "The customer does not want to be asked.": lambda desk: change(
        desk, Customer, no_feedback_at=NOON
    ),
    "Feedback requests are switched off.": lambda desk: change(
        desk, Organisation, ask_feedback=False
    ),
    "Strict policy: the customer has not agreed, and the organisation has not stated "
    "that its notice mentions such requests.": lambda desk: change(
        desk, Organisation, feedback_notice=False
    ),
    "There is no channel on which the customer can be asked.": lambda desk: change(
        desk, Address, undeliverable_at=NOON
    ),
    "The customer was asked less than 30 days ago.": lambda desk: change(
        desk, Customer, asked_at=NOON - timedelta(days=29)
    ),
}


@pytest.mark.parametrize("reason", SUPPRESSED)
def test_nobody_is_asked_for_a_reason_that_is_kept(
    desk: Desk, forward: Forward, reason: str
) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    SUPPRESSED[reason](desk)

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert decided(desk) == [(SurveyState.SUPPRESSED, reason)]
    forward(2 * DAY)
    assert desk.do(surveys.due) == []


@pytest.mark.parametrize("reason", SUPPRESSED)
def test_the_reasons_are_looked_at_again_when_the_moment_comes(
    desk: Desk, forward: Forward, reason: str
) -> None:
    resolved(desk)
    SUPPRESSED[reason](desk)
    forward(DAY)

    if "30 days" in reason:
        change(desk, Customer, asked_at=NOON)
    ask(desk)

    assert decided(desk) == [(SurveyState.SUPPRESSED, reason)]
    assert desk.all(Message, request=True) == []


def test_nobody_is_asked_about_what_no_person_answered(desk: Desk) -> None:
    ticket = desk.ticket()

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert decided(desk) == [(SurveyState.SUPPRESSED, UNANSWERED)]


@pytest.mark.parametrize("outcome", [Refused("unknown"), Held("no"), InDoubt("cut off")])
def test_an_answer_that_did_not_arrive_is_no_answer(desk: Desk, outcome: Outcome) -> None:
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it."))
    desk.send(message.id, outcome)

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert decided(desk) == [(SurveyState.SUPPRESSED, UNANSWERED)]


def test_an_answer_on_its_way_is_waited_for(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it."))
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(DAY)

    ask(desk)
    assert [(s.state, s.due_at) for s in desk.surveys()] == [
        (SurveyState.SCHEDULED, NOON + DAY + timedelta(hours=21))  # in six hours they sleep
    ]
    desk.send(message.id, Refused("unknown"))
    forward(DAY)
    ask(desk)

    assert decided(desk) == [(SurveyState.SUPPRESSED, UNANSWERED)]


def test_consent_is_enough_for_the_strict_policy(desk: Desk) -> None:
    change(desk, Organisation, feedback_notice=False)
    ticket = desk.ticket()
    desk.answered(ticket)
    [customer] = desk.all(Customer)
    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=True)

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [survey.state for survey in desk.surveys()] == [SurveyState.SCHEDULED]


def test_each_resolution_has_one_decision(desk: Desk) -> None:
    ticket = resolved(desk)
    desk.do(tickets.reopen, desk.ann, ticket.ref)
    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [(s.resolution, s.state) for s in desk.surveys()] == [
        (1, SurveyState.REVOKED),
        (2, SurveyState.SCHEDULED),
    ]


def test_the_hours_are_those_of_the_customers_zone(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    [customer] = desk.all(Customer)
    desk.do(customers.set_time_zone, desk.ann, customer.ref, "Asia/Tokyo")

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    # 21 h there a day later: the next morning at nine.
    assert [s.due_at for s in desk.surveys()] == [NOON + DAY + timedelta(hours=12)]


# Where


def test_after_a_call_the_customers_own_language_is_spoken(desk: Desk) -> None:
    desk.ticket(inquiry(), language="de")
    call = inquiry(text="Asks where the parcel is.", is_call=True, logged_by="ann@shop.test")
    ticket = desk.ticket(call, language="en")

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [survey.language for survey in desk.surveys()] == ["de"]


def test_who_only_looks_around_sees_the_request_wait_beside_the_answer(desk: Desk) -> None:
    with desk.db.transaction() as session:
        inbox = session.get_one(Inbox, desk.inbox.id)
        inbox.built_in = True
        session.add(inbox)
    ticket = desk.ticket()
    message = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Turn it."))
    desk.send(message.id, Held("There is no outgoing server."))

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [survey.state for survey in desk.surveys()] == [SurveyState.SCHEDULED]


def test_who_wants_answers_elsewhere_is_asked_there(desk: Desk, forward: Forward) -> None:
    elsewhere = Party("email", "kei@customers.test")
    resolved(desk, sender="form@shop.test", reply_to=elsewhere)
    forward(DAY)

    ask(desk)

    assert [d.recipient for d in desk.all(Delivery)] == ["kei@customers.test"] * 2


def test_who_passes_as_the_customer_is_not_asked_in_their_place(
    desk: Desk, forward: Forward
) -> None:
    ticket = desk.ticket()
    token = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)
    eve = Party("email", "eve@elsewhere.test")
    desk.arrive(inquiry(refs=token, reply_to=eve, verdicts=Verdicts(dmarc="fail")))
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(DAY)

    ask(desk)

    assert [d.recipient for d in desk.all(Delivery)] == ["yumi@customers.test"] * 2


def test_the_address_they_wrote_from_is_asked(desk: Desk, forward: Forward) -> None:
    ticket = desk.ticket(inquiry("private@home.test"))
    work = inquiry("yumi@work.test", also_known_as=(Party("email", "private@home.test"),))
    other = desk.ticket(work)
    assert other.customer_id == ticket.customer_id
    desk.answered(other)
    desk.do(tickets.resolve, desk.ann, other.ref)
    forward(DAY)

    ask(desk)

    assert [d.recipient for d in desk.all(Delivery)] == ["yumi@work.test"] * 2


def test_a_caller_is_asked_by_mail_when_we_know_how(desk: Desk, forward: Forward) -> None:
    with desk.db.transaction() as session:
        phone = make_inbox(session, "phone")
        ann = session.get_one(Agent, desk.ann.agent_id)
    called = replace(
        inquiry(is_call=True, logged_by=ann.email),
        sender=Party("phone", "+81312345678"),
        also_known_as=(Party("email", "yumi@customers.test"),),
    )
    ticket = desk.ticket(called, inbox=phone)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    assert decided(desk) == [(SurveyState.SCHEDULED, "")]
    # An hour later it is ten at night in Tokyo, where the number says the caller is.
    assert desk.surveys()[0].due_at == datetime(2026, 11, 19, 0, tzinfo=UTC)
    forward(DAY)

    ask(desk)

    [message] = desk.all(Message, request=True)
    assert (message.inbox_id, message.to) == (desk.inbox.id, ["yumi@customers.test"])


def test_a_switched_off_inbox_asks_nobody(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    change(desk, Inbox, enabled=False)

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert decided(desk) == [
        (SurveyState.SUPPRESSED, "There is no channel on which the customer can be asked.")
    ]


# Asking


def test_ask_writes_request_and_delivery_together(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    forward(DAY)
    [survey] = desk.surveys()
    before = desk.jobs()

    desk.in_vain(surveys.ask, desk.keys, survey.id, reachable=True)
    assert (desk.all(Message, request=True), desk.jobs()) == ([], before)
    assert [s.state for s in desk.surveys()] == [SurveyState.SCHEDULED]
    assert [c.asked_at for c in desk.all(Customer)] == [None]

    desk.do(surveys.ask, desk.keys, survey.id, reachable=True)
    [message] = desk.all(Message, request=True)
    [survey] = desk.surveys()
    assert (survey.state, survey.message_id, survey.expires_at) == (
        SurveyState.QUEUED,
        message.id,
        NOON + 15 * DAY,
    )
    assert [(d.recipient, d.state) for d in desk.deliveries(message.id)] == [
        ("yumi@customers.test", DeliveryState.QUEUED)
    ]
    assert [c.asked_at for c in desk.all(Customer)] == [None]  # it has not left
    assert desk.jobs() == before + 1
    assert (message.automatic, message.agent_id) == (True, None)


def test_ask_comes_too_early_or_twice_and_does_nothing(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    [survey] = desk.surveys()
    desk.do(surveys.ask, desk.keys, survey.id, reachable=True)
    assert desk.all(Message, request=True) == []

    forward(DAY)
    for _ in range(2):
        desk.do(surveys.ask, desk.keys, survey.id, reachable=True)
    desk.do(surveys.ask, desk.keys, 999, reachable=True)

    assert len(desk.all(Message, request=True)) == 1


def test_of_two_requests_at_once_one_is_asked(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    desk.do(withdrawn)
    resolved(desk)
    with desk.db.transaction() as session:
        for survey in session.exec(select(Survey)):
            survey.state, survey.reason = SurveyState.SCHEDULED, ""
    forward(DAY)
    together = threading.Barrier(2)

    def one(survey_id: int) -> None:
        together.wait(10)
        desk.do(surveys.ask, desk.keys, survey_id, reachable=True)

    threads = [threading.Thread(target=one, args=(n,)) for n in desk.do(surveys.due)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(decided(desk)) == [
        (SurveyState.QUEUED, ""),
        (SurveyState.SUPPRESSED, WAITING),
    ]


def test_asking_and_reopening_at_once_end_in_either_order(desk: Desk, forward: Forward) -> None:
    ticket = resolved(desk)
    forward(DAY)
    [survey] = desk.surveys()
    together = threading.Barrier(2)

    def go(verb: Any, *args: Any, **kwargs: Any) -> None:
        together.wait(10)
        desk.do(verb, *args, **kwargs)

    threads = [
        threading.Thread(
            target=go, args=(surveys.ask, desk.keys, survey.id), kwargs={"reachable": True}
        ),
        threading.Thread(target=go, args=(tickets.reopen, desk.ann, ticket.ref)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert decided(desk) == [(SurveyState.REVOKED, "The ticket was reopened.")]
    requests = [message.id for message in desk.all(Message, request=True)]
    assert [d.state for d in desk.all(Delivery) if d.message_id in requests] in (
        [],
        [DeliveryState.CANCELLED],
    )


def test_a_request_is_held_while_nobody_could_open_its_link(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    forward(DAY)
    before = desk.jobs()

    ask(desk, reachable=False)

    [message] = desk.all(Message, request=True)
    assert [(d.state, d.words, d.next_at) for d in desk.deliveries(message.id)] == [
        (DeliveryState.HELD, surveys.UNREACHABLE, None)
    ]
    assert decided(desk) == [(SurveyState.HELD, surveys.UNREACHABLE)]
    assert desk.jobs() == before
    token = desk.keys.survey_token(desk.surveys()[0].nonce)
    for table in (Message, Survey, Delivery, Change):
        assert token not in repr(desk.all(table))


def test_nobody_was_asked_by_a_request_that_waits(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    resolved(desk)
    forward(DAY)
    ask(desk, reachable=False)
    resolved(desk)

    assert decided(desk) == [
        (SurveyState.HELD, surveys.UNREACHABLE),
        (SurveyState.SUPPRESSED, WAITING),
        (SurveyState.SUPPRESSED, WAITING),
    ]
    assert [c.asked_at for c in desk.all(Customer)] == [None]


@pytest.mark.parametrize("outcome", [Sent(), InDoubt("cut off")])
def test_a_request_that_left_or_may_have_counts(
    desk: Desk, forward: Forward, outcome: Outcome
) -> None:
    resolved(desk)
    forward(DAY)
    ask(desk)
    [message] = desk.all(Message, request=True)
    desk.send(message.id, outcome)
    resolved(desk)

    assert [c.asked_at for c in desk.all(Customer)] == [NOON + DAY]
    assert decided(desk)[1] == (
        SurveyState.SUPPRESSED,
        "The customer was asked less than 30 days ago.",
    )


def test_what_only_our_address_held_leaves_when_there_is_one(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    forward(DAY)
    ask(desk, reachable=False)
    forward(timedelta(hours=8))  # eight in the evening
    desk.do(upkeep.tick)
    assert decided(desk) == [(SurveyState.HELD, surveys.UNREACHABLE)]
    before = desk.jobs()
    desk.do(upkeep.tick, reachable=True)
    assert desk.jobs() == before + 1

    ask(desk)

    [message] = desk.all(Message, request=True)
    assert decided(desk) == [(SurveyState.QUEUED, "")]
    assert [(d.state, d.words, d.next_at) for d in desk.deliveries(message.id)] == [
        (DeliveryState.QUEUED, "", NOON + DAY + timedelta(hours=21))
    ]
    assert desk.do(surveys.due, reachable=True) == []
    forward(timedelta(hours=13))
    desk.send(message.id)
    assert decided(desk) == [(SurveyState.SENT, "")]


@pytest.mark.parametrize(
    ("days", "reason"),
    [(1, "Feedback requests are switched off."), (15, held.TOO_LATE)],
)
def test_what_was_held_is_looked_at_again(
    desk: Desk, forward: Forward, days: int, reason: str
) -> None:
    resolved(desk)
    forward(DAY)
    ask(desk, reachable=False)
    change(desk, Organisation, ask_feedback=False)
    forward(days * DAY)

    ask(desk)

    [message] = desk.all(Message, request=True)
    assert decided(desk) == [(SurveyState.REVOKED, reason)]
    assert [(d.state, d.words) for d in desk.deliveries(message.id)] == [
        (DeliveryState.CANCELLED, reason)
    ]


# The page behind the link


def test_opening_the_page_writes_nothing(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    tables = (Survey, Answer, Change, Customer, Ticket, Touchpoint)
    before = [[row.model_dump() for row in desk.all(table)] for table in tables]

    with desk.db.reading() as session:
        page = surveys.find(session, token)

    assert (page.state, page.subject, page.organisation, page.score) == (
        "open",
        "A question",
        "金田うつわ店",
        None,
    )
    assert [[row.model_dump() for row in desk.all(table)] for table in tables] == before


def test_an_answer_is_recorded_once(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)

    desk.do(surveys.answer, token, Rating(5, " Quick!\x00 "))
    page = desk.do(surveys.answer, token, Rating(5, " Quick!\x00 "))

    assert (page.state, page.score, page.comment, page.may_correct) == ("thanks", 5, "Quick!", True)
    assert [(a.revision, a.score, a.comment, a.suspect) for a in desk.all(Answer)] == [
        (1, 5, "Quick!", "")
    ]
    assert [s.state for s in desk.surveys()] == [SurveyState.ANSWERED]
    assert [t.answer_id for t in desk.all(Touchpoint)][-1] == desk.all(Answer)[0].id


def test_an_answer_can_be_corrected_for_half_an_hour(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    desk.do(surveys.answer, token, Rating(5))
    forward(timedelta(minutes=29))
    desk.do(surveys.answer, token, Rating(4, wants_contact=True))
    forward(timedelta(minutes=1))

    page = desk.do(surveys.answer, token, Rating(1))

    assert (page.score, page.may_correct) == (4, False)
    assert [(a.revision, a.score, a.wants_contact) for a in desk.all(Answer)] == [
        (1, 5, False),
        (2, 4, True),
    ]
    assert len([t for t in desk.all(Touchpoint) if t.answer_id]) == 1


def test_two_answers_at_once_are_one(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    together = threading.Barrier(2)

    def go() -> None:
        together.wait(10)
        desk.do(surveys.answer, token, Rating(2))

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [a.revision for a in desk.all(Answer)] == [1]
    assert len(desk.all(FollowUp)) == 1


@pytest.mark.parametrize("score", [None, 0, 6, -1])
def test_only_a_score_is_an_answer(desk: Desk, forward: Forward, score: int | None) -> None:
    token = sent(desk, forward)

    with pytest.raises(Invalid):
        desk.do(surveys.answer, token, Rating(score))

    assert desk.all(Answer) == []


def test_links_that_never_were_and_were_revoked_are_over(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    never = desk.do(surveys.answer, "nothing", Rating(5))
    change(desk, Survey, state=SurveyState.REVOKED)
    revoked = desk.do(surveys.answer, token, Rating(5))

    assert [(page.state, page.subject) for page in (never, revoked)] == [("over", "")] * 2
    assert desk.all(Answer) == []


def test_a_request_nobody_answered_in_time_expires(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    forward(timedelta(days=14))
    early = desk.do(surveys.expire)
    forward(timedelta(seconds=1))
    before = desk.do(surveys.answer, token, Rating(5))

    desk.do(upkeep.tick)

    after = desk.do(surveys.answer, token, Rating(5))
    assert (early, decided(desk), desk.do(surveys.expire)) == (0, [(SurveyState.EXPIRED, "")], 0)
    assert (before.state, before.subject, before.organisation) == ("expired", "", "金田うつわ店")
    assert before == after
    assert desk.all(Answer) == []


def test_only_what_left_and_has_no_answer_expires(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    forward(DAY)
    ask(desk)
    forward(timedelta(days=15))
    waiting = desk.do(surveys.expire)
    [message] = desk.all(Message, request=True)
    desk.send(message.id, InDoubt("no last word"))
    forward(timedelta(days=15))
    doubted = desk.do(surveys.expire)

    # Nobody knows whether it arrived; its time is over all the same.
    assert (waiting, doubted) == (0, 1)


def test_an_answered_request_does_not_expire(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    desk.do(surveys.answer, token, Rating(5))
    forward(timedelta(days=15))

    assert (desk.do(surveys.expire), decided(desk)) == (0, [(SurveyState.ANSWERED, "")])
    assert desk.do(surveys.find, token).state == "thanks"


def test_a_programs_answer_is_kept_and_counts_for_nothing(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)

    page = desk.do(surveys.answer, token, Rating(1, suspect="sent within two seconds"))

    assert (page.state, page.may_correct) == ("thanks", True)
    assert [(a.score, a.suspect) for a in desk.all(Answer)] == [(1, "sent within two seconds")]
    assert desk.all(FollowUp) == []
    assert [t for t in desk.all(Touchpoint) if t.answer_id] == []


def test_a_program_does_not_take_the_customers_turn(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    desk.do(surveys.answer, token, Rating(5, suspect="sent within two seconds"))
    forward(2 * DAY)
    with desk.db.reading() as session:
        assert surveys.find(session, token).state == "open"

    page = desk.do(surveys.answer, token, Rating(2))

    assert (page.state, page.score) == ("thanks", 2)
    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.OPEN]
    assert len([t for t in desk.all(Touchpoint) if t.answer_id]) == 1


def test_a_program_corrects_nobody(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    desk.do(surveys.answer, token, Rating(1))

    page = desk.do(surveys.answer, token, Rating(5, suspect="sent within two seconds"))

    assert page.score == 1
    assert [a.score for a in desk.all(Answer)] == [1]
    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.OPEN]


# Never again


def test_opting_out_stops_everything_that_has_not_left(desk: Desk, forward: Forward) -> None:
    token = sent(desk, forward)
    change(desk, Customer, asked_at=None)
    resolved(desk)

    page = desk.do(surveys.opt_out, token)

    [customer] = desk.all(Customer)
    assert (page.may_ask, customer.no_feedback_at, customer.may_ask) == (False, NOON + DAY, False)
    assert decided(desk) == [
        (SurveyState.SENT, ""),
        (SurveyState.REVOKED, OBJECTED),
    ]
    forward(2 * DAY)
    ask(desk)
    assert len(desk.all(Message, request=True)) == 1
    desk.do(surveys.opt_out, token)
    assert [c.what for c in desk.all(Change)].count("feedback_refused") == 1


def test_an_objection_in_the_last_second_wins(desk: Desk, forward: Forward) -> None:
    """The request is written and queued; a worker would take it in the next moment."""
    resolved(desk)
    forward(DAY)
    ask(desk)
    [message] = desk.all(Message, request=True)
    [customer] = desk.all(Customer)

    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=False)

    assert [(d.state, d.words) for d in desk.deliveries(message.id)] == [
        (DeliveryState.CANCELLED, OBJECTED)
    ]
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None


def test_opting_out_while_it_is_handed_over_keeps_the_truth(desk: Desk, forward: Forward) -> None:
    resolved(desk)
    forward(DAY)
    ask(desk)
    [message] = desk.all(Message, request=True)
    parcel = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS)
    token = desk.keys.survey_token(desk.surveys()[0].nonce)

    desk.do(surveys.opt_out, token)
    desk.do(outbox.settle, message.id, parcel.holder, {"yumi@customers.test": Sent()})

    assert [d.state for d in desk.deliveries(message.id)] == [DeliveryState.SENT]
    assert decided(desk) == [(SurveyState.REVOKED, OBJECTED)]


# Never too often

STEP = st.tuples(
    st.integers(0, 40 * 24),  # hours that pass first
    st.sampled_from(["resolve", "write", "release", "try"]),
    st.integers(0, 1),  # which of the customer's two tickets
    st.sampled_from([Sent(), Later("away"), InDoubt("cut off")]),
    st.booleans(),  # whether links work
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEP, min_size=4, max_size=14))
@example(
    steps=[
        (106, "resolve", 1, InDoubt("cut off"), True),
        (265, "try", 0, InDoubt("cut off"), True),
        (59, "release", 0, Sent(), True),
        (600, "resolve", 0, Sent(), True),
    ]
)
def test_no_thirty_days_hold_two_requests(
    sqlite_db: Database, keys: Keys, forward: Forward, steps: list[Any]
) -> None:
    desk = _desk_of(sqlite_db, keys)
    pair = [desk.ticket(inquiry(f"{desk.jobs()}@customers.test"))]
    first = desk.all(Address)[-1]
    pair.append(desk.ticket(inquiry(first.value)))
    for ticket in pair:
        desk.answered(ticket)
    left: list[Any] = []

    for hours, what, which, outcome, reachable in steps:
        forward(timedelta(hours=hours))
        _act(desk, what, pair[which])
        ask(desk, reachable=reachable)
        left += _attempts(desk, pair, outcome, LINKS if reachable else "")

    # What is in doubt a lead may send once more: it is the same request, with the same link.
    gaps = [
        later - earlier for (earlier, one), (later, another) in pairwise(left) if one != another
    ]
    assert [gap for gap in gaps if gap < timedelta(days=30)] == []


def _desk_of(database: Database, keys: Keys) -> Desk:
    with database.reading() as session:
        known = session.exec(select(Organisation)).first()
    if known is None:
        made = make_desk(database, keys)
        _desks[id(database)] = made
    return _desks[id(database)]


_desks: dict[int, Desk] = {}


def _act(desk: Desk, what: str, ticket: Ticket) -> None:
    try:
        if what == "resolve":
            desk.do(tickets.resolve, desk.ann, ticket.ref)
        elif what == "write":
            desk.do(tickets.reopen, desk.ann, ticket.ref)
        elif what == "release":
            for survey in desk.all(Survey, customer_id=ticket.customer_id):
                for delivery in desk.deliveries(survey.message_id or 0):
                    desk.do(outbox.send_again, desk.lead, delivery.id)
    except Conflict:
        pass  # a history nobody can make; the next step makes another one


def _attempts(desk: Desk, pair: list[Ticket], outcome: Outcome, links: str) -> list[Any]:
    """When a request left, or may have left, and which one."""
    left = []
    for survey in desk.all(Survey, customer_id=pair[0].customer_id):
        if survey.message_id is None:
            continue
        parcel = desk.do(outbox.pack, desk.keys, "w", survey.message_id, links)
        if parcel is None:
            continue
        said = dict.fromkeys(parcel.recipients, outcome)
        desk.do(outbox.settle, survey.message_id, parcel.holder, said)
        if not isinstance(outcome, Later):
            at = max(d.changed_at for d in desk.deliveries(survey.message_id))
            left.append((at, survey.id))
    return left


def test_who_answered_by_hand_is_not_asked_by_a_reply_alone(desk: Desk) -> None:
    """A queued reply of a person counts: what was promised was said."""
    ticket = desk.ticket()
    desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it."))

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [s.state for s in desk.surveys()] == [SurveyState.SCHEDULED]

"""The work a bad rating makes, until the customer was really answered."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.domain.words import FollowUpState, Status
from app.services import followups, surveys, tickets
from app.services.surveys import Rating
from app.services.tickets import Draft
from app.store.tables import Change, FollowUp, Message, Ticket
from channels.contract import InDoubt
from tests.inquiries import NOON, Desk

Forward = Callable[[timedelta], None]
DAY = timedelta(days=1)


def asked(desk: Desk, forward: Forward) -> str:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(DAY)
    [survey] = desk.surveys()
    desk.do(surveys.ask, desk.keys, survey.id, reachable=True)
    [message] = desk.all(Message, request=True)
    desk.send(message.id)
    return desk.keys.survey_token(survey.nonce)


def rated(desk: Desk, forward: Forward, rating: Rating) -> FollowUp:
    desk.do(surveys.answer, asked(desk, forward), rating)
    [found] = desk.all(FollowUp)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("rating", [Rating(1), Rating(2), Rating(5, wants_contact=True)])
def test_a_low_score_or_a_wish_makes_it_a_leads_work(
    desk: Desk, forward: Forward, rating: Rating
) -> None:
    made = rated(desk, forward, rating)

    assert (made.state, made.owner_id, made.due_at, made.created_at) == (
        FollowUpState.OPEN,
        desk.lead.agent_id,
        NOON + 2 * DAY,
        NOON + DAY,
    )
    [ticket] = desk.all(Ticket)
    assert (ticket.status, ticket.resolved_at, ticket.waiting_since) == (
        Status.OPEN,
        None,
        NOON + DAY,
    )


@pytest.mark.parametrize("score", [3, 4, 5])
def test_other_scores_make_none(desk: Desk, forward: Forward, score: int) -> None:
    desk.do(surveys.answer, asked(desk, forward), Rating(score))

    assert desk.all(FollowUp) == []
    assert [ticket.status for ticket in desk.all(Ticket)] == [Status.RESOLVED]


def test_a_corrected_rating_keeps_one_follow_up(desk: Desk, forward: Forward) -> None:
    token = asked(desk, forward)
    seen = []

    for score in (1, 2, 5, 1):
        desk.do(surveys.answer, token, Rating(score))
        seen.append([(f.state, f.outcome) for f in desk.all(FollowUp)])

    assert seen == [
        [(FollowUpState.OPEN, "")],
        [(FollowUpState.OPEN, "")],
        [(FollowUpState.DECLINED, "The customer corrected the rating.")],
        [(FollowUpState.OPEN, "")],
    ]


def test_closing_needs_an_answer_that_arrived(desk: Desk, forward: Forward) -> None:
    made = rated(desk, forward, Rating(1))
    [ticket] = desk.all(Ticket)
    desk.do(tickets.note, desk.ann, ticket.ref, "I told them.")
    with pytest.raises(Conflict):
        desk.do(followups.close, desk.lead, made.id, "solved")

    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("We are sorry."))
    with pytest.raises(Conflict):
        desk.do(followups.close, desk.lead, made.id, "solved")
    desk.send(message.id, InDoubt("cut off"))
    with pytest.raises(Conflict):
        desk.do(followups.close, desk.lead, made.id, "solved")
    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.OPEN]

    desk.answered(ticket, "We are really sorry.")
    desk.do(followups.close, desk.lead, made.id, " solved ")
    [closed] = desk.all(FollowUp)
    assert (closed.state, closed.outcome, closed.closed_at) == (
        FollowUpState.RESOLVED,
        "solved",
        NOON + DAY,
    )
    with pytest.raises(Conflict):
        desk.do(followups.close, desk.lead, made.id, "solved")


def test_an_answer_written_before_the_rating_is_none_to_it(desk: Desk, forward: Forward) -> None:
    token = asked(desk, forward)
    [ticket] = desk.all(Ticket)
    early = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("By the way."))
    forward(timedelta(minutes=1))
    desk.do(surveys.answer, token, Rating(1))
    desk.send(early.id)

    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.OPEN]


def test_only_a_lead_closes_and_says_how_it_ended(desk: Desk, forward: Forward) -> None:
    made = rated(desk, forward, Rating(1))
    [ticket] = desk.all(Ticket)
    desk.answered(ticket, "We are sorry.")

    with pytest.raises(NotAllowed):
        desk.do(followups.close, desk.ann, made.id, "solved")
    with pytest.raises(Invalid):
        desk.do(followups.close, desk.lead, made.id, "  ")
    with pytest.raises(NotFound):
        desk.do(followups.close, desk.lead, 999, "solved")

    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.CONTACTED]


def test_anybody_may_take_it(desk: Desk, forward: Forward) -> None:
    made = rated(desk, forward, Rating(1))

    desk.do(followups.take, desk.ann, made.id)

    assert [f.owner_id for f in desk.all(FollowUp)] == [desk.ann.agent_id]
    assert [c.what for c in desk.all(Change)][-1] == "follow_up_taken"

"""The rules of a sound database, each as a statement that finds the rows that break it."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Select, and_, exists, func, or_
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.core import clock
from app.domain import survey as rules
from app.domain.words import ArrivalState, DeliveryState, FollowUpState, MessageKind, SurveyState
from app.store.tables import (
    Answer,
    Arrival,
    Delivery,
    FollowUp,
    Inbox,
    LedgerRow,
    Message,
    Resting,
    Survey,
    Ticket,
    Touchpoint,
)
from channels.contract import Phase

SENDS_WITHIN = timedelta(minutes=15)  # after that nobody is sending it any more
_DUE = (DeliveryState.QUEUED, DeliveryState.RETRY)

_WRITTEN = (
    SurveyState.QUEUED, SurveyState.SENT, SurveyState.ANSWERED, SurveyState.EXPIRED,
)  # fmt: skip

Check = tuple[str, str, Select[int]]
"""The kind of row, what is wrong with it, and which rows are wrong."""


def every() -> Iterator[Check]:
    yield from _intake()
    yield from _outbox()
    yield from _sent()
    yield from _feedback()
    yield from _tickets()


def _intake() -> Iterator[Check]:
    of_arrival = exists().where(col(Message.arrival_id) == col(Arrival.id))
    ids = sql_select(col(Arrival.id)).order_by(col(Arrival.id))
    closed = col(Arrival.state) != ArrivalState.WAITING
    yield (
        "arrival",
        "is not waiting any more and has no reason",
        ids.where(closed, col(Arrival.reason) == ""),
    )
    yield (
        "arrival",
        "is filed and names no message",
        ids.where(col(Arrival.state) == ArrivalState.FILED, ~of_arrival),
    )
    yield (
        "arrival",
        "became a message and is not filed",
        ids.where(col(Arrival.state) != ArrivalState.FILED, of_arrival),
    )
    # A mail is one message, and so is whatever else a server holds item by item.
    fetched = exists().where(col(LedgerRow.arrival_id) == col(Arrival.id))
    mailed = exists().where(
        col(Inbox.id) == col(Arrival.inbox_id), col(Inbox.address).contains("@")
    )
    count = (
        sql_select(func.count()).where(col(Message.arrival_id) == col(Arrival.id)).scalar_subquery()
    )
    yield (
        "arrival",
        "is one mail and became several messages",
        ids.where(or_(fetched, mailed), count > 1),
    )
    yield (
        "arrival",
        "is a copy and does not name the message it repeats",
        ids.where(col(Arrival.state) == ArrivalState.COPY, col(Arrival.copy_of_id).is_(None)),
    )
    yield (
        "arrival",
        "was not refused and has no raw bytes",
        ids.where(
            col(Arrival.state) != ArrivalState.REFUSED,
            col(Arrival.sha256) == "",
            col(Arrival.raw_deleted_at).is_(None),
        ),
    )
    yield (
        "message",
        "came in and names no arrival",
        (
            sql_select(col(Message.id))
            .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
            .where(
                col(Message.kind).in_((MessageKind.INBOUND, MessageKind.CALL)),
                col(Message.arrival_id).is_(None),
                col(Ticket.sample).is_(False),
            )
        ),
    )


def _outbox() -> Iterator[Check]:
    ids = sql_select(col(Delivery.id)).order_by(col(Delivery.id))
    state, nothing_said = col(Delivery.state), col(Delivery.words) == ""
    yield (
        "delivery",
        "has been under way for longer than any attempt takes",
        ids.where(
            state == DeliveryState.SENDING, col(Delivery.changed_at) < clock.now() - SENDS_WITHIN
        ),
    )
    yield (
        "delivery",
        "is under way and nobody holds it",
        ids.where(state == DeliveryState.SENDING, col(Delivery.held_by) == ""),
    )
    yield (
        "delivery",
        "is due and has no time",
        ids.where(state.in_(_DUE), col(Delivery.next_at).is_(None)),
    )
    yield (
        "delivery",
        "is over and has a time when it is tried",
        ids.where(state.not_in((*_DUE, DeliveryState.SENDING)), col(Delivery.next_at).is_not(None)),
    )
    yield (
        "delivery",
        "has got to a point that there is not",
        ids.where(col(Delivery.phase).not_in(("", *Phase))),
    )
    yield (
        "delivery",
        "is in doubt, though nothing had been handed over",
        ids.where(state == DeliveryState.IN_DOUBT, col(Delivery.phase) != Phase.AMBIGUOUS),
    )
    speechless = (
        DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD, DeliveryState.CANCELLED
    )  # fmt: skip
    yield (
        "delivery",
        "did not get there and does not say why",
        ids.where(state.in_(speechless), nothing_said),
    )


def _sent() -> Iterator[Check]:
    ids = sql_select(col(Delivery.id)).order_by(col(Delivery.id))
    state = col(Delivery.state)
    of_message = ids.join(Message, col(Message.id) == col(Delivery.message_id))
    yield (
        "delivery",
        "was sent and what was sent is not kept",
        of_message.where(
            state == DeliveryState.SENT,
            col(Message.rendered_sha256) == "",
            col(Message.raw_deleted_at).is_(None),
        ),
    )
    yield (
        "delivery",
        "was sent without an attempt",
        ids.where(state == DeliveryState.SENT, col(Delivery.attempts) < 1),
    )
    yield (
        "delivery",
        "belongs to a message that does not go out",
        of_message.where(col(Message.kind) != MessageKind.OUTBOUND),
    )
    yield (
        "message",
        "goes out and has no delivery",
        (
            sql_select(col(Message.id))
            .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
            .where(
                col(Message.kind) == MessageKind.OUTBOUND,
                col(Message.arrival_id).is_(None),  # written in another program, and sent by it
                col(Ticket.sample).is_(False),
                ~exists().where(col(Delivery.message_id) == col(Message.id)),
            )
        ),
    )


def _feedback() -> Iterator[Check]:
    ids = sql_select(col(Survey.id)).order_by(col(Survey.id))
    asked = (
        sql_select(func.count()).where(col(Survey.ticket_id) == col(Ticket.id)).scalar_subquery()
    )
    yield (
        "ticket",
        "was resolved without a feedback request or a reason why none",
        (sql_select(col(Ticket.id)).where(asked != col(Ticket.resolutions))),
    )
    state = col(Survey.state)
    yield (
        "survey",
        "was not sent and does not say why",
        ids.where(
            state.in_((SurveyState.SUPPRESSED, SurveyState.REVOKED, SurveyState.HELD)),
            col(Survey.reason) == "",
        ),
    )
    ticket = ids.join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
    yield (
        "survey",
        "was written and names no message",
        ticket.where(
            state.in_(_WRITTEN),
            col(Survey.message_id).is_(None),
            col(Ticket.sample).is_(False),
        ),
    )
    of_message = exists().where(col(Survey.message_id) == col(Message.id))
    yield (
        "message",
        "is a feedback request that no resolution asked for",
        (sql_select(col(Message.id)).where(col(Message.request).is_(True), ~of_message)),
    )
    requests = (
        sql_select(func.min(col(Survey.id)))
        .where(col(Survey.message_id).is_not(None))
        .group_by(col(Survey.message_id))
        .having(func.count() > 1)
    )
    yield "survey", "shares its request with another resolution", requests
    of_survey = exists().where(col(Answer.survey_id) == col(Survey.id))
    yield (
        "survey",
        "counts as answered and has no answer",
        ids.where(state == SurveyState.ANSWERED, ~of_survey),
    )
    yield (
        "survey",
        "was answered and does not count as answered",
        ids.where(state != SurveyState.ANSWERED, of_survey),
    )
    yield from _answers()


def _answers() -> Iterator[Check]:
    answers = sql_select(col(Answer.id)).order_by(col(Answer.id))
    yield (
        "answer",
        "is no rating from 1 to 5",
        answers.where(col(Answer.score).not_in(list(rules.SCORES))),
    )
    sibling = aliased(Answer)
    followed = (
        exists()
        .where(col(FollowUp.answer_id) == sibling.id)
        .where(col(sibling.survey_id) == col(Answer.survey_id))
    )
    yield (
        "answer",
        "is bad or asks to be called, and nobody follows up",
        answers.where(
            or_(col(Answer.score) <= rules.LOW, col(Answer.wants_contact).is_(True)),
            col(Answer.suspect) == "",
            ~followed,
        ),
    )
    yield (
        "follow-up",
        "is closed though nobody answered the customer",
        (
            sql_select(col(FollowUp.id)).where(
                col(FollowUp.state).in_((FollowUpState.CONTACTED, FollowUpState.RESOLVED)),
                col(FollowUp.contacted_message_id).is_(None),
            )
        ),
    )


def _tickets() -> Iterator[Check]:
    tickets = sql_select(col(Ticket.id)).order_by(col(Ticket.id))
    said = (
        sql_select(func.count())
        .where(col(Message.ticket_id) == col(Ticket.id), col(Message.request).is_(False))
        .scalar_subquery()
    )
    yield "ticket", "has no message", tickets.where(said == 0)
    yield (
        "ticket",
        "counts other messages than it has",
        tickets.where(said != col(Ticket.message_count)),
    )
    undecided = (
        sql_select(func.count())
        .where(col(Message.ticket_id) == col(Ticket.id), col(Message.unverified).is_(True))
        .scalar_subquery()
    )
    yield (
        "ticket",
        "counts other messages of third parties than it has",
        tickets.where(undecided != col(Ticket.unverified)),
    )
    yield from _contacts()


def _contacts() -> Iterator[Check]:
    planned = exists().where(
        col(Resting.message_id) == col(Message.id), col(Resting.scheduled).is_(True)
    )
    contact = and_(
        ~planned,
        col(Message.kind) != MessageKind.NOTE,
        col(Message.automatic).is_(False),
        col(Message.unverified).is_(False),
    )
    points = (
        sql_select(func.count())
        .where(col(Touchpoint.message_id) == col(Message.id))
        .scalar_subquery()
    )
    messages = sql_select(col(Message.id)).order_by(col(Message.id))
    yield (
        "message",
        "is a contact and not exactly one touchpoint",
        messages.where(contact, points != 1),
    )
    yield "message", "is no contact and has a touchpoint", messages.where(~contact, points > 0)
    rated = (
        sql_select(func.count())
        .select_from(Touchpoint)
        .join(Answer, col(Answer.id) == col(Touchpoint.answer_id))
        .where(col(Answer.survey_id) == col(Survey.id))
        .scalar_subquery()
    )
    surveys = sql_select(col(Survey.id)).order_by(col(Survey.id))
    # An answer that may be a program's is kept, and is no contact.
    by_person = exists().where(col(Answer.survey_id) == col(Survey.id), col(Answer.suspect) == "")
    yield (
        "survey",
        "was rated and that is not exactly one touchpoint",
        surveys.where(by_person, rated != 1),
    )
    yield (
        "survey",
        "was rated by nobody and has a touchpoint",
        surveys.where(~by_person, rated > 0),
    )

"""Feedback requests, their answers, and the work a bad answer makes."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from app.domain.words import FollowUpState, SurveyState
from app.store.row import Row
from app.store.types import link, maybe_link, maybe_moment, moment, primary_key, word


class Survey(Row, table=True):
    """One request, or the reason why a resolution got none."""

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("ticket_id", "resolution"),
        Index("ix_survey_due", "state", "due_at"),
    )

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    customer_id: int = link("customer")
    message_id: int | None = maybe_link("message")
    resolution: int  # which resolution of the ticket
    question: str = "csat"
    state: SurveyState = Field(sa_type=word(SurveyState))
    reason: str = ""
    language: str = ""
    nonce: str = Field(default="", unique=True)  # the link's token is derived from it
    digest: str = Field(default="", index=True)
    resolved_at: datetime = moment()
    due_at: datetime = moment()
    sent_at: datetime | None = maybe_moment()
    expires_at: datetime | None = maybe_moment()


class Answer(Row, table=True):
    """What the customer said. A correction is a further row; the newest counts."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("survey_id", "revision"),)

    id: int = primary_key()
    survey_id: int = link("survey", index=False)
    revision: int = 1
    score: int
    comment: str = Field(default="", sa_type=Text)
    wants_contact: bool = False
    suspect: str = ""  # why it may not be a person's answer; kept, but not counted
    at: datetime = moment()


class FollowUp(Row, table=True):
    """Closed only when the customer was answered, never by a click on a status."""

    __tablename__ = "follow_up"

    id: int = primary_key()
    ticket_id: int = link("ticket")
    answer_id: int = link("answer", unique=True)
    owner_id: int | None = maybe_link("agent")
    state: FollowUpState = Field(default=FollowUpState.OPEN, sa_type=word(FollowUpState))
    due_at: datetime = moment()
    outcome: str = ""
    contacted_message_id: int | None = maybe_link("message")
    created_at: datetime = moment()
    closed_at: datetime | None = maybe_moment()

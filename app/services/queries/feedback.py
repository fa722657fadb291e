"""Feedback requests, newest first, each with what the customer said."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import SurveyState
from app.services.access import Actor, Permission, require
from app.store.tables import Answer, Survey, Ticket


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, or why a resolution got none. Its link is the customer's alone."""

    id: int
    ticket: str
    resolution: int
    state: SurveyState
    reason: str
    language: str
    due_at: datetime
    sent_at: datetime | None
    expires_at: datetime | None
    score: int | None
    comment: str
    wants_contact: bool
    suspect: str
    answered_at: datetime | None


def listed(
    session: Session, actor: Actor, state: SurveyState | None, before: int | None, limit: int
) -> tuple[Asked, ...]:
    """Newest first, each with its newest answer; one statement."""
    require(actor, Permission.READ)
    newest = (
        sql_select(col(Answer.survey_id), func.max(col(Answer.revision)).label("revision"))
        .group_by(col(Answer.survey_id))
        .subquery()
    )
    wanted = (
        sql_select(Survey, col(Ticket.ref), Answer)
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
        .outerjoin(newest, newest.c.survey_id == col(Survey.id))
        .outerjoin(
            Answer,
            and_(
                col(Answer.survey_id) == col(Survey.id),
                col(Answer.revision) == newest.c.revision,
            ),
        )
    )
    if state is not None:
        wanted = wanted.where(col(Survey.state) == state)
    if before is not None:
        wanted = wanted.where(col(Survey.id) < before)
    found = session.execute(wanted.order_by(col(Survey.id).desc()).limit(limit)).all()
    return tuple(_asked(survey, ref, answer) for survey, ref, answer in found)


def _asked(survey: Survey, ref: str, answer: Answer | None) -> Asked:
    return Asked(
        id=survey.id,
        ticket=ref,
        resolution=survey.resolution,
        state=survey.state,
        reason=survey.reason,
        language=survey.language,
        due_at=survey.due_at,
        sent_at=survey.sent_at,
        expires_at=survey.expires_at,
        score=answer.score if answer else None,
        comment=answer.comment if answer else "",
        wants_contact=answer.wants_contact if answer else False,
        suspect=answer.suspect if answer else "",
        answered_at=answer.at if answer else None,
    )

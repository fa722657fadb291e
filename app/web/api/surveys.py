"""Feedback: what was asked and answered, and the work bad answers make."""

from pydantic import BaseModel, ConfigDict

from app.domain.words import FollowUpState, SurveyState
from app.services import followups
from app.services.queries import feedback, follow_ups
from app.services.queries.feedback import Asked
from app.services.queries.follow_ups import FollowUps
from app.web import routes
from app.web.api.fields import Before, Input, Limit, Line
from app.web.deps import CurrentActor, Db, Id

router = routes.api("feedback")


class FollowUpNow(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    state: FollowUpState
    owner_id: int | None
    outcome: str


class Ending(Input):
    outcome: Line


@router.get("/surveys")
def listed(
    actor: CurrentActor,
    db: Db,
    state: SurveyState | None = None,
    before: Before | None = None,
    limit: Limit = 50,
) -> list[Asked]:
    """Newest first; continue with `before` = the last id."""
    with db.reading() as session:
        return list(feedback.listed(session, actor, state, before, limit))


@router.get("/follow-ups")
def to_do(actor: CurrentActor, db: Db) -> FollowUps:
    """What is to be done, the most urgent first, and what was done last."""
    with db.reading() as session:
        return follow_ups.view(session, actor)


@router.post("/follow-ups/{follow_up}/take")
def take(follow_up: Id, actor: CurrentActor, db: Db) -> FollowUpNow:
    with db.transaction() as session:
        found = followups.take(session, actor, follow_up)
    return FollowUpNow.model_validate(found)


@router.post("/follow-ups/{follow_up}/close")
def close(follow_up: Id, body: Ending, actor: CurrentActor, db: Db) -> FollowUpNow:
    """Only once the customer was answered."""
    with db.transaction() as session:
        found = followups.close(session, actor, follow_up, body.outcome)
    return FollowUpNow.model_validate(found)

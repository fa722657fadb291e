"""Versions of the model: their figures, training a new one, and which of them answers."""

from fastapi import Response
from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.domain.words import ModelState, Promotion
from app.services import models, organisation
from app.services.queries import models as query
from app.services.queries.models import Overview
from app.web import routes
from app.web.api.fields import Input, as_json
from app.web.deps import CurrentActor, Db, Id

router = routes.api("models", "/models")

_OVERVIEW = TypeAdapter(Overview)


class ModelOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    state: ModelState


class PromotionIn(Input):
    """What becomes of a new version that is no worse than the one before."""

    promotion: Promotion


class ActingIn(Input):
    """Whether the model sets stage and topic by itself; otherwise it only suggests them."""

    by_itself: bool


@router.get("", response_model=Overview)
def overview(actor: CurrentActor, db: Db) -> Response:
    """The newest version first, and verdicts of people that the model cannot believe."""
    with db.reading() as session:
        found = query.overview(session, actor)
    return as_json(_OVERVIEW, found)


@router.post("/train", status_code=202)
def train(actor: CurrentActor, db: Db) -> None:
    """Have a worker train a new version, if none is being trained already."""
    with db.transaction() as session:
        models.ask(session, actor)


@router.put("/promotion", status_code=204)
def set_promotion(body: PromotionIn, actor: CurrentActor, db: Db) -> None:
    with db.transaction() as session:
        models.set_promotion(session, actor, body.promotion)


@router.put("/acting", status_code=204)
def set_acting(body: ActingIn, actor: CurrentActor, db: Db) -> None:
    """Where it is sure enough, on what is filed from now on."""
    with db.transaction() as session:
        organisation.let_model_act(session, actor, on=body.by_itself)


@router.post("/{model}/promote")
def promote(model: Id, actor: CurrentActor, db: Db) -> ModelOut:
    """Let it answer: forwards to a new version, or back to an older one."""
    with db.transaction() as session:
        found = models.promote(session, actor, model)
    return ModelOut.model_validate(found)


@router.post("/{model}/try-out")
def try_out(model: Id, actor: CurrentActor, db: Db) -> ModelOut:
    """Let it answer silently: kept beside what is shown, and nothing comes of it."""
    with db.transaction() as session:
        found = models.try_out(session, actor, model)
    return ModelOut.model_validate(found)


@router.post("/{model}/retire")
def retire(model: Id, actor: CurrentActor, db: Db) -> ModelOut:
    """Let it answer no more; without any other, the model of the samples does."""
    with db.transaction() as session:
        found = models.retire(session, actor, model)
    return ModelOut.model_validate(found)

"""What the model learned: its versions, what it learns next, and the topics it may choose from."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Conflict, Invalid
from app.domain.words import Promotion
from app.services import models, topics
from app.services.access import Actor, Permission, require
from app.services.queries import models as query
from app.services.queries import proposals, surges
from app.web import routes
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/settings/triage")

Key = Annotated[str, Form(max_length=80)]
Name = Annotated[str, Form(max_length=200)]
_PAGE = "/settings/triage"


@dataclass
class Names:
    """What a topic is called in each language of the screens."""

    ja: Name = ""
    de: Name = ""
    en: Name = ""

    @property
    def labels(self) -> dict[str, str]:
        return {"ja": self.ja, "de": self.de, "en": self.en}


NamesForm = Annotated[Names, Depends()]


def page(request: Request, house: House, actor: Actor, *, problem: str = "") -> HTMLResponse:
    require(actor, Permission.ADMIN)
    with house.database.reading() as session:
        around = shell.load(session, actor)
        found = query.overview(session, actor)
        known = topics.listed(session)
        proposed = proposals.overview(session, actor)
        unusual = surges.overview(session, actor)
    return shell.page(
        request,
        "settings/triage.html",
        around,
        status=422 if problem else 200,
        models=found,
        topics=known,
        proposed=proposed,
        unusual=unusual,
        promotions=list(Promotion),
        switched_on=house.settings.triage != "off",
        problem=problem,
        did=request.query_params.get("did", ""),
        on=request.query_params.get("on", ""),
    )


@router.get("")
def shown(request: Request, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return page(request, house, actor)


@router.post("/train")
def train(actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        models.ask(session, actor)
    return go(_PAGE, did="asked")


@router.post("/promotion")
def set_promotion(
    actor: CurrentActor, house: TheHouse, promotion: Annotated[Promotion, Form()]
) -> RedirectResponse:
    with house.database.transaction() as session:
        models.set_promotion(session, actor, promotion)
    return go(_PAGE, did="saved")


@router.post("/versions/{model_id}/promote")
def promote(model_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        models.promote(session, actor, model_id)
    return go(_PAGE, did="saved")


@router.post("/versions/{model_id}/try-out")
def try_out(model_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        models.try_out(session, actor, model_id)
    return go(_PAGE, did="saved")


@router.post("/versions/{model_id}/retire")
def retire(model_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        models.retire(session, actor, model_id)
    return go(_PAGE, did="saved")


@router.post("/topics")
def add(request: Request, actor: CurrentActor, house: TheHouse, names: NamesForm) -> Response:
    try:
        with house.database.transaction() as session:
            topics.add(session, actor, names.labels)
    except (Invalid, Conflict) as error:
        return page(request, house, actor, problem=error.message)
    return go(_PAGE, did="saved")


@router.post("/topics/rename")
def rename(
    request: Request, actor: CurrentActor, house: TheHouse, key: Key, names: NamesForm
) -> Response:
    try:
        with house.database.transaction() as session:
            topics.rename(session, actor, key, names.labels)
    except (Invalid, Conflict) as error:
        return page(request, house, actor, problem=error.message)
    return go(_PAGE, did="saved")


@router.post("/topics/merge")
def merge(request: Request, actor: CurrentActor, house: TheHouse, key: Key, into: Key) -> Response:
    try:
        with house.database.transaction() as session:
            topics.merge(session, actor, key, into)
    except Conflict as error:
        return page(request, house, actor, problem=error.message)
    return go(_PAGE, did="saved")

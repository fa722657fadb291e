"""What the model learned: its versions, what it learns next, and the topics it may choose from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from app.core.errors import Conflict, Invalid
from app.domain.words import Promotion
from app.services import models, organisation, topics
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


def _page(request: Request, house: House, actor: Actor, *, problem: str = "") -> HTMLResponse:
    require(actor, Permission.ADMIN)
    with house.database.reading() as session:
        around = shell.load(session, actor)
        found = query.overview(session, actor)
        known = topics.listed(session)
        resting = topics.out_of_use(session)
        proposed = proposals.overview(session, actor)
        unusual = surges.overview(session, actor)
    return shell.page(
        request,
        "settings/triage.html",
        around,
        status=422 if problem else 200,
        models=found,
        topics=known,
        resting=resting,
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
    return _page(request, house, actor)


@router.post("/train")
def train(actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        models.ask(session, actor)
    return go(_PAGE, did="asked")


def do(
    request: Request, house: House, actor: Actor, act: Callable[[Session, Actor], object]
) -> Response:
    """Done, and the page anew; or the page as it was, with what is wrong."""
    try:
        with house.database.transaction() as session:
            act(session, actor)
    except (Invalid, Conflict) as error:
        return _page(request, house, actor, problem=error.message)
    return go(_PAGE, did="saved")


@router.post("/promotion")
def set_promotion(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    promotion: Annotated[Promotion, Form()],
) -> Response:
    return do(request, house, actor, partial(models.set_promotion, promotion=promotion))


@router.post("/acting")
def set_acting(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    by_itself: Annotated[bool, Form()] = False,
) -> Response:
    return do(request, house, actor, partial(organisation.let_model_act, on=by_itself))


@router.post("/versions/{model_id}/promote")
def promote(request: Request, model_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    return do(request, house, actor, partial(models.promote, model_id=model_id))


@router.post("/versions/{model_id}/try-out")
def try_out(request: Request, model_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    return do(request, house, actor, partial(models.try_out, model_id=model_id))


@router.post("/versions/{model_id}/retire")
def retire(request: Request, model_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    return do(request, house, actor, partial(models.retire, model_id=model_id))


@router.post("/topics")
def add(request: Request, actor: CurrentActor, house: TheHouse, names: NamesForm) -> Response:
    return do(request, house, actor, partial(topics.add, labels=names.labels))


@router.post("/topics/rename")
def rename(
    request: Request, actor: CurrentActor, house: TheHouse, key: Key, names: NamesForm
) -> Response:
    return do(request, house, actor, partial(topics.rename, key=key, labels=names.labels))


@router.post("/topics/merge")
def merge(request: Request, actor: CurrentActor, house: TheHouse, key: Key, into: Key) -> Response:
    return do(request, house, actor, partial(topics.merge, key=key, into=into))


@router.post("/topics/put-out-of-use")
def put_out_of_use(request: Request, actor: CurrentActor, house: TheHouse, key: Key) -> Response:
    return do(request, house, actor, partial(topics.put_out_of_use, key=key))


@router.post("/topics/use-again")
def use_again(request: Request, actor: CurrentActor, house: TheHouse, key: Key) -> Response:
    return do(request, house, actor, partial(topics.use_again, key=key))

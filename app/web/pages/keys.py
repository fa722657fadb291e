"""API keys: which programs may act here, a new key shown once, and an end to one."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Invalid
from app.services import api_keys
from app.services.access import Actor, Permission, require
from app.web import routes
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/settings/keys")


def _page(
    request: Request,
    house: House,
    actor: Actor,
    *,
    name: str = "",
    key: str = "",
    problem: str = "",
) -> HTMLResponse:
    require(actor, Permission.ADMIN)
    with house.database.reading() as session:
        around = shell.load(session, actor)
        found = api_keys.listed(session, actor)
    return shell.page(
        request,
        "settings/keys.html",
        around,
        status=422 if problem else 200,
        keys=found,
        name=name,
        key=key,
        problem=problem,
        did=request.query_params.get("did", ""),
    )


@router.get("")
def shown(request: Request, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return _page(request, house, actor)


@router.post("")
def create(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The key is shown once, here: only its digest is stored."""
    try:
        with house.database.transaction() as session:
            _, key = api_keys.create(session, actor, name)
    except Invalid as error:
        return _page(request, house, actor, name=name, problem=error.message)
    return _page(request, house, actor, name=name, key=key)


@router.post("/{key_id}/revoke")
def revoke(key_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        api_keys.revoke(session, actor, key_id)
    return go("/settings/keys", did="revoked")

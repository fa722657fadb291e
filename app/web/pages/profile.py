"""One's own account: password, language, look, and where one is signed in."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Conflict, Invalid, TooMany
from app.services import agents, sessions
from app.services.access import Actor
from app.web import accounts, routes
from app.web.deps import CurrentActor, Db, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/profile")


def _page(request: Request, house: House, actor: Actor, problem: str = "") -> HTMLResponse:
    with house.database.reading() as session:
        around = shell.load(session, actor)
        own = agents.own(session, actor)
        open_sessions = sessions.listed(session, actor)
    return shell.page(
        request,
        "profile/page.html",
        around,
        status=422 if problem else 200,
        email=own.email,
        chosen_language=own.language,
        chosen_theme=own.theme,
        sessions=open_sessions,
        problem=problem,
        did=request.query_params.get("did", ""),
    )


@router.get("")
def shown(request: Request, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return _page(request, house, actor)


@dataclass
class Passwords:
    old: Annotated[str, Form(max_length=1000)] = ""
    new: Annotated[str, Form(max_length=1000)] = ""


@router.post("/password")
async def change_password(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    form: Annotated[Passwords, Depends()],
) -> Response:
    try:
        await accounts.change_password(request, actor, form.old, form.new)
    except (Invalid, Conflict, TooMany) as error:
        return _page(request, house, actor, error.message)
    return go("/profile", did="password")


@router.post("/look")
def look(
    actor: CurrentActor,
    db: Db,
    language: Annotated[str, Form(max_length=8)] = "",
    theme: Annotated[str, Form(max_length=8)] = "",
) -> RedirectResponse:
    with db.transaction() as session:
        agents.set_preferences(session, actor, language=language, theme=theme)
    return go("/profile", did="saved")


@router.post("/sessions/{login_id}/revoke")
def revoke(login_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        sessions.revoke(session, actor, login_id)
    return go("/profile")


@router.post("/sessions/revoke-others")
def revoke_others(actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        sessions.revoke_others(session, actor)
    return go("/profile")

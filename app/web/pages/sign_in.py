"""Signing in and out, and the one-time links that make an account."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Conflict, Invalid, TooMany
from app.services import agents, sessions
from app.services.queries import frame
from app.services.queries.frame import House as Organisation
from app.store.database import Database
from app.web import accounts, routes, templating
from app.web.deps import CurrentActor, Db
from app.web.origin import local_path
from app.web.security import clear_session, set_session

router = routes.pages()

Wanted = Annotated[str, Query(max_length=2000, alias="next")]


def _organisation(db: Database) -> Organisation | None:
    with db.reading() as session:
        return frame.house(session)


@router.get("/sign-in")
def sign_in_page(request: Request, db: Db, wanted: Wanted = "") -> Response:
    if request.state.actor is not None:
        return RedirectResponse(local_path(wanted), 303)
    return templating.render(
        request,
        "sign_in/page.html",
        house=_organisation(db),
        wanted=wanted,
        email="",
        problem="",
    )


@dataclass
class Credentials:
    email: Annotated[str, Form(max_length=320)] = ""
    password: Annotated[str, Form(max_length=1000)] = ""
    wanted: Annotated[str, Form(max_length=2000, alias="next")] = ""


@router.post("/sign-in")
async def sign_in(request: Request, db: Db, form: Annotated[Credentials, Depends()]) -> Response:
    try:
        token = await accounts.sign_in(request, form.email, form.password)
    except (Invalid, TooMany) as error:
        return templating.render(
            request,
            "sign_in/page.html",
            house=_organisation(db),
            status=429 if isinstance(error, TooMany) else 422,
            wanted=form.wanted,
            email=form.email,
            problem=error.message,
        )
    response = RedirectResponse(local_path(form.wanted), 303)
    set_session(request, response, token)
    return response


@router.post("/sign-out")
def sign_out(request: Request, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        sessions.sign_out(session, actor)
    response = RedirectResponse("/sign-in", 303)
    clear_session(request, response)
    return response


@router.get("/invitation/{token}")
def invitation_page(request: Request, token: str, db: Db) -> HTMLResponse:
    with db.reading() as session:
        house = frame.house(session)
        found = agents.open_invitation(session, token)
    return templating.render(
        request,
        "sign_in/invitation.html",
        house=house,
        invitation=found,
        name=found.name,
        email=found.email,
        problem="",
    )


@dataclass
class Joining:
    name: Annotated[str, Form(max_length=200)] = ""
    email: Annotated[str, Form(max_length=320)] = ""
    password: Annotated[str, Form(max_length=1000)] = ""


@router.post("/invitation/{token}")
async def accept(
    request: Request, token: str, db: Db, form: Annotated[Joining, Depends()]
) -> Response:
    language = templating.voice(request, _organisation(db)).language
    try:
        session_token = await accounts.accept_invitation(
            request, token, form.name, form.email, form.password, language
        )
    except (Invalid, Conflict, TooMany) as error:
        with db.reading() as session:
            found = agents.open_invitation(session, token)
        return templating.render(
            request,
            "sign_in/invitation.html",
            house=_organisation(db),
            status=422,
            invitation=found,
            name=form.name,
            email=found.email or form.email,
            problem=error.message,
        )
    response = RedirectResponse("/", 303)
    set_session(request, response, session_token)
    return response

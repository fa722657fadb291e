"""The feedback page behind a link in a mail: opened by anybody, recorded only by Send."""

import hmac
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from app.core import clock
from app.core.errors import Invalid
from app.core.secrets import Keys
from app.services import surveys
from app.services.surveys import Rating, SurveyPage
from app.web import routes, templating
from app.web.deps import House, TheHouse
from app.web.pages.shell import go
from app.web.speech import LANGUAGES

router = routes.pages("/f/{token}")

FASTEST = 2  # seconds: nobody reads a question and answers it sooner
FORM_LASTS = 60 * 60


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is on the page besides the survey itself."""

    language: str = ""
    score: int | None = None
    comment: str = ""
    wants_contact: bool = False
    problem: str = ""


@dataclass
class Given:
    """The form. `website` is a field no person sees: only programs fill it in."""

    score: Annotated[str, Form(max_length=20)] = ""
    comment: Annotated[str, Form(max_length=10_000)] = ""
    contact: Annotated[str, Form(max_length=20)] = ""
    nonce: Annotated[str, Form(max_length=120)] = ""
    website: Annotated[str, Form(max_length=200)] = ""
    language: Annotated[str, Form(max_length=5)] = ""


def _nonce(keys: Keys, token: str) -> str:
    made = str(int(clock.now().timestamp()))
    return f"{made}.{keys.form_token('survey', f'{made} {token}')}"


def _age(keys: Keys, token: str, nonce: str) -> float | None:
    """Seconds since the form was made, None when it was not made here or is too old."""
    made, _, mark = nonce.partition(".")
    good = keys.form_token("survey", f"{made} {token}")
    if not made.isdigit() or not hmac.compare_digest(mark.encode(), good.encode()):
        return None
    age = clock.now().timestamp() - int(made)
    return age if age <= FORM_LASTS else None


def _page(
    request: Request, house: House, found: SurveyPage, sheet: Sheet, status: int = 200
) -> HTMLResponse:
    language = sheet.language if sheet.language in LANGUAGES else found.language
    made = templating.render(
        request,
        "survey/page.html",
        language=language,
        status=status,
        found=found,
        sheet=sheet,
        nonce=_nonce(house.keys, str(request.path_params["token"])),
        correcting=found.state == "thanks" and request.query_params.get("again") == "1",
    )
    made.headers["X-Robots-Tag"] = "noindex"
    return made


@router.get("")
def opened(request: Request, token: str, house: TheHouse, language: str = "") -> HTMLResponse:
    """The same page for every score and for every program that follows links."""
    with house.database.reading() as session:
        found = surveys.find(session, token)
    return _page(request, house, found, Sheet(language=language[:5]), _status(found))


def _status(found: SurveyPage, otherwise: int = 200) -> int:
    return {"over": 404, "expired": 410}.get(found.state, otherwise)


def _suspicion(request: Request, given: Given, age: float) -> str:
    """Why it may not be a person's answer. It is kept all the same, and not counted."""
    if given.website:
        return "a field that people cannot see was filled in"
    if age < FASTEST:
        return "sent within two seconds"
    if not request.headers.get("accept-language"):
        return "a browser without a language"
    return ""


@router.post("")
def answered(
    request: Request, token: str, house: TheHouse, given: Annotated[Given, Depends()]
) -> Response:
    age = _age(house.keys, token, given.nonce)
    score = int(given.score) if given.score.isascii() and given.score.isdigit() else None
    sheet = Sheet(given.language, score, given.comment, bool(given.contact))
    if age is None:
        with house.database.reading() as session:
            found = surveys.find(session, token)
        problem = "This page was open for a long time. Press Send once more."
        return _page(request, house, found, replace(sheet, problem=problem), _status(found, 422))
    rating = Rating(score, given.comment, bool(given.contact), _suspicion(request, given, age))
    try:
        with house.database.transaction() as session:
            surveys.answer(session, token, rating)
    except Invalid as error:
        with house.database.reading() as session:
            found = surveys.find(session, token)
        sheet = replace(sheet, problem=error.message)
        return _page(request, house, found, sheet, _status(found, 422))
    return go(f"/f/{token}", language=given.language if given.language in LANGUAGES else "")


@router.get("/stop")
def stop_page(request: Request, token: str, house: TheHouse, language: str = "") -> HTMLResponse:
    """Opening it stops nothing: programs open links too."""
    with house.database.reading() as session:
        found = surveys.find(session, token)
    spoken = language if language in LANGUAGES else found.language
    if not found.organisation:
        return _page(request, house, found, Sheet(spoken), 404)
    return templating.render(request, "survey/stop.html", language=spoken, found=found)


@router.post("/stop")
def stop(request: Request, token: str, house: TheHouse) -> Response:
    """By the button, or by a mail program's own (RFC 8058), which sends no cookie and no page."""
    with house.database.transaction() as session:
        found = surveys.opt_out(session, token)
    if not found.organisation:
        return _page(request, house, found, Sheet(), 404)
    return go(f"/f/{token}/stop")

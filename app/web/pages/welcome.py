"""The first page: who we are, and whether to start empty or with sample inquiries."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Invalid
from app.services import organisation, samples
from app.services.access import Permission, require
from app.services.organisation import NewOrganisation
from app.web import routes, templating
from app.web.deps import CurrentActor, Db
from app.web.pages.shell import go

router = routes.pages("/welcome")

LIKELY = ("Asia/Tokyo", "Europe/Berlin", "Europe/Zurich", "Europe/Vienna", "Europe/London", "UTC")


@dataclass
class Beginning:
    name: Annotated[str, Form(max_length=200)] = ""
    time_zone: Annotated[str, Form(max_length=80)] = ""
    language: Annotated[str, Form(max_length=8)] = ""
    start: Annotated[str, Form(max_length=20)] = "empty"
    feedback_notice: Annotated[str, Form(max_length=3)] = ""


def zones() -> list[str]:
    """The likely ones first, then all of them."""
    regions = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/")
    return [*LIKELY, *sorted(z for z in available_timezones() if z.startswith(regions))]


def _page(request: Request, form: Beginning, problem: str = "") -> HTMLResponse:
    return templating.render(
        request,
        "welcome/page.html",
        status=422 if problem else 200,
        form=form,
        zones=zones(),
        problem=problem,
    )


@router.get("")
def first_page(request: Request, actor: CurrentActor, db: Db) -> Response:
    require(actor, Permission.ADMIN)
    with db.reading() as session:
        if organisation.current(session):
            return go("/inbox")
    language = templating.voice(request, None).language
    guess = {"ja": "Asia/Tokyo", "de": "Europe/Berlin"}.get(language, "")
    return _page(request, Beginning(time_zone=guess, language=language))


@router.post("")
def begin(
    request: Request, actor: CurrentActor, db: Db, form: Annotated[Beginning, Depends()]
) -> Response:
    try:
        with db.transaction() as session:
            wanted = NewOrganisation(
                form.name, form.time_zone, form.language, feedback_notice=bool(form.feedback_notice)
            )
            organisation.set_up(session, actor, wanted)
            if form.start == "samples":
                samples.add(session, actor)
    except Invalid as error:
        return _page(request, form, error.message)
    return go("/inbox", view="open" if form.start == "samples" else "")


@router.post("/remove-samples")
def remove_samples(actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        samples.remove(session, actor)
    return go("/inbox")

"""Settings: the organisation, its rules for asking, and who works here."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.domain.words import Role
from app.services import agents, organisation
from app.services.access import Actor, Permission, require
from app.services.organisation import NewOrganisation, Rules
from app.services.queries import inboxes
from app.web import routes
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.shell import go
from app.web.pages.welcome import zones

router = routes.pages("/settings")


def _page(
    request: Request, house: House, actor: Actor, status: int = 200, **more: Any
) -> HTMLResponse:
    with house.database.reading() as session:
        require(actor, Permission.ADMIN)
        around = shell.load(session, actor)
        context = _context(session, actor)
    context |= {
        "zones": zones(),
        "roles": list(Role),
        "problem": "",
        "link": "",
        "invited": "",
        "reachable": house.settings.reachable,
        "public_url": house.settings.public_url,
        **more,
    }
    return shell.page(request, "settings/page.html", around, status=status, **context)


def _context(session: Session, actor: Actor) -> dict[str, Any]:
    return {
        "organisation": organisation.current(session),
        "inboxes": inboxes.listed(session, actor),
        "people": agents.listed(session),
        "pending": agents.pending(session, actor),
    }


@router.get("")
def shown(request: Request, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return _page(request, house, actor)


@dataclass
class OrganisationForm:
    name: Annotated[str, Form(max_length=200)] = ""
    time_zone: Annotated[str, Form(max_length=80)] = ""
    language: Annotated[str, Form(max_length=8)] = ""


@router.post("/organisation")
def rename(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    form: Annotated[OrganisationForm, Depends()],
) -> Response:
    try:
        with house.database.transaction() as session:
            wanted = NewOrganisation(form.name, form.time_zone, form.language)
            organisation.rename(session, actor, wanted)
    except Invalid as error:
        return _page(request, house, actor, 422, problem=error.message)
    return go("/settings", did="saved")


@dataclass
class FeedbackForm:
    """Times as people say them; the service counts in minutes."""

    ask: Annotated[str, Form(max_length=3)] = ""
    policy: Annotated[str, Form(max_length=20)] = ""
    notice: Annotated[str, Form(max_length=3)] = ""
    delay_hours: Annotated[int, Form(ge=0, le=720)] = 24
    cooling_days: Annotated[int, Form(ge=1, le=365)] = 30
    answer_hours: Annotated[int, Form(ge=1, le=720)] = 8


@router.post("/feedback")
def feedback(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    form: Annotated[FeedbackForm, Depends()],
) -> Response:
    rules = Rules(
        ask_feedback=bool(form.ask),
        feedback_policy=form.policy,
        feedback_notice=bool(form.notice),
        feedback_delay_minutes=form.delay_hours * 60,
        feedback_cooling_days=form.cooling_days,
        first_answer_minutes=form.answer_hours * 60,
    )
    try:
        with house.database.transaction() as session:
            organisation.set_rules(session, actor, rules)
    except Invalid as error:
        return _page(request, house, actor, 422, problem=error.message)
    return go("/settings", did="saved")


@router.post("/raw")
def raw(
    request: Request,
    actor: CurrentActor,
    house: TheHouse,
    days: Annotated[str, Form(pattern="^[0-9]{0,4}$")] = "",
) -> Response:
    """How long raw sources are kept; for ever where nothing is said."""
    try:
        with house.database.transaction() as session:
            organisation.keep_raw(session, actor, int(days) if days else None)
    except Invalid as error:
        return _page(request, house, actor, 422, problem=error.message)
    return go("/settings", did="saved")


@dataclass
class InviteForm:
    email: Annotated[str, Form(max_length=320)] = ""
    role: Annotated[Role, Form()] = Role.AGENT


@router.post("/invite")
def invite(
    request: Request, actor: CurrentActor, house: TheHouse, form: Annotated[InviteForm, Depends()]
) -> HTMLResponse:
    """The link is shown once, here; the administrator hands it over."""
    try:
        with house.database.transaction() as session:
            token = agents.invite(session, actor, form.email, form.role)
    except (Invalid, Conflict) as error:
        return _page(request, house, actor, 422, problem=error.message)
    link = f"{house.settings.link_base}/invitation/{token}"
    return _page(request, house, actor, link=link, invited=form.email)


@router.post("/invitations/{invitation_id}/withdraw")
def withdraw(invitation_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        agents.withdraw(session, actor, invitation_id)
    return go("/settings")


@router.post("/agents/{agent_id}/role")
def set_role(
    agent_id: Id, actor: CurrentActor, house: TheHouse, role: Annotated[Role, Form()]
) -> RedirectResponse:
    with house.database.transaction() as session:
        agents.set_role(session, actor, agent_id, role)
    return go("/settings", did="saved")


@router.post("/agents/{agent_id}/active")
def set_active(
    agent_id: Id,
    actor: CurrentActor,
    house: TheHouse,
    active: Annotated[str, Form(max_length=3)] = "",
) -> RedirectResponse:
    with house.database.transaction() as session:
        change = agents.activate if active else agents.deactivate
        change(session, actor, agent_id)
    return go("/settings", did="saved")


@router.post("/agents/{agent_id}/reset")
def reset(request: Request, agent_id: Id, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    """A link by which somebody who forgot the password chooses a new one."""
    require(actor, Permission.ADMIN)
    with house.database.transaction() as session:
        person = next((one for one in agents.listed(session) if one.id == agent_id), None)
        if person is None:
            raise NotFound("There is no such agent.")
        token = agents.reset(session, person.email)
    link = f"{house.settings.link_base}/invitation/{token}"
    return _page(request, house, actor, link=link, invited=person.email)

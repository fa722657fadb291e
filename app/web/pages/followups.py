"""Follow-ups: customers who were dissatisfied and wait for an answer."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.services import followups
from app.services.access import Permission, may
from app.services.queries import follow_ups
from app.web import routes
from app.web.deps import CurrentActor, Db, Id
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/follow-ups")


@router.get("")
def listed(request: Request, actor: CurrentActor, db: Db) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        found = follow_ups.view(session, actor)
    leads = may(actor, Permission.LEAD)
    return shell.page(request, "work/follow_ups.html", around, found=found, leads=leads)


@router.post("/{follow_up_id}/take")
def take(follow_up_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        followups.take(session, actor, follow_up_id)
    return go("/follow-ups")


@router.post("/{follow_up_id}/close")
def close(
    follow_up_id: Id,
    actor: CurrentActor,
    db: Db,
    outcome: Annotated[str, Form(max_length=500)] = "",
) -> RedirectResponse:
    with db.transaction() as session:
        followups.close(session, actor, follow_up_id, outcome)
    return go("/follow-ups")

"""A customer: how they write to us, what happened so far, what they said of it."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.services import customers, unlearning
from app.services.queries import customer
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import shell
from app.web.pages.shell import go
from app.web.pages.tickets import KINDS
from app.web.pages.welcome import zones

router = routes.pages("/customers/{ref}")


@router.get("")
def shown(request: Request, ref: str, actor: CurrentActor, db: Db) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        found = customer.view(session, ref)
    return shell.page(request, "customer/page.html", around, c=found, kinds=KINDS, zones=zones())


@router.post("/rename")
def rename(
    ref: str, actor: CurrentActor, db: Db, name: Annotated[str, Form(max_length=200)] = ""
) -> RedirectResponse:
    with db.transaction() as session:
        customers.rename(session, actor, ref, name)
    return go(f"/customers/{ref}")


@router.post("/time-zone")
def time_zone(
    ref: str, actor: CurrentActor, db: Db, time_zone: Annotated[str, Form(max_length=80)] = ""
) -> RedirectResponse:
    with db.transaction() as session:
        customers.set_time_zone(session, actor, ref, time_zone)
    return go(f"/customers/{ref}")


@router.post("/reachable")
def reachable(
    ref: str, actor: CurrentActor, db: Db, address: Annotated[str, Form(max_length=400)] = ""
) -> RedirectResponse:
    with db.transaction() as session:
        customers.reach_again(session, actor, ref, address)
    return go(f"/customers/{ref}")


@router.post("/feedback")
def feedback(
    ref: str, actor: CurrentActor, db: Db, allowed: Annotated[str, Form(max_length=3)] = ""
) -> RedirectResponse:
    with db.transaction() as session:
        customers.allow_feedback(session, actor, ref, allowed=allowed == "yes")
    return go(f"/customers/{ref}")


@router.post("/learning")
def learning(
    ref: str, actor: CurrentActor, db: Db, allowed: Annotated[str, Form(max_length=3)] = ""
) -> RedirectResponse:
    with db.transaction() as session:
        unlearning.allow(session, actor, ref, allowed=allowed == "yes")
    return go(f"/customers/{ref}")

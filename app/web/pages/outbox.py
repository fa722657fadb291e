"""The outbox: what went, what waits, what a person must decide on."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.services import doubts, outbox, resuming
from app.services.access import Permission, may
from app.services.queries import outbox as outbox_query
from app.services.queries.outbox import Show
from app.web import routes
from app.web.deps import CurrentActor, Db, Id, TheHouse
from app.web.pages import shell
from app.web.pages.arrivals import download
from app.web.pages.shell import go

router = routes.pages("/outbox")

BackTo = Annotated[str, Form(pattern="^[0-9a-z]{0,20}$")]


@router.get("")
def listed(
    request: Request, actor: CurrentActor, db: Db, show: Show = Show.TROUBLE
) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        found = outbox_query.view(session, actor, show)
    admin = may(actor, Permission.ADMIN)
    return shell.page(request, "work/outbox.html", around, found=found, show=show, admin=admin)


@router.get("/messages/{message_id}/source")
def source(message_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    """The exact bytes every attempt sends."""
    with house.database.reading() as session:
        sha256 = outbox_query.rendered(session, actor, message_id)
    return download(house.blobs.get(sha256), f"message-{message_id}.eml")


@router.post("/inboxes/{inbox_id}/try")
def try_again(inbox_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        resuming.try_again(session, actor, inbox_id)
    return go("/outbox", show="waiting")


@router.post("/{delivery_id}/again")
def again(delivery_id: Id, actor: CurrentActor, db: Db, ref: BackTo = "") -> RedirectResponse:
    with db.transaction() as session:
        outbox.send_again(session, actor, delivery_id)
    return go(f"/tickets/{ref}", did="sent", on=ref) if ref else go("/outbox", show="waiting")


@router.post("/{delivery_id}/arrived")
def arrived(delivery_id: Id, actor: CurrentActor, db: Db, ref: BackTo = "") -> RedirectResponse:
    with db.transaction() as session:
        doubts.arrived(session, actor, delivery_id)
    return go(f"/tickets/{ref}", on=ref) if ref else go("/outbox")


@router.post("/{delivery_id}/cancel")
def cancel(delivery_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        outbox.cancel(session, actor, delivery_id)
    return go("/outbox")

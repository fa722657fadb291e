"""The inquiries of which there are unusually many, and saying that one knows."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.services import surges
from app.services.queries import inbox
from app.services.queries import surges as query
from app.services.queries.inbox import Selection, View
from app.web import routes
from app.web.deps import CurrentActor, Db, Id
from app.web.pages import listing, shell
from app.web.pages.inbox import alarms, context, speak
from app.web.pages.shell import go

router = routes.pages("/surges")


@router.get("/{surge}")
def listed(
    request: Request,
    surge: Id,
    actor: CurrentActor,
    db: Db,
    after: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        told = alarms(session, actor, query.one(session, actor, surge))
        found = query.tickets(session, actor, surge)
        chosen = Selection(view=View.OPEN, after=after, found=found)
        rows = inbox.rows(session, actor, chosen)
    speak(request, around)
    return shell.page(
        request,
        "inbox/page.html",
        around,
        did="",
        on="",
        sent="",
        other="",
        **context(around, chosen, rows, "", "", told),
    )


@router.post("/{surge}/seen")
def seen(
    surge: Id, actor: CurrentActor, db: Db, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        surges.seen(session, actor, surge)
    return go("/inbox", view=view)

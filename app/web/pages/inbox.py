"""The inbox: views, search, and the rows on their own for screens that follow along."""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from app.services.queries import inbox
from app.services.queries.inbox import Rows, Selection, Sort, View
from app.store import search
from app.web import routes, speech, templating
from app.web.deps import CurrentActor, Db
from app.web.pages import shell
from app.web.pages.rows import drawn
from app.web.pages.shell import Shell, go
from app.web.speech import say

router = routes.pages()

Words = Annotated[str, Query(max_length=200)]
FOUND_UP_TO = 200


def title(view: View) -> str:
    names = {
        View.MINE: say("Mine"),
        View.UNASSIGNED: say("Unassigned"),
        View.OPEN: say("All open"),
        View.TRIAGE: say("Needs triage"),
        View.WAITING: say("Answered"),
        View.SNOOZED: say("Snoozed"),
        View.RESOLVED: say("Resolved"),
        View.SPAM: say("Spam"),
        View.DISMISSED: say("No inquiry"),
        View.UNVERIFIED: say("Third parties"),
    }
    return names[view]


def selection(session: Session, view: View, sort: Sort | None, after: str, q: str) -> Selection:
    found = tuple(search.find(session, q, FOUND_UP_TO)) if q.strip() else None
    return Selection(view=view, sort=sort, after=after, found=found)


def context(around: Shell, chosen: Selection, rows: Rows, q: str, here: str) -> dict[str, Any]:
    """What the list template needs, beside a ticket and alone."""
    suffix = f"?view={chosen.view}"
    more = f"/inbox?view={chosen.view}&sort={chosen.order}&after={rows.next}" if rows.next else ""
    return {
        "rows": rows.rows,
        "drawn": drawn,
        "more": more if not q else "",
        "view": str(chosen.view),
        "sort": str(chosen.order),
        "query": q.strip(),
        "title": say("Search") if q.strip() else title(chosen.view),
        "total": around.frame.counts.views.get(chosen.view) if not q.strip() else len(rows.rows),
        "fragment": f"/inbox/rows?view={chosen.view}&sort={chosen.order}" if not q.strip() else "",
        "suffix": suffix,
        "here": here,
    }


def speak(request: Request, around: Shell) -> None:
    """Before words are chosen outside a template."""
    speech.speak(templating.voice(request, around.frame.house))


@router.get("/")
def start(_: CurrentActor) -> RedirectResponse:
    return go("/inbox")


@router.get("/inbox")
def listed(
    request: Request,
    actor: CurrentActor,
    db: Db,
    view: View = View.MINE,
    sort: Sort | None = None,
    after: Annotated[str, Query(max_length=60)] = "",
    q: Words = "",
) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        chosen = selection(session, view, sort, after, q)
        rows = inbox.rows(session, actor, chosen)
    speak(request, around)
    return shell.page(
        request,
        "inbox/page.html",
        around,
        did=request.query_params.get("did", ""),
        on=request.query_params.get("on", ""),
        sent="",
        other="",
        **context(around, chosen, rows, q, ""),
    )


@router.get("/inbox/rows")
def rows_only(
    request: Request, actor: CurrentActor, db: Db, view: View = View.MINE, sort: Sort | None = None
) -> HTMLResponse:
    """The list as a fragment: what a live screen compares itself with."""
    with db.reading() as session:
        around = shell.load(session, actor)
        chosen = Selection(view=view, sort=sort)
        rows = inbox.rows(session, actor, chosen)
    made = shell.page(request, "inbox/_rows.html", around, **context(around, chosen, rows, "", ""))
    made.headers["X-Count"] = templating.badge(around.frame.counts.views.get(view, 0))
    return made

"""The inbox: views, search, and the rows on their own for screens that follow along."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from app.domain.words import LANGUAGES
from app.services.access import Actor
from app.services.queries import complaints, inbox, surges
from app.services.queries.complaints import Reported
from app.services.queries.inbox import Rows, Selection, Sort, View
from app.services.queries.surges import Alarm
from app.store import search
from app.web import routes, speech, templating
from app.web.deps import CurrentActor, Db
from app.web.pages import listing, shell
from app.web.pages.listing import Listing
from app.web.pages.rows import drawn
from app.web.pages.shell import Shell, go
from app.web.speech import say

router = routes.pages()

Words = Annotated[str, Query(max_length=200)]
FOUND_UP_TO = 200


@dataclass(frozen=True, slots=True)
class Alarms:
    """Topics about which unusually many write, and complaints about our mail."""

    untold: tuple[Alarm, ...] = ()  # that this person has not said they know of
    chosen: Alarm | None = None  # whose inquiries are listed
    complaints: tuple[Reported, ...] = ()


_NO_ALARMS = Alarms()


def alarms(session: Session, actor: Actor, chosen: Alarm | None = None) -> Alarms:
    """What stands above the list."""
    return Alarms(surges.untold(session, actor), chosen, complaints.untold(session))


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


def selected(
    chosen: Listing,
    sort: Sort | None = None,
    after: str = "",
    found: tuple[int, ...] | None = None,
) -> Selection:
    return Selection(
        view=chosen.view,
        sort=sort,
        after=after,
        found=found,
        flag=chosen.flag,
        language=chosen.language,
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Only some of a view: what a press on it leads to."""

    name: str
    icon: str
    to: str
    on: bool
    lang: str = ""


def filters(chosen: Listing) -> list[Filter]:
    return [
        Filter(say("Urgent"), "siren", str(chosen.toggled("urgent")), chosen.flag == "urgent"),
        Filter(
            say("Complaint"),
            "frown",
            str(chosen.toggled("complaint")),
            chosen.flag == "complaint",
        ),
        *(
            Filter(
                speech.LANGUAGES[code],
                "languages",
                str(chosen.toggled(code)),
                chosen.language == code,
                code,
            )
            for code in LANGUAGES
        ),
    ]


def context(
    around: Shell, chosen: Selection, rows: Rows, q: str, here: str, told: Alarms = _NO_ALARMS
) -> dict[str, Any]:
    """What the list template needs, beside a ticket and alone."""
    about, searched = told.chosen, chosen.found is not None
    listed = Listing(chosen.view, chosen.flag, chosen.language)
    which = f"view={listed}&sort={chosen.order}"
    place = f"/surges/{about.id}?" if about else f"/inbox?{which}&"
    more = f"{place}after={rows.next}" if rows.next and not q.strip() else ""
    total = around.frame.counts.views.get(chosen.view) if not listed.narrowed else None
    return {
        "rows": rows.rows,
        "drawn": drawn,
        "more": more,
        "view": str(listed),
        "base": str(chosen.view),
        "filters": filters(listed),
        "narrowed": listed.narrowed,
        "sort": str(chosen.order),
        "query": q.strip(),
        "alarms": told.untold,
        "complaints": told.complaints,
        "title": _called(about) if about else say("Search") if searched else title(chosen.view),
        "total": about.count if about else len(rows.rows) if searched else total,
        "fragment": "" if searched else f"/inbox/rows?{which}",
        "suffix": f"?view={listed}",
        "here": here,
    }


def _called(alarm: Alarm) -> str:
    return templating.label(alarm.names) or say("Topic unsure")


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
    view: listing.InQuery = str(View.MINE),
    sort: Sort | None = None,
    after: Annotated[str, Query(max_length=60)] = "",
    q: Words = "",
) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        told = alarms(session, actor)
        found = tuple(search.find(session, q, FOUND_UP_TO)) if q.strip() else None
        chosen = selected(listing.read(view), sort, after, found)
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
        **context(around, chosen, rows, q, "", told),
    )


@router.get("/inbox/rows")
def rows_only(
    request: Request,
    actor: CurrentActor,
    db: Db,
    view: listing.InQuery = str(View.MINE),
    sort: Sort | None = None,
) -> HTMLResponse:
    """The list as a fragment: what a live screen compares itself with."""
    with db.reading() as session:
        around = shell.load(session, actor)
        chosen = selected(listing.read(view), sort)
        rows = inbox.rows(session, actor, chosen)
    shown = context(around, chosen, rows, "", "")
    made = shell.page(request, "inbox/_rows.html", around, **shown)
    made.headers["X-Count"] = templating.badge(shown["total"] or 0)
    return made

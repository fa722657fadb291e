"""The report card of triage: how good it is, first in sentences, then in figures and plots."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from app.domain.words import TAGS
from app.services.access import Permission, require
from app.services.queries import report as query
from app.web import charts, report_words, routes, speech
from app.web.deps import CurrentActor, Db
from app.web.pages import shell

router = routes.pages("/settings/triage/report")

PERIODS = (30, 90, 365, 0)


@dataclass
class Chosen:
    days: Annotated[int, Query(ge=0, le=3650)] = query.DAYS


@router.get("")
def shown(
    request: Request, actor: CurrentActor, db: Db, chosen: Annotated[Chosen, Depends()]
) -> HTMLResponse:
    require(actor, Permission.ADMIN)
    with db.reading() as session:
        around = shell.load(session, actor)
        found = query.view(session, actor, around.words, chosen.days)
    return shell.page(
        request,
        "settings/triage_report.html",
        around,
        report=found,
        heads=list(TAGS),
        chosen=chosen,
        periods=PERIODS,
        charts=charts,
        wording=report_words,
        tongue=speech.tongue,
        date_of=speech.date_of,
    )

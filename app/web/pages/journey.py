"""The touchpoint map, and what stands behind one of its cells."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from app.domain.journey import Cell, Map
from app.services.queries import inbox, journey
from app.services.queries.inbox import Selection
from app.services.queries.journey import Scope
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import shell

router = routes.pages("/map")

PERIODS = (30, 90, 365, 0)


@dataclass
class Chosen:
    days: Annotated[int, Query(ge=0, le=3650)] = 90
    channel: Annotated[str, Query(max_length=40)] = ""

    @property
    def scope(self) -> Scope:
        return Scope(self.days, self.channel)


Choice = Annotated[Chosen, Depends()]


@router.get("")
def shown(request: Request, actor: CurrentActor, db: Db, chosen: Choice) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        found = journey.map(session, actor, around.words, chosen.scope)
    return shell.page(
        request,
        "journey/page.html",
        around,
        map=found,
        chosen=chosen,
        periods=PERIODS,
        cell=None,
        behind=None,
        rows=(),
    )


@router.get("/cell")
def behind(
    request: Request, actor: CurrentActor, db: Db, chosen: Choice, stage: str, segment: str
) -> HTMLResponse:
    """The map with one cell open beside it: its inquiries and what customers said."""
    with db.reading() as session:
        around = shell.load(session, actor)
        found = journey.map(session, actor, around.words, chosen.scope)
        inside = journey.cell(session, actor, around.words, chosen.scope, (stage, segment))
        wanted = Selection(found=inside.ticket_ids)
        rows = inbox.rows(session, actor, wanted).rows if inside.ticket_ids else ()
    return shell.page(
        request,
        "journey/page.html",
        around,
        map=found,
        chosen=chosen,
        periods=PERIODS,
        cell=_cell(found, stage, segment),
        behind=inside,
        rows=rows,
    )


def _cell(found: Map, stage: str, segment: str) -> Cell:
    return next(
        cell
        for line, cells in found.rows
        for cell in cells
        if (cell.column.key, line.key) == (stage, segment)
    )

"""How good triage is, by what people said of it afterwards."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import TypeAdapter

from app.services.queries import report as query
from app.services.queries import vocabulary
from app.services.queries.report import Report
from app.web import routes
from app.web.api.fields import as_json
from app.web.deps import CurrentActor, Db

router = routes.api("triage", "/triage")

_REPORT = TypeAdapter(Report)

Days = Annotated[int, Query(ge=0, le=3650)]


@router.get("/report", response_model=Report)
def report(actor: CurrentActor, db: Db, days: Days = query.DAYS) -> Response:
    """Of each question: what it comes to, and the figures behind it.

    Shares are counts with the 95 % interval in per cent; `null` is a share of nothing.
    """
    with db.reading() as session:
        found = query.view(session, actor, vocabulary.current(session), days)
    return as_json(_REPORT, found)

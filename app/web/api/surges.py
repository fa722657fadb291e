"""Unusually many inquiries about one topic: what goes on, what was, and the inquiries."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import TypeAdapter

from app.services import surges
from app.services.queries import inbox
from app.services.queries import surges as query
from app.services.queries.inbox import Selection
from app.services.queries.surges import Overview
from app.web import routes
from app.web.api.fields import Limit, as_json
from app.web.deps import CurrentActor, Db, Id

router = routes.api("surges", "/surges")

_OVERVIEW = TypeAdapter(Overview)
_ROWS = TypeAdapter(inbox.Rows)


@router.get("", response_model=Overview)
def listed(actor: CurrentActor, db: Db) -> Response:
    """The newest first. Before `begins_at` there are none: too little is known of what is usual."""
    with db.reading() as session:
        found = query.overview(session, actor)
    return as_json(_OVERVIEW, found)


@router.get("/{surge}/tickets", response_model=inbox.Rows)
def tickets(
    surge: Id,
    actor: CurrentActor,
    db: Db,
    after: Annotated[str, Query(max_length=60)] = "",
    limit: Limit = 50,
) -> Response:
    """The newest first, 200 at most. Continue with `after` = `next`."""
    with db.reading() as session:
        found = query.tickets(session, actor, surge)
        chosen = Selection(after=after, found=found, size=limit)
        rows = inbox.rows(session, actor, chosen)
    return as_json(_ROWS, rows)


@router.post("/{surge}/seen", status_code=204)
def seen(surge: Id, actor: CurrentActor, db: Db) -> None:
    """Tell this person no more of it."""
    with db.transaction() as session:
        surges.seen(session, actor, surge)

"""Topics nobody has thought of yet: groups of inquiries without one."""

from fastapi import Response
from pydantic import BaseModel, TypeAdapter

from app.services import proposals
from app.services.queries import proposals as query
from app.services.queries.proposals import Overview
from app.web import routes
from app.web.api.fields import as_json
from app.web.api.topics import Names, TopicOut
from app.web.deps import CurrentActor, Db, Id

router = routes.api("topics", "/topic-proposals")

_OVERVIEW = TypeAdapter(Overview)


class Number(BaseModel):
    """Of inquiries."""

    tickets: int


@router.get("", response_model=Overview)
def listed(actor: CurrentActor, db: Db) -> Response:
    """The largest first, with their most typical inquiries."""
    with db.reading() as session:
        found = query.overview(session, actor)
    return as_json(_OVERVIEW, found)


@router.post("/look", status_code=202)
def look(actor: CurrentActor, db: Db) -> None:
    """Have a worker compare the inquiries without a topic now."""
    with db.transaction() as session:
        proposals.ask(session, actor)


@router.post("/{proposal}/make", status_code=201)
def make(proposal: Id, body: Names, actor: CurrentActor, db: Db) -> TopicOut:
    """Make a topic of it. The inquiries stay as they are."""
    with db.transaction() as session:
        made = proposals.make(session, actor, proposal, body.labels)
    return TopicOut.model_validate(made)


@router.post("/{proposal}/refuse", status_code=204)
def refuse(proposal: Id, actor: CurrentActor, db: Db) -> None:
    """It is none; mostly the same inquiries are not proposed again."""
    with db.transaction() as session:
        proposals.refuse(session, actor, proposal)


@router.post("/{proposal}/take-up", status_code=204)
def take_up(proposal: Id, actor: CurrentActor, db: Db) -> None:
    """It may be one after all."""
    with db.transaction() as session:
        proposals.take_up(session, actor, proposal)


@router.post("/{proposal}/give")
def give(proposal: Id, actor: CurrentActor, db: Db) -> Number:
    """Say of each of its inquiries without a topic that it is about this one."""
    with db.transaction() as session:
        return Number(tickets=proposals.give(session, actor, proposal))


@router.post("/{proposal}/take-back")
def take_back(proposal: Id, actor: CurrentActor, db: Db) -> Number:
    """Undo that, where nobody has said anything since."""
    with db.transaction() as session:
        return Number(tickets=proposals.take_back(session, actor, proposal))

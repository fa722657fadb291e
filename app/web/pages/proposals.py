"""Topics that are proposed: making one, giving it to its inquiries, or saying that it is none."""

from functools import partial

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.services import proposals
from app.web import routes
from app.web.deps import CurrentActor, Db, Id, TheHouse
from app.web.pages import learning
from app.web.pages.learning import NamesForm
from app.web.pages.shell import go

router = routes.pages("/settings/triage/proposals")

_PAGE = "/settings/triage"


@router.post("/look")
def look(actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        proposals.ask(session, actor)
    return go(_PAGE, did="looking")


@router.post("/{proposal}/make")
def make(
    request: Request, proposal: Id, actor: CurrentActor, house: TheHouse, names: NamesForm
) -> Response:
    make_it = partial(proposals.make, number=proposal, labels=names.labels)
    return learning.do(request, house, actor, make_it)


@router.post("/{proposal}/refuse")
def refuse(proposal: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        proposals.refuse(session, actor, proposal)
    return go(_PAGE, did="refused", on=str(proposal))


@router.post("/{proposal}/take-up")
def take_up(proposal: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        proposals.take_up(session, actor, proposal)
    return go(_PAGE, did="saved")


@router.post("/{proposal}/give")
def give(proposal: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        proposals.give(session, actor, proposal)
    return go(_PAGE, did="given", on=str(proposal))


@router.post("/{proposal}/take-back")
def take_back(proposal: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        proposals.take_back(session, actor, proposal)
    return go(_PAGE, did="saved")

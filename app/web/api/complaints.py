"""Complaints about our mail: who reported it as spam, and putting the notice away."""

from app.services import complaints
from app.services.queries import complaints as query
from app.services.queries.complaints import Reported
from app.web import routes
from app.web.deps import CurrentActor, Db, Id

router = routes.api("complaints", "/complaints")


@router.get("")
def listed(actor: CurrentActor, db: Db) -> list[Reported]:
    """The newest first, 100 at most."""
    with db.reading() as session:
        return list(query.listed(session, actor))


@router.post("/{complaint}/noted", status_code=204)
def noted(complaint: Id, actor: CurrentActor, db: Db) -> None:
    """Tell nobody of it any more."""
    with db.transaction() as session:
        complaints.note(session, actor, complaint)

"""Saying that one knows of a complaint about our mail."""

from fastapi.responses import RedirectResponse

from app.services import complaints
from app.web import routes
from app.web.deps import CurrentActor, Db, Id
from app.web.pages import listing
from app.web.pages.shell import go

router = routes.pages("/complaints")


@router.post("/{complaint}/noted")
def noted(
    complaint: Id, actor: CurrentActor, db: Db, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        complaints.note(session, actor, complaint)
    return go("/inbox", view=view)

"""Somebody has corrected why an inbox could not send, and says so."""

from sqlmodel import Session

from app.core.errors import Conflict, NotFound
from app.services import changes, pauses
from app.services.access import Actor, Permission, require
from app.store.tables import Inbox


def try_again(session: Session, actor: Actor, inbox_id: int) -> None:
    """One message is tried at once; if it leaves, all that waited do."""
    require(actor, Permission.ADMIN)
    inbox = session.get(Inbox, inbox_id, with_for_update={"key_share": True})
    if inbox is None:
        raise NotFound("There is no such inbox.")
    if inbox.out_paused_until is None:
        raise Conflict("This inbox sends.")
    pauses.try_now(session, inbox)
    changes.record(session, actor, None, "sending_tried_again", inbox=inbox.id)

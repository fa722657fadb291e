"""Somebody has corrected why an inbox could not send, and says so."""

from sqlmodel import Session

from app.core.errors import Conflict
from app.services import access, changes, pauses
from app.services.access import Actor


def try_again(session: Session, actor: Actor, inbox_id: int) -> None:
    """One message is tried at once; if it leaves, all that waited do."""
    inbox = access.inbox(session, actor, inbox_id, locked=True)
    if inbox.out_paused_until is None:
        raise Conflict("This inbox sends.")
    pauses.try_now(session, inbox)
    changes.record(session, actor, None, "sending_tried_again", inbox=inbox.id)

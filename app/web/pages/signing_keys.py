"""The keys that an inbox signs its mail with: made here, and never shown."""

from fastapi.responses import RedirectResponse

from app.core.errors import Conflict
from app.services import access, inboxes
from app.web import routes
from app.web.deps import CurrentActor, Id, TheHouse
from app.web.pages.inboxes import channel_of
from app.web.pages.shell import go
from channels.contract import Signs

router = routes.pages("/settings/inboxes/{inbox_id}/signing-key")


@router.post("")
def make(inbox_id: Id, kind: str, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        inbox = access.inbox(session, actor, inbox_id)
        channel = channel_of(inbox.kind)
        if not isinstance(channel, Signs):
            raise Conflict("This channel signs nothing.")
        inboxes.make_key(session, actor, house.keys, inbox_id, channel, kind)
    return go(f"/settings/inboxes/{inbox_id}#signing-key")

"""How fetching begins: what is on the server already and not wanted is noted, not fetched."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.core import clock
from app.services import ledger
from app.store.tables import Inbox
from app.worker.works import Works
from channels.contract import Identity, Mailbox, Recognises, ServerId

AT_ONCE = 500  # asked in one go what they are


async def begin(
    works: Works, inbox: Inbox, box: Mailbox, place: str, back: timedelta | None
) -> None:
    """At a place that is new to the inbox; `back` is how far back mail is wanted, None for all."""
    now, only_new = clock.now(), back == timedelta(0)
    since = None if back is None else now - back
    if since and inbox.started:  # what came while it looked elsewhere, or at nothing, is not lost
        since = min(since, ledger.seen_until(inbox, place))
    there = await box.list(None) if only_new else ()
    unwanted: dict[ServerId, str] = dict.fromkeys(there, "")
    if since and isinstance(box, Recognises):
        older = await box.older(since - ledger.NEAR)
        near = await _near(box, older, await box.older(since + ledger.NEAR))
        if inbox.started or not only_new:
            unwanted = dict.fromkeys(older, "")
            near = {item: known for item, known in near.items() if _came_before(known, since)}
        else:  # what has come since the list was asked for is new
            near = {item: known for item, known in near.items() if item in unwanted}
        unwanted |= {item: known.key for item, known in near.items()}
    first = next((item for item in there if item not in unwanted), None)
    old = [ServerId(first.scope, first.number - 1)] if first else there[-1:]
    up_to = old[-1].number if old else 0
    rows = [item for item, key in unwanted.items() if key or item.number > up_to]
    for at in range(0, len(rows), AT_ONCE):
        some = {item: unwanted[item] for item in rows[at : at + AT_ONCE]}
        await works.in_transaction(ledger.skip, inbox.id, some)
    await works.in_transaction(ledger.start, inbox.id, old, place=place, since=since)


async def _near(
    box: Recognises, older: Sequence[ServerId], up_to: Sequence[ServerId]
) -> Mapping[ServerId, Identity]:
    """What came about the day from which on mail is wanted: there, days are not exact enough."""
    before = set(older)
    items = [item for item in up_to if item not in before]
    found: dict[ServerId, Identity] = {}
    for at in range(0, len(items), AT_ONCE):
        found |= await box.identities(items[at : at + AT_ONCE])
    return found


def _came_before(known: Identity, since: datetime) -> bool:
    return known.received_at is not None and known.received_at < since

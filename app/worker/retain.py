"""Deletes raw sources whose time is over, a few at a time."""

import asyncio
import logging

from app.services import retention
from app.worker.works import Works

log = logging.getLogger(__name__)


async def retain(works: Works, after: str) -> str:
    """One step of it; where the next one goes on."""
    after = await works.in_transaction(retention.step, after)
    await asyncio.to_thread(_remove, works)
    return after


def _remove(works: Works) -> None:
    """Take off the disk what no row names any more.

    Whoever came to name a file since has put it there of late, and then it is not removed.
    """
    with works.database.reading() as session:
        names = retention.dropped(session)
        needed = retention.named(session, names)
    over = [name for name in names if name in needed or _removed(works, name)]
    if over:
        works.do(retention.forget, over)


def _removed(works: Works, name: str) -> bool:
    try:
        return works.blobs.remove(name)
    except OSError as problem:
        # One file that cannot go keeps no other; it is tried again with the next step.
        log.warning("a file cannot be removed", extra={"file": name, "reason": str(problem)})
        return False

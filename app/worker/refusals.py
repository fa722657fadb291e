"""Accounts that were refused are left in peace, by every worker and after every restart.

Providers lock an account after a few refused sign-ins within minutes, and some refuse a good
password while they have trouble of their own. So it is tried again, but once an hour, which locks
nobody out; a change of the inbox's settings, or saving them as they are, ends the wait.
"""

import hashlib
from datetime import timedelta

from sqlmodel import Session, select

from app.core import clock
from app.services import leases
from app.store.tables import Inbox, Lease
from app.worker.works import Works

WAIT = timedelta(hours=1)


def note(session: Session, inbox_id: int, words: str) -> None:
    """Nobody knocks with these settings until the wait is over."""
    inbox = session.get_one(Inbox, inbox_id)
    inbox.last_in_error = words
    session.add(inbox)
    leases.take(session, _name(inbox), "refused", WAIT)


def seconds_left(works: Works, inbox_id: int) -> float:
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
        lease = session.exec(select(Lease).where(Lease.name == _name(inbox))).one_or_none()
    return max(0.0, (lease.until - clock.now()).total_seconds()) if lease else 0.0


def _name(inbox: Inbox) -> str:
    # Sealing gives other bytes each time, so that settings saved again are new ones.
    return f"refused {inbox.id} {hashlib.sha256(inbox.sealed_config).hexdigest()[:16]}"

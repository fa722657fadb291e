"""What came in, newest first: where each arrival stands and why."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.words import ArrivalState
from app.services.access import Actor, Permission, require
from app.services.forwarding import FROM_US
from app.store.tables import Arrival, Inbox


@dataclass(frozen=True, slots=True)
class Came:
    id: int
    inbox_id: int
    inbox: str
    channel: str
    external_id: str
    state: ArrivalState
    reason: str
    size: int
    sha256: str
    attempts: int
    received_at: datetime
    next_at: datetime | None
    raw_deleted_at: datetime | None  # its time to be kept was over
    sender: str  # of what is set aside, as far as it could be read
    subject: str
    sent_at: datetime | None

    @property
    def kept(self) -> bool:
        """Whether its raw bytes are here."""
        return bool(self.sha256)

    @property
    def by_us(self) -> bool:
        """Whether it could be read, and only who sent it speaks against it."""
        return self.reason == FROM_US


def listed(
    session: Session, actor: Actor, state: ArrivalState | None, before: int | None, limit: int
) -> tuple[Came, ...]:
    """At most `limit`, those with an id below `before`; one statement."""
    require(actor, Permission.READ)
    wanted = sql_select(Arrival, col(Inbox.name), col(Inbox.kind)).join(
        Inbox, col(Inbox.id) == col(Arrival.inbox_id)
    )
    if state is not None:
        wanted = wanted.where(col(Arrival.state) == state)
    if before is not None:
        wanted = wanted.where(col(Arrival.id) < before)
    found = session.execute(wanted.order_by(col(Arrival.id).desc()).limit(limit)).all()
    return tuple(_came(arrival, name, kind) for arrival, name, kind in found)


def one(session: Session, actor: Actor, arrival_id: int) -> Came:
    require(actor, Permission.READ)
    arrival = session.get(Arrival, arrival_id)
    if arrival is None:
        raise NotFound("There is no such arrival.")
    inbox = session.get_one(Inbox, arrival.inbox_id)
    return _came(arrival, inbox.name, inbox.kind)


def _came(arrival: Arrival, inbox: str, kind: str) -> Came:
    said = arrival.glance or {}
    name, address = said.get("name", ""), said.get("address", "")
    return Came(
        id=arrival.id,
        inbox_id=arrival.inbox_id,
        inbox=inbox,
        channel=kind,
        external_id=arrival.external_id,
        state=arrival.state,
        reason=arrival.reason,
        size=arrival.size,
        sha256=arrival.sha256,
        attempts=arrival.attempts,
        received_at=arrival.received_at,
        next_at=arrival.next_at,
        raw_deleted_at=arrival.raw_deleted_at,
        sender=f"{name} <{address}>" if name else address,
        subject=said.get("subject", ""),
        sent_at=datetime.fromisoformat(said["sent_at"]) if said else None,
    )

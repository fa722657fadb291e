"""Arrivals a person must look at, and where their raw source is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.words import ArrivalState
from app.services.access import Actor, Permission, require
from app.store.tables import Arrival, Inbox

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    inbox: str
    channel: str
    received_at: datetime
    size: int
    reason: str
    attempts: int
    kept: bool  # whether its raw bytes are here


def set_aside(session: Session, actor: Actor) -> tuple[Row, ...]:
    require(actor, Permission.READ)
    found = session.execute(
        sql_select(Arrival, col(Inbox.name), col(Inbox.kind))
        .join(Inbox, col(Inbox.id) == col(Arrival.inbox_id))
        .where(col(Arrival.state) == ArrivalState.SET_ASIDE)
        .order_by(col(Arrival.id).desc())
        .limit(SHOWN)
    )
    return tuple(_row(*columns) for columns in found)


def one(session: Session, actor: Actor, arrival_id: int) -> Row:
    """One that is set aside."""
    require(actor, Permission.REPLY)
    row = session.get(Arrival, arrival_id)
    if row is None or row.state is not ArrivalState.SET_ASIDE:
        raise NotFound("Nothing of this kind is set aside.")
    inbox = session.get_one(Inbox, row.inbox_id)
    return _row(row, inbox.name, inbox.kind)


def _row(row: Arrival, inbox: str, kind: str) -> Row:
    return Row(
        id=row.id,
        inbox=inbox,
        channel=kind,
        received_at=row.received_at,
        size=row.size,
        reason=row.reason,
        attempts=row.attempts,
        kept=bool(row.sha256),
    )


def source(session: Session, actor: Actor, arrival_id: int) -> str:
    """The hash of the raw bytes. Only for administrators: it is everything, unread. What is set
    aside waits for somebody to decide, who must see it."""
    row = session.get(Arrival, arrival_id)
    decides = row is not None and row.state is ArrivalState.SET_ASIDE
    require(actor, Permission.REPLY if decides else Permission.ADMIN)
    if row is None or not row.sha256:
        raise NotFound("The raw source of this arrival is not here.")
    return row.sha256

"""Who reported our mail as spam, and about which message."""

from dataclasses import dataclass
from datetime import datetime
from itertools import starmap

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.services.access import Actor, Permission, require
from app.store.tables import Complaint, Delivery, Message, Ticket

_AT_ONCE = 3  # notices above the inbox; the next one follows when one is put away
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Reported:
    id: int
    recipient: str
    at: datetime
    noted_at: datetime | None
    ticket_ref: str
    subject: str
    language: str
    message_id: int


# Made once: every page of the inbox asks this.
_ALL = (
    sql_select(
        col(Complaint.id), col(Delivery.recipient), col(Complaint.at), col(Complaint.noted_at),
        col(Ticket.ref), col(Ticket.subject), col(Ticket.language), col(Message.id),
    )
    .join(Delivery, col(Delivery.id) == col(Complaint.delivery_id))
    .join(Message, col(Message.id) == col(Delivery.message_id))
    .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
    .order_by(col(Complaint.id).desc())
)  # fmt: skip
_UNTOLD = _ALL.where(col(Complaint.noted_at).is_(None)).limit(_AT_ONCE)
_NEWEST = _ALL.limit(_LISTED)


def untold(session: Session) -> tuple[Reported, ...]:
    """What nobody has said they know of, the newest of it."""
    return tuple(starmap(Reported, session.connection().execute(_UNTOLD)))


def listed(session: Session, actor: Actor) -> tuple[Reported, ...]:
    """The newest first, also those that were put away."""
    require(actor, Permission.READ)
    return tuple(starmap(Reported, session.connection().execute(_NEWEST)))

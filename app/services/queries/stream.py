"""Changes in the order of their ids, for screens that follow along."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.store.tables import Change, Ticket

AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Moved:
    change: int
    ticket: str | None  # its reference; None when it was about no ticket
    what: str


def newest(session: Session) -> int:
    """The id a screen drawn now has seen everything up to."""
    return session.exec(select(func.max(Change.id))).one() or 0


def since(session: Session, last: int, missing: Collection[int] = ()) -> tuple[Moved, ...]:
    """At most AT_MOST changes after `last`, and those of `missing` that are there by now.

    With several writers an id may be committed after a larger one: its number is missing for a
    moment.
    """
    after = col(Change.id) > last
    wanted = or_(after, col(Change.id).in_(missing)) if missing else after
    found = session.execute(
        sql_select(col(Change.id), col(Ticket.ref), col(Change.what))
        .outerjoin(Ticket, col(Ticket.id) == col(Change.ticket_id))
        .where(wanted)
        .order_by(col(Change.id))
        .limit(AT_MOST)
    )
    return tuple(Moved(*row) for row in found)

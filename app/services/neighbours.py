"""Tickets beside each other: what means nearly the same, and what is nearly the same text.

Found by a worker after a ticket was tagged, among those before it; a screen reads them both ways.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.text import inquiry
from app.domain.words import NO_INQUIRY, ArrivalState
from app.store import inserting
from app.store.tables import Arrival, Meaning, Message, Neighbour, Ticket

SHELF = 5_000  # newest tickets that a new one is compared with
AT_ONCE = 50
MANY = 100  # unfiled arrivals
COPIED_WITHIN = timedelta(days=14)  # the same text a season later is another inquiry
_TEXT = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket with the vector of its first words."""

    id: int
    ticket_id: int
    message_id: int
    space: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """What decides whether a ticket is shown beside another one."""

    answered: bool
    lately: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one ticket: how like it others are, and of which it is a copy."""

    ticket_id: int
    others: Mapping[int, float]
    copies: Collection[int] = ()


_KNOWN = (
    col(Meaning.id),
    col(Meaning.ticket_id),
    col(Meaning.message_id),
    col(Meaning.space),
    col(Meaning.vector),
)


def waiting(session: Session) -> bool:
    """Whether something was tagged that nothing was compared with yet.

    Not while many wait to be filed: comparing takes as long as filing, and nobody reads them yet.
    """
    found = select(Meaning.id).where(col(Meaning.compared_at).is_(None)).limit(1)
    unfiled = select(Arrival.id).where(Arrival.state == ArrivalState.WAITING)
    return (
        session.exec(found).first() is not None
        and session.exec(unfiled.offset(MANY).limit(1)).first() is None
    )


def uncompared(session: Session) -> list[Known]:
    """Some of them, oldest first."""
    chosen = select(*_KNOWN).where(col(Meaning.compared_at).is_(None))  # type: ignore[call-overload]
    rows = session.execute(chosen.order_by(col(Meaning.id)).limit(AT_ONCE))
    return [Known(*row) for row in rows]


def shelf(session: Session) -> list[Known]:
    """The newest, which later ones are compared with."""
    rows = session.execute(select(*_KNOWN).order_by(col(Meaning.id).desc()).limit(SHELF))  # type: ignore[call-overload]
    return [Known(*row) for row in rows]


def sides(session: Session, ticket_ids: Collection[int]) -> dict[int, Side]:
    """Of those among these tickets that are inquiries of real people."""
    since = clock.now() - COPIED_WITHIN
    rows = session.execute(
        select(
            col(Ticket.id),
            col(Ticket.first_responded_at).is_not(None),
            col(Ticket.created_at) >= since,
        ).where(
            col(Ticket.id).in_(ticket_ids),
            col(Ticket.status).not_in(NO_INQUIRY),
            col(Ticket.sample).is_(False),
        )
    )
    return {ticket_id: Side(bool(answered), bool(lately)) for ticket_id, answered, lately in rows}


def texts(session: Session, message_ids: Collection[int]) -> dict[int, str]:
    """The beginning of what was said, by message."""
    rows = session.execute(
        select(
            col(Message.id),
            func.substr(col(Message.reply_text), 1, _TEXT),
            func.substr(col(Message.text), 1, _TEXT),
        ).where(col(Message.id).in_(message_ids))
    )
    return {message_id: inquiry(new, whole) for message_id, new, whole in rows}


def keep(session: Session, found: Sequence[Found]) -> None:
    """Remember what was found, unless somebody else was quicker."""
    wanted = {one.ticket_id for one in found} | {other for one in found for other in one.copies}
    there = select(Meaning).where(col(Meaning.ticket_id).in_(wanted))
    rows = session.exec(there.order_by(col(Meaning.id)).with_for_update(key_share=True)).all()
    known = {row.ticket_id: row for row in rows}
    others = {other for one in found for other in one.others}
    alive = set(session.exec(select(Ticket.id).where(col(Ticket.id).in_(others))))
    pairs: list[Neighbour] = []
    for one in found:
        mine = known.get(one.ticket_id)
        if mine is None or mine.compared_at is not None:
            continue
        mine.compared_at = clock.now()
        pairs += [
            Neighbour(ticket_id=one.ticket_id, other_id=other, likeness=likeness)
            for other, likeness in one.others.items()
            if other in alive
        ]
        _number(session, mine, [known[other] for other in one.copies if other in known])
    inserting.unless_there(session, pairs)


def _number(session: Session, mine: Meaning, copies: Sequence[Meaning]) -> None:
    """Copies of one text share a number; where two sorts turn out to be one, they do as well."""
    if not copies:
        return
    numbers = sorted({row.alike for row in copies if row.alike is not None})
    number = numbers[0] if numbers else min(row.id for row in copies)
    for row in (mine, *copies):
        row.alike = number
    session.flush()
    if numbers[1:]:
        session.execute(
            update(Meaning).where(col(Meaning.alike).in_(numbers[1:])).values(alike=number)
        )

"""Arrivals a person must look at, and where their raw source is."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.core.errors import NotFound
from app.domain.words import ArrivalState
from app.services.access import Actor, Permission, require
from app.services.forwarding import FROM_US
from app.services.queries import intake
from app.services.queries.intake import Came
from app.store.tables import Arrival

SHOWN = 100


def set_aside(session: Session, actor: Actor) -> tuple[Came, ...]:
    return intake.listed(session, actor, ArrivalState.SET_ASIDE, None, SHOWN)


def one(session: Session, actor: Actor, arrival_id: int) -> Came:
    """One that is set aside."""
    require(actor, Permission.REPLY)
    row = session.get(Arrival, arrival_id)
    if row is None or row.state is not ArrivalState.SET_ASIDE:
        raise NotFound("Nothing of this kind is set aside.")
    return intake.one(session, actor, arrival_id)


def source(session: Session, actor: Actor, arrival_id: int) -> str:
    """The hash of the raw bytes. Only for administrators: it is everything, unread. What is set
    aside waits for somebody to decide, who must see it."""
    row = session.get(Arrival, arrival_id)
    decides = row is not None and row.state is ArrivalState.SET_ASIDE
    require(actor, Permission.REPLY if decides else Permission.ADMIN)
    if row is not None and row.raw_deleted_at is not None:
        raise NotFound(f"The raw source was deleted on {row.raw_deleted_at:%Y-%m-%d}.")
    if row is None or not row.sha256:
        raise NotFound("The raw source of this arrival is not here.")
    return row.sha256


@dataclass(frozen=True, slots=True)
class Ours:
    """What waits because an address of ours sent it."""

    number: int
    through: int  # the last of them


def ours(session: Session) -> Ours:
    waiting = (Arrival.state == ArrivalState.SET_ASIDE, Arrival.reason == FROM_US)
    number, last = session.exec(
        select(func.count(col(Arrival.id)), func.max(Arrival.id)).where(*waiting)
    ).one()
    return Ours(number, last or 0)

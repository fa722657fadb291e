"""Moving in: what an installation does with rows that were brought from a backup."""

from sqlmodel import Session, SQLModel, col, select

from app.core import clock
from app.domain.words import DeliveryState
from app.services import indexing
from app.services.access import SYSTEM
from app.services.changes import record
from app.services.upkeep import SILENT
from app.store import backup
from app.store.backup import Archive
from app.store.tables import Agent, Arrival, Customer, Delivery, Organisation, Ticket, Worker
from channels.contract import Phase

_SIGNS_OF_LIFE: tuple[tuple[type[SQLModel], str], ...] = (
    (Organisation, "an organisation"),
    (Agent, "accounts"),
    (Arrival, "arrivals"),
    (Customer, "customers"),
    (Ticket, "tickets"),
)


def lives_here(session: Session) -> str:
    """What a restore would replace, in words; "" in an installation nobody has used yet."""
    there = [
        words
        for table, words in _SIGNS_OF_LIFE
        if session.exec(select(table).limit(1)).first() is not None
    ]
    return ", ".join(there)


def working(session: Session) -> str:
    """The name of a worker that says it is alive, or ""."""
    return (
        session.exec(
            select(Worker.name).where(col(Worker.seen_at) > clock.now() - SILENT).limit(1)
        ).first()
        or ""
    )


def move_in(session: Session, archive: Archive, *, go_on: bool) -> int:
    """Put the archive in the place of everything here; how many deliveries are held.

    What waited to be sent when the backup was made may have been sent since: unless `go_on` says
    that the other installation did nothing after it, a person decides about each.
    """
    backup.load(session, archive)
    last, done = 0, 1
    while done:
        done, last = indexing.reindex(session, last)
    held = _hold(session, archive.manifest.made_at, go_on=go_on)
    record(session, SYSTEM, None, "restored", made_at=archive.manifest.made_at, held=held)
    return held


def _hold(session: Session, made_at: str, *, go_on: bool) -> int:
    waiting = [DeliveryState.QUEUED, DeliveryState.RETRY, DeliveryState.SENDING]
    held = 0
    for delivery in session.exec(select(Delivery).where(col(Delivery.state).in_(waiting))):
        if delivery.state is DeliveryState.SENDING and delivery.phase == Phase.AMBIGUOUS:
            delivery.state = DeliveryState.IN_DOUBT
            delivery.words = "It was being handed over when the backup was made."
        elif go_on:
            delivery.state = DeliveryState.QUEUED
        else:
            delivery.state = DeliveryState.HELD
            delivery.words = f"From a backup of {made_at[:16]}: it may have been sent since."
            held += 1
        delivery.next_at = clock.now() if delivery.state is DeliveryState.QUEUED else None
        delivery.held_by, delivery.changed_at = "", clock.now()
        session.add(delivery)
    return held

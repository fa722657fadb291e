"""How much waits: figures for monitoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import ArrivalState, DeliveryState, Status
from app.store import jobs
from app.store.tables import Arrival, Delivery, Folder, Inbox, LedgerRow, Ticket


@dataclass(frozen=True, slots=True)
class Workload:
    tickets: Mapping[Status, int]
    deliveries: Mapping[DeliveryState, int]
    jobs: int
    arrival_age: float  # seconds the oldest arrival has been waiting
    delivery_age: float  # seconds the oldest due delivery is late
    aside_age: float  # seconds the oldest set-aside arrival has been waiting for a person
    not_fetched: int
    fetch_ages: Mapping[int, float]  # inbox → seconds since its server answered, or it was made
    unexplained: Mapping[int, int]  # inbox → mails on the server that the ledger lacks
    reconnects: Mapping[int, int]  # inbox → times its server had to be connected to again


def view(session: Session) -> Workload:
    by_status = sql_select(col(Ticket.status), func.count()).group_by(col(Ticket.status))
    tickets = dict(session.execute(by_status).all())
    by_state = sql_select(col(Delivery.state), func.count()).group_by(col(Delivery.state))
    deliveries = dict(session.execute(by_state).all())
    oldest = session.exec(
        select(func.min(Arrival.received_at)).where(Arrival.state == ArrivalState.WAITING)
    ).one()
    latest = session.exec(
        select(func.min(Delivery.next_at)).where(
            col(Delivery.state).in_((DeliveryState.QUEUED, DeliveryState.RETRY))
        )
    ).one()
    aside = session.exec(
        select(func.min(Arrival.received_at)).where(Arrival.state == ArrivalState.SET_ASIDE)
    ).one()
    withheld = session.exec(
        select(func.count()).select_from(LedgerRow).where(col(LedgerRow.next_at).is_not(None))
    ).one()
    looks = session.exec(
        select(
            Inbox.id,
            func.coalesce(Inbox.looked_at, Inbox.started_at, Inbox.created_at),
            func.coalesce(func.sum(Folder.not_explained), 0),
            Inbox.reconnects,
        )
        .outerjoin(Folder, col(Folder.inbox_id) == col(Inbox.id))
        .where(
            col(Inbox.enabled).is_(True),
            # What fetches nothing has never been answered, nor been told why not.
            col(Inbox.looked_at).is_not(None) | (Inbox.last_in_error != ""),
        )
        .group_by(col(Inbox.id))
    ).all()
    return Workload(
        tickets={status: tickets.get(status, 0) for status in Status},
        deliveries={state: deliveries.get(state, 0) for state in DeliveryState},
        jobs=jobs.waiting(session),
        arrival_age=_age(oldest),
        delivery_age=_age(latest),
        aside_age=_age(aside),
        not_fetched=withheld,
        fetch_ages={inbox_id: _age(at) for inbox_id, at, _, _ in looks},
        unexplained={inbox_id: count for inbox_id, _, count, _ in looks},
        reconnects={inbox_id: count for inbox_id, _, _, count in looks},
    )


def _age(since: datetime | None) -> float:
    return max(0.0, (clock.now() - since).total_seconds()) if since else 0.0

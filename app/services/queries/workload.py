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
from app.store.tables import Arrival, Delivery, Ticket


@dataclass(frozen=True, slots=True)
class Workload:
    tickets: Mapping[Status, int]
    deliveries: Mapping[DeliveryState, int]
    jobs: int
    arrival_age: float  # seconds the oldest arrival has been waiting
    delivery_age: float  # seconds the oldest due delivery is late


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
    return Workload(
        tickets={status: tickets.get(status, 0) for status in Status},
        deliveries={state: deliveries.get(state, 0) for state in DeliveryState},
        jobs=jobs.waiting(session),
        arrival_age=_age(oldest),
        delivery_age=_age(latest),
    )


def _age(since: datetime | None) -> float:
    return max(0.0, (clock.now() - since).total_seconds()) if since else 0.0

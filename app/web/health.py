"""Whether the process lives, whether it can work, and figures for a monitoring system."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel
from sqlmodel import Session
from starlette.exceptions import HTTPException

from app.core.errors import Invalid
from app.services.access import SYSTEM
from app.services.queries import balance, surges, workload
from app.store import schema
from app.web.deps import Db, SignInNeeded
from app.web.origin import is_this_machine

router = APIRouter()


class Health(BaseModel):
    status: str


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """The process answers; nothing else was asked."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz")
def readyz(db: Db) -> Health:
    """The database answers and has the tables of this program. 503 otherwise."""
    try:
        schema.check_current(db)
    except Invalid as error:
        raise HTTPException(503) from error
    return Health(status="ok")


async def _may_measure(request: Request) -> None:
    if request.state.actor is None and not is_this_machine(request):
        raise SignInNeeded


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(
    db: Db, request: Request, _allowed: Annotated[None, Depends(_may_measure)]
) -> PlainTextResponse:
    """For Prometheus, computed as it asks. With an API key, or from this machine."""
    with db.reading() as session:
        registry = _measured(session)
    Gauge("setten_live_streams", "Open live streams of this process", registry=registry).set(
        request.app.state.live.streams
    )
    return PlainTextResponse(
        generate_latest(registry).decode(), media_type="text/plain; version=0.0.4"
    )


def _measured(session: Session) -> CollectorRegistry:
    registry = CollectorRegistry()
    states = Gauge("setten_arrivals", "What came in, by state", ["state"], registry=registry)
    for state, count in balance.view(session).by_state.items():
        states.labels(state).set(count)
    now = workload.view(session)
    sendings = Gauge("setten_deliveries", "What goes out, by state", ["state"], registry=registry)
    for how, count in now.deliveries.items():
        sendings.labels(how).set(count)
    tickets = Gauge("setten_tickets", "Tickets, by status", ["status"], registry=registry)
    for status, count in now.tickets.items():
        tickets.labels(status).set(count)
    for name, words, value in (
        ("setten_jobs_waiting", "Jobs not done yet", now.jobs),
        ("setten_oldest_arrival_seconds", "Age of the oldest arrival not filed", now.arrival_age),
        ("setten_oldest_delivery_seconds", "How late the latest delivery is", now.delivery_age),
        ("setten_oldest_set_aside_seconds", "Age of the oldest one set aside", now.aside_age),
        ("setten_mails_not_fetched", "Listed by a server and not handed out", now.not_fetched),
    ):
        Gauge(name, words, registry=registry).set(value)
    last = Gauge(
        "setten_fetched_seconds_ago",
        "Since a mailbox was fetched from",
        ["inbox"],
        registry=registry,
    )
    for inbox_id, age in now.fetch_ages.items():
        last.labels(str(inbox_id)).set(age)
    off = Gauge(
        "setten_mails_unexplained", "On the server, not in the ledger", ["inbox"], registry=registry
    )
    for inbox_id, count in now.unexplained.items():
        off.labels(str(inbox_id)).set(count)
    unusual = Gauge(
        "setten_surge_tickets", "Unusually many inquiries, by topic", ["topic"], registry=registry
    )
    for alarm in surges.going_on(session, SYSTEM):
        unusual.labels(alarm.topic or "unsure").set(alarm.count)
    again = Gauge(
        "setten_reconnects",
        "Times a mailbox had to be connected to again",
        ["inbox"],
        registry=registry,
    )
    for inbox_id, count in now.reconnects.items():
        again.labels(str(inbox_id)).set(count)
    return registry

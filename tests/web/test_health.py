"""What a monitoring system asks."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core import clock
from app.domain.words import ArrivalState, DeliveryState, Status
from app.store.database import Database
from app.store.tables import Inbox
from tests.factories import make_ticket
from tests.web.conftest import HERE, Person


def test_process_that_answers_is_alive_without_a_database(client: TestClient, db: Database) -> None:
    with db.transaction() as session:
        session.execute(text("DROP TABLE alembic_version"))

    alive, ready = client.get("/healthz"), client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["error"]) == (503, "busy")


def test_program_with_its_tables_is_ready(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}


def test_figures_are_for_people_we_know_and_for_this_machine(
    app: FastAPI, client: TestClient, ann: Person
) -> None:
    with TestClient(app, base_url=HERE, client=("127.0.0.1", 1)) as here:
        statuses = [
            client.get("/metrics").status_code,
            ann.client.get("/metrics").status_code,
            here.get("/metrics").status_code,
            here.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"}).status_code,
        ]

    assert statuses == [401, 200, 200, 401]


def test_figures_name_every_state(ann: Person, db: Database) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session)
        inbox = session.get_one(Inbox, ticket.inbox_id)
        inbox.looked_at, inbox.reconnects = clock.now(), 3

    lines = ann.client.get("/metrics").text.splitlines()

    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    ago = figures[f'setten_fetched_seconds_ago{{inbox="{inbox.id}"}}']
    assert figures == {
        **{f'setten_arrivals{{state="{state}"}}': "0.0" for state in ArrivalState},
        **{f'setten_deliveries{{state="{state}"}}': "0.0" for state in DeliveryState},
        **{f'setten_tickets{{status="{status}"}}': "0.0" for status in Status},
        'setten_tickets{status="open"}': "1.0",
        "setten_jobs_waiting": "0.0",
        "setten_oldest_arrival_seconds": "0.0",
        "setten_oldest_delivery_seconds": "0.0",
        "setten_oldest_set_aside_seconds": "0.0",
        "setten_mails_not_fetched": "0.0",
        "setten_live_streams": "0.0",
        f'setten_mails_unexplained{{inbox="{inbox.id}"}}': "0.0",
        f'setten_reconnects{{inbox="{inbox.id}"}}': "3.0",
        f'setten_fetched_seconds_ago{{inbox="{inbox.id}"}}': ago,
    }

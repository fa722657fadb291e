"""Administrators say how long raw sources are kept, and tickets say which were deleted."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from app.cli import diagnosis
from app.core import clock
from app.core.settings import Settings
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Arrival, Change, DroppedFile
from tests.factories import make_inbox, make_message, make_ticket
from tests.web.conftest import Person

BODY = b"From: yumi@customers.test\r\n\r\nThe lid."


@pytest.mark.parametrize(
    ("typed", "status", "kept"), [("30", 303, 30), ("", 303, None), ("0", 422, 7), ("4000", 422, 7)]
)
def test_administrators_choose_how_long(
    boss: Person, typed: str, status: int, kept: int | None
) -> None:
    first = boss.client.put("/api/organisation/raw-sources", json={"keep_days": 7}).json()

    answer = boss.client.post("/settings/raw", data={"days": typed})

    after = boss.client.get("/api/organisation").json()
    page = boss.client.get("/settings").text
    field = f'name="days" type="number" min="1" max="3650" value="{kept or ""}"'
    assert (first["keep_raw_days"], answer.status_code, after["keep_raw_days"]) == (7, status, kept)
    assert field in page


def test_nobody_else_does(ann: Person, db: Database) -> None:
    refused = [
        ann.client.post("/settings/raw", data={"days": "1"}).status_code,
        ann.client.put("/api/organisation/raw-sources", json={"keep_days": 1}).status_code,
    ]

    assert refused == [403, 403]
    with db.reading() as session:
        assert session.exec(select(Change).where(Change.what == "raw_rule_changed")).all() == []


def test_ticket_says_what_was_deleted(
    ann: Person, boss: Person, db: Database, blobs: Blobs
) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session)
        there, gone = (
            Arrival(inbox_id=inbox.id, external_id=name, received_at=clock.now(), reason="-")
            for name in ("there", "gone")
        )
        there.sha256 = blobs.put(BODY)
        gone.raw_deleted_at = datetime(2020, 11, 20, 20, tzinfo=UTC)
        session.add_all([there, gone])
        session.flush()
        ticket = make_ticket(session, inbox)
        for one in (there, gone):
            make_message(session, ticket, arrival_id=one.id)
    page = boss.client.get(f"/tickets/{ticket.ref}").text
    source = f"/set-aside/{there.id}/source"
    lost = boss.client.get(f"/api/arrivals/{gone.id}/raw")

    assert page.count("Raw source deleted: 21 Nov 2020, 05:00<") == 1  # in Tokyo
    assert page.count("/source") == page.count(source) == 1
    assert boss.client.get(source).content == BODY
    assert "/source" not in ann.client.get(f"/tickets/{ticket.ref}").text
    assert (lost.status_code, lost.json()["message"]) == (
        404,
        "The raw source was deleted on 2020-11-20.",
    )
    listed = boss.client.get("/api/arrivals").json()
    assert [one["raw_deleted_at"] for one in listed] == ["2020-11-20T20:00:00Z", None]


def test_doctor_tells_of_files_that_cannot_be_removed(db: Database, settings: Settings) -> None:
    with db.transaction() as session:
        session.add(DroppedFile(sha256="0" * 64, at=datetime(2026, 1, 1, tzinfo=UTC)))

    said = [one.words for one in diagnosis.of(settings) if one.bad and "raw" in one.words]

    assert said == [
        (
            "Files of deleted raw sources that are still on the disk: 1. Is a worker running, and "
            "does the disk of the data folder know file locks?"
        )
    ]

"""What belongs together is written together: seen from inside the transaction that writes it."""

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.core.secrets import Keys
from app.services import intake, tickets
from app.services.filing import Understood
from app.services.tickets import Draft
from app.store import jobs, search
from app.store.database import Database
from app.store.tables import Delivery
from tests.inquiries import inquiry, make_desk


def test_a_reply_its_delivery_and_its_job_are_one_act(db: Database, keys: Keys) -> None:
    desk = make_desk(db, keys)
    ticket = desk.ticket()

    with db.transaction() as session:
        before = jobs.waiting(session)
        message = tickets.reply(session, desk.ann, ticket.ref, Draft("Turn it to the left."))
        states = session.exec(select(Delivery.state).where(Delivery.message_id == message.id)).all()
        assert states == ["queued"]
        assert jobs.waiting(session) == before + 1


def test_a_message_can_be_found_from_the_moment_it_is_filed(db: Database, keys: Keys) -> None:
    desk = make_desk(db, keys)
    arrival = desk.kept()

    with db.transaction() as session:
        message = inquiry("The samovar whistles.")
        intake.file(session, keys, arrival.id, [Understood(message)])
        assert len(search.find(session, "samovar", 10)) == 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_sqlite_commit_is_on_the_disk_when_it_returns(db: Database) -> None:
    """Without a flush of the log at every commit a power cut takes back what was promised."""
    with db.transaction() as session:
        connection = session.connection()
        said = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    full = 2
    assert said == [full, "wal", 1]


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"])
def test_a_postgres_commit_is_on_the_disk_when_it_returns(db: Database) -> None:
    with db.transaction() as session:
        said = session.connection().execute(text("SHOW synchronous_commit")).scalar_one()
    assert said == "on"

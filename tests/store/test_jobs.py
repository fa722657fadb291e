"""A job is there if, and only if, the transaction that wrote it is."""

import pytest
from sqlalchemy import text
from sqlmodel import Session

from app.store import jobs
from app.store.database import Database
from app.store.tables import Team


def rows(session: Session) -> list[tuple[str, str]]:
    schema = "" if session.get_bind().dialect.name == "sqlite" else "dbos."
    found = session.connection().execute(
        text(f"SELECT name, queue_name FROM {schema}workflow_status ORDER BY created_at")  # noqa: S608
    )
    return [(name, queue) for name, queue in found]


def test_a_job_is_written_in_the_callers_transaction(db: Database) -> None:
    with db.transaction() as session:
        session.add(Team(name="Shop"))
        jobs.enqueue(session, "deliver", message_id=7)

    with db.reading() as session:
        assert jobs.waiting(session) == 1
        assert rows(session) == [(jobs.WORKFLOW, "outbox")]


def test_a_job_of_a_transaction_that_failed_never_was(db: Database) -> None:
    def fail() -> None:
        with db.transaction() as session:
            jobs.enqueue(session, "deliver", message_id=7)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()

    with db.reading() as session:
        assert jobs.waiting(session) == 0


def test_a_delayed_job_waits(db: Database) -> None:
    with db.transaction() as session:
        jobs.enqueue(session, "ask", delay=3600.0, survey_id=1)

    with db.reading() as session:
        assert jobs.waiting(session) == 1


def test_only_jobs_somebody_does_are_taken(db: Database) -> None:
    with pytest.raises(KeyError), db.transaction() as session:
        jobs.enqueue(session, "dance")


def test_prepare_does_nothing_the_second_time(db: Database) -> None:
    with db.transaction() as session:
        jobs.enqueue(session, "file", inbox_id=1)

    jobs.prepare(db)

    with db.reading() as session:
        assert jobs.waiting(session) == 1


def test_nothing_in_the_database_is_code_to_run() -> None:
    serializer = jobs.serializer()

    assert serializer.name() == "setten_json"
    assert serializer.deserialize(serializer.serialize({"a": [1, "ü"]})) == {"a": [1, "ü"]}
    with pytest.raises(ValueError, match="Expecting value"):
        serializer.deserialize("gASVCgAAAAAAAACMBnNldHRlbpQu")

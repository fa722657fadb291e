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


def test_what_a_worker_that_is_gone_had_begun_counts_no_more(db: Database) -> None:
    with db.transaction() as session:
        for inbox_id in range(3):
            jobs.enqueue(session, "file", inbox_id=inbox_id)
        table = "workflow_status" if db.is_sqlite else "dbos.workflow_status"
        ids = session.connection().execute(text(f"SELECT workflow_uuid FROM {table}")).scalars()  # noqa: S608
        for worker, job in zip(("gone", "here"), list(ids), strict=False):
            session.connection().execute(
                text(
                    f"UPDATE {table} SET status = 'PENDING', executor_id = :worker"  # noqa: S608
                    " WHERE workflow_uuid = :job"
                ),
                {"worker": worker, "job": job},
            )

    assert [jobs.abandon(db, ["here"]), jobs.abandon(db, ["here"])] == [1, 0]

    with db.reading() as session:
        assert jobs.waiting(session) == 2

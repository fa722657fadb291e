"""Finds what is due and has no job: the rows are the truth, jobs only wake them."""

from datetime import timedelta

from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import ArrivalState
from app.services import (
    doubts,
    intake,
    models,
    neighbours,
    occasions,
    outbox,
    pauses,
    proposals,
    receipts,
    resting,
    self_tests,
    sent_copies,
    surveys,
    tagging,
    tickets,
)
from app.store import jobs
from app.store.tables import Arrival, Worker

SILENT = timedelta(seconds=60)  # after this a worker counts as dead, a job as lost

STUCK = timedelta(hours=1)  # no attempt takes that long: whoever made it lost its thread


def reconcile(session: Session, since: timedelta = SILENT) -> int:
    """Wake everything that has been due for `since` without being done; how many were lost."""
    limit = clock.now() - since
    lost = session.exec(
        select(Arrival.inbox_id, Arrival.slow)
        .where(
            Arrival.state == ArrivalState.WAITING,
            (col(Arrival.next_at).is_(None) & (col(Arrival.received_at) < limit))
            | (col(Arrival.next_at) < limit),
        )
        .distinct()
    ).all()
    for inbox_id, slow in lost:
        intake.wake(session, inbox_id, slow=slow)
    messages = outbox.overdue(session, limit)
    for message_id in messages:
        jobs.enqueue(session, "deliver", message_id=message_id)
    tests = self_tests.lost(session, limit)
    for inbox_id in tests:
        jobs.enqueue(session, "self_test", inbox_id=inbox_id)
    copies = sent_copies.overdue(session, limit)
    for inbox_id in copies:
        jobs.enqueue(session, "copy", inbox_id=inbox_id)
    stuck = outbox.recover(session, None, clock.now() - STUCK)
    return len(lost) + len(messages) + len(tests) + stuck  # copies may wait for their turn


def retag(session: Session) -> int:
    """Wake the tagging of tickets that no model has looked at; how many. Only with triage on."""
    lost = tagging.lost(session, clock.now() - SILENT)
    for ticket_id in lost:
        jobs.enqueue(session, "tag", ticket_id=ticket_id)
    return len(lost)


def learn(session: Session) -> None:
    """Have what is new learned and looked at, and show what was tried out. Only with triage on."""
    models.tried(session)
    if occasions.due(session):
        jobs.enqueue(session, "train")
    if proposals.due(session):
        jobs.enqueue(session, "propose")


def tick(session: Session, *, reachable: bool = False) -> None:
    """What happens because time passes, or because customers can open our links by now."""
    tickets.wake_due(session)
    resting.overtaken(session)
    pauses.over(session)
    receipts.send_due(session)
    doubts.answered(session)
    surveys.expire(session)
    for survey_id in surveys.due(session, reachable=reachable):
        jobs.enqueue(session, "ask", survey_id=survey_id)
    if neighbours.waiting(session):
        jobs.enqueue(session, "compare")


def alive(session: Session, worker: str) -> None:
    row = session.exec(select(Worker).where(Worker.name == worker)).one_or_none()
    row = row or Worker(name=worker, seen_at=clock.now())
    row.seen_at = clock.now()
    session.add(row)


def living(session: Session) -> list[str]:
    return list(session.exec(select(Worker.name)).all())


def bury_dead(session: Session) -> list[str]:
    """Take over from workers that stopped saying they are alive; their names."""
    dead = session.exec(
        select(Worker)
        .where(col(Worker.seen_at) < clock.now() - SILENT)
        .with_for_update(skip_locked=True)
    ).all()
    for worker in dead:
        outbox.recover(session, worker.name)
        session.delete(worker)
    return [worker.name for worker in dead]

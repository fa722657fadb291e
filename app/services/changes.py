"""Writes down who changed what; live screens and the audit trail read it."""

from sqlmodel import Session

from app.core import clock
from app.services.access import Actor
from app.store.tables import Change, Ticket


def record(
    session: Session, actor: Actor, ticket: Ticket | None, what: str, **data: object
) -> Change:
    """One change by `actor`. The ticket's row counts as new for every screen that shows it."""
    now = clock.now()
    change = Change(
        at=now,
        ticket_id=ticket.id if ticket else None,
        cause=actor.cause,
        agent_id=actor.agent_id,
        by="" if actor.agent_id else actor.name,
        what=what,
        data=data,
    )
    session.add(change)
    if ticket:
        ticket.version += 1
        session.add(ticket)
    return change

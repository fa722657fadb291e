"""The work a bad rating makes: closed only when the customer was really answered."""

from datetime import timedelta

from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.domain import survey as rules
from app.domain.lifecycle import Move, after
from app.domain.words import FollowUpState, Role, Status
from app.services import changes
from app.services.access import SYSTEM, Actor, Permission, require
from app.store.tables import Agent, Answer, FollowUp, Message, Organisation, Ticket

FIRST_CONTACT = timedelta(days=1)
LIVE = (FollowUpState.OPEN, FollowUpState.CONTACTED)


def open_for(session: Session, ticket: Ticket, answer: Answer) -> FollowUp:
    """Make it somebody's work, once for each request, and reopen the ticket."""
    found = _of_survey(session, answer)
    if found is not None:
        if found.state is FollowUpState.DECLINED:  # corrected to a good rating, and back again
            found.state, found.outcome, found.closed_at = FollowUpState.OPEN, "", None
            session.add(found)
            changes.record(session, SYSTEM, ticket, "follow_up_opened")
        return found
    lead = session.exec(
        select(Agent)
        .where(col(Agent.active).is_(True), col(Agent.role).in_([Role.LEAD, Role.ADMIN]))
        # A lead before an administrator, the oldest first; not only the agent who was rated.
        .order_by(col(Agent.role).desc(), col(Agent.id))
        .limit(1)
    ).one_or_none()
    zone = session.exec(select(Organisation.time_zone)).first() or "UTC"
    now = clock.now()
    made = FollowUp(
        ticket_id=ticket.id,
        answer_id=answer.id,
        owner_id=lead.id if lead else None,
        due_at=rules.when(now, FIRST_CONTACT, zone),
        created_at=now,
    )
    session.add(made)
    if ticket.status is Status.RESOLVED:
        ticket.status = after(ticket.status, Move.REOPEN)
        ticket.resolved_at = None
        ticket.waiting_since = now
        ticket.last_activity_at = now
    changes.record(session, SYSTEM, ticket, "follow_up_opened", owner=lead.name if lead else "")
    return made


def _of_survey(session: Session, answer: Answer) -> FollowUp | None:
    return session.exec(
        select(FollowUp)
        .join(Answer, col(FollowUp.answer_id) == col(Answer.id))
        .where(Answer.survey_id == answer.survey_id)
    ).one_or_none()


def withdraw(session: Session, ticket: Ticket, answer: Answer) -> None:
    """The customer corrected a bad rating to a good one before anybody acted."""
    found = _of_survey(session, answer)
    if found is None or found.state is not FollowUpState.OPEN:
        return
    found.state, found.closed_at = FollowUpState.DECLINED, clock.now()
    found.outcome = "The customer corrected the rating."
    session.add(found)
    changes.record(session, SYSTEM, ticket, "follow_up_withdrawn")


def answered(session: Session, ticket: Ticket, message: Message) -> None:
    """A person's reply reached the customer: that, and only that, counts as contact."""
    if message.automatic or message.agent_id is None:
        return
    for found in session.exec(
        select(FollowUp).where(
            FollowUp.ticket_id == ticket.id,
            FollowUp.state == FollowUpState.OPEN,
            col(FollowUp.created_at) <= message.created_at,
        )
    ):
        found.state, found.contacted_message_id = FollowUpState.CONTACTED, message.id
        session.add(found)
        changes.record(session, SYSTEM, ticket, "follow_up_contacted", message=message.id)


def _live(session: Session, actor: Actor, follow_up_id: int) -> tuple[FollowUp, Ticket]:
    require(actor, Permission.REPLY)
    found = session.get(FollowUp, follow_up_id)
    if found is None:
        raise NotFound("There is no such follow-up.")
    ticket = session.get_one(Ticket, found.ticket_id, with_for_update={"key_share": True})
    session.refresh(found, with_for_update=True)
    if found.state not in LIVE:
        raise Conflict("This follow-up is closed.", state=found.state)
    return found, ticket


def take(session: Session, actor: Actor, follow_up_id: int) -> FollowUp:
    found, ticket = _live(session, actor, follow_up_id)
    found.owner_id = actor.agent_id
    session.add(found)
    changes.record(session, actor, ticket, "follow_up_taken")
    return found


def close(session: Session, actor: Actor, follow_up_id: int, outcome: str) -> FollowUp:
    """Raises `Conflict` until an answer of a person was delivered to the customer."""
    found, ticket = _live(session, actor, follow_up_id)
    require(actor, Permission.LEAD)
    if found.state is not FollowUpState.CONTACTED:
        raise Conflict("Answer the customer first: no reply has reached them since the rating.")
    if not outcome.strip():
        raise Invalid("Say in a few words how it ended.", field="outcome")
    found.state, found.outcome = FollowUpState.RESOLVED, outcome.strip()
    found.closed_at = clock.now()
    session.add(found)
    ticket.last_activity_at = clock.now()
    changes.record(session, actor, ticket, "follow_up_closed", outcome=found.outcome)
    return found

"""Replies that have not left on purpose: for a second thought, or until a chosen moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select

from app.core import clock
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.domain.lifecycle import LONGEST_UNDO, Move, allows
from app.domain.words import DeliveryState, MessageKind, Status, SurveyState
from app.services import access, answering, changes, drafts
from app.services.access import SYSTEM, Actor, Permission
from app.services.withdrawals import PENDING
from app.store import jobs, search
from app.store.tables import (
    Attachment,
    Delivery,
    Inbox,
    Message,
    Participant,
    Resting,
    Survey,
    Ticket,
    Touchpoint,
)

FURTHEST = timedelta(days=365)

_FIELDS = (
    "status",
    "assignee_id",
    "waiting_since",
    "first_responded_at",
    "snoozed_until",
    "resolved_at",
    "last_activity_at",
    "has_files",
)
_MOMENTS = frozenset(name for name in _FIELDS if name.endswith(("_at", "_since", "_until")))
_DUE = (DeliveryState.QUEUED, DeliveryState.RETRY)
_SPOKEN = (MessageKind.INBOUND, MessageKind.CALL)
_STOPPABLE = {DeliveryState.QUEUED, DeliveryState.CANCELLED}


@dataclass(frozen=True, slots=True)
class When:
    """When a reply leaves: at once, after some seconds, or at a moment."""

    undo_seconds: int = 0
    at: datetime | None = None

    def checked(self) -> "When":
        """Raises `Invalid` for a moment that has passed or that nobody means."""
        now = clock.now()
        if not 0 <= self.undo_seconds <= LONGEST_UNDO:
            raise Invalid(f"This must be between 0 and {LONGEST_UNDO}.", field="undo_seconds")
        if self.at is not None and self.at <= now:
            raise Invalid("That moment has passed.", field="send_at")
        if self.at is not None and self.at > now + FURTHEST:
            raise Invalid("That is more than a year away.", field="send_at")
        return self

    @property
    def rests(self) -> bool:
        return self.at is not None or self.undo_seconds > 0

    def leaves(self) -> datetime:
        return self.at or clock.now() + timedelta(seconds=self.undo_seconds)


AT_ONCE = When()


def usual(session: Session, actor: Actor, ref: str) -> When:
    """As its inbox has it, for who did not choose a moment."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    return When(session.get_one(Inbox, ticket.inbox_id).undo_seconds)


def picture(session: Session, ticket: Ticket) -> dict[str, object]:
    """What a reply may change about its ticket, as plain values."""
    speakers = session.exec(select(Participant.id).where(Participant.ticket_id == ticket.id)).all()
    return {
        **{name: _plain(getattr(ticket, name)) for name in _FIELDS},
        "speakers": sorted(speakers),
        "requests": _requests(session, ticket) if ticket.resolved_at is not None else [],
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _requests(session: Session, ticket: Ticket) -> list[object]:
    """Feedback requests that a reply withdraws, with what waits in the outbox for them."""
    found = session.exec(
        select(Survey).where(Survey.ticket_id == ticket.id, col(Survey.state).in_(PENDING))
    ).all()
    return [
        {
            "id": row.id,
            "state": row.state,
            "reason": row.reason,
            "deliveries": [
                [one.id, one.state, one.words, _plain(one.next_at)]
                for one in session.exec(
                    select(Delivery).where(
                        Delivery.message_id == row.message_id,
                        col(Delivery.state).in_([*_DUE, DeliveryState.HELD]),
                    )
                )
            ],
        }
        for row in found
    ]


def rest(
    session: Session, ticket: Ticket, message: Message, when: When, was: dict[str, object]
) -> None:
    """Remember what the ticket was like, for as long as the reply can be taken back."""
    session.add(
        Resting(
            message_id=message.id,
            until=when.leaves(),
            scheduled=when.at is not None,
            was=was,
            became=picture(session, ticket),
        )
    )


def take_back(session: Session, actor: Actor, ref: str, message_id: int) -> Ticket:
    """Before it leaves, a reply is its author's draft again and the ticket what it was.

    Raises `Conflict` when it is too late.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    message = session.get(Message, message_id)
    if message is None or message.ticket_id != ticket.id:
        raise NotFound("There is no such reply. It may have been taken back already.")
    if message.agent_id != actor.agent_id:
        raise NotAllowed("Only who wrote it takes it back. You can withdraw it in the outbox.")
    row = _still_here(session, message)
    if row is None:
        raise Conflict("It has left already.")
    _undo(session, ticket, message, row)
    changes.record(session, actor, ticket, "reply_taken_back", message=message_id)
    return ticket


def _still_here(session: Session, message: Message) -> Resting | None:
    """Locked like its deliveries, so that either a worker has it or nobody."""
    deliveries = session.exec(
        select(Delivery)
        .where(Delivery.message_id == message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if any(one.attempts or one.state not in _STOPPABLE for one in deliveries):
        return None
    return _row(session, message)


def _row(session: Session, message: Message) -> Resting | None:
    return session.exec(
        select(Resting)
        .where(Resting.message_id == message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _undo(session: Session, ticket: Ticket, message: Message, row: Resting) -> None:
    drafts.restore(session, ticket, message)
    _put_back(session, ticket, row)
    ticket.message_count -= 1
    search.remove(session, [message.id])
    session.delete(row)
    session.flush()  # what points to the message goes before it
    for table in (Touchpoint, Attachment, Delivery):
        session.exec(delete(table).where(col(table.message_id) == message.id))
    session.delete(message)
    session.add(ticket)


def _put_back(session: Session, ticket: Ticket, row: Resting) -> None:
    """Whatever nobody has changed since is what it was before."""
    closed_since = row.became["status"] != ticket.status and ticket.status in {
        Status.RESOLVED,
        Status.SPAM,
        Status.DISMISSED,
    }
    names = ("first_responded_at", "has_files") if closed_since else _FIELDS
    for name in names:
        unchanged = _plain(getattr(ticket, name)) == row.became[name]
        # Who waited before goes on waiting since then, even if somebody wrote meanwhile.
        if unchanged or (name == "waiting_since" and row.was[name]):
            setattr(ticket, name, _value(name, row.was[name]))
    added = set(_numbers(row.became["speakers"])) - set(_numbers(row.was["speakers"]))
    wrote = exists().where(
        col(Message.ticket_id) == ticket.id,
        col(Message.address_id) == col(Participant.address_id),
    )
    session.exec(delete(Participant).where(col(Participant.id).in_(added), ~wrote))
    if ticket.resolved_at is not None and not closed_since:
        for request in _list(row.was["requests"]):
            _ask_after_all(session, request)


def _value(name: str, plain: Any) -> object:
    if name == "status":
        return Status(plain)
    return datetime.fromisoformat(plain) if plain and name in _MOMENTS else plain


def _list(value: Any) -> list[Any]:
    return list(value)


def _numbers(value: Any) -> list[int]:
    return list(value)


def _ask_after_all(session: Session, was: Mapping[str, Any]) -> None:
    survey = session.get_one(Survey, was["id"], with_for_update={"key_share": True})
    if survey.state is not SurveyState.REVOKED or survey.reason != answering.WITHDRAWN:
        return
    survey.state, survey.reason = SurveyState(was["state"]), was["reason"]
    session.add(survey)
    if survey.state is SurveyState.SCHEDULED:
        wait = max(0.0, (survey.due_at - clock.now()).total_seconds())
        jobs.enqueue(session, "ask", delay=wait, survey_id=survey.id)
    for number, state, words, next_at in was["deliveries"]:
        delivery = session.get_one(Delivery, number, with_for_update=True)
        delivery.state, delivery.words = DeliveryState(state), words
        delivery.next_at = datetime.fromisoformat(next_at) if next_at else None
        delivery.changed_at = clock.now()
        session.add(delivery)
        if delivery.next_at is not None:
            wait = max(0.0, (delivery.next_at - clock.now()).total_seconds())
            jobs.enqueue(session, "deliver", delay=wait, message_id=delivery.message_id)


def of(session: Session, message_id: int) -> Resting | None:
    return session.exec(select(Resting).where(Resting.message_id == message_id)).one_or_none()


def leave(session: Session, message: Message, ticket: Ticket) -> bool:
    """From here on it cannot be taken back. False: it did not leave, it is a draft again.

    What was planned for later answers the ticket now; its lock must be held then.
    """
    row = _row(session, message)
    if row is None:
        return True
    if row.scheduled:
        if _overtaken(session, ticket, message):
            return False
        answering.at_last(session, ticket, message)
        session.add(message)
        author = Actor(message.author, SYSTEM.role, message.agent_id)
        changes.record(session, author, ticket, "replied", message=message.id)
    session.delete(row)
    return True


def _overtaken(session: Session, ticket: Ticket, message: Message) -> bool:
    """An answer to less than the customer said by now is no answer."""
    wrote = session.exec(
        select(Message.id)
        .where(
            Message.ticket_id == ticket.id,
            Message.id > message.id,
            col(Message.kind).in_(_SPOKEN),
            col(Message.automatic).is_(False),
            col(Message.unverified).is_(False),
        )
        .limit(1)
    ).first()
    if wrote is None and (
        ticket.status is Status.RESOLVED or allows(ticket.status, Move.AGENT_REPLIED)
    ):
        return False
    row = _still_here(session, message)
    if row is None:
        return False
    _undo(session, ticket, message, row)
    changes.record(session, SYSTEM, ticket, "reply_overtaken", by_customer=wrote is not None)
    return True


def overtaken(session: Session) -> int:
    """Give back to their authors what was planned before the customer wrote again; how many."""
    newer = aliased(Message)
    wrote = exists().where(
        col(newer.ticket_id) == col(Message.ticket_id),
        col(newer.id) > col(Message.id),
        col(newer.kind).in_(_SPOKEN),
        col(newer.automatic).is_(False),
        col(newer.unverified).is_(False),
    )
    # A list and no join: SQLite would walk through every message there ever was.
    scheduled = select(Resting.message_id).where(col(Resting.scheduled).is_(True))
    planned = session.exec(
        select(Message.id, Message.ticket_id)
        .where(col(Message.id).in_(scheduled), wrote)
        .order_by(col(Message.id))
    ).all()
    found = 0
    for message_id, ticket_id in planned:
        ticket = session.get_one(Ticket, ticket_id, with_for_update={"key_share": True})
        message = session.get(Message, message_id)
        found += message is not None and _overtaken(session, ticket, message)
    return found

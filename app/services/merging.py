"""Two tickets that are one: everything goes to the older, and both names mean it from then on."""

from typing import Any

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, delete, select

from app.core.errors import Conflict
from app.domain.words import FLAGS, Status
from app.services import access, changes, touchpoints, withdrawals
from app.services.access import Actor, Permission
from app.store import search
from app.store.tables import (
    Awaited,
    Change,
    Correction,
    Draft,
    DraftFile,
    FollowUp,
    FormerRef,
    Meaning,
    Message,
    Neighbour,
    Participant,
    PredictionRow,
    Seen,
    Survey,
    Ticket,
    Touchpoint,
)

_RANK = ("person", "model", "suggestion", "")  # who said what it is
# Their rows of one ticket can stand beside those of another; the others need a word each.
_MOVED: tuple[type[SQLModel], ...] = (
    Message,
    Change,
    Touchpoint,
    PredictionRow,
    Correction,
    FollowUp,
)
_LIVELIEST = (
    Status.OPEN,
    Status.WAITING,
    Status.SNOOZED,
    Status.RESOLVED,
    Status.DISMISSED,
)


def merge(session: Session, actor: Actor, ref: str, into: str) -> Ticket:
    """An agent says that both are about the same. Raises `Conflict` for those of two people."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    target = access.ticket(session, actor, into, Permission.REPLY)
    if ticket.id == target.id:
        raise Conflict("That is the same ticket.")
    if ticket.customer_id != target.customer_id:
        raise Conflict("These tickets are of different customers, and stay apart.")
    if Status.SPAM in {ticket.status, target.status}:
        raise Conflict("A ticket that is spam cannot be joined with another.")
    older, newer = sorted((ticket, target), key=lambda one: one.id)
    return join(session, actor, newer, older)


def keep_apart(session: Session, actor: Actor, ref: str, other: str) -> Ticket:
    """An agent says that `other` is about something else: it is not suggested any more."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    target = access.ticket(session, actor, other, Permission.REPLY)
    if target.ref not in ticket.apart_from and target.id != ticket.id:
        ticket.apart_from = [*ticket.apart_from, target.ref]
        session.add(ticket)
        changes.record(session, actor, ticket, "kept_apart", ref=target.ref)
    return ticket


def suggest_again(session: Session, actor: Actor, ref: str, other: str) -> Ticket:
    """They may belong together after all."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if other in ticket.apart_from:
        ticket.apart_from = [one for one in ticket.apart_from if one != other]
        session.add(ticket)
        changes.record(session, actor, ticket, "suggested_again", ref=other)
    return ticket


def join(session: Session, actor: Actor, ticket: Ticket, into: Ticket) -> Ticket:
    """Put everything of `ticket` on `into`; both are locked already, and of one customer."""
    session.flush()
    withdrawals.of_ticket(session, ticket, "The ticket was joined with another one.")
    session.flush()
    messages = session.exec(select(Message.id).where(Message.ticket_id == ticket.id)).all()
    for table in _MOVED:
        _move(session, table, ticket, into)
    _move_participants(session, ticket, into)
    _move_awaited(session, ticket, into)
    _move_drafts(session, ticket, into)
    _move_meaning(session, ticket, into)
    for survey in session.exec(select(Survey).where(Survey.ticket_id == ticket.id)):
        survey.ticket_id, survey.resolution = into.id, survey.resolution + into.resolutions
    search.move(session, messages, into.id)
    _add_up(ticket, into)
    touchpoints.restage(session, into)
    _rename(session, ticket, into)
    changes.record(session, actor, into, "joined", ref=ticket.ref, subject=ticket.subject)
    session.flush()
    session.delete(ticket)
    session.flush()
    return into


def _move(session: Session, table: type[Any], ticket: Ticket, into: Ticket) -> None:
    values: dict[str, Any] = {"ticket_id": into.id}
    if table is Message:
        values["act"] = None  # names of acts are each ticket's own
    if table is Correction:
        values["joined"] = True
    session.execute(
        update(table)
        .where(table.ticket_id == ticket.id)
        .values(values)
        .execution_options(synchronize_session="fetch")
    )


def _move_participants(session: Session, ticket: Ticket, into: Ticket) -> None:
    there = set(
        session.exec(select(Participant.address_id).where(Participant.ticket_id == into.id))
    )
    for row in session.exec(select(Participant).where(Participant.ticket_id == ticket.id)):
        if row.address_id in there:
            session.delete(row)
        else:
            row.ticket_id = into.id


def _move_awaited(session: Session, ticket: Ticket, into: Ticket) -> None:
    rows = session.exec(select(Awaited).where(Awaited.ticket_id == into.id)).all()
    there = {(row.inbox_id, row.external_id) for row in rows}
    for row in session.exec(select(Awaited).where(Awaited.ticket_id == ticket.id)):
        if (row.inbox_id, row.external_id) in there:
            session.delete(row)
        else:
            row.ticket_id = into.id


def _move_drafts(session: Session, ticket: Ticket, into: Ticket) -> None:
    """What an agent was writing on either is what they are writing now."""
    there = {
        row.agent_id: row for row in session.exec(select(Draft).where(Draft.ticket_id == into.id))
    }
    for row in session.exec(select(Draft).where(Draft.ticket_id == ticket.id)):
        if known := there.get(row.agent_id):
            known.text = f"{known.text}\n\n{row.text}".strip()
            for file in session.exec(select(DraftFile).where(DraftFile.draft_id == row.id)):
                file.draft_id = known.id
            session.flush()
            session.delete(row)
        else:
            row.ticket_id = into.id
    session.exec(delete(Seen).where(col(Seen.ticket_id) == ticket.id))


def _move_meaning(session: Session, ticket: Ticket, into: Ticket) -> None:
    """What the older one says first is what both mean."""
    pairs = (col(Neighbour.ticket_id) == ticket.id) | (col(Neighbour.other_id) == ticket.id)
    session.exec(delete(Neighbour).where(pairs))
    whose = select(Meaning).where(col(Meaning.ticket_id).in_([ticket.id, into.id]))
    rows = {row.ticket_id: row for row in session.exec(whose)}
    if moved := rows.get(ticket.id):
        if into.id in rows:
            session.delete(moved)
        else:
            moved.ticket_id, moved.compared_at = into.id, None


def _add_up(ticket: Ticket, into: Ticket) -> None:
    """What the rows of both together say of the one that stays."""

    def earliest(name: str) -> Any:
        return min(filter(None, (getattr(into, name), getattr(ticket, name))), default=None)

    if (ticket.last_inbound_at or ticket.created_at) > (into.last_inbound_at or into.created_at):
        into.preview = ticket.preview or into.preview
        into.last_inbound_at = ticket.last_inbound_at or into.last_inbound_at
    into.status = min(into.status, ticket.status, key=_LIVELIEST.index)
    closed = [one for one in (into.resolved_at, ticket.resolved_at) if one]
    into.resolved_at = max(closed, default=None) if into.status is Status.RESOLVED else None
    into.snoozed_until = earliest("snoozed_until") if into.status is Status.SNOOZED else None
    for name in ("waiting_since", "first_responded_at", "due_at"):
        setattr(into, name, earliest(name))
    into.last_activity_at = max(into.last_activity_at, ticket.last_activity_at)
    into.message_count += ticket.message_count
    into.unverified += ticket.unverified
    into.resolutions += ticket.resolutions
    into.has_files = into.has_files or ticket.has_files
    into.automatic = into.automatic and ticket.automatic
    into.assignee_id = into.assignee_id or ticket.assignee_id
    into.team_id = into.team_id or ticket.team_id
    into.claims_ref = into.claims_ref if into.claims_ref != ticket.ref else ""
    into.follows_ref = into.follows_ref if into.follows_ref != ticket.ref else ""
    _take_tags(ticket, into)


def _take_tags(ticket: Ticket, into: Ticket) -> None:
    """A person goes before the model, what it was sure of before a suggestion, nothing last."""
    if _RANK.index(ticket.stage_by) < _RANK.index(into.stage_by):
        into.stage, into.stage_by = ticket.stage, ticket.stage_by
        into.stage_probability, into.stage_basis = ticket.stage_probability, ticket.stage_basis
    if _RANK.index(ticket.topic_by) < _RANK.index(into.topic_by):
        into.topic_id, into.topic_by = ticket.topic_id, ticket.topic_by
        into.topic_probability, into.topic_basis = ticket.topic_probability, ticket.topic_basis
    for flag in FLAGS:
        by = f"{flag}_by"
        if getattr(into, by) != "person" and getattr(ticket, by):
            setattr(into, flag, getattr(ticket, flag))
            setattr(into, by, getattr(ticket, by))


def _rename(session: Session, ticket: Ticket, into: Ticket) -> None:
    for former in session.exec(select(FormerRef).where(FormerRef.ticket_id == ticket.id)):
        former.ticket_id = into.id
    session.add(FormerRef(ref=ticket.ref, ticket_id=into.id))

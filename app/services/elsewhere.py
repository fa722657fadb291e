"""Answers of ours that were written in another program: found among what was sent, or copied to
an inbox."""

from sqlmodel import Session, col, func, select

from app.domain.address import EMAIL, is_email, normal
from app.domain.lifecycle import Move, allows
from app.domain.words import MessageKind
from app.services import (
    answering,
    changes,
    customers,
    followups,
    inboxes,
)
from app.services.access import SYSTEM, Actor
from app.store import inserting
from app.store.tables import Address, Arrival, Inbox, Message, Participant, Ticket
from channels.contract import Direction, InboundMessage, Party

MOST = 50  # recipients of one mail that are looked at


def concerns(message: InboundMessage) -> bool:
    """Whether we wrote it, and not by telephone."""
    return message.direction is Direction.OUTBOUND and not message.is_call


def filed(session: Session, ticket: Ticket, message: InboundMessage) -> int | None:
    """The same answer, if it is on the ticket: one copy was sent to an inbox, and one lies among
    what was sent. They have nothing in common but their id."""
    return session.exec(
        select(Message.id)
        .where(
            Message.ticket_id == ticket.id,
            Message.external_id == message.external_id,
            Message.kind == MessageKind.OUTBOUND,
        )
        .limit(1)
    ).one_or_none()


def readers(session: Session, inbox: Inbox, message: InboundMessage) -> list[Address]:
    """Whom it went to, of those that are known here."""
    found = [customers.find(session, inbox.id, [one]) for one in _written_to(session, message)]
    return [address for address in found if address is not None]


def _written_to(session: Session, message: InboundMessage) -> list[Party]:
    found = {
        normal(EMAIL, party.value, 0): party
        for party in (*message.to, *message.cc)
        if party.kind == EMAIL and is_email(party.value)
    }
    return [
        party for party in list(found.values())[:MOST] if not inboxes.ours(session, party.value)
    ]


def take_effect(session: Session, ticket: Ticket, row: Message, message: InboundMessage) -> None:
    """What an answer does to its ticket, unless the customer has written since."""
    ticket.message_count += 1
    ticket.last_activity_at = row.created_at
    ticket.has_files = ticket.has_files or bool(message.files)
    ticket.assignee_id = ticket.assignee_id or row.agent_id
    copies = {normal(EMAIL, party.value, 0) for party in message.cc}
    for party in _written_to(session, message):
        role = "cc" if normal(EMAIL, party.value, 0) in copies else "customer"
        _let_speak(session, ticket, party, role)
    if not _wrote_since(session, ticket, row) and allows(ticket.status, Move.AGENT_REPLIED):
        answering.answered(session, ticket, row)
    followups.answered(session, ticket, row)
    session.add(ticket)
    author = Actor(row.author, SYSTEM.role, row.agent_id) if row.agent_id else SYSTEM
    changes.record(session, author, ticket, "answered_elsewhere", message=row.id)


def _let_speak(session: Session, ticket: Ticket, party: Party, role: str) -> None:
    """Whom we write to may answer."""
    _, address = customers.resolve(session, ticket.inbox_id, party)
    row = Participant(ticket_id=ticket.id, address_id=address.id, role=role)
    inserting.unless_there(session, [row])


def _wrote_since(session: Session, ticket: Ticket, row: Message) -> bool:
    # By the servers' clocks: what a sender says of the time may be anything.
    moment = func.coalesce(col(Arrival.server_at), col(Message.sent_at))
    answered_at = (
        select(moment)
        .select_from(Message)
        .join(Arrival, col(Arrival.id) == col(Message.arrival_id))
        .where(Message.id == row.id)
        .scalar_subquery()
    )
    return (
        session.exec(
            select(Message.id)
            .outerjoin(Arrival, col(Arrival.id) == col(Message.arrival_id))
            .where(
                Message.ticket_id == ticket.id,
                col(Message.kind).in_([MessageKind.INBOUND, MessageKind.CALL]),
                col(Message.automatic).is_(False),
                col(Message.unverified).is_(False),
                moment > answered_at,
            )
            .limit(1)
        ).first()
        is not None
    )

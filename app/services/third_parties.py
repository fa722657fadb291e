"""What somebody wrote to our signed address without taking part: an agent decides about it."""

from sqlmodel import Session, select

from app.core import clock
from app.core.errors import Conflict, NotFound
from app.services import access, changes, filing, threads, touchpoints
from app.services.access import Actor, Permission
from app.store import search
from app.store.tables import Address, Attachment, Inbox, Message, Participant, Ticket


def accept(session: Session, actor: Actor, ref: str, message_id: int) -> Ticket:
    """They belong to it: their message counts, and what they write next joins by itself."""
    ticket, row, address = _decided(session, actor, ref, message_id)
    row.unverified = False
    ticket.unverified -= 1
    ticket.last_activity_at = clock.now()
    if not threads.speaks(session, ticket, address):
        session.add(Participant(ticket_id=ticket.id, address_id=address.id, role="other"))
    filing.customer_wrote(session, ticket, row)
    touchpoints.record(session, ticket, row, incoming=True)
    changes.record(session, actor, ticket, "third_party_accepted", message=row.id)
    return ticket


def part(session: Session, actor: Actor, ref: str, message_id: int) -> Ticket:
    """They do not belong to it: a ticket of their own, which says where it came from."""
    ticket, row, address = _decided(session, actor, ref, message_id)
    inbox = session.get_one(Inbox, row.inbox_id)
    brought = session.exec(select(Attachment.id).where(Attachment.message_id == row.id)).first()
    own = filing.open_ticket(
        session,
        inbox,
        row,
        customer_id=address.customer_id,
        team_id=ticket.team_id,
        language=row.language,
        message_count=1,
        has_files=brought is not None,
        claims_ref=ticket.ref,
    )
    session.add(Participant(ticket_id=own.id, address_id=address.id, role="customer"))
    row.unverified, row.ticket_id = False, own.id
    ticket.unverified -= 1
    ticket.message_count -= 1
    search.move(session, [row.id], own.id)
    filing.customer_wrote(session, own, row)
    touchpoints.record(session, own, row, incoming=True)
    changes.record(session, actor, ticket, "third_party_parted", ref=own.ref)
    changes.record(session, actor, own, "parted_from", ref=ticket.ref)
    return own


def _decided(
    session: Session, actor: Actor, ref: str, message_id: int
) -> tuple[Ticket, Message, Address]:
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    row = session.exec(
        select(Message).where(Message.id == message_id, Message.ticket_id == ticket.id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such message on this ticket.")
    if not row.unverified or row.address_id is None:
        raise Conflict("Somebody has decided about this message already.")
    return ticket, row, session.get_one(Address, row.address_id)

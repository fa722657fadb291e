"""What one of us passed on and no server vouched for: a person says who the customer is."""

from datetime import datetime

from sqlmodel import Session, col, select

from app.core.errors import Conflict, NotFound
from app.domain.address import EMAIL
from app.domain.subject import normal_subject
from app.domain.text import preview
from app.services import (
    access,
    changes,
    customers,
    forwarding,
    indexing,
    tagging,
    threads,
    touchpoints,
)
from app.services.access import Actor, Permission
from app.store.tables import Address, Message, Participant, Survey, Ticket
from channels.contract import Party


def take(session: Session, actor: Actor, ref: str, message_id: int) -> Ticket:
    """The ticket is of whom its first mail names as the one who wrote it."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    row = session.exec(
        select(Message).where(Message.id == message_id, Message.ticket_id == ticket.id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such message on this ticket.")
    if row.passes_on is None:
        raise Conflict("Somebody has decided about this message already.")
    first, was = row.passes_on, row.author
    party = Party(EMAIL, first["address"], first["name"])
    customer, address = customers.resolve(
        session, ticket.inbox_id, party, language=row.language, sample=ticket.sample
    )
    _let_speak(session, ticket, address, in_place_of=row.address_id)
    ticket.customer_id = customer.id
    ticket.subject = normal_subject(first["subject"]) or ticket.subject
    _as_written(row, first, address)
    if ticket.last_inbound_at == row.created_at:
        ticket.preview = preview(row.reply_text or row.text)
    for other in session.exec(select(Message).where(Message.ticket_id == ticket.id)):
        other.passes_on = None  # a ticket is of one customer
    for survey in session.exec(select(Survey).where(Survey.ticket_id == ticket.id)):
        survey.customer_id = customer.id
    session.add(ticket)
    session.flush()
    touchpoints.of_another(session, ticket)
    tagging.remember_stage(session, ticket)
    indexing.anew(session, row, ticket.ref)
    changes.record(session, actor, ticket, "sender_taken", forwarder=was, message=row.id)
    return ticket


def _let_speak(
    session: Session, ticket: Ticket, address: Address, *, in_place_of: int | None
) -> None:
    """Whoever passed it on may have been anybody, and has no part in it any more."""
    for row in session.exec(
        select(Participant).where(
            Participant.ticket_id == ticket.id, col(Participant.address_id) == in_place_of
        )
    ):
        session.delete(row)
    if not threads.speaks(session, ticket, address):
        session.add(Participant(ticket_id=ticket.id, address_id=address.id, role="customer"))


def _as_written(row: Message, first: dict[str, str], address: Address) -> None:
    row.address_id, row.reply_to = address.id, ""
    row.author = first["name"] or first["address"]
    row.agent_id, row.verdicts = None, None  # those were on who passed it on
    if first["sent_at"]:
        row.sent_at = datetime.fromisoformat(first["sent_at"])
    row.subject = first["subject"] or row.subject
    row.reply_text, row.signature = first["text"], ""
    row.quoted_text = forwarding.beside(row.text, first["text"])

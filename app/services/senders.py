"""Whose mail is spam: what somebody said of one ticket holds for what its senders write next."""

from collections.abc import Sequence

from sqlalchemy import exists
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.core import clock
from app.domain.words import MessageKind, Status
from app.store.tables import Address, Message, Participant, Ticket


def distrust(session: Session, ticket: Ticket) -> int:
    """Take what who wrote this writes next for spam; how many addresses.

    Not those whom somebody answered on another ticket: an address is easily forged, and their
    next inquiry must not go unseen for it. Nor one whose mails want their answer elsewhere: that
    is a form on a website, which writes for everybody.
    """
    form = exists().where(col(Message.address_id) == col(Address.id), col(Message.reply_to) != "")
    answered = exists().where(
        col(Participant.address_id) == col(Address.id),
        col(Participant.ticket_id) == col(Ticket.id),
        col(Ticket.id) != ticket.id,
        col(Ticket.status) != Status.SPAM,
        col(Ticket.first_responded_at).is_not(None),
    )
    wrote = session.exec(_who_wrote(ticket).where(~answered, ~form)).all()
    _mark(session, wrote, spam=True)
    return len(wrote)


def believe(session: Session, ticket: Ticket) -> None:
    """It was no spam, so neither is what they write next."""
    _mark(session, session.exec(_who_wrote(ticket)).all(), spam=False)


def _who_wrote(ticket: Ticket) -> SelectOfScalar[Address]:
    wrote = select(Message.address_id).where(
        Message.ticket_id == ticket.id, Message.kind == MessageKind.INBOUND
    )
    return select(Address).where(col(Address.id).in_(wrote)).order_by(col(Address.id))


def _mark(session: Session, addresses: Sequence[Address], *, spam: bool) -> None:
    for address in addresses:
        address.spam_at = clock.now() if spam else None
        session.add(address)

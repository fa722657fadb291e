"""When an answer to a ticket opens one of its own, which follows the first."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.core import clock
from app.domain.address import EMAIL, normal, without_plus
from app.domain.words import Status
from app.store.tables import Inbox, Message, Ticket
from channels.contract import Direction, InboundMessage, Ref, RefKind


def begins(
    session: Session, inbox: Inbox, ticket: Ticket, ref: Ref, message: InboundMessage
) -> bool:
    """Whether what somebody who takes part in `ticket` says to it begins another one."""
    if message.automatic or message.direction is not Direction.INBOUND:
        return False
    if comes_too_late(session, ticket, clock.now()):
        return True
    return ref.kind is not RefKind.ADDRESS_TOKEN and _is_for_others(session, inbox, ticket, message)


def under_way(session: Session, inbox: Inbox, ticket: Ticket) -> Ticket | None:
    """The newest ticket of this inbox and the same customer that follows it and is not closed."""
    return session.exec(
        select(Ticket)
        .where(
            Ticket.customer_id == ticket.customer_id,
            Ticket.follows_ref == ticket.ref,
            Ticket.inbox_id == inbox.id,
            col(Ticket.status).in_((Status.OPEN, Status.WAITING, Status.SNOOZED)),
        )
        .order_by(col(Ticket.id).desc())
        .limit(1)
    ).one_or_none()


def comes_too_late(session: Session, ticket: Ticket, at: datetime) -> bool:
    """Whether the ticket's inbox reopens nothing any more that was resolved so long before."""
    days = session.get_one(Inbox, ticket.inbox_id).reopen_days
    if ticket.status is not Status.RESOLVED or days is None:
        return False
    return at - (ticket.resolved_at or ticket.last_activity_at) >= timedelta(days=days)


def _is_for_others(session: Session, inbox: Inbox, ticket: Ticket, message: InboundMessage) -> bool:
    """Whether it names the inbox it came to, and none in which the ticket is or ever was.

    Where that cannot be told, as with an alias we do not know, it is for the ticket.
    """
    named = [party.value for party in (*message.to, *message.cc) if party.kind == EMAIL]
    if inbox.id == ticket.inbox_id or not _takes(inbox, named):
        return False
    said = session.exec(
        select(Message.inbox_id, Message.to, Message.cc).where(
            Message.ticket_id == ticket.id, col(Message.unverified).is_(False)
        )
    ).all()
    within = {ticket.inbox_id, *(one for one, _, _ in said)}
    if inbox.id in within or any(_takes(inbox, [*to, *cc]) for _, to, cc in said):
        return False  # they were in on it already
    theirs = session.exec(select(Inbox).where(col(Inbox.id).in_(within)))
    return not any(_takes(one, named) for one in theirs)


def _takes(inbox: Inbox, addresses: Sequence[str]) -> bool:
    """Whether mail to one of `addresses` is for that inbox."""
    own = normal(EMAIL, inbox.address, 0)
    return any(own in without_plus(one) for one in addresses)

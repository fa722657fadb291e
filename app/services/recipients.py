"""Whom an answer goes to, and who may speak on its ticket because of that."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.core.errors import Conflict, Invalid
from app.domain import address
from app.domain.words import MessageKind
from app.services import customers, inboxes
from app.store.tables import Address, Inbox, Message, Participant, Ticket
from channels.contract import Party

LIMIT = 50


def chosen(
    session: Session, ticket: Ticket, inbox: Inbox, to: Sequence[str], cc: Sequence[str]
) -> list[tuple[str, bool]]:
    """(address, in Cc), each once. Whom an agent writes to may speak on the ticket."""
    to = [one.strip() for one in to if one.strip()]
    cc = [one.strip() for one in cc if one.strip()]
    if not to:
        to = [_last_inbound(session, ticket, inbox)]
    if len(to) + len(cc) > LIMIT:
        raise Invalid(f"A message goes to {LIMIT} recipients at most.")
    kind = inbox.writes_to
    wanted: dict[str, tuple[str, bool]] = {}
    for value, is_copy in [(one, False) for one in to] + [(one, True) for one in cc]:
        _may_be_written_to(session, kind, value)
        wanted.setdefault(address.normal(kind, value, inbox.id), (value, is_copy))
    for value, is_copy in wanted.values():
        _let_speak(session, ticket, Party(kind, value), "cc" if is_copy else "customer")
    return list(wanted.values())


def newcomers(session: Session, message: Message) -> list[str]:
    """To whom of its recipients nobody had written on the ticket before, nor they themselves."""
    customer = select(Ticket.customer_id).where(Ticket.id == message.ticket_id)
    own = session.exec(
        select(Address.value).where(col(Address.customer_id) == customer.scalar_subquery())
    ).all()
    earlier = session.exec(
        select(Message.kind, Message.to, Message.cc, Address.value)
        .outerjoin(Address, col(Address.id) == col(Message.address_id))
        .where(
            Message.ticket_id == message.ticket_id,
            col(Message.id) < message.id,
            col(Message.unverified).is_(False),
        )
    ).all()
    known = {address.normal(address.EMAIL, one, 0) for one in own}
    for kind, to, cc, wrote in earlier:
        people = [*to, *cc] if kind is MessageKind.OUTBOUND else [wrote or ""]
        known |= {address.normal(address.EMAIL, one, 0) for one in people}
    every = [*message.to, *message.cc]
    return [one for one in every if address.normal(address.EMAIL, one, 0) not in known]


def _last_inbound(session: Session, ticket: Ticket, inbox: Inbox) -> str:
    """Where the customer, when they wrote last, wants the answer: there, or where they wrote from.

    It is of the kind this inbox can write to.
    """
    rows = session.exec(
        select(Message.reply_to, Address.value)
        .join(Message, col(Message.address_id) == col(Address.id))
        .where(
            Message.ticket_id == ticket.id,
            Address.customer_id == ticket.customer_id,
            Address.kind == inbox.writes_to,
            col(Message.unverified).is_(False),
        )
        .order_by(col(Message.automatic), col(Message.id).desc())
        .limit(LIMIT)
    )
    own = ""
    for wanted, wrote_from in rows:
        own = wanted or wrote_from
        if not _is_own(session, inbox.writes_to, own):
            return own
    if own:
        raise Invalid(
            f"This came from {own}, an address of ours: say whom the answer goes to.", field="to"
        )
    raise Conflict("Nobody wrote on this ticket, so there is no address to answer to.")


def _may_be_written_to(session: Session, kind: str, value: str) -> None:
    if kind == address.EMAIL and not address.is_email(value):
        raise Invalid(f"“{value[:80]}” is not one e-mail address.", field="to")
    if _is_own(session, kind, value):
        # It would be our own mail that comes back, and nobody would see it.
        raise Invalid(f"{value} is an address of ours: an answer there reaches nobody.", field="to")


def _is_own(session: Session, kind: str, value: str) -> bool:
    return kind == address.EMAIL and inboxes.ours(session, value)


def _let_speak(session: Session, ticket: Ticket, party: Party, role: str) -> None:
    known = customers.find(session, ticket.inbox_id, [party])
    if known is not None:
        known.spam_at = None  # whoever we write to may answer
    speaks = (
        known is not None
        and session.exec(
            select(Participant.id).where(
                Participant.ticket_id == ticket.id, Participant.address_id == known.id
            )
        ).one_or_none()
    )
    if speaks:
        return
    if party.kind not in address.EVERYWHERE:
        # A name some other system gave: nobody can type one and mean somebody by it.
        raise Invalid("On this channel only those who take part can be written to.", field="to")
    if known is None:
        _, known = customers.resolve(session, ticket.inbox_id, party, sample=ticket.sample)
    session.add(Participant(ticket_id=ticket.id, address_id=known.id, role=role))

"""Which ticket a message belongs to, and what a reference to one is worth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, exists, union
from sqlmodel import Session, col, or_, select

from app.core import clock
from app.core.secrets import Keys
from app.domain.words import ArrivalState, MessageKind, Status
from app.services import dispatched, merging, sequels
from app.services.access import RULE
from app.store import inserting, jobs
from app.store.tables import (
    Address,
    Arrival,
    Awaited,
    EarlyAnswer,
    FormerRef,
    Inbox,
    Message,
    OtherId,
    Participant,
    Ticket,
)
from channels.contract import FAIL, InboundMessage, Ref, RefKind

MAX_AWAITED = 20  # ids of one message; who names more names nothing real

_OURS = frozenset({RefKind.ADDRESS_TOKEN, RefKind.ID_TOKEN})

_AWAITED = (
    select(Awaited, Ticket)
    .join(Ticket, col(Ticket.id) == col(Awaited.ticket_id))
    .where(
        col(Awaited.inbox_id) == bindparam("inbox"),
        col(Awaited.external_id) == bindparam("external"),
        Ticket.status != Status.SPAM,
        # Here and not afterwards: tickets of strangers must not push it out of the first few.
        or_(
            col(Ticket.customer_id) == bindparam("customer"),
            exists().where(
                col(Participant.ticket_id) == col(Ticket.id),
                col(Participant.address_id) == bindparam("address"),
            ),
        ),
    )
    .order_by(col(Ticket.id))
    .limit(5)
    .with_for_update(key_share=True)
)

_NAMED_SO = (
    select(Message.id)
    .where(
        Message.inbox_id == bindparam("inbox"),
        Message.external_id == bindparam("external"),
        Message.kind == MessageKind.INBOUND,
    )
    .limit(1)
)

_EARLY = (
    select(EarlyAnswer, Arrival)
    .join(Arrival, col(Arrival.id) == col(EarlyAnswer.arrival_id))
    .where(
        col(EarlyAnswer.inbox_id) == bindparam("inbox"),
        col(EarlyAnswer.external_id) == bindparam("external"),
    )
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes. No ticket means one of its own."""

    ticket: Ticket | None = None
    claimed: str = ""  # the ticket it names and is not let onto
    follows: str = ""  # the one it goes on from, apart from it
    unverified: bool = False  # they were given our address by somebody; an agent has to decide


def place(
    session: Session, keys: Keys, inbox: Inbox, address: Address, message: InboundMessage
) -> Place:
    """The ticket the strongest reference names, if the sender may speak on it.

    A reference alone proves nothing: anyone can quote an id they have seen. Only our signed
    address is more, because one has it from us or from somebody we wrote to.
    """
    found = _named(session, keys, inbox, address, message)
    waited = () if _stands_alone(message) else _waited_for(session, inbox, address, message)
    if found.unverified or not waited:
        return found
    # The oldest of them: whatever came in which order, it ends the same.
    tickets = {one.id: one for one in (*waited, *([found.ticket] if found.ticket else []))}
    first, *others = (tickets[number] for number in sorted(tickets))
    for other in others:
        if other.customer_id == first.customer_id:
            merging.join(session, RULE, other, first)
    return Place(first)


def doubtful(message: InboundMessage) -> bool:
    """Whether somebody else may have used the sender's name: then they have no say here."""
    return message.unproved or (message.verdicts is not None and message.verdicts.dmarc == FAIL)


def _stands_alone(message: InboundMessage) -> bool:
    """Whether it joins nothing by the ids of others, whatever came in which order."""
    return doubtful(message) or message.forward is not None


def _named(
    session: Session, keys: Keys, inbox: Inbox, address: Address, message: InboundMessage
) -> Place:
    claimed = ""
    first: Ticket | None = None  # the one it follows
    for ref in message.refs:
        for ticket in _named_by(session, keys, inbox, ref, [address]):
            if may_speak(session, ticket, address) and not doubtful(message):
                # What is passed on may be about anything, unless it comes to the ticket's address.
                if message.forward is not None and ref.kind is not RefKind.ADDRESS_TOKEN:
                    return Place(claimed=ticket.ref)
                if first and ticket.id <= first.id:
                    continue  # what came before the one it follows does not go on from it
                if not sequels.begins(session, inbox, ticket, ref, message):
                    return Place(ticket)
                first = ticket
                continue
            # A bounce comes from a stranger by nature. Our own signed id inside it, or a relay's
            # for it, and whom it went to, show that it answers our mail; it is shown there and
            # changes nothing else.
            if message.automatic and address.spam_at is None:
                known = dispatched.tells_of(session, ticket, message.report)
                if known or ref.kind in _OURS:
                    return Place(ticket, unverified=not known or doubtful(message))
            if ref.kind is RefKind.ADDRESS_TOKEN and address.spam_at is None:
                return Place(ticket, unverified=True)
            claimed = claimed or ticket.ref
    # Of several answers to it the first begins a ticket, and the others go on there.
    going_on = sequels.under_way(session, inbox, first) if first else None
    if going_on and may_speak(session, going_on, address):
        return Place(going_on)
    return Place(claimed=claimed, follows=first.ref if first else "")


def _named_by(
    session: Session, keys: Keys, inbox: Inbox, ref: Ref, speakers: Sequence[Address]
) -> Sequence[Ticket]:
    """The tickets `ref` can mean, locked against agents who change them now.

    First those on which one of `speakers` may speak, so that whoever writes many with an id they
    have seen pushes none of these out; then newest first.
    """
    match ref.kind:
        case RefKind.ADDRESS_TOKEN | RefKind.ID_TOKEN | RefKind.TAG_TOKEN:
            proved = _proved(keys, ref)
            if proved is None:
                return ()
            bears = select(Ticket.id).where(Ticket.ref == proved)
            bore = select(FormerRef.ticket_id).where(FormerRef.ref == proved)
            named = col(Ticket.id).in_(union(bears, bore))
        case RefKind.MESSAGE_ID:
            said = select(Message.ticket_id).where(
                Message.inbox_id == inbox.id,
                Message.external_id == ref.value,
                # What a stranger wrote here is nothing that others could answer to.
                col(Message.unverified).is_(False),
            )
            ours = (
                select(Message.ticket_id)
                .join(OtherId, col(OtherId.message_id) == col(Message.id))
                .where(OtherId.inbox_id == inbox.id, OtherId.external_id == ref.value)
            )
            named = col(Ticket.id).in_(union(said, ours))
        case _:  # the provider's own conversation
            named = col(Ticket.id).in_(
                select(Message.ticket_id).where(
                    Message.inbox_id == inbox.id, Message.conversation == ref.value
                )
            )
    theirs = or_(
        col(Ticket.customer_id).in_([one.customer_id for one in speakers]),
        exists().where(
            col(Participant.ticket_id) == col(Ticket.id),
            col(Participant.address_id).in_([one.id for one in speakers]),
        ),
    )
    return session.exec(
        select(Ticket)
        .where(named, Ticket.status != Status.SPAM)
        .order_by(case((theirs, 0), else_=1), col(Ticket.id).desc())
        .limit(5)
        .with_for_update(key_share=True)
    ).all()


def _proved(keys: Keys, ref: Ref) -> str | None:
    match ref.kind:
        case RefKind.ADDRESS_TOKEN:
            return keys.ticket_of_reply(ref.value)
        case RefKind.ID_TOKEN:
            return keys.ticket_of_id(ref.value)
        case _:
            return keys.ticket_of_tag(ref.value)


def answered_by_us(
    session: Session, keys: Keys, inbox: Inbox, readers: Sequence[Address], message: InboundMessage
) -> Ticket | str:
    """The ticket that words of ours answer, or why there is none.

    One of `readers`, whom it went to, must take part in it: what is sent on is no answer.
    """
    if message.automatic:
        return "A machine wrote it."
    reason = "A conversation that began in a mail program."
    for ref in message.refs:
        for ticket in _named_by(session, keys, inbox, ref, readers):
            if any(may_speak(session, ticket, address) for address in readers):
                return ticket
            reason = "It went to nobody who takes part in the ticket it answers."
    return reason


def may_speak(session: Session, ticket: Ticket, address: Address) -> bool:
    return address.customer_id == ticket.customer_id or speaks(session, ticket, address)


def speaks(session: Session, ticket: Ticket, address: Address) -> bool:
    """Whether that very address takes part."""
    return (
        session.exec(
            select(Participant.id).where(
                Participant.ticket_id == ticket.id, Participant.address_id == address.id
            )
        ).one_or_none()
        is not None
    )


def _waited_for(
    session: Session, inbox: Inbox, address: Address, message: InboundMessage
) -> Sequence[Ticket]:
    """Tickets with an answer to this message that arrived before it, oldest first."""
    if not message.external_id or message.automatic:
        return ()
    names = {
        "inbox": inbox.id,
        "external": message.external_id,
        "customer": address.customer_id,
        "address": address.id,
    }
    found = []
    for row, ticket in session.exec(_AWAITED, params=names).all():
        session.delete(row)
        found.append(ticket)
    return found


def wait_for(session: Session, inbox: Inbox, ticket: Ticket, message: InboundMessage) -> None:
    """Remember which of the messages it answers have not arrived: mail comes in any order."""
    if message.automatic or _stands_alone(message):
        return
    now = clock.now()
    inserting.unless_there(
        session,
        [
            Awaited(inbox_id=inbox.id, external_id=value, ticket_id=ticket.id, since=now)
            for value in _not_here(session, inbox, message)
        ],
    )


def _not_here(session: Session, inbox: Inbox, message: InboundMessage) -> Sequence[str]:
    """Ids of messages it answers and that have not arrived."""
    named = message.answered_ids
    if not named:
        return ()
    here = select(Message.external_id).where(
        Message.inbox_id == inbox.id, col(Message.external_id).in_(named)
    )
    ours = select(OtherId.external_id).where(
        OtherId.inbox_id == inbox.id, col(OtherId.external_id).in_(named)
    )
    known = session.scalars(union(here, ours)).all()
    return [value for value in dict.fromkeys(named) if value not in known][:MAX_AWAITED]


def is_named_already(session: Session, inbox: Inbox, message: InboundMessage) -> bool:
    """Whether another one has its id: a program's mistake, or somebody who took it on purpose."""
    if not message.external_id:
        return False
    named = {"inbox": inbox.id, "external": message.external_id}
    return session.exec(_NAMED_SO, params=named).first() is not None


def answers_too_early(
    session: Session, inbox: Inbox, arrival: Arrival, message: InboundMessage
) -> None:
    """Words of ours found no ticket: they are looked at again when what they answer arrives."""
    if message.automatic:
        return
    inserting.unless_there(
        session,
        [
            EarlyAnswer(inbox_id=inbox.id, external_id=value, arrival_id=arrival.id)
            for value in _not_here(session, inbox, message)
        ],
    )


def arrived_at_last(session: Session, inbox: Inbox, message: InboundMessage) -> None:
    """Words of ours that answer it and came before it find their ticket now."""
    if not message.external_id:
        return
    names = {"inbox": inbox.id, "external": message.external_id}
    look_again(session, session.exec(_EARLY, params=names).all())


def look_again(session: Session, early: Iterable[tuple[EarlyAnswer, Arrival]]) -> None:
    """What they answer is known by now."""
    inboxes = set()
    for row, arrival in early:
        session.delete(row)
        inboxes.add(row.inbox_id)
        if arrival.state is ArrivalState.IGNORED:
            arrival.state, arrival.reason, arrival.filed_at = ArrivalState.WAITING, "", None
            arrival.slow = False
    for inbox_id in sorted(inboxes):
        jobs.enqueue(session, "file", inbox_id=inbox_id)

"""What relays call mails of ours, learnt after somebody had answered to it."""

from collections.abc import Sequence

from sqlalchemy import and_, case
from sqlmodel import Session, col, select

from app.domain.words import MessageKind, Status
from app.services import merging, sequels, threads, withdrawals
from app.services.access import RULE
from app.store.tables import (
    Address,
    Arrival,
    Awaited,
    EarlyAnswer,
    Message,
    OtherId,
    Ticket,
)

AT_ONCE = 100  # each in a transaction of its own; the rest the next time

_WAITED_FOR = (
    select(Awaited)
    .join(
        OtherId,
        and_(
            col(OtherId.inbox_id) == col(Awaited.inbox_id),
            col(OtherId.external_id) == col(Awaited.external_id),
        ),
    )
    .order_by(col(Awaited.id))
    .limit(1)
)

_EARLY = (
    select(EarlyAnswer, Arrival)
    .join(Arrival, col(Arrival.id) == col(EarlyAnswer.arrival_id))
    .join(
        OtherId,
        and_(
            col(OtherId.inbox_id) == col(EarlyAnswer.inbox_id),
            col(OtherId.external_id) == col(EarlyAnswer.external_id),
        ),
    )
    .order_by(col(EarlyAnswer.id))
    .limit(1)
    .with_for_update(of=[col(EarlyAnswer.id), col(Arrival.id)])
)


def resolve(session: Session) -> bool | None:
    """Bring one such answer to the ticket it answers, as if the name had been known; whether it
    belongs there, or None when none is left. One at a time: each locks two tickets, and who held
    many of them could wait for an agent who waits for one of these."""
    if early := session.exec(_EARLY).all():
        threads.look_again(session, early)
        return True
    waiting = session.exec(_WAITED_FOR).unique().first()
    return None if waiting is None else _resolve(session, waiting.id)


def _resolve(session: Session, awaited_id: int) -> bool:
    found = session.get(Awaited, awaited_id)  # it may be gone with a ticket that was joined before
    if found is None:
        return False
    alone = session.get_one(Ticket, found.ticket_id)
    meant = _ticket_called(session, found, alone)
    _lock(session, [alone, meant])
    row = session.exec(
        select(Awaited)
        .where(Awaited.id == awaited_id, Awaited.ticket_id == alone.id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return False  # joined with another one meanwhile
    session.delete(row)
    answer = _answer(session, alone, row.external_id) if meant.id != alone.id else None
    if answer is None or Status.SPAM in {alone.status, meant.status}:
        return False
    return _bring(session, alone, meant, answer)


def _ticket_called(session: Session, row: Awaited, alone: Ticket) -> Ticket:
    """As an answer that names it would find it: first a ticket of whoever wrote it."""
    theirs = case((col(Ticket.customer_id) == alone.customer_id, 0), else_=1)
    return session.exec(
        select(Ticket)
        .join(Message, col(Message.ticket_id) == col(Ticket.id))
        .join(OtherId, col(OtherId.message_id) == col(Message.id))
        .where(OtherId.inbox_id == row.inbox_id, OtherId.external_id == row.external_id)
        .order_by(theirs, col(Ticket.id).desc())
        .limit(1)
    ).one()


def _lock(session: Session, tickets: Sequence[Ticket]) -> None:
    for ticket in sorted(tickets, key=lambda one: one.id):
        session.refresh(ticket, with_for_update={"key_share": True})


def _answer(session: Session, alone: Ticket, name: str) -> Message | None:
    """What names it, and nothing on its own ticket that goes before that."""
    said = session.exec(
        select(Message).where(Message.ticket_id == alone.id).order_by(col(Message.id))
    ).all()
    ours = {one.external_id for one in said if one.kind is MessageKind.OUTBOUND}
    before: set[str] = set()
    for one in said:
        names = one.references
        if (
            one.kind is MessageKind.INBOUND
            and not (one.automatic or one.unverified)
            and name in names
            and not ours.intersection(names)
            and not before.intersection(names[: names.index(name)])
        ):
            return one
        before.add(one.external_id)
    return None


def _bring(session: Session, alone: Ticket, meant: Ticket, answer: Message) -> bool:
    """Join them, if the same customer wrote them; else the answer's ticket says what it names."""
    address = session.get(Address, answer.address_id) if answer.address_id else None
    if address is None or not threads.may_speak(session, meant, address):
        alone.claims_ref = alone.claims_ref or meant.ref
        return False
    late = sequels.comes_too_late(session, meant, answer.created_at)
    if late or alone.customer_id != meant.customer_id:
        alone.follows_ref = alone.follows_ref or meant.ref
        return False
    was = meant.status
    older, newer = sorted((alone, meant), key=lambda one: one.id)
    merging.join(session, RULE, newer, older)
    if was is Status.RESOLVED and older.status is not Status.RESOLVED:
        withdrawals.of_ticket(session, older, "The customer wrote again before it was sent.")
    return True

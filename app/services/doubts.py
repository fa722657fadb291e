"""Deliveries whose end nobody told us, and what shows later whether they arrived."""

import re
from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import Conflict
from app.domain.address import EMAIL, normal
from app.domain.storable import storable
from app.domain.words import DeliveryState, MessageKind
from app.services import changes, complaints, customers, dispatched, outbox, sent_copies
from app.services.access import SYSTEM, Actor
from app.store.tables import Address, Delivery, Inbox, Message, Ticket
from channels.contract import Failure

# What servers call themselves; no house gives such a name away, but many what begins like one.
_SERVERS = re.compile(r"mailer-daemon|postmaster|microsoftexchange[0-9a-f]{32}")
BY_A_PERSON = "A person says that it arrived."
BY_AN_ANSWER = "It arrived, for there is an answer to it."
AMONG_SENT = "It arrived, for it lies among what was sent."
BY_A_NOTICE = "A notice says that it arrived."

# A bounce changes nothing about what a person has already decided otherwise.
_MAY_BOUNCE = {DeliveryState.SENT, DeliveryState.IN_DOUBT, DeliveryState.SENDING}


def arrived(session: Session, actor: Actor, delivery_id: int) -> None:
    """A person knows what the server did not say: it need not be sent again."""
    delivery, message, ticket = outbox.for_a_person(session, actor, delivery_id)
    if delivery.state is not DeliveryState.IN_DOUBT:
        raise Conflict("This delivery has gone on meanwhile.", state=delivery.state)
    _over(session, actor, ticket, message, delivery, BY_A_PERSON)


def lies_among_sent(session: Session, external_id: str) -> None:
    """Its provider keeps a copy of what it took: that ends a doubt, if we put none there.

    Not under a name of a relay's own: it told that one when it took another attempt.
    """
    message = dispatched.sent_as(session, external_id)
    if message is None or sent_copies.ours(session, message):
        return
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    for delivery in session.exec(
        select(Delivery)
        .where(Delivery.message_id == message.id, Delivery.state == DeliveryState.IN_DOUBT)
        .with_for_update()
    ):
        _over(session, SYSTEM, ticket, message, delivery, AMONG_SENT)


def _over(
    session: Session,
    actor: Actor,
    ticket: Ticket,
    message: Message,
    delivery: Delivery,
    words: str,
) -> None:
    delivery.state, delivery.words, delivery.changed_at = DeliveryState.SENT, words, clock.now()
    session.add(delivery)
    outbox.consequences(session, ticket, message)
    changes.record(session, actor, ticket, "arrived_after_all", message=message.id)


def answered(session: Session) -> int:
    """End the doubts about what its recipient has answered by now; how many."""
    doubts = session.exec(
        select(Delivery, Message)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(Delivery.state == DeliveryState.IN_DOUBT, Message.external_id != "")
        .order_by(col(Delivery.id))
    ).all()
    found = 0
    for delivery, message in doubts:
        if not _is_answered(session, message, delivery.recipient):
            continue
        ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
        session.refresh(delivery, with_for_update=True)
        if delivery.state is DeliveryState.IN_DOUBT:
            _over(session, SYSTEM, ticket, message, delivery, BY_AN_ANSWER)
            found += 1
    return found


def _is_answered(session: Session, message: Message, recipient: str) -> bool:
    """Whether the recipient, and no machine, wrote something that names exactly this message."""
    later = session.exec(
        select(Message.references, Address.kind, Address.value)
        .join(Address, col(Address.id) == col(Message.address_id))
        .where(
            Message.ticket_id == message.ticket_id,
            Message.id > message.id,
            Message.kind == MessageKind.INBOUND,
            col(Message.automatic).is_(False),
            col(Message.unverified).is_(False),
        )
    ).all()
    return any(
        message.external_id in references and normal(kind, value, 0) == normal(kind, recipient, 0)
        for references, kind, value in later
    )


def returned(
    session: Session, original_id: str, failures: Sequence[Failure], vouched: str = ""
) -> int:
    """What a bounce says of a message of ours; how many deliveries it changed.

    Only an id that we gave out is known here, and nobody can guess one. But whoever else was
    written to on the ticket has seen it: then only a server that is `vouched` for, the sender of
    the report, has an address taken for one where nobody is.
    """
    message = dispatched.own(session, original_id)
    if message is None:
        return 0
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    deliveries = session.exec(
        select(Delivery).where(Delivery.message_id == message.id).with_for_update()
    ).all()
    return sum(
        _hear(
            session,
            (ticket, message, delivery),
            failure,
            sure=_speaks_for(session, vouched, message, delivery.recipient)
            or _alone(session, ticket, delivery.recipient),
        )
        for delivery, failure in dispatched.named(deliveries, failures)
    )


def _alone(session: Session, ticket: Ticket, recipient: str) -> bool:
    """Whether nobody else was ever written to on it."""
    told = session.exec(
        select(Delivery.recipient)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(Message.ticket_id == ticket.id)
        .distinct()
    ).all()
    return len({normal(EMAIL, one, 0) for one in (*told, recipient)}) == 1


def _speaks_for(session: Session, vouched: str, message: Message, recipient: str) -> bool:
    """Whether it is a server of the recipient's own house, or of ours. Anybody may have an address
    at a house of many."""
    name, domain = vouched.rpartition("@")[0].lower(), _domain(vouched)
    if "." not in domain or not _SERVERS.fullmatch(name):
        return False
    inbox = session.get_one(Inbox, message.inbox_id)
    return any(
        domain == one or domain.endswith(f".{one}") or one.endswith(f".{domain}")
        for one in (_domain(recipient), _domain(inbox.address))
        if "." in one
    )


def _domain(address: str) -> str:
    return normal(EMAIL, address, 0).rpartition("@")[2]


def _hear(
    session: Session, about: tuple[Ticket, Message, Delivery], failure: Failure, *, sure: bool
) -> bool:
    ticket, message, delivery = about
    if failure.action == "complained":
        # Wrongly believed it costs a survey, wrongly ignored the good name of the sender.
        return complaints.heard(session, ticket, message, delivery)
    if failure.action in {"delivered", "relayed", "expanded"}:
        if delivery.state is not DeliveryState.IN_DOUBT:
            return False
        _over(session, SYSTEM, ticket, message, delivery, BY_A_NOTICE)
        return True
    if failure.action != "failed" or delivery.state not in _MAY_BOUNCE:
        return False
    words = f"{failure.status} {failure.words}".strip() or "It came back."
    delivery.state, delivery.words = DeliveryState.FAILED, storable(words[:500])
    delivery.next_at, delivery.changed_at = None, clock.now()
    session.add(delivery)
    if failure.nobody_there and sure:
        customers.nobody_there(session, message.inbox_id, delivery.recipient)
    outbox.consequences(session, ticket, message)
    changes.record(session, SYSTEM, ticket, "delivery", message=message.id)
    return True

"""The first answer an inbox gives by itself: that an inquiry has arrived, at most once a ticket.

A machine must never be answered by a machine: whoever might be one gets nothing, and so does
everybody when too many are sent.
"""

import re
from datetime import timedelta

from sqlalchemy import exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.opening import is_open
from app.domain.words import MessageKind, Status
from app.services import changes, inboxes, letterheads, tickets
from app.services.access import SYSTEM
from app.store import search
from app.store.tables import (
    Address,
    Arrival,
    Delivery,
    Inbox,
    Letterhead,
    Message,
    Organisation,
    Ticket,
)
from channels.contract import FAIL

RECENT = timedelta(days=1)  # when it came to the mailbox
FRESH = timedelta(minutes=15)  # a receipt that comes later tells nobody anything
A_DAY = timedelta(hours=24)
REPEATED = timedelta(hours=1)
PER_ADDRESS = 10  # automatic mails in a day
PER_TICKET = 3
PER_INBOX = 60  # receipts in an hour; more is a loop or an attack
BATCH = 100
CAPPED = "receipt_withheld"

_NOBODY = re.compile(
    r"(?:no|not?|do-?not|never)[-_.]?(?:reply|respond|antwort\w*)|nicht[-_.]?antworten|noreply\w*"
    r"|mailer-?daemon|postmaster|bounces?|abuse|daemon|root|listserv|majordomo"
    r"|.*[-_.]bounces?|.*-(?:request|owner)|owner-.*",
    re.IGNORECASE,
)


def send_due(session: Session) -> int:
    """Answer whatever has just come in and may be answered; how many."""
    return sum(_send(session, ticket, message) for ticket, message in _candidates(session))


def _candidates(session: Session) -> list[tuple[Ticket, Message]]:
    """New tickets of people nobody has answered yet, with their first message."""
    now = clock.now()
    speak = session.exec(
        select(Letterhead.inbox_id).where(
            (col(Letterhead.receipt) != "") | (col(Letterhead.receipt_closed) != "")
        )
    ).all()
    if not speak:
        return []  # without a look at every open ticket
    other = aliased(Message)
    said = exists().where(
        col(other.ticket_id) == col(Ticket.id),
        (col(other.kind) == MessageKind.OUTBOUND) | (col(other.id) < col(Message.id)),
    )
    came = func.coalesce(Arrival.server_at, Arrival.received_at)
    found = session.exec(
        select(Ticket, Message)
        .join(Message, col(Message.ticket_id) == col(Ticket.id))
        .join(Inbox, col(Inbox.id) == col(Ticket.inbox_id))
        .join(Arrival, col(Arrival.id) == col(Message.arrival_id))
        .where(
            col(Ticket.receipt_decided).is_(False),
            Ticket.status == Status.OPEN,
            col(Ticket.created_at) > now - FRESH,
            # An import, or what lay on the server while we were away, is answered by people.
            col(Arrival.backlog).is_(False),
            came > now - RECENT,
            col(Inbox.started_at).is_(None) | (came >= col(Inbox.started_at)),
            col(Ticket.sample).is_(False),
            Message.kind == MessageKind.INBOUND,
            col(Message.automatic).is_(False),
            Message.machine == "",
            col(Inbox.enabled).is_(True),
            Inbox.writes_to != "",
            col(Ticket.inbox_id).in_(speak),
            ~said,
        )
        .order_by(col(Ticket.id))
        .limit(BATCH)
        .with_for_update(of=Ticket, skip_locked=True, key_share=True)
    )
    return [(ticket, message) for ticket, message in found]


def _send(session: Session, ticket: Ticket, first: Message) -> bool:
    ticket.receipt_decided = True  # one that gets none stands in nobody's way
    if first.verdicts and first.verdicts["dmarc"] == FAIL:
        return False  # whoever is named there wrote nothing
    inbox = session.get_one(Inbox, ticket.inbox_id)
    house = session.exec(select(Organisation)).first()
    text = _text(session, ticket, inbox, house)
    address = session.get(Address, first.address_id) if first.address_id else None
    if not text or address is None or not _may(session, address):
        return False
    if _repeats(session, first):
        return False
    if cap := _cap(session, ticket, inbox, address):
        # On the ticket: nobody else would see that its customer has heard nothing.
        changes.record(session, SYSTEM, ticket, CAPPED, cap=cap)
        return False
    now = clock.now()
    message = Message(
        ticket_id=ticket.id,
        inbox_id=inbox.id,
        kind=MessageKind.OUTBOUND,
        author=SYSTEM.name,
        # Not what they wrote: nobody has us carry their words to an address that they name.
        subject=f"{(house and house.name) or inbox.name} · #{ticket.ref}",
        text=text,
        language=ticket.language,
        to=[address.value],
        automatic=True,
        sent_at=now,
        created_at=now,
    )
    session.add(message)
    session.flush()  # deliveries and the index name it by its id
    ticket.message_count += 1
    search.index(session, search.Entry(message.id, ticket.id, (text,)))
    tickets.queue(session, message, [(address.value, False)], now)
    changes.record(session, SYSTEM, ticket, "receipt_sent", message=message.id)
    return True


def _text(session: Session, ticket: Ticket, inbox: Inbox, house: Organisation | None) -> str:
    texts = letterheads.texts_for(session, inbox, ticket.language)
    there = house is None or is_open(
        clock.now(), house.time_zone, house.open_days, house.opens_minute, house.closes_minute
    )
    text = texts.receipt if there else texts.receipt_closed or texts.receipt
    return text.replace(letterheads.TICKET, f"#{ticket.ref}")


def _may(session: Session, address: Address) -> bool:
    """Only a person who can be reached, and who has not complained of us. Never ourselves."""
    value = address.value
    if address.undeliverable_at is not None or address.complained_at is not None:
        return False
    if _NOBODY.fullmatch(value.partition("@")[0]):
        return False
    return not ("@" in value and inboxes.ours(session, value))


def _repeats(session: Session, first: Message) -> bool:
    """Whether the same words came from there just before: a program, or a second click."""
    words = func.coalesce(func.nullif(col(Message.reply_text), ""), col(Message.text))
    same = select(Message.id).where(
        Message.address_id == first.address_id,
        Message.kind == MessageKind.INBOUND,
        col(Message.id) < first.id,
        col(Message.created_at) > first.created_at - REPEATED,
        words == (first.reply_text or first.text),
    )
    return session.exec(same.limit(1)).first() is not None


def _cap(session: Session, ticket: Ticket, inbox: Inbox, address: Address) -> str:
    """Of what there were too many already; "" where it is still in bounds."""
    automatic = (
        select(func.count())
        .select_from(Delivery)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(col(Message.automatic).is_(True))
    )
    in_a_day = session.exec(
        automatic.where(
            func.lower(col(Delivery.recipient)) == address.value.lower(),
            col(Message.created_at) > clock.now() - A_DAY,
        )
    ).one()
    if in_a_day >= PER_ADDRESS:
        return "address"
    if session.exec(automatic.where(Message.ticket_id == ticket.id)).one() >= PER_TICKET:
        return "ticket"
    return "inbox" if _sent_by(session, inbox) >= PER_INBOX else ""


def _sent_by(session: Session, inbox: Inbox) -> int:
    return session.exec(
        select(func.count())
        .select_from(Message)
        .where(
            Message.inbox_id == inbox.id,
            Message.kind == MessageKind.OUTBOUND,
            col(Message.automatic).is_(True),
            col(Message.request).is_(False),
            col(Message.created_at) > clock.now() - timedelta(hours=1),
        )
    ).one()

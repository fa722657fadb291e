"""What was said on a ticket, as its page shows it: messages, their files, how far they got."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, false, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import DeliveryState, MessageKind
from app.services import pauses
from app.store.tables import Address, Arrival, Attachment, Delivery, Message, Resting, Ticket
from channels.contract import Verdicts

Written = tuple[Message, str | None]  # and the address whose words these are, when a customer's


@dataclass(frozen=True, slots=True)
class File:
    ref: str
    name: str
    content_type: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """One recipient of a message of ours."""

    id: int
    recipient: str
    copy: bool
    state: DeliveryState
    words: str
    next_at: datetime | None
    at: datetime
    provider_id: str = ""  # what the server that took it calls it in its log
    rests_until: datetime | None = None  # until then whoever wrote it can take it back
    planned: bool = False  # for that moment, by choice
    parked: bool = False  # until its inbox can send again


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    id: int
    kind: MessageKind
    author: str
    own: bool  # an agent's words
    agent_id: int | None
    subject: str
    text: str  # the whole of it
    reply_text: str  # what is new in it; "" when that is all of it
    quoted_text: str
    signature: str
    has_html: bool
    language: str
    at: datetime
    sent_at: datetime
    automatic: bool
    unverified: bool  # of somebody who takes no part; an agent decides
    address: str  # whose words these are, when a customer's
    machine: str
    request: bool
    charset_suspect: bool
    verdicts: Verdicts | None  # on who sent it, by a server that is trusted
    passes_on: str  # who wrote it first, as one of us says; a person decides
    warnings: tuple[str, ...]  # a word, a colon, a sentence
    seconds: int | None
    cc: tuple[str, ...]
    arrival_id: int | None  # whose raw source it was read from
    raw_deleted_at: datetime | None  # since when there is none any more
    files: tuple[File, ...]
    sendings: tuple[Sending, ...]


# Made once: making a statement costs as much as running it.
_whose: BindParameter[int] = bindparam("ticket")
_MESSAGES = (
    sql_select(Message, col(Address.value))
    .outerjoin(Address, col(Address.id) == col(Message.address_id))
    .where(col(Message.ticket_id) == _whose)
    .order_by(col(Message.id))
)
_FILES: Any = (
    sql_select(
        col(Attachment.message_id),
        col(Attachment.ref),
        col(Attachment.name),
        col(Attachment.content_type),
        col(Attachment.size),
        col(Attachment.inline),
    )
    .join(Message, col(Message.id) == col(Attachment.message_id))
    .where(col(Message.ticket_id) == _whose)
    .order_by(col(Attachment.id))
)
_SENDINGS: Any = (
    sql_select(
        col(Delivery.message_id),
        col(Delivery.id),
        col(Delivery.recipient),
        col(Delivery.is_copy),
        col(Delivery.state),
        col(Delivery.words),
        col(Delivery.next_at),
        col(Delivery.changed_at),
        col(Delivery.provider_id),
        col(Resting.until),
        func.coalesce(col(Resting.scheduled), false()),
        col(Delivery.held_by) == pauses.PARKED,
    )
    .join(Message, col(Message.id) == col(Delivery.message_id))
    .outerjoin(Resting, col(Resting.message_id) == col(Delivery.message_id))
    .where(col(Message.ticket_id) == _whose)
    .order_by(col(Delivery.id))
)
_deleted = func.coalesce(col(Arrival.raw_deleted_at), col(Message.raw_deleted_at))
_DELETED: Any = (
    sql_select(col(Message.id), _deleted)
    .outerjoin(Arrival, col(Arrival.id) == col(Message.arrival_id))
    .where(col(Message.ticket_id) == _whose, _deleted.is_not(None))
)


def written(session: Session, ticket: Ticket) -> Sequence[Written]:
    found = session.execute(_MESSAGES, {"ticket": ticket.id}).all()
    return [(message, address) for message, address in found]


def said(session: Session, ticket: Ticket, messages: Sequence[Written]) -> tuple[Said, ...]:
    ask, whose = session.connection().execute, {"ticket": ticket.id}
    files: dict[int, list[File]] = defaultdict(list)
    for message_id, *file in ask(_FILES, whose):
        files[message_id].append(File(*file))
    sendings: dict[int, list[Sending]] = defaultdict(list)
    for message_id, *sending in ask(_SENDINGS, whose):
        sendings[message_id].append(Sending(*sending))
    deleted: dict[int, datetime] = dict(ask(_DELETED, whose).all())
    return tuple(
        _one(
            message,
            address,
            deleted.get(message.id),
            tuple(files[message.id]),
            tuple(sendings[message.id]),
        )
        for message, address in messages
    )


def _one(
    message: Message,
    address: str | None,
    raw_deleted_at: datetime | None,
    files: tuple[File, ...],
    sendings: tuple[Sending, ...],
) -> Said:
    return Said(
        id=message.id,
        kind=message.kind,
        author=message.author,
        own=message.kind in {MessageKind.OUTBOUND, MessageKind.NOTE},
        agent_id=message.agent_id,
        subject=message.subject,
        text=message.text,
        reply_text="" if message.reply_text == message.text else message.reply_text,
        quoted_text=message.quoted_text,
        signature=message.signature,
        has_html=bool(message.html),
        language=message.language,
        at=message.created_at,
        sent_at=message.sent_at,
        automatic=message.automatic,
        unverified=message.unverified,
        address=address or "",
        machine=message.machine,
        request=message.request,
        charset_suspect=message.charset_suspect,
        verdicts=Verdicts(**message.verdicts) if message.verdicts is not None else None,
        passes_on=_first_author(message.passes_on),
        warnings=tuple(message.warnings),
        seconds=message.seconds,
        cc=tuple(message.cc),
        arrival_id=message.arrival_id,
        raw_deleted_at=raw_deleted_at,
        files=files,
        sendings=sendings,
    )


def _first_author(first: dict[str, str] | None) -> str:
    if not first:
        return ""
    return f"{first['name']} <{first['address']}>" if first["name"] else first["address"]

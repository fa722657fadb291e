"""One ticket as its page shows it: the conversation, its state and who it is about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, false, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.words import Cause, DeliveryState, MessageKind, Status, SurveyState
from app.services.access import Actor, Permission, require
from app.services.queries import customer, triage
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import (
    Address,
    Agent,
    Attachment,
    Change,
    Customer,
    Delivery,
    Draft,
    DraftFile,
    FormerRef,
    Inbox,
    Message,
    Resting,
    Seen,
    Survey,
    Ticket,
    Topic,
)


@dataclass(frozen=True, slots=True)
class File:
    ref: str
    name: str
    content_type: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of an answer that was taken back."""

    id: int
    name: str
    size: int


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
    rests_until: datetime | None = None  # until then whoever wrote it can take it back
    planned: bool = False  # for that moment, by choice


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
    warnings: tuple[str, ...]  # a word, a colon, a sentence
    seconds: int | None
    cc: tuple[str, ...]
    files: tuple[File, ...]
    sendings: tuple[Sending, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One change, as a thin line in the conversation."""

    at: datetime
    cause: Cause
    by: str
    what: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """The newest feedback request of the ticket, or why there was none."""

    state: SurveyState
    reason: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    ref: str
    subject: str
    status: Status
    channel: str
    inbox: str
    language: str
    assignee_id: int | None
    assignee: str
    waiting_since: datetime | None
    due_at: datetime | None
    first_responded_at: datetime | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    last_activity_at: datetime
    automatic: bool
    sample: bool
    claims_ref: str
    can_answer: bool  # in writing, on its own channel
    unread: bool
    triage: triage.Triage
    said: tuple[Said, ...]
    events: tuple[Event, ...]
    to: str
    wrote_from: str  # when the customer wants the answer at another address
    cc: tuple[str, ...]
    draft: str
    draft_at: datetime | None
    draft_to: tuple[str, ...]  # none: whom one would write to
    draft_cc: tuple[str, ...]
    draft_files: tuple[Kept, ...]
    request: Request | None
    customer: customer.Panel

    @property
    def newest(self) -> int:
        """The newest message the agent has seen when this is on the screen."""
        return max((message.id for message in self.said), default=0)


_SILENT = frozenset(
    {
        "filed",
        "customer_wrote",
        "third_party_wrote",
        "replied",
        "reply_planned",
        "noted",
        "feedback_asked",
        "feedback_expired",
        "delivery",
    }
)
"""Changes the conversation already shows as messages."""


# Made once: making a statement costs as much as running it.
_whose: BindParameter[int] = bindparam("ticket")
_me: BindParameter[int | None] = bindparam("me")
_TICKET = (
    sql_select(Ticket, Customer, Inbox, col(Agent.name), Topic, col(Seen.at))
    .join(Customer, col(Customer.id) == col(Ticket.customer_id))
    .join(Inbox, col(Inbox.id) == col(Ticket.inbox_id))
    .outerjoin(Agent, col(Agent.id) == col(Ticket.assignee_id))
    .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
    .outerjoin(Seen, and_(col(Seen.ticket_id) == col(Ticket.id), col(Seen.agent_id) == _me))
    .where(col(Ticket.ref) == bindparam("ref"))
)
_FORMER = (
    sql_select(col(Ticket.ref))
    .join(FormerRef, col(FormerRef.ticket_id) == col(Ticket.id))
    .where(col(FormerRef.ref) == bindparam("ref"))
)
_MESSAGES = (
    sql_select(Message, col(Address.value))
    .outerjoin(Address, col(Address.id) == col(Message.address_id))
    .where(col(Message.ticket_id) == _whose)
    .order_by(col(Message.id))
)
_DRAFT: Any = sql_select(
    col(Draft.id), col(Draft.text), col(Draft.changed_at), col(Draft.to), col(Draft.cc)
).where(col(Draft.ticket_id) == _whose, col(Draft.agent_id) == _me)
_KEPT: Any = (
    sql_select(col(DraftFile.id), col(DraftFile.name), col(DraftFile.size))
    .where(col(DraftFile.draft_id) == bindparam("draft"))
    .order_by(col(DraftFile.id))
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
        col(Resting.until),
        func.coalesce(col(Resting.scheduled), false()),
    )
    .join(Message, col(Message.id) == col(Delivery.message_id))
    .outerjoin(Resting, col(Resting.message_id) == col(Delivery.message_id))
    .where(col(Message.ticket_id) == _whose)
    .order_by(col(Delivery.id))
)
_EVENTS: Any = (
    sql_select(
        col(Change.at),
        col(Change.cause),
        func.coalesce(col(Agent.name), col(Change.by)),
        col(Change.what),
        col(Change.data),
    )
    .outerjoin(Agent, col(Agent.id) == col(Change.agent_id))
    .where(col(Change.ticket_id) == _whose, col(Change.what).not_in(_SILENT))
    .order_by(col(Change.id))
)
_REQUEST: Any = (
    sql_select(col(Survey.state), col(Survey.reason), col(Survey.due_at))
    .where(col(Survey.ticket_id) == _whose)
    .order_by(col(Survey.resolution).desc())
    .limit(1)
)


def view(session: Session, actor: Actor, ref: str, vocabulary: Vocabulary) -> Conversation:
    require(actor, Permission.READ)
    found = session.execute(_TICKET, {"ref": ref, "me": actor.agent_id}).one_or_none()
    if found is None:
        return view(session, actor, _now_called(session, ref), vocabulary)
    ticket, person, inbox, assignee, topic, seen_at = found
    messages = session.execute(_MESSAGES, {"ticket": ticket.id}).all()
    panel = customer.panel(session, person, without=ticket.id)
    answer = _answer([(said, address) for said, address in messages], panel, inbox.address)
    ask = session.connection().execute
    draft = ask(_DRAFT, {"ticket": ticket.id, "me": actor.agent_id}).one_or_none()
    return Conversation(
        ref=ticket.ref,
        subject=ticket.subject,
        status=ticket.status,
        channel=ticket.channel,
        inbox=inbox.name,
        language=ticket.language,
        assignee_id=ticket.assignee_id,
        assignee=assignee or "",
        waiting_since=ticket.waiting_since,
        due_at=ticket.due_at,
        first_responded_at=ticket.first_responded_at,
        snoozed_until=ticket.snoozed_until,
        resolved_at=ticket.resolved_at,
        last_activity_at=ticket.last_activity_at,
        automatic=ticket.automatic,
        sample=ticket.sample,
        claims_ref=ticket.claims_ref,
        can_answer=inbox.writes_to != "",
        unread=ticket.last_inbound_at is not None
        and (seen_at is None or ticket.last_inbound_at > seen_at),
        triage=triage.view(session, ticket, topic, vocabulary),
        said=_said(session, ticket, [(said, address) for said, address in messages]),
        events=_events(session, ticket),
        to=answer.to,
        wrote_from=answer.wrote_from,
        cc=answer.cc,
        draft=draft.text if draft else "",
        draft_at=draft.changed_at if draft else None,
        draft_to=tuple(draft.to) if draft else (),
        draft_cc=tuple(draft.cc) if draft else (),
        draft_files=tuple(starmap(Kept, ask(_KEPT, {"draft": draft.id}))) if draft else (),
        request=_request(session, ticket),
        customer=panel,
    )


def _now_called(session: Session, ref: str) -> str:
    """The ticket that one called `ref` was joined with."""
    found = session.execute(_FORMER, {"ref": ref}).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such ticket.")
    return str(found)


@dataclass(frozen=True, slots=True)
class _Answer:
    to: str
    wrote_from: str = ""
    cc: tuple[str, ...] = ()


def _answer(
    messages: Sequence[tuple[Message, str | None]], panel: customer.Panel, ours: str
) -> _Answer:
    """Whom an answer goes to unless the agent changes it: the last who wrote, and their copies."""
    for message, address in reversed(messages):
        by_customer = message.kind is MessageKind.INBOUND and not message.unverified
        if by_customer and not message.automatic:
            cc = tuple(value for value in message.cc if not ours or ours not in value)
            if message.reply_to:
                return _Answer(message.reply_to, address or "", cc)
            return _Answer(address or "", cc=cc)
    usable = [known.value for known in panel.known if not known.undeliverable]
    return _Answer(usable[0] if usable else "")


def _said(
    session: Session, ticket: Ticket, messages: Sequence[tuple[Message, str | None]]
) -> tuple[Said, ...]:
    ask, whose = session.connection().execute, {"ticket": ticket.id}
    files: dict[int, list[File]] = defaultdict(list)
    for message_id, *file in ask(_FILES, whose):
        files[message_id].append(File(*file))
    sendings: dict[int, list[Sending]] = defaultdict(list)
    for message_id, *sending in ask(_SENDINGS, whose):
        sendings[message_id].append(Sending(*sending))
    return tuple(
        _one(message, address, tuple(files[message.id]), tuple(sendings[message.id]))
        for message, address in messages
    )


def _one(
    message: Message,
    address: str | None,
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
        warnings=tuple(message.warnings),
        seconds=message.seconds,
        cc=tuple(message.cc),
        files=files,
        sendings=sendings,
    )


def _events(session: Session, ticket: Ticket) -> tuple[Event, ...]:
    return tuple(starmap(Event, session.connection().execute(_EVENTS, {"ticket": ticket.id})))


def _request(session: Session, ticket: Ticket) -> Request | None:
    found = session.connection().execute(_REQUEST, {"ticket": ticket.id}).one_or_none()
    return Request(*found) if found else None

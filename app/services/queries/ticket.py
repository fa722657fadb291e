"""One ticket as its page shows it: the conversation, its state and who it is about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

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
    Inbox,
    Message,
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
class Sending:
    """One recipient of a message of ours."""

    id: int
    recipient: str
    copy: bool
    state: DeliveryState
    words: str
    next_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    id: int
    kind: MessageKind
    author: str
    own: bool  # an agent's words
    subject: str
    text: str
    quoted: str
    has_html: bool
    language: str
    at: datetime
    sent_at: datetime
    automatic: bool
    machine: str
    request: bool
    suspect_charset: bool
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
    request: Request | None
    customer: customer.Panel

    @property
    def newest(self) -> int:
        """The newest message the agent has seen when this is on the screen."""
        return max((message.id for message in self.said), default=0)


_SILENT = frozenset({"filed", "customer_wrote", "replied", "noted", "feedback_asked"})
"""Changes the conversation already shows as messages."""


def view(session: Session, actor: Actor, ref: str, vocabulary: Vocabulary) -> Conversation:
    require(actor, Permission.READ)
    found = session.execute(
        sql_select(Ticket, Customer, Inbox, col(Agent.name), Topic, col(Seen.at))
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .join(Inbox, col(Inbox.id) == col(Ticket.inbox_id))
        .outerjoin(Agent, col(Agent.id) == col(Ticket.assignee_id))
        .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
        .outerjoin(
            Seen, and_(col(Seen.ticket_id) == col(Ticket.id), col(Seen.agent_id) == actor.agent_id)
        )
        .where(col(Ticket.ref) == ref)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such ticket.")
    ticket, person, inbox, assignee, topic, seen_at = found
    messages = session.execute(
        sql_select(Message, col(Address.value))
        .outerjoin(Address, col(Address.id) == col(Message.address_id))
        .where(col(Message.ticket_id) == ticket.id)
        .order_by(col(Message.id))
    ).all()
    panel = customer.panel(session, person, without=ticket.id)
    answer = _answer([(said, address) for said, address in messages], panel, inbox.address)
    draft = session.exec(
        select(Draft).where(Draft.ticket_id == ticket.id, Draft.agent_id == actor.agent_id)
    ).one_or_none()
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
        said=_said(session, ticket, [message for message, _ in messages]),
        events=_events(session, ticket),
        to=answer.to,
        wrote_from=answer.wrote_from,
        cc=answer.cc,
        draft=draft.text if draft else "",
        draft_at=draft.changed_at if draft else None,
        request=_request(session, ticket),
        customer=panel,
    )


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
        if message.kind is MessageKind.INBOUND and not message.automatic:
            cc = tuple(value for value in message.cc if not ours or ours not in value)
            if message.reply_to:
                return _Answer(message.reply_to, address or "", cc)
            return _Answer(address or "", cc=cc)
    usable = [known.value for known in panel.known if not known.undeliverable]
    return _Answer(usable[0] if usable else "")


def _said(session: Session, ticket: Ticket, messages: Sequence[Message]) -> tuple[Said, ...]:
    files: dict[int, list[File]] = defaultdict(list)
    for row in session.exec(
        select(Attachment)
        .join(Message, col(Message.id) == col(Attachment.message_id))
        .where(Message.ticket_id == ticket.id)
        .order_by(col(Attachment.id))
    ):
        files[row.message_id].append(
            File(row.ref, row.name, row.content_type, row.size, row.inline)
        )
    sendings: dict[int, list[Sending]] = defaultdict(list)
    for sent in session.exec(
        select(Delivery)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(Message.ticket_id == ticket.id)
        .order_by(col(Delivery.id))
    ):
        sendings[sent.message_id].append(
            Sending(
                id=sent.id,
                recipient=sent.recipient,
                copy=sent.is_copy,
                state=sent.state,
                words=sent.words,
                next_at=sent.next_at,
                at=sent.changed_at,
            )
        )
    return tuple(
        _one(message, tuple(files[message.id]), tuple(sendings[message.id])) for message in messages
    )


def _one(message: Message, files: tuple[File, ...], sendings: tuple[Sending, ...]) -> Said:
    return Said(
        id=message.id,
        kind=message.kind,
        author=message.author,
        own=message.kind in {MessageKind.OUTBOUND, MessageKind.NOTE},
        subject=message.subject,
        text=message.reply_text or message.text,
        quoted=message.quoted_text,
        has_html=bool(message.html),
        language=message.language,
        at=message.created_at,
        sent_at=message.sent_at,
        automatic=message.automatic,
        machine=message.machine,
        request=message.request,
        suspect_charset=message.charset_suspect,
        seconds=message.seconds,
        cc=tuple(message.cc),
        files=files,
        sendings=sendings,
    )


def _events(session: Session, ticket: Ticket) -> tuple[Event, ...]:
    found = session.execute(
        sql_select(Change, col(Agent.name))
        .outerjoin(Agent, col(Agent.id) == col(Change.agent_id))
        .where(col(Change.ticket_id) == ticket.id, col(Change.what).not_in(_SILENT))
        .order_by(col(Change.id))
    ).all()
    return tuple(
        Event(row.at, row.cause, name or row.by, row.what, row.data) for row, name in found
    )


def _request(session: Session, ticket: Ticket) -> Request | None:
    survey = session.exec(
        select(Survey)
        .where(Survey.ticket_id == ticket.id)
        .order_by(col(Survey.resolution).desc())
        .limit(1)
    ).one_or_none()
    return Request(survey.state, survey.reason, survey.due_at) if survey else None

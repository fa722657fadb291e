"""One ticket as its page shows it: the conversation, its state and who it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.address import EMAIL, normal
from app.domain.words import Cause, MessageKind, Status, SurveyState
from app.services.access import Actor, Permission, require
from app.services.queries import customer, likely, triage
from app.services.queries.said import Said, Written, said, written
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import (
    Address,
    Agent,
    Change,
    Customer,
    Draft,
    DraftFile,
    FormerRef,
    Inbox,
    Participant,
    Seen,
    Survey,
    Ticket,
    Topic,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of an answer that was taken back."""

    id: int
    name: str
    size: int


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
    follows_ref: str
    followed_by: tuple[likely.Likely, ...]  # the newest first
    may_belong_to: tuple[likely.Likely, ...]  # a guess: an agent joins them or does not
    can_answer: bool  # in writing, on its own channel
    unread: bool
    triage: triage.Triage
    said: tuple[Said, ...]
    events: tuple[Event, ...]
    to: str
    wrote_from: str  # when the customer wants the answer at another address
    cc: tuple[str, ...]
    newcomers: tuple[str, ...]  # in Cc of the last message, and no part of this: never by itself
    participants: tuple[str, ...]  # whoever may write here, with every address of the customer
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
_DRAFT: Any = sql_select(
    col(Draft.id), col(Draft.text), col(Draft.changed_at), col(Draft.to), col(Draft.cc)
).where(col(Draft.ticket_id) == _whose, col(Draft.agent_id) == _me)
_KEPT: Any = (
    sql_select(col(DraftFile.id), col(DraftFile.name), col(DraftFile.size))
    .where(col(DraftFile.draft_id) == bindparam("draft"))
    .order_by(col(DraftFile.id))
)
_TAKE_PART: Any = (
    sql_select(col(Address.value))
    .join(Participant, col(Participant.address_id) == col(Address.id))
    .where(col(Participant.ticket_id) == _whose)
    .order_by(col(Participant.id))
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
    messages = written(session, ticket)
    panel = customer.panel(session, person, without=ticket.id)
    ask = session.connection().execute
    part = [*ask(_TAKE_PART, {"ticket": ticket.id}).scalars(), *(one.value for one in panel.known)]
    answer = _answer(messages, panel, inbox.address, part)
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
        follows_ref=ticket.follows_ref,
        followed_by=likely.followers(session, ticket),
        may_belong_to=likely.tickets(session, ticket, [message for message, _ in messages]),
        can_answer=inbox.writes_to != "",
        unread=ticket.last_inbound_at is not None
        and (seen_at is None or ticket.last_inbound_at > seen_at),
        triage=triage.view(session, ticket, topic, vocabulary),
        said=said(session, ticket, messages),
        events=_events(session, ticket),
        to=answer.to,
        wrote_from=answer.wrote_from,
        cc=answer.cc,
        newcomers=answer.newcomers,
        participants=tuple(dict.fromkeys(part)),
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
    newcomers: tuple[str, ...] = ()


def _answer(
    messages: Sequence[Written], panel: customer.Panel, ours: str, part: Sequence[str]
) -> _Answer:
    """Whom an answer goes to unless the agent changes it: the last who wrote, and their copies.

    Not to whom somebody only put in Cc: with the answer they would get the conversation, and
    could write on it. An agent takes them in, or does not.
    """
    known = {normal(EMAIL, one, 0) for one in part}
    for message, address in reversed(messages):
        by_customer = message.kind is MessageKind.INBOUND and not message.unverified
        if by_customer and not message.automatic:
            copies = [value for value in message.cc if not ours or ours not in value]
            cc = tuple(one for one in copies if normal(EMAIL, one, 0) in known)
            new = tuple(one for one in copies if normal(EMAIL, one, 0) not in known)
            if message.reply_to:
                return _Answer(message.reply_to, address or "", cc, new)
            return _Answer(address or "", cc=cc, newcomers=new)
    usable = [one.value for one in panel.known if not one.undeliverable]
    return _Answer(usable[0] if usable else "")


def _events(session: Session, ticket: Ticket) -> tuple[Event, ...]:
    return tuple(starmap(Event, session.connection().execute(_EVENTS, {"ticket": ticket.id})))


def _request(session: Session, ticket: Ticket) -> Request | None:
    found = session.connection().execute(_REQUEST, {"ticket": ticket.id}).one_or_none()
    return Request(*found) if found else None

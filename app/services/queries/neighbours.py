"""What stands beside a ticket: answers to what meant nearly the same, and copies of its text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, bindparam, exists, func, or_, union_all
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.core.errors import NotFound
from app.domain.reuse import without_person
from app.domain.survey import LOW
from app.domain.words import NO_INQUIRY, DeliveryState, MessageKind, Status
from app.services.access import Actor, Permission, require
from app.store.tables import (
    Address,
    Answer,
    Customer,
    Delivery,
    FormerRef,
    Meaning,
    Message,
    Neighbour,
    Survey,
    Ticket,
    Topic,
)

SHOWN, SHOWN_UNANSWERED = 5, 3
COPIES_SHOWN, COUNTED = 5, 100
_LATER = 50  # tickets that found this one
_TEXT = 10_000  # characters of an answer
_WAITS = (Status.OPEN, Status.WAITING, Status.SNOOZED)


class State(StrEnum):
    """Whether there was anything to compare."""

    IMPOSSIBLE = "impossible"  # without a model, or without a word
    SOON = "soon"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Similar:
    """A ticket that means nearly the same, with what it was answered."""

    ref: str
    subject: str
    language: str
    channel: str
    status: Status
    at: datetime
    likeness: float  # 1 is the same
    topic: Mapping[str, str] | None
    own: bool  # of the same customer
    answer: str  # without whom it was written to; "" when nobody answered
    answered_at: datetime | None
    answered_by: str
    score: int | None  # how the customer rated it


@dataclass(frozen=True, slots=True)
class Copy:
    """An open ticket with nearly the same text."""

    ref: str
    subject: str
    language: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Beside:
    state: State
    similar: tuple[Similar, ...] = ()  # answered ones first
    copies: tuple[Copy, ...] = ()  # of its text, open, by the same customer, newest first
    others: tuple[Copy, ...] = ()  # the newest by others …
    others_count: int = 0  # … and how many people wrote them, as far as they were counted

    def answer(self, ref: str) -> Similar | None:
        """The ticket `ref`, if it stands here and was answered."""
        return next((one for one in self.similar if one.ref == ref and one.answer), None)


# Made once: making a statement costs as much as running it.
_this: BindParameter[int] = bindparam("ticket")
_named = aliased(Ticket)
_TICKET: Any = (
    sql_select(Ticket, Meaning)
    .outerjoin(Meaning, col(Meaning.ticket_id) == col(Ticket.id))
    .where(
        col(Ticket.id)
        == func.coalesce(
            sql_select(col(_named.id)).where(col(_named.ref) == bindparam("ref")).scalar_subquery(),
            sql_select(col(FormerRef.ticket_id))
            .where(col(FormerRef.ref) == bindparam("ref"))
            .scalar_subquery(),
        )
    )
)
_before: Any = sql_select(col(Neighbour.other_id).label("other"), col(Neighbour.likeness)).where(
    col(Neighbour.ticket_id) == _this
)
_after = (
    sql_select(col(Neighbour.ticket_id).label("other"), col(Neighbour.likeness))
    .where(col(Neighbour.other_id) == _this)
    .order_by(col(Neighbour.id).desc())
    .limit(_LATER)
    .subquery()
)
_pairs = union_all(_before, sql_select(_after)).subquery()
_went_out = or_(
    col(Message.arrival_id).is_not(None),  # written in another program
    col(Ticket.sample).is_(True),  # nothing is sent there, and all of it is made up
    exists().where(
        col(Delivery.message_id) == col(Message.id), col(Delivery.state) == DeliveryState.SENT
    ),
)
_first_answer = (
    sql_select(func.min(col(Message.id)))
    .where(
        col(Message.ticket_id) == col(Ticket.id),
        col(Message.kind) == MessageKind.OUTBOUND,
        col(Message.automatic).is_(False),
        _went_out,
    )
    .correlate(Ticket)
    .scalar_subquery()
)
_newest_score = (
    sql_select(col(Answer.score))
    .join(Survey, col(Survey.id) == col(Answer.survey_id))
    .where(col(Survey.ticket_id) == col(Ticket.id), col(Answer.suspect) == "")
    .order_by(col(Answer.id).desc())
    .limit(1)
    .correlate(Ticket)
    .scalar_subquery()
)
_reply = aliased(Message)
_SIMILAR: Any = (
    sql_select(
        col(Ticket.ref),
        col(Ticket.subject),
        col(Ticket.language),
        col(Ticket.channel),
        col(Ticket.status),
        col(Ticket.created_at),
        col(Ticket.customer_id),
        _pairs.c.likeness,
        col(Topic.labels),
        func.substr(col(_reply.reply_text), 1, _TEXT).label("new"),
        func.substr(col(_reply.text), 1, _TEXT).label("whole"),
        col(_reply.created_at).label("answered_at"),
        col(_reply.author).label("answered_by"),
        _newest_score.label("score"),
    )
    .join(_pairs, _pairs.c.other == col(Ticket.id))
    .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
    .outerjoin(_reply, col(_reply.id) == _first_answer)
    .where(col(Ticket.status).not_in(NO_INQUIRY))
    .order_by(col(_reply.id).is_(None), _pairs.c.likeness.desc(), col(Ticket.id).desc())
    .limit(SHOWN + COPIES_SHOWN)
)
_NAMES: Any = (
    sql_select(col(Customer.id), col(Customer.name), col(Customer.company), col(Address.value))
    .outerjoin(Address, col(Address.customer_id) == col(Customer.id))
    .where(col(Customer.id).in_(bindparam("customers", expanding=True)))
)
_COPIES: Any = (
    sql_select(
        col(Ticket.ref),
        col(Ticket.subject),
        col(Ticket.language),
        col(Ticket.channel),
        col(Ticket.created_at),
        col(Ticket.customer_id),
        col(Ticket.apart_from),
    )
    .join(Meaning, col(Meaning.ticket_id) == col(Ticket.id))
    .where(
        col(Meaning.alike) == bindparam("alike"),
        col(Ticket.id) != _this,
        col(Ticket.status).in_(_WAITS),
    )
    .order_by(col(Ticket.id).desc())
    .limit(COUNTED)
)


def view(session: Session, actor: Actor, ref: str) -> Beside:
    """What a worker found for the ticket, as far as it still holds."""
    require(actor, Permission.READ)
    found = session.execute(_TICKET, {"ref": ref}).one_or_none()
    if found is None:
        raise NotFound("There is no such ticket.")
    ticket, meaning = found
    if meaning is None or ticket.status in NO_INQUIRY:
        return Beside(State.IMPOSSIBLE)
    rows = _copies(session, ticket, meaning)
    told = {row.ref for row in rows}
    similar = [one for one in _similar(session, ticket) if one.answer or one.ref not in told]
    # An answer that did not please is the last one to give again.
    answered = sorted((one for one in similar if one.answer), key=_displeased)[:SHOWN]
    waiting = [one for one in similar if not one.answer]
    others = [row for row in rows if row.customer_id != ticket.customer_id]
    return Beside(
        state=State.DONE if meaning.compared_at else State.SOON,
        similar=(*answered, *waiting[: max(0, SHOWN_UNANSWERED - len(answered))]),
        copies=tuple(_copy(row) for row in rows if _belongs(row, ticket)),
        others=tuple(map(_copy, others[:COPIES_SHOWN])),
        others_count=len({row.customer_id for row in others}),
    )


def _displeased(one: Similar) -> bool:
    return one.score is not None and one.score <= LOW


def _belongs(row: Any, ticket: Ticket) -> bool:
    """Whether it may be the same inquiry, as long as nobody said that it is not."""
    said_no = row.ref in ticket.apart_from or ticket.ref in row.apart_from
    return bool(row.customer_id == ticket.customer_id and not said_no)


def _similar(session: Session, ticket: Ticket) -> list[Similar]:
    rows = session.connection().execute(_SIMILAR, {"ticket": ticket.id}).all()
    names = _names(session, {row.customer_id for row in rows})
    return [
        Similar(
            ref=row.ref,
            subject=row.subject,
            language=row.language,
            channel=row.channel,
            status=row.status,
            at=row.created_at,
            likeness=row.likeness,
            topic=row.labels,
            own=row.customer_id == ticket.customer_id,
            answer=without_person(
                row.new or row.whole or "", names[row.customer_id], row.answered_by or ""
            ),
            answered_at=row.answered_at,
            answered_by=row.answered_by or "",
            score=row.score,
        )
        for row in rows
    ]


def _names(session: Session, customers: set[int]) -> Mapping[int, set[str]]:
    names: dict[int, set[str]] = defaultdict(set)
    if customers:
        for customer_id, *known in session.execute(_NAMES, {"customers": list(customers)}):
            names[customer_id] |= {name for name in known if name}
    return names


def _copies(session: Session, ticket: Ticket, meaning: Meaning) -> Sequence[Any]:
    if meaning.alike is None or ticket.status not in _WAITS:
        return ()
    wanted = {"alike": meaning.alike, "ticket": ticket.id}
    return session.connection().execute(_COPIES, wanted).all()


def _copy(row: Any) -> Copy:
    return Copy(row.ref, row.subject, row.language, row.channel, row.created_at)

"""A customer as the panel beside a conversation and as a page of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import BindParameter, bindparam, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core.errors import NotFound
from app.domain.words import FollowUpState, Status
from app.store.tables import Address, Agent, Answer, Customer, FollowUp, Survey, Ticket, Touchpoint


@dataclass(frozen=True, slots=True)
class Known:
    kind: str
    value: str
    undeliverable: bool
    complained: bool  # reported our mail as spam


@dataclass(frozen=True, slots=True)
class Earlier:
    ref: str
    subject: str
    channel: str
    language: str
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    score: int
    comment: str
    language: str
    suspect: str
    wants_contact: bool
    at: datetime
    ticket_ref: str
    ticket_id: int


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    id: int
    due_at: datetime
    owner: str
    state: FollowUpState
    ticket_ref: str


@dataclass(frozen=True, slots=True)
class Panel:
    ref: str
    name: str
    company: str
    language: str
    time_zone: str  # "" where it is not known
    created_at: datetime
    known: tuple[Known, ...]
    stage: str
    stage_at: datetime | None
    stage_by: str  # "person", "model" (it was let), or empty without a stage
    met: frozenset[str]  # anchors of earlier contacts, where nobody only suggested them
    no_feedback: bool
    may_ask: bool
    may_learn: bool
    tickets: int
    earlier: tuple[Earlier, ...]
    ratings: tuple[Rating, ...]
    follow_ups: tuple[OpenFollowUp, ...]
    sample: bool

    @property
    def title(self) -> str:
        return self.name or (self.known[0].value if self.known else "")


def view(session: Session, ref: str) -> Panel:
    """The page of a customer. One who was merged is found under the other's name."""
    customer = session.exec(select(Customer).where(Customer.ref == ref)).one_or_none()
    if customer is None:
        raise NotFound("There is no such customer.")
    if customer.merged_into_id:
        customer = session.get_one(Customer, customer.merged_into_id)
    return panel(session, customer, shown=50)


# Made once: every ticket asks all of this, and making a statement costs as much as running it.
_whose: BindParameter[int] = bindparam("customer")
_ADDRESSES = (
    sql_select(
        col(Address.kind),
        col(Address.value),
        col(Address.undeliverable_at).is_not(None),
        col(Address.complained_at).is_not(None),
    )
    .where(col(Address.customer_id) == _whose)
    .order_by(col(Address.id))
)
_ANCHORS = (
    sql_select(col(Touchpoint.stage))
    .join(Ticket, col(Ticket.id) == col(Touchpoint.ticket_id))
    .where(col(Touchpoint.customer_id) == _whose, col(Ticket.stage_by).in_(("person", "model")))
    .distinct()
)
_FACTS = sql_select(
    sql_select(func.count())
    .select_from(Ticket)
    .where(col(Ticket.customer_id) == _whose)
    .scalar_subquery(),
    sql_select(col(Ticket.id))
    .where(
        col(Ticket.customer_id) == _whose,
        col(Ticket.stage) == bindparam("stage"),
        col(Ticket.stage_by) == "person",
    )
    .exists(),
)
_EARLIER = (
    sql_select(
        col(Ticket.ref),
        col(Ticket.subject),
        col(Ticket.channel),
        col(Ticket.language),
        col(Ticket.status),
        col(Ticket.last_activity_at),
    )
    .where(col(Ticket.customer_id) == _whose, col(Ticket.id) != bindparam("without"))
    .order_by(col(Ticket.last_activity_at).desc())
    .limit(bindparam("shown"))
)
_RATINGS = (
    sql_select(
        col(Answer.survey_id),
        col(Answer.score),
        col(Answer.comment),
        col(Survey.language),
        col(Answer.suspect),
        col(Answer.wants_contact),
        col(Answer.at),
        col(Ticket.ref),
        col(Ticket.id),
    )
    .join(Survey, col(Survey.id) == col(Answer.survey_id))
    .join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
    .where(col(Survey.customer_id) == _whose)
    .order_by(col(Answer.id).desc())
)
_FOLLOW_UPS = (
    sql_select(
        col(FollowUp.id),
        col(FollowUp.due_at),
        func.coalesce(col(Agent.name), ""),
        col(FollowUp.state),
        col(Ticket.ref),
    )
    .join(Ticket, col(Ticket.id) == col(FollowUp.ticket_id))
    .outerjoin(Agent, col(Agent.id) == col(FollowUp.owner_id))
    .where(
        col(Ticket.customer_id) == _whose,
        col(FollowUp.state).in_((FollowUpState.OPEN, FollowUpState.CONTACTED)),
    )
    .order_by(col(FollowUp.due_at))
)


def panel(session: Session, customer: Customer, *, without: int = 0, shown: int = 5) -> Panel:
    """What is known of `customer`; the ticket `without` is the one on the screen."""
    ask = session.connection().execute
    whose = {"customer": customer.id}
    tickets, by_person = ask(_FACTS, {**whose, "stage": customer.stage}).one()
    return Panel(
        ref=customer.ref,
        name=customer.name,
        company=customer.company,
        language=customer.language,
        time_zone=customer.time_zone,
        created_at=customer.created_at,
        known=tuple(starmap(Known, ask(_ADDRESSES, whose))),
        stage=customer.stage,
        stage_at=customer.stage_at,
        # A person as soon as one said so on any of their tickets.
        stage_by=("person" if by_person else "model") if customer.stage else "",
        met=frozenset(ask(_ANCHORS, whose).scalars()) - {""},
        no_feedback=customer.no_feedback_at is not None,
        may_ask=customer.may_ask,
        may_learn=customer.may_learn,
        tickets=tickets,
        earlier=tuple(
            starmap(Earlier, ask(_EARLIER, {**whose, "without": without, "shown": shown}))
        ),
        ratings=_newest(ask(_RATINGS, whose)),
        follow_ups=tuple(starmap(OpenFollowUp, ask(_FOLLOW_UPS, whose))),
        sample=customer.sample,
    )


def _newest(found: Iterable[Sequence[Any]]) -> tuple[Rating, ...]:
    """The newest answer to each request, newest request first."""
    newest: dict[int, Rating] = {}
    for survey_id, *rating in found:
        newest.setdefault(survey_id, Rating(*rating))
    return tuple(newest.values())

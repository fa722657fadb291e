"""A customer as the panel beside a conversation and as a page of their own."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
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
    stage_by: str  # "person", "model", or empty without a stage
    met: frozenset[str]  # anchors of earlier contacts
    no_feedback: bool
    may_ask: bool
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


def panel(session: Session, customer: Customer, *, without: int = 0, shown: int = 5) -> Panel:
    """What is known of `customer`; the ticket `without` is the one on the screen."""
    addresses = session.exec(
        select(Address).where(Address.customer_id == customer.id).order_by(col(Address.id))
    ).all()
    anchors = session.exec(
        select(Touchpoint.stage).where(Touchpoint.customer_id == customer.id).distinct()
    ).all()
    return Panel(
        ref=customer.ref,
        name=customer.name,
        company=customer.company,
        language=customer.language,
        time_zone=customer.time_zone,
        created_at=customer.created_at,
        known=tuple(Known(a.kind, a.value, a.undeliverable_at is not None) for a in addresses),
        stage=customer.stage,
        stage_at=customer.stage_at,
        stage_by=_stage_by(session, customer),
        met=frozenset(anchors) - {""},
        no_feedback=customer.no_feedback_at is not None,
        may_ask=customer.may_ask,
        tickets=session.exec(
            select(func.count()).select_from(Ticket).where(Ticket.customer_id == customer.id)
        ).one(),
        earlier=_earlier(session, customer, without, shown),
        ratings=_ratings(session, customer),
        follow_ups=_follow_ups(session, customer),
        sample=customer.sample,
    )


def _stage_by(session: Session, customer: Customer) -> str:
    """A person as soon as one said so on any of their tickets."""
    if not customer.stage:
        return ""
    said = select(Ticket.id).where(
        Ticket.customer_id == customer.id,
        Ticket.stage == customer.stage,
        Ticket.stage_by == "person",
    )
    return "person" if session.exec(said.limit(1)).first() else "model"


def _earlier(session: Session, customer: Customer, without: int, shown: int) -> tuple[Earlier, ...]:
    found = session.exec(
        select(Ticket)
        .where(Ticket.customer_id == customer.id, Ticket.id != without)
        .order_by(col(Ticket.last_activity_at).desc())
        .limit(shown)
    )
    return tuple(
        Earlier(t.ref, t.subject, t.channel, t.language, t.status, t.last_activity_at)
        for t in found
    )


def _ratings(session: Session, customer: Customer) -> tuple[Rating, ...]:
    """The newest answer to each request, newest request first."""
    found = session.execute(
        sql_select(Answer, col(Survey.language), col(Ticket.ref), col(Ticket.id))
        .join(Survey, col(Survey.id) == col(Answer.survey_id))
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
        .where(col(Survey.customer_id) == customer.id)
        .order_by(col(Answer.id).desc())
    ).all()
    newest: dict[int, Rating] = {}
    for answer, language, ref, ticket_id in found:
        newest.setdefault(
            answer.survey_id,
            Rating(
                score=answer.score,
                comment=answer.comment,
                language=language,
                suspect=answer.suspect,
                wants_contact=answer.wants_contact,
                at=answer.at,
                ticket_ref=ref,
                ticket_id=ticket_id,
            ),
        )
    return tuple(newest.values())


def _follow_ups(session: Session, customer: Customer) -> tuple[OpenFollowUp, ...]:
    found = session.execute(
        sql_select(FollowUp, col(Agent.name), col(Ticket.ref))
        .join(Ticket, col(Ticket.id) == col(FollowUp.ticket_id))
        .outerjoin(Agent, col(Agent.id) == col(FollowUp.owner_id))
        .where(
            col(Ticket.customer_id) == customer.id,
            col(FollowUp.state).in_((FollowUpState.OPEN, FollowUpState.CONTACTED)),
        )
        .order_by(col(FollowUp.due_at))
    ).all()
    return tuple(
        OpenFollowUp(row.id, row.due_at, owner or "", row.state, ref) for row, owner, ref in found
    )

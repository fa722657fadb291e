"""Topics that are proposed, each with its most typical inquiries, and when one looks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import ProposalState
from app.services import proposals
from app.services.access import Actor, Permission, require
from app.store.tables import Correction, Ticket, Topic, TopicProposal

_RECENT = timedelta(days=7)  # a topic that was made can still be given to its inquiries


@dataclass(frozen=True, slots=True)
class Typical:
    ref: str
    subject: str
    preview: str
    language: str


@dataclass(frozen=True, slots=True)
class Proposal:
    id: int
    names: Mapping[str, str]  # to begin with, by language
    tickets: int
    customers: int
    typical: Sequence[Typical]


@dataclass(frozen=True, slots=True)
class Made:
    """A topic that was made of a proposal lately."""

    id: int
    topic: str
    names: Mapping[str, str]
    without: int  # inquiries of the proposal that have no topic
    given: int  # that were given it by whoever asks, and can be taken back


@dataclass(frozen=True, slots=True)
class Overview:
    proposals: Sequence[Proposal]
    made: Sequence[Made]
    asked: bool  # a look is to come
    looked_at: datetime | None
    texts: int  # inquiries without a topic at the last look
    largest: int  # group of them


def overview(session: Session, actor: Actor) -> Overview:
    require(actor, Permission.ADMIN)
    rows = session.exec(select(TopicProposal).order_by(col(TopicProposal.id))).all()
    waiting = [row for row in rows if row.state is ProposalState.OPEN]
    tickets = _tickets(session, {ref for row in waiting for ref in row.typical})
    last = proposals.search(session)
    looked = last.looked_at if last else None
    asked = last.asked_at if last else None
    return Overview(
        proposals=[
            Proposal(
                id=row.id,
                names=row.names,
                tickets=len(row.refs),
                customers=row.customers,
                typical=[tickets[ref] for ref in row.typical if ref in tickets],
            )
            for row in sorted(waiting, key=lambda one: (-len(one.refs), one.id))
        ],
        made=[_made(session, actor, row) for row in rows if _is_recent(row)],
        asked=asked is not None and (looked is None or asked > looked),
        looked_at=looked,
        texts=last.texts if last else 0,
        largest=last.largest if last else 0,
    )


def _is_recent(row: TopicProposal) -> bool:
    since = clock.now() - _RECENT
    return row.state is ProposalState.MADE and row.decided_at is not None and row.decided_at > since


def _tickets(session: Session, refs: set[str]) -> dict[str, Typical]:
    found = session.exec(select(Ticket).where(col(Ticket.ref).in_(refs)))
    return {one.ref: Typical(one.ref, one.subject, one.preview, one.language) for one in found}


def _made(session: Session, actor: Actor, row: TopicProposal) -> Made:
    topic = session.get_one(Topic, row.topic_id)
    without = session.exec(
        select(func.count()).select_from(Ticket).where(*proposals.without_topic(row))
    ).one()
    given = session.exec(
        select(func.count())
        .select_from(Correction)
        .where(
            Correction.act == row.act,
            Correction.agent_id == actor.agent_id,
            col(Correction.joined).is_(False),
            row.act != "",
        )
    ).one()
    return Made(row.id, topic.key, topic.labels, without, given)

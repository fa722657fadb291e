"""What to ask people about next, so that the model learns most from it, and how much it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import and_, bindparam, func
from sqlalchemy import select as sql_select
from sqlalchemy import text as sql_text
from sqlmodel import Session, col

from app.domain import lesson_order, sameness
from app.domain.lesson_order import Because, Candidate
from app.domain.text import inquiry
from app.domain.words import NO_INQUIRY, TAGS, Head
from app.services import teaching
from app.services.access import Actor, Permission, require
from app.services.queries import triage
from app.services.queries.triage import HeadView
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import Correction, Customer, Message, PredictionRow, Ticket, Topic
from app.store.tables.ticket import UNLABELLED
from classifier.contract import ENOUGH_LABELS, Why

POOL = 500
"""The newest that are chosen from: to weigh every one of a hundred thousand takes seconds."""
SHOWN = 20
_COUNTED_UP_TO = 1_000


@dataclass(frozen=True, slots=True)
class Twin:
    """Nearly the same as the one that stands for it."""

    ref: str
    subject: str


@dataclass(frozen=True, slots=True)
class Row:
    ref: str
    subject: str
    text: str  # the beginning of what the customer said first
    channel: str
    language: str
    customer: str
    created_at: datetime
    stage: HeadView
    topic: HeadView
    because: Because
    twins: tuple[Twin, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.ref, *(twin.ref for twin in self.twins))


@dataclass(frozen=True, slots=True)
class Lessons:
    rows: tuple[Row, ...]
    labelled: Mapping[Head, int]  # inquiries that people labelled, up to a thousand
    enough: int  # from here on a head may act by itself


@dataclass(slots=True)
class _Found:
    """An inquiry of the pool, from one row of the database for each head."""

    id: int
    ref: str
    subject: str
    text: str
    tops: dict[Head, Any]
    novelties: dict[Head, float]


_pool = (
    sql_select(*map(col, (Ticket.id, Ticket.ref, Ticket.subject, Ticket.preview)))
    # In the words of the index, or it is not taken.
    .where(
        sql_text(UNLABELLED),
        col(Ticket.status).not_in(NO_INQUIRY),
        col(Ticket.sample).is_(False),
    )
    .order_by(col(Ticket.id).desc())
    .limit(POOL)
    .subquery("pool")
)
_POOL: Any = (
    sql_select(
        _pool.c.id,
        _pool.c.ref,
        _pool.c.subject,
        _pool.c.preview,
        col(PredictionRow.head),
        col(PredictionRow.top),
        col(PredictionRow.novelty),
        col(PredictionRow.why),
        func.substr(col(Message.reply_text), 1, sameness.LONGEST),
        func.substr(col(Message.text), 1, sameness.LONGEST),
    )
    .select_from(_pool)
    .outerjoin(
        PredictionRow,
        and_(
            col(PredictionRow.ticket_id) == _pool.c.id,
            col(PredictionRow.head).in_(TAGS),
            col(PredictionRow.shadow).is_(False),
        ),
    )
    .outerjoin(
        Message,
        and_(
            col(Message.id) == col(PredictionRow.message_id),
            col(PredictionRow.head) == Head.STAGE,
        ),
    )
    .order_by(_pool.c.id.desc(), col(PredictionRow.id))
)
_SHOWN = (
    sql_select(Ticket, Topic, col(Customer.name))
    .join(Customer, col(Customer.id) == col(Ticket.customer_id))
    .outerjoin(Topic, col(Topic.id) == col(Ticket.topic_id))
    .where(col(Ticket.id).in_(bindparam("tickets", expanding=True)))
)
_GUESSES = (
    sql_select(PredictionRow)
    .where(
        col(PredictionRow.ticket_id).in_(bindparam("tickets", expanding=True)),
        col(PredictionRow.shadow).is_(False),
    )
    .order_by(col(PredictionRow.id))
)
_labelled = {
    head: sql_select(func.count())
    .select_from(
        sql_select(col(Correction.ticket_id))
        .where(col(Correction.head) == head, col(Correction.label) != "")
        .distinct()
        .limit(_COUNTED_UP_TO)
        .subquery()
    )
    .scalar_subquery()
    for head in TAGS
}
_LABELLED = sql_select(*_labelled.values())


def view(session: Session, actor: Actor, vocabulary: Vocabulary, size: int = SHOWN) -> Lessons:
    """Four statements, whatever there is."""
    require(actor, Permission.READ)
    pool = _candidates(session)
    alike = sameness.groups([f"{one.subject}\n{one.text}" for one in pool])
    members: dict[int, list[_Found]] = {}
    for one, group in zip(pool, alike, strict=True):
        members.setdefault(group, []).append(one)
    chosen = lesson_order.order(list(starmap(_candidate, zip(pool, alike, strict=True))), size)
    return Lessons(
        rows=_rows(session, [(one, why, members[one.group]) for one, why in chosen], vocabulary),
        labelled=dict(zip(_labelled, session.connection().execute(_LABELLED).one(), strict=True)),
        enough=ENOUGH_LABELS,
    )


def _candidates(session: Session) -> list[_Found]:
    """What nobody has labelled yet, the newest first."""
    found: dict[int, _Found] = {}
    empty = set()
    for number, ref, subject, preview, head, top, novelty, why, new, whole in session.execute(
        _POOL
    ):
        one = found.setdefault(number, _Found(number, ref, subject, preview, {}, {}))
        if head is not None:  # of several predictions the newest counts
            one.tops[head], one.novelties[head] = top, novelty
        if whole:
            one.text = inquiry(new, whole)
        if why == Why.EMPTY:
            empty.add(number)  # a missed call teaches nothing
    return [one for number, one in found.items() if number not in empty]


def _candidate(one: _Found, group: int) -> Candidate:
    shares = [[float(share) for _, share in top] for top in one.tops.values() if top]
    # With what people said of one head already: a row must not jump while it is worked on.
    margin = min((max(top) - sum(sorted(top)[-2:-1]) for top in shares), default=None)
    novelty = min((one.novelties[head] for head, top in one.tops.items() if top), default=None)
    return Candidate(one.ref, group, margin, novelty)


def _rows(
    session: Session,
    chosen: Sequence[tuple[Candidate, Because, Sequence[_Found]]],
    vocabulary: Vocabulary,
) -> tuple[Row, ...]:
    found = {one.ref: one for _, _, members in chosen for one in members}
    numbers = {"tickets": [found[one.ref].id for one, _, _ in chosen]}
    shown = {ticket.ref: (ticket, *rest) for ticket, *rest in session.execute(_SHOWN, numbers)}
    guesses: dict[tuple[int, Head], PredictionRow] = {}
    for row in session.scalars(_GUESSES, numbers):
        guesses[row.ticket_id, row.head] = row
    rows = []
    for one, because, members in chosen:
        ticket, topic, customer = shown[one.ref]
        about = guesses.get((ticket.id, Head.TOPIC))
        rows.append(
            Row(
                ref=ticket.ref,
                subject=ticket.subject,
                text=found[one.ref].text,
                channel=ticket.channel,
                language=ticket.language,
                customer=customer,
                created_at=ticket.created_at,
                stage=triage.stage_view(ticket, guesses.get((ticket.id, Head.STAGE)), vocabulary),
                topic=triage.topic_view(ticket, topic, about, vocabulary),
                because=because,
                twins=tuple(
                    Twin(twin.ref, twin.subject)
                    for twin in members[: teaching.MOST]
                    if twin.ref != one.ref
                ),
            )
        )
    return tuple(rows)

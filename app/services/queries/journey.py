"""The touchpoint map and what stands behind one of its cells."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, literal
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.core import clock
from app.core.errors import NotFound
from app.domain.journey import Column, Line, Map, Tally, lay_out
from app.domain.score import SATISFIED_FROM
from app.domain.words import NO_INQUIRY
from app.services.access import Actor, Permission, require
from app.services.queries import vocabulary
from app.services.queries.vocabulary import Vocabulary
from app.store.tables import Answer, Survey, Ticket, Touchpoint


@dataclass(frozen=True, slots=True)
class Scope:
    """Which contacts count."""

    days: int = 90  # 0: since the beginning
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    score: int
    comment: str
    language: str
    ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Behind:
    """What one cell is made of."""

    ticket_ids: tuple[int, ...]
    quotes: tuple[Quote, ...]


SHOWN = 50  # tickets of a cell that are listed


def _in_scope(scope: Scope) -> list[ColumnElement[bool]]:
    other = aliased(Ticket)
    # Who advertises or applies is no customer on a path.
    none = sql_select(col(other.id)).where(col(other.status).in_(NO_INQUIRY))
    conditions: list[ColumnElement[bool]] = [
        col(Touchpoint.sample).is_(False),
        col(Touchpoint.ticket_id).not_in(none),
    ]
    if scope.days:
        conditions.append(col(Touchpoint.at) >= clock.now() - timedelta(days=scope.days))
    if scope.channel:
        conditions.append(col(Touchpoint.channel) == scope.channel)
    return conditions


def map(  # noqa: A001 - the screen's own word, and called as `journey.map`
    session: Session, actor: Actor, words: Vocabulary, scope: Scope
) -> Map:
    """Contacts and satisfied answers of every cell, in one statement."""
    require(actor, Permission.READ)
    rated, newest, later = aliased(Answer), aliased(Answer), aliased(Answer)
    contact = and_(col(Touchpoint.answer_id).is_(None), col(Touchpoint.automatic).is_(False))
    # A corrected answer is a further row: each request counts once, with its newest answer.
    statement = (
        sql_select(
            col(Touchpoint.stage),
            col(Touchpoint.segment_id),
            func.count(case((contact, 1))),
            func.count(func.distinct(col(Touchpoint.customer_id))),
            func.count(func.distinct(newest.survey_id)),
            func.count(
                func.distinct(case((col(newest.score) >= SATISFIED_FROM, newest.survey_id)))
            ),
        )
        .outerjoin(rated, col(rated.id) == col(Touchpoint.answer_id))
        .outerjoin(
            newest,
            and_(
                col(newest.survey_id) == rated.survey_id,
                col(newest.suspect) == "",
                ~sql_select(literal(1))
                .where(
                    col(later.survey_id) == newest.survey_id,
                    col(later.revision) > newest.revision,
                )
                .exists(),
            ),
        )
        .where(*_in_scope(scope))
        .group_by(col(Touchpoint.stage), col(Touchpoint.segment_id))
    )
    tallies = [Tally(*row) for row in session.execute(statement)]
    inquiries, suggested = session.execute(_staged(scope)).one()
    found = lay_out(
        tallies,
        [Column(stage.key, stage.anchors, stage.labels) for stage in words.stages],
        [Line(line.id, line.key, line.labels) for line in vocabulary.segments(session)],
    )
    return replace(found, inquiries=inquiries, suggested=suggested)


def _staged(scope: Scope) -> Select[int, int]:
    """How many inquiries are on the map, and of how many nobody has confirmed where they stand."""
    of_model = col(Ticket.stage_by) == "suggestion"
    return (
        sql_select(
            func.count(func.distinct(col(Ticket.id))),
            func.count(func.distinct(case((of_model, col(Ticket.id))))),
        )
        .join(Touchpoint, col(Touchpoint.ticket_id) == col(Ticket.id))
        .where(*_in_scope(scope), col(Touchpoint.stage) != "")
    )


def cell(
    session: Session, actor: Actor, words: Vocabulary, scope: Scope, where: tuple[str, str]
) -> Behind:
    """The newest tickets of a cell and what its customers said. `where`: stage and segment key."""
    require(actor, Permission.READ)
    stage = next((stage for stage in words.stages if stage.key == where[0]), None)
    line = next((line for line in vocabulary.segments(session) if line.key == where[1]), None)
    if stage is None or line is None:
        raise NotFound("The map has no such cell.")
    inside = [
        *_in_scope(scope),
        col(Touchpoint.stage).in_(stage.anchors),
        col(Touchpoint.segment_id) == line.id,
    ]
    newest = func.max(col(Touchpoint.at))
    tickets = session.execute(
        sql_select(col(Touchpoint.ticket_id))
        .where(*inside)
        .group_by(col(Touchpoint.ticket_id))
        .order_by(newest.desc())
        .limit(SHOWN)
    ).scalars()
    return Behind(tuple(tickets), _quotes(session, inside))


def _quotes(session: Session, inside: list[ColumnElement[bool]]) -> tuple[Quote, ...]:
    found = session.execute(
        sql_select(Answer, col(Survey.language), col(Ticket.ref))
        .join(Touchpoint, col(Touchpoint.answer_id) == col(Answer.id))
        .join(Survey, col(Survey.id) == col(Answer.survey_id))
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id))
        .where(*inside, col(Answer.comment) != "")
        .order_by(col(Answer.id).desc())
        .limit(6)
    ).all()
    return tuple(
        Quote(answer.score, answer.comment, language, ref, answer.at)
        for answer, language, ref in found
    )

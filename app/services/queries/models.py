"""Versions of the model with their figures, and verdicts that it cannot believe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import Head, ModelState, Promotion, Verdict
from app.services import lessons, models, occasions, organisation
from app.services.access import Actor, Permission, require
from app.store.tables import Agent, Correction, Lease, ModelFile, ModelVersion, Ticket
from classifier.contract import ENOUGH_LABELS


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """How it did on inquiries that neither version had seen."""

    texts: int
    before: float  # share that was right
    now: float
    calibration_error: float
    objections: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    name: str
    state: ModelState
    trained_at: datetime
    learned: Mapping[str, int]  # texts: samples, and verdicts by head
    stage: HeadFigures | None
    topic: HeadFigures | None
    beside: str  # the version it was compared with; "" for the samples' model
    refused: float | None
    problem: str
    usable: bool  # it can be made to answer


@dataclass(frozen=True, slots=True)
class Doubt:
    """What somebody said, and what the model would say for nearly certain."""

    ref: str
    subject: str
    language: str
    agent: str
    at: datetime
    head: Head
    said: str
    guess: str


@dataclass(frozen=True, slots=True)
class Overview:
    versions: Sequence[Version]
    doubts: Sequence[Doubt]
    verdicts: int  # of people, in all
    new: int  # that no version knows, or that were taken back since
    training: bool  # one is made at this moment
    asked: bool
    promotion: Promotion
    by_itself: bool  # whether the model may set stage and topic where it is sure enough
    enough: int  # inquiries that people labelled, before it may


def versions(session: Session, actor: Actor) -> list[Version]:
    """The newest first."""
    require(actor, Permission.ADMIN)
    return _versions(session, _rows(session))


def overview(session: Session, actor: Actor) -> Overview:
    require(actor, Permission.ADMIN)
    rows = _rows(session)
    house = organisation.current(session)
    through = rows[0].through if rows else 0
    all_of_them, new = session.exec(
        select(func.count(), func.count().filter(col(Correction.id) > through))
        .select_from(Correction)
        .where(lessons.teaches())
    ).one()
    gone = occasions.taken_back(session, rows[0]) if rows else 0
    busy = select(Lease.id).where(Lease.name == models.LEASE, col(Lease.until) > clock.now())
    asked = house.training_asked_at if house else None
    latest = next((row for row in rows if row.state is not ModelState.FAILED), None)
    return Overview(
        versions=_versions(session, rows),
        doubts=_doubts(session, latest),
        verdicts=all_of_them,
        new=new + gone,
        training=session.exec(busy).first() is not None,
        asked=asked is not None and (not rows or asked > rows[0].trained_at),
        promotion=house.promotion if house else Promotion.AT_ONCE,
        by_itself=house is not None and house.model_acts,
        enough=ENOUGH_LABELS,
    )


def _rows(session: Session) -> Sequence[ModelVersion]:
    return session.exec(select(ModelVersion).order_by(col(ModelVersion.id).desc())).all()


def _versions(session: Session, rows: Sequence[ModelVersion]) -> list[Version]:
    files = set(session.exec(select(ModelFile.model_id)))
    return [_version(row, usable=row.id in files) for row in rows]


def _version(row: ModelVersion, *, usable: bool) -> Version:
    return Version(
        id=row.id,
        name=row.name,
        state=row.state,
        trained_at=row.trained_at,
        learned=row.learned,
        stage=_figures(row.figures.get("stage")),
        topic=_figures(row.figures.get("topic")),
        beside=str(row.figures.get("beside", "")),
        refused=row.figures.get("refused"),
        problem=row.problem,
        usable=usable,
    )


def _figures(plain: Mapping[str, Any] | None) -> HeadFigures | None:
    if not plain or not plain["texts"]:
        return None
    return HeadFigures(
        texts=plain["texts"],
        before=plain["champion"],
        now=plain["challenger"],
        calibration_error=plain["calibration_error"],
        objections=tuple(plain["objections"]),
        lost=tuple(plain["lost"]),
    )


def _doubts(session: Session, version: ModelVersion | None) -> Sequence[Doubt]:
    """As the newest version has them; what was said anew or taken back since is gone."""
    doubted = version.answers.get("doubted", []) if version else []
    guesses = {int(said): str(guess) for said, guess in doubted}
    found = session.exec(
        select(Correction, Ticket, Agent)
        .join(Ticket, col(Ticket.id) == col(Correction.ticket_id))
        .join(Agent, col(Agent.id) == col(Correction.agent_id))
        .where(
            col(Correction.id).in_(guesses),
            Correction.verdict != Verdict.NO_INQUIRY,
            col(Correction.joined).is_(False),  # its ticket is not there any more
        )
        .order_by(col(Correction.id).desc())
    ).all()
    newest = dict(
        session.exec(
            select(func.max(Correction.id), Correction.ticket_id)
            .where(
                col(Correction.ticket_id).in_([ticket.id for _, ticket, _ in found]),
                col(Correction.joined).is_(False),
            )
            .group_by(col(Correction.ticket_id), col(Correction.head))
        ).all()
    )
    return [
        Doubt(
            ref=ticket.ref,
            subject=ticket.subject,
            language=ticket.language,
            agent=agent.name,
            at=row.at,
            head=row.head,
            said=row.label,
            guess=guesses[row.id],
        )
        for row, ticket, agent in found
        if row.id in newest
    ]

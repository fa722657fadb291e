"""The touchpoint map as figures, and what stands behind one of its cells."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from app.domain.journey import Cell
from app.services.queries import inbox, journey, vocabulary
from app.services.queries.inbox import Selection
from app.services.queries.journey import Scope
from app.web import routes
from app.web.api.fields import Key
from app.web.deps import CurrentActor, Db

router = routes.api("map", "/map")

Days = Annotated[int, Query(ge=0, le=3650)]
Channel = Annotated[str, Query(pattern="^[a-z0-9_-]{0,60}$")]


class Csat(BaseModel):
    """Satisfied answers in per cent, with the 95 % interval; `few` warns of an anecdote."""

    percent: float
    n: int
    low: float
    high: float
    few: bool


class CellOut(BaseModel):
    stage: str
    contacts: int
    csat: Csat | None


class StageOut(BaseModel):
    key: str
    anchors: tuple[str, ...]
    labels: Mapping[str, str]


class SegmentOut(BaseModel):
    key: str
    labels: Mapping[str, str]
    cells: list[CellOut]


class MapOut(BaseModel):
    """`unplaced` are contacts whose stage nobody knows yet.

    Of the `inquiries` that have a stage, `suggested` have it from the model alone.
    """

    stages: list[StageOut]
    segments: list[SegmentOut]
    contacts: int
    answers: int
    unplaced: int
    inquiries: int
    suggested: int


class QuoteOut(BaseModel):
    score: int
    comment: str
    language: str
    ticket: str
    at: datetime


class Behind(BaseModel):
    tickets: list[str]
    quotes: list[QuoteOut]


def _cell(cell: Cell) -> CellOut:
    share = cell.share
    if share is None:
        return CellOut(stage=cell.column.key, contacts=cell.contacts, csat=None)
    csat = Csat(
        percent=round(share.percent, 1), n=share.n, low=share.low, high=share.high, few=share.few
    )
    return CellOut(stage=cell.column.key, contacts=cell.contacts, csat=csat)


@router.get("")
def view(actor: CurrentActor, db: Db, days: Days = 90, channel: Channel = "") -> MapOut:
    """Contacts and satisfaction, stage by segment, of the last `days` (0: since the beginning)."""
    with db.reading() as session:
        found = journey.map(session, actor, vocabulary.current(session), Scope(days, channel))
    return MapOut(
        stages=[StageOut(key=c.key, anchors=c.anchors, labels=c.labels) for c in found.columns],
        segments=[
            SegmentOut(key=line.key, labels=line.labels, cells=[_cell(cell) for cell in cells])
            for line, cells in found.rows
        ],
        contacts=found.contacts,
        answers=found.answers,
        unplaced=found.unplaced,
        inquiries=found.inquiries,
        suggested=found.suggested,
    )


@router.get("/{stage}/{segment}")
def behind(
    stage: Key, segment: Key, actor: CurrentActor, db: Db, days: Days = 90, channel: Channel = ""
) -> Behind:
    """The newest tickets of a cell and what its customers said."""
    with db.reading() as session:
        words = vocabulary.current(session)
        found = journey.cell(session, actor, words, Scope(days, channel), (stage, segment))
        chosen = Selection(found=found.ticket_ids, size=journey.SHOWN)
        rows = inbox.rows(session, actor, chosen).rows if found.ticket_ids else ()
    return Behind(
        tickets=[row.ref for row in rows],
        quotes=[
            QuoteOut(score=q.score, comment=q.comment, language=q.language, ticket=q.ref, at=q.at)
            for q in found.quotes
        ],
    )

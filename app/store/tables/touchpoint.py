"""Recorded moments of contact: what the touchpoint map is computed from."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from app.store.row import Row
from app.store.types import link, maybe_link, moment, primary_key


class Touchpoint(Row, table=True):
    """Visible to us and to the customer alike; a note is not one."""

    __tablename__ = "touchpoint"
    __table_args__ = (Index("ix_touchpoint_cell", "stage", "segment_id", "at"),)

    id: int = primary_key()
    ticket_id: int = link("ticket")
    message_id: int | None = maybe_link("message")
    answer_id: int | None = maybe_link("answer")
    customer_id: int = link("customer")
    segment_id: int = link("segment", index=False)  # as it was then: the past does not move
    stage: str = Field(default="")  # canonical anchor, "" unknown
    channel: str
    direction: str  # in or out
    automatic: bool = False
    at: datetime = moment()
    sample: bool = False

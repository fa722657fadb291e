"""Customers, the ways they write to us, and the segments they fall into."""

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field

from app.store.row import Row
from app.store.types import link, maybe_link, maybe_moment, moment, primary_key


class Segment(Row, table=True):
    """A row of the touchpoint map. Rules are tried in order; the first that fits wins."""

    __tablename__ = "segment"

    id: int = primary_key()
    key: str = Field(unique=True)
    position: int
    labels: dict[str, str] = Field(sa_type=JSON)
    rule: dict[str, object] = Field(default_factory=dict, sa_type=JSON)


class Customer(Row, table=True):
    __tablename__ = "customer"

    id: int = primary_key()
    ref: str = Field(unique=True)
    name: str = ""
    company: str = ""
    language: str = ""
    time_zone: str = ""
    fields: dict[str, object] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = moment()
    stage: str = ""  # the last stage known, a canonical anchor
    stage_at: datetime | None = maybe_moment()
    asked_at: datetime | None = maybe_moment()  # when the last request left, or may have
    no_feedback_at: datetime | None = maybe_moment()  # when they asked not to be asked
    may_ask: bool = False  # agreed to be asked (needed by the strict policy)
    may_learn: bool = True  # whether triage may learn from what they wrote
    merged_into_id: int | None = maybe_link("customer")
    sample: bool = False


class Address(Row, table=True):
    """One way a customer writes to us; `normal` is what is compared."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("kind", "normal"),)

    id: int = primary_key()
    customer_id: int = link("customer")
    kind: str
    value: str
    normal: str
    created_at: datetime = moment()
    complained_at: datetime | None = maybe_moment()  # reported our mail as spam
    undeliverable_at: datetime | None = maybe_moment()
    spam_at: datetime | None = maybe_moment()  # since when what it writes is taken for spam

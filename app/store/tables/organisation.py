"""The organisation itself, and which processes serve it."""

from datetime import datetime

from sqlmodel import Field

from app.domain.words import Promotion
from app.store.row import Row
from app.store.types import BIG, maybe_moment, moment, primary_key, word


class Organisation(Row, table=True):
    """One row, made by the first administrator."""

    __tablename__ = "organisation"

    id: int = primary_key()
    name: str
    time_zone: str
    language: str
    created_at: datetime = moment()
    ask_feedback: bool = True
    feedback_policy: str = "de-strict"
    feedback_delay_minutes: int = 24 * 60
    feedback_cooling_days: int = 30
    feedback_notice: bool = False  # customers are told of requests where their address is taken
    first_answer_minutes: int = 8 * 60
    open_days: str = "12345"  # Monday is 1; what an inbox says by itself depends on it
    opens_minute: int = 9 * 60  # of the day, in the organisation's time zone
    closes_minute: int = 18 * 60
    keep_raw_days: int | None = None  # after a ticket was closed; None: for ever
    promotion: Promotion = Field(default=Promotion.AT_ONCE, sa_type=word(Promotion))  # of models
    model_acts: bool = False  # where it is sure enough it sets stage and topic by itself
    training_asked_at: datetime | None = maybe_moment()
    samples_at: datetime | None = maybe_moment()  # when sample inquiries were made, if shown


class KeyMark(Row, table=True):
    """By what the installation's key is recognised; one row, made at the first start."""

    __tablename__ = "key_mark"

    id: int = primary_key()
    mark: str


class Lease(Row, table=True):
    """Who may do what only one may do. `token` grows: a late holder is recognised by it."""

    __tablename__ = "lease"

    id: int = primary_key()
    name: str = Field(unique=True)
    holder: str
    token: int = Field(default=1, sa_type=BIG)
    until: datetime = moment()


class Worker(Row, table=True):
    """A worker that says it is alive."""

    __tablename__ = "worker"

    id: int = primary_key()
    name: str = Field(unique=True)
    seen_at: datetime = moment()

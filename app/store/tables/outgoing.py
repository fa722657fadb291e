"""What is written and has not left yet, and what is added to it on its way."""

from datetime import datetime

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlmodel import Field

from app.store.row import Row
from app.store.types import BIG, link, maybe_moment, moment, primary_key


class Resting(Row, table=True):
    """A reply that has not left on purpose. As long as it is here it can be taken back."""

    __tablename__ = "resting"

    id: int = primary_key()
    message_id: int = link("message", index=False, unique=True)
    until: datetime = moment()
    scheduled: bool = False  # for a moment somebody chose, not for the seconds of a second thought
    was: dict[str, object] = Field(default_factory=dict, sa_type=JSON)  # the ticket before it
    became: dict[str, object] = Field(default_factory=dict, sa_type=JSON)  # and through it


class DraftFile(Row, table=True):
    """A file of an answer that was taken back; it goes out with it when it is sent again."""

    __tablename__ = "draft_file"

    id: int = primary_key()
    draft_id: int = link("draft")
    name: str
    content_type: str
    size: int = Field(sa_type=BIG)
    sha256: str = Field(index=True)


class Letterhead(Row, table=True):
    """What an inbox adds to its answers in one language, and what it says by itself."""

    __tablename__ = "letterhead"
    __table_args__ = (UniqueConstraint("inbox_id", "language"),)

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    language: str
    signature: str = Field(default="", sa_type=Text)  # Markdown below every answer
    receipt: str = Field(default="", sa_type=Text)  # the first answer, sent by itself; "" for none
    receipt_closed: str = Field(default="", sa_type=Text)  # the same outside business hours


class OtherId(Row, table=True):
    """What a relay calls a message of ours in the place of our id: answers name it so."""

    __tablename__ = "other_id"
    __table_args__ = (UniqueConstraint("inbox_id", "external_id", "message_id"),)

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    external_id: str
    message_id: int = link("message")


class SentCopy(Row, table=True):
    """A copy of what was sent, for the folder where its provider keeps such. Stays when done:
    what we put there ourselves proves nothing about how it was sent."""

    __tablename__ = "sent_copy"
    __table_args__ = (Index("ix_sent_copy_due", "next_at"),)

    id: int = primary_key()
    message_id: int = link("message", index=False, unique=True)
    attempts: int = 0
    next_at: datetime | None = maybe_moment()  # none: it is there, or nobody tries any more

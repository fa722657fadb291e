"""Tickets, what was said on them, and whether it got there."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.domain.words import FLAGS, DeliveryState, MessageKind, Status
from app.store.row import Row
from app.store.types import BIG, link, maybe_link, maybe_moment, moment, primary_key, word

NEEDS_TRIAGE = "status = 'open' AND (stage = '' OR topic_id IS NULL)"
UNLABELLED = "(stage_by <> 'person' OR topic_by <> 'person')"


class Ticket(Row, table=True):
    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_status", "status", "last_activity_at", "id"),
        Index("ix_ticket_assignee", "assignee_id", "status", "last_activity_at", "id"),
        Index("ix_ticket_created", "created_at"),
        Index("ix_ticket_customer", "customer_id", "last_activity_at"),
        Index("ix_ticket_waiting", "status", "waiting_since", "id"),
        Index(
            "ix_ticket_follows",
            "follows_ref",
            sqlite_where=text("follows_ref <> ''"),
            postgresql_where=text("follows_ref <> ''"),
        ),
        Index(
            "ix_ticket_unverified",
            "last_activity_at",
            "id",
            sqlite_where=text("unverified > 0"),
            postgresql_where=text("unverified > 0"),
        ),
        Index(
            "ix_ticket_unlabelled",
            "id",
            "status",
            sqlite_where=text(UNLABELLED),
            postgresql_where=text(UNLABELLED),
        ),
        # Few have a flag, so a list of them must not read all the others.
        *(
            Index(
                f"ix_ticket_{flag}",
                "status",
                "waiting_since",
                "id",
                sqlite_where=text(f"{flag} IS 1"),
                postgresql_where=text(f"{flag} IS true"),
            )
            for flag in FLAGS
        ),
        # A handful of tens of thousands. It is taken where a question says the same words, and by
        # SQLite, between two that begin alike, because it is made last: by its name.
        Index(
            "ix_ticket_without_tag",
            "status",
            "waiting_since",
            "id",
            sqlite_where=text(NEEDS_TRIAGE),
            postgresql_where=text(NEEDS_TRIAGE),
        ),
    )

    id: int = primary_key()
    ref: str = Field(unique=True)  # random; what links, subjects and addresses carry
    inbox_id: int = link("inbox")
    channel: str  # the inbox's kind, so that a list needs no join
    customer_id: int = link("customer", index=False)
    subject: str = ""
    preview: str = ""  # the beginning of the newest customer message
    status: Status = Field(default=Status.OPEN, sa_type=word(Status))
    assignee_id: int | None = maybe_link("agent", index=False)
    team_id: int | None = maybe_link("team")
    language: str = ""
    stage: str = ""  # canonical anchor; "" when nobody knows yet
    stage_by: str = ""  # person, model (where it acts by itself) or suggestion (by the model)
    stage_probability: float | None = None
    stage_basis: str = ""  # of the model's probability: samples, or the organisation's own texts
    topic_id: int | None = maybe_link("topic")
    topic_by: str = ""
    topic_probability: float | None = None
    topic_basis: str = ""
    urgent: bool = False
    urgent_by: str = ""  # person, rule or model; a person also when they say it is not
    complaint: bool = False
    complaint_by: str = ""
    created_at: datetime = moment()
    last_activity_at: datetime = moment()
    last_inbound_at: datetime | None = maybe_moment()
    waiting_since: datetime | None = maybe_moment()  # the oldest customer message not answered
    first_responded_at: datetime | None = maybe_moment()
    receipt_decided: bool = False  # whether the inbox gives a first answer by itself, or none
    due_at: datetime | None = maybe_moment()  # first answer promised until then
    resolved_at: datetime | None = maybe_moment()
    resolutions: int = 0  # how often it was resolved; names a resolution
    snoozed_until: datetime | None = maybe_moment()
    message_count: int = 0
    has_files: bool = False
    automatic: bool = False  # only machines wrote
    claims_ref: str = ""  # the ticket it says it answers, without proof
    follows_ref: str = ""  # the ticket it answers, and was opened apart from
    apart_from: list[str] = Field(default_factory=list, sa_type=JSON)  # refs about something else
    unverified: int = 0  # messages of third parties that nobody has accepted yet
    sample: bool = False
    version: int = 1  # grows with every change; a list redraws the row when it differs


class FormerRef(Row, table=True):
    """A ticket that was joined with another: what carries its reference means that one now."""

    __tablename__ = "former_ref"

    id: int = primary_key()
    ref: str = Field(unique=True)
    ticket_id: int = link("ticket")


class Awaited(Row, table=True):
    """A message that one on this ticket answers, and that had not arrived when it was filed."""

    __tablename__ = "awaited"
    __table_args__ = (UniqueConstraint("inbox_id", "external_id", "ticket_id"),)

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    external_id: str
    ticket_id: int = link("ticket")
    since: datetime = moment()


class EarlyAnswer(Row, table=True):
    """An answer of ours, found among what was sent before the message it answers arrived."""

    __tablename__ = "early_answer"
    __table_args__ = (UniqueConstraint("inbox_id", "external_id", "arrival_id"),)

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    external_id: str  # of the message it answers
    arrival_id: int = link("arrival")


class Participant(Row, table=True):
    """Who may speak on a ticket."""

    __tablename__ = "participant"
    __table_args__ = (UniqueConstraint("ticket_id", "address_id"),)

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    address_id: int = link("address")
    role: str  # customer, or cc when an agent wrote to them as well


class Message(Row, table=True):
    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_external", "inbox_id", "external_id"),
        Index("ix_message_conversation", "inbox_id", "conversation"),
        Index("ix_message_ticket", "ticket_id", "id"),
        UniqueConstraint("ticket_id", "act"),
        Index(
            "ix_message_rendered",
            "rendered_sha256",
            sqlite_where=text("rendered_sha256 <> ''"),
            postgresql_where=text("rendered_sha256 <> ''"),
        ),
        # The number of a message that was taken back never means another one.
        {"sqlite_autoincrement": True},
    )

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    inbox_id: int = link("inbox", index=False)
    arrival_id: int | None = maybe_link("arrival")
    kind: MessageKind = Field(sa_type=word(MessageKind))
    author: str = ""
    agent_id: int | None = maybe_link("agent")
    address_id: int | None = maybe_link("address")  # whose words these are, when a customer's
    reply_to: str = ""  # where they want the answer, if not there
    external_id: str = ""
    conversation: str = ""
    subject: str = ""
    text: str = Field(default="", sa_type=Text)
    reply_text: str = Field(default="", sa_type=Text)
    quoted_text: str = Field(default="", sa_type=Text)
    signature: str = Field(default="", sa_type=Text)
    html: str = Field(default="", sa_type=Text)  # as it came; cleaned whenever it is shown
    to: list[str] = Field(default_factory=list, sa_type=JSON)
    cc: list[str] = Field(default_factory=list, sa_type=JSON)
    language: str = ""
    sent_at: datetime = moment()  # the sender's clock, for display only
    created_at: datetime = moment()  # ours; what is sorted and measured by
    automatic: bool = False
    unverified: bool = False  # they hold our signed address and take no part: an agent decides
    machine: str = ""
    charset_suspect: bool = False
    warnings: list[str] = Field(default_factory=list, sa_type=JSON)  # as the channel said them
    verdicts: dict[str, Any] | None = Field(default=None, sa_type=JSON)  # on who sent it
    passes_on: dict[str, str] | None = Field(default=None, sa_type=JSON)  # and nothing proves it
    seconds: int | None = None
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    rendered_sha256: str = ""  # the exact bytes every attempt sends
    raw_deleted_at: datetime | None = maybe_moment()  # then it names them no more
    act: str | None = None  # what whoever wrote it called the act: doing it again does nothing
    request: bool = False  # a feedback request: its link is shown to nobody but the customer


class Attachment(Row, table=True):
    __tablename__ = "attachment"

    id: int = primary_key()
    ref: str = Field(unique=True)
    message_id: int = link("message")
    name: str
    content_type: str
    size: int = Field(sa_type=BIG)
    sha256: str = Field(index=True)
    content_id: str = ""
    inline: bool = False
    words: str = ""  # of an attached mail, for the search


class Delivery(Row, table=True):
    """One recipient of one message of ours, and how far it got."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "recipient"),
        Index("ix_delivery_due", "state", "next_at"),
    )

    id: int = primary_key()
    message_id: int = link("message", index=False)
    recipient: str
    is_copy: bool = False  # in Cc
    state: DeliveryState = Field(default=DeliveryState.QUEUED, sa_type=word(DeliveryState))
    phase: str = ""  # how far the attempt under way got
    held_by: str = ""  # the worker whose attempt is under way
    attempts: int = 0
    since: datetime | None = maybe_moment()  # the first attempt, or the first since a person's word
    next_at: datetime | None = maybe_moment()
    words: str = ""  # the provider's, or ours
    provider_id: str = ""  # what the server that took it calls it in its log
    changed_at: datetime = moment()


class Complaint(Row, table=True):
    """A recipient reported a message of ours as spam."""

    __tablename__ = "complaint"

    id: int = primary_key()
    delivery_id: int = link("delivery", index=False, unique=True)
    at: datetime = moment()
    noted_at: datetime | None = maybe_moment(index=True)  # since when nobody is told any more


class Draft(Row, table=True):
    """An answer not sent yet, kept on the server."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("ticket_id", "agent_id"),)

    id: int = primary_key()
    ticket_id: int = link("ticket", index=False)
    agent_id: int = link("agent")
    text: str = Field(default="", sa_type=Text)
    to: list[str] = Field(default_factory=list, sa_type=JSON)  # none: whom one would write to
    cc: list[str] = Field(default_factory=list, sa_type=JSON)
    changed_at: datetime = moment()


class Seen(Row, table=True):
    """Up to when an agent has read a ticket."""

    __tablename__ = "seen"
    __table_args__ = (UniqueConstraint("agent_id", "ticket_id"),)

    id: int = primary_key()
    agent_id: int = link("agent", index=False)
    ticket_id: int = link("ticket")
    at: datetime = moment()

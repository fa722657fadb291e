"""Inboxes, what came in through them, and what their servers hold."""

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from app.domain.words import ArrivalState, SelfTest
from app.store.row import Row
from app.store.types import BIG, link, maybe_link, maybe_moment, moment, primary_key, word


class Inbox(Row, table=True):
    __tablename__ = "inbox"

    id: int = primary_key()
    kind: str = Field(index=True)
    name: str
    address: str = Field(default="", index=True)  # what customers write to, when there is one
    token: str = Field(unique=True)  # in the address of its webhook
    sealed_config: bytes = Field(sa_type=LargeBinary)
    language: str = ""
    team_id: int | None = maybe_link("team")
    enabled: bool = True
    undo_seconds: int = 10  # an answer can be taken back for so long
    reopen_days: int | None = None  # an answer reopens a resolved ticket so long; none: ever
    writes_to: str = ""  # the kind of address its channel writes to; "" when it cannot write
    start_scope: str = ""  # what was on the server when it was connected, and is not wanted
    start_number: int = Field(default=0, sa_type=BIG)
    start_place: str = ""  # at which server, as whom, in which folder
    seen: dict[str, str] = Field(default_factory=dict, sa_type=JSON)  # place → all of it until then
    wanted_from: datetime | None = maybe_moment()  # by the server's clock; None for all there is
    started: bool = False
    started_at: datetime | None = maybe_moment()
    looked_at: datetime | None = maybe_moment()  # its server answered, to a minute
    connected_at: datetime | None = maybe_moment()  # the last time that it had to be connected to
    reconnects: int = 0  # how often that was, after the first time
    to_fetch: int = 0  # of an import: listed by the server and not fetched yet
    built_in: bool = False  # made by the program, gives way to a real one
    created_at: datetime = moment()
    last_in_at: datetime | None = maybe_moment()
    last_in_error: str = ""  # why nothing comes in
    last_in_warning: str = ""  # what is not as it should be though mail comes in
    last_out_at: datetime | None = maybe_moment()
    last_out_error: str = ""
    sent_error: str = ""  # why the folder of what was sent cannot be used at the moment
    out_paused_until: datetime | None = maybe_moment()  # nothing is sent before; see last_out_error
    self_test: SelfTest = Field(default=SelfTest.NEVER, sa_type=word(SelfTest))
    self_test_at: datetime | None = maybe_moment()  # since when it is so
    self_test_sent_at: datetime | None = maybe_moment()  # when its mail was handed over
    self_test_error: str = ""


class Arrival(Row, table=True):
    """One thing that came in, kept raw. Outlives its ticket: what came once is known for ever."""

    __tablename__ = "arrival"
    __table_args__ = (
        UniqueConstraint("inbox_id", "external_id"),
        Index("ix_arrival_waiting", "state", "next_at"),
        Index("ix_arrival_inbox", "inbox_id", "state"),  # what waits there, among all that came
        Index("ix_arrival_copy", "canonical"),
        Index(
            "ix_arrival_original",
            "original_sha256",
            sqlite_where=text("original_sha256 <> ''"),
            postgresql_where=text("original_sha256 <> ''"),
        ),
    )

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    external_id: str
    sha256: str = Field(default="", index=True)  # of the raw bytes; "" when refused at the door
    size: int = Field(default=0, sa_type=BIG)
    headers: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    received_at: datetime = moment(index=True)
    server_at: datetime | None = maybe_moment()
    oversized: int = Field(default=0, sa_type=BIG)
    sent: bool = False  # lay among what was sent
    state: ArrivalState = Field(default=ArrivalState.WAITING, sa_type=word(ArrivalState))
    reason: str = ""
    attempts: int = 0
    next_at: datetime | None = maybe_moment()
    backlog: bool = False  # of an import: what arrives now goes first
    slow: bool = False  # takes long to read: done beside the others
    filed_at: datetime | None = maybe_moment()
    read_by: str = ""  # the version of the program that could not read it
    # While it is set aside: name, address, subject and sent_at, as it says.
    glance: dict[str, str] | None = Field(default=None, sa_type=JSON)
    taken: bool = False  # a person says that it is an inquiry, though an address of ours sent it
    original_sha256: str = ""  # of the bytes as they came, where somebody has mended them since
    canonical: str = ""
    copy_of_id: int | None = maybe_link("message")
    settled_at: datetime | None = maybe_moment()
    raw_deleted_at: datetime | None = maybe_moment()  # then it names no bytes any more


class DroppedFile(Row, table=True):
    """A file that a row has ceased to name, until it is off the disk."""

    __tablename__ = "dropped_file"

    id: int = primary_key()
    sha256: str = Field(unique=True)
    at: datetime = moment()


class LedgerRow(Row, table=True):
    """What a server was seen to hold: the ledger, not a cursor, says what is missing."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("inbox_id", "scope", "number"),
        Index("ix_ledger_identity", "inbox_id", "identity"),
    )

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    scope: str
    number: int = Field(sa_type=BIG)
    identity: str = ""  # what stays the same when the server gives it another number
    arrival_id: int | None = maybe_link("arrival")
    seen_at: datetime = moment()
    attempts: int = 0
    next_at: datetime | None = maybe_moment()
    problem: str = ""  # why it could not be fetched
    settled_at: datetime | None = maybe_moment()
    sent: bool = False  # in the folder of what was sent
    skipped: bool = False  # was there before the inbox was connected, and not wanted
    gone_at: datetime | None = maybe_moment()  # since when the server does not list it any more


class Folder(Row, table=True):
    """What the last look at everything in one folder of a server found."""

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("inbox_id", "scope"),)

    id: int = primary_key()
    inbox_id: int = link("inbox", index=False)
    scope: str
    sent: bool = False  # the folder of what was sent
    start: int = Field(default=0, sa_type=BIG)  # of that one: what was there before it was watched
    looked_at: datetime = moment()
    on_server: int = 0
    older: int = 0  # from before the inbox was connected
    not_explained: int = 0  # on the server and not in the ledger: never, or something is wrong
    unexplained: list[int] = Field(default_factory=list, sa_type=JSON)  # the first of them

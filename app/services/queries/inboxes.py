"""The inboxes and how they are doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import SelfTest
from app.services.access import Actor, Permission, require
from app.store.tables import Inbox

STALE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    kind: str
    name: str
    address: str
    token: str
    enabled: bool
    built_in: bool
    looked_at: datetime | None  # when its server last answered
    connected_at: datetime | None  # since when the connection to it lasts
    reconnects: int  # how often it had to be made again
    last_in_at: datetime | None
    last_in_error: str
    last_in_warning: str  # what is not as it should be though mail comes in
    last_out_at: datetime | None
    last_out_error: str
    out_paused_until: datetime | None
    sent_error: str  # why the folder of what was sent cannot be used
    self_test: SelfTest
    self_test_at: datetime | None
    self_test_error: str
    reopen_days: int | None  # for how long an answer reopens a resolved ticket; None for ever
    writes_to: str  # "" where nothing can be answered in writing

    @property
    def stale(self) -> bool:
        """Its server has not answered for so long that somebody should look why."""
        return bool(self.looked_at and clock.now() - self.looked_at > STALE)


def listed(session: Session, actor: Actor) -> tuple[Row, ...]:
    require(actor, Permission.READ)
    found = session.exec(select(Inbox).order_by(col(Inbox.id)))
    return tuple(row_of(inbox) for inbox in found)


def trouble(inbox: Inbox | Row) -> str:
    """The worst of what is wrong at the moment, "" when all is well."""
    errors = inbox.last_in_error or inbox.last_out_error
    return errors or inbox.last_in_warning or inbox.sent_error


def row_of(inbox: Inbox) -> Row:
    return Row(
        id=inbox.id,
        kind=inbox.kind,
        name=inbox.name,
        address=inbox.address,
        token=inbox.token,
        enabled=inbox.enabled,
        built_in=inbox.built_in,
        looked_at=inbox.looked_at,
        connected_at=inbox.connected_at,
        reconnects=inbox.reconnects,
        last_in_at=inbox.last_in_at,
        last_in_error=inbox.last_in_error,
        last_in_warning=inbox.last_in_warning,
        last_out_at=inbox.last_out_at,
        last_out_error=inbox.last_out_error,
        out_paused_until=inbox.out_paused_until,
        sent_error=inbox.sent_error,
        self_test=inbox.self_test,
        self_test_at=inbox.self_test_at,
        self_test_error=inbox.self_test_error,
        reopen_days=inbox.reopen_days,
        writes_to=inbox.writes_to,
    )

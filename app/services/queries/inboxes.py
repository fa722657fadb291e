"""The inboxes and how they are doing."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from app.domain.words import SelfTest
from app.services.access import Actor, Permission, require
from app.store.tables import Inbox


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    kind: str
    name: str
    address: str
    token: str
    enabled: bool
    built_in: bool
    last_in_at: datetime | None
    last_in_error: str
    last_out_at: datetime | None
    last_out_error: str
    self_test: SelfTest
    self_test_at: datetime | None
    self_test_error: str
    writes_to: str  # "" where nothing can be answered in writing


def listed(session: Session, actor: Actor) -> tuple[Row, ...]:
    require(actor, Permission.READ)
    found = session.exec(select(Inbox).order_by(col(Inbox.id)))
    return tuple(
        Row(
            id=row.id,
            kind=row.kind,
            name=row.name,
            address=row.address,
            token=row.token,
            enabled=row.enabled,
            built_in=row.built_in,
            last_in_at=row.last_in_at,
            last_in_error=row.last_in_error,
            last_out_at=row.last_out_at,
            last_out_error=row.last_out_error,
            self_test=row.self_test,
            self_test_at=row.self_test_at,
            self_test_error=row.self_test_error,
            writes_to=row.writes_to,
        )
        for row in found
    )

"""Who changed what: the audit trail, and what live screens follow."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field

from app.domain.words import Cause
from app.store.row import Row
from app.store.types import maybe_link, moment, primary_key, word


class Change(Row, table=True):
    __tablename__ = "change"

    id: int = primary_key()  # grows; a screen that missed some asks for what came after its last
    at: datetime = moment(index=True)
    ticket_id: int | None = maybe_link("ticket")
    cause: Cause = Field(sa_type=word(Cause))
    agent_id: int | None = maybe_link("agent")
    by: str = ""  # name of the rule or model
    what: str  # filed, replied, noted, assigned, resolved, reopened, tagged, …
    data: dict[str, object] = Field(default_factory=dict, sa_type=JSON)

"""What stands around every page: the organisation and the badges of the navigation."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.services.access import Actor
from app.services.queries import inbox
from app.services.queries.inbox import Counts
from app.store.tables import Organisation


@dataclass(frozen=True, slots=True)
class House:
    """The organisation as pages need it; before it was set up there is none."""

    name: str
    time_zone: str
    language: str
    samples: bool

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Frame:
    house: House
    counts: Counts


_HOUSE = sql_select(
    col(Organisation.name),
    col(Organisation.time_zone),
    col(Organisation.language),
    col(Organisation.samples_at).is_not(None),
).limit(1)


def house(session: Session) -> House | None:
    found = session.connection().execute(_HOUSE).one_or_none()
    return House(*found) if found else None


def view(session: Session, actor: Actor) -> Frame | None:
    """None until the first administrator has set the organisation up."""
    known = house(session)
    return Frame(known, inbox.counts(session, actor, samples=known.samples)) if known else None

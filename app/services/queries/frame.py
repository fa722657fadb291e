"""What stands around every page: the organisation and the badges of the navigation."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

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


def house(session: Session) -> House | None:
    found = session.exec(select(Organisation).limit(1)).one_or_none()
    if found is None:
        return None
    return House(found.name, found.time_zone, found.language, found.samples_at is not None)


def view(session: Session, actor: Actor) -> Frame | None:
    """None until the first administrator has set the organisation up."""
    known = house(session)
    return Frame(known, inbox.counts(session, actor)) if known else None

"""What an inbox adds to its answers and says by itself, in each language."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.core.errors import Invalid
from app.domain.storable import storable
from app.domain.words import LANGUAGES
from app.services import access, changes
from app.services.access import Actor, Permission, require
from app.store.tables import Inbox, Letterhead, Organisation, Ticket

LIMIT = 10_000  # characters
AGENT = "{agent}"
TICKET = "{ticket}"


@dataclass(frozen=True, slots=True)
class Texts:
    """In one language; "" for none."""

    signature: str = ""
    receipt: str = ""
    receipt_closed: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody is there, in the organisation's time zone."""

    days: str  # Monday is 1
    opens_minute: int
    closes_minute: int


def of(session: Session, actor: Actor, inbox_id: int) -> dict[str, Texts]:
    """For every language there is."""
    inbox = access.inbox(session, actor, inbox_id)
    rows = session.exec(select(Letterhead).where(Letterhead.inbox_id == inbox.id)).all()
    known = {row.language: Texts(row.signature, row.receipt, row.receipt_closed) for row in rows}
    return {language: known.get(language, Texts()) for language in LANGUAGES}


def write(
    session: Session, actor: Actor, inbox_id: int, texts: dict[str, Texts], hours: Hours
) -> None:
    write_texts(session, actor, inbox_id, texts)
    _open(session, actor, hours)


def write_texts(session: Session, actor: Actor, inbox_id: int, texts: dict[str, Texts]) -> None:
    """Without a word about business hours."""
    inbox = access.inbox(session, actor, inbox_id)
    for language, given in texts.items():
        if language not in LANGUAGES:
            raise Invalid("Choose Japanese, German or English.", field="language")
        if max(map(len, (given.signature, given.receipt, given.receipt_closed))) > LIMIT:
            raise Invalid(f"The text is longer than {LIMIT} characters.")
        row = session.exec(
            select(Letterhead).where(
                Letterhead.inbox_id == inbox.id, Letterhead.language == language
            )
        ).one_or_none() or Letterhead(inbox_id=inbox.id, language=language)
        row.signature = storable(given.signature).strip()
        row.receipt = storable(given.receipt).strip()
        row.receipt_closed = storable(given.receipt_closed).strip()
        session.add(row)
    changes.record(session, actor, None, "letterhead_changed", inbox=inbox.id)


def _open(session: Session, actor: Actor, hours: Hours) -> None:
    require(actor, Permission.ADMIN)
    if not set(hours.days) <= set("1234567"):
        raise Invalid("Choose days of the week.", field="days")
    if not 0 <= hours.opens_minute < hours.closes_minute <= 24 * 60:
        raise Invalid("The hours must begin before they end.", field="opens")
    known = session.exec(select(Organisation)).first()
    if known is not None:
        known.open_days = "".join(sorted(set(hours.days)))
        known.opens_minute, known.closes_minute = hours.opens_minute, hours.closes_minute
        session.add(known)


def texts_for(session: Session, inbox: Inbox, language: str) -> Texts:
    """In the customer's language, else in the inbox's, else in the organisation's."""
    rows = session.exec(
        select(Letterhead).where(Letterhead.inbox_id == inbox.id).order_by(col(Letterhead.id))
    ).all()
    if not rows:
        return Texts()
    house = session.exec(select(Organisation.language)).first() or ""
    known = {row.language: Texts(row.signature, row.receipt, row.receipt_closed) for row in rows}
    written = {name: found for name, found in known.items() if found != Texts()}
    for wanted in (language[:2], inbox.language, house):
        if wanted in written:
            return written[wanted]
    return Texts()


def signature_on(session: Session, ref: str, agent: str) -> str:
    """What will stand below an answer on this ticket."""
    found = session.exec(
        select(Inbox, Ticket.language)
        .join(Ticket, col(Ticket.inbox_id) == col(Inbox.id))
        .where(Ticket.ref == ref)
    ).one()
    return signature_for(session, *found, agent)


def signature_for(session: Session, inbox: Inbox, language: str, agent: str) -> str:
    return texts_for(session, inbox, language).signature.replace(AGENT, agent)

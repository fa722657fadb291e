"""Who wrote: one customer for every way they write to us."""

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import bindparam, tuple_
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid, NotFound
from app.domain import zones
from app.domain.address import EMAIL, PHONE, normal
from app.services import changes, withdrawals
from app.services.access import Actor, Permission, require
from app.store import inserting
from app.store.tables import Address, Customer, Ticket
from channels.contract import Party

Key = tuple[str, str]  # kind of an address, and its normal form
Known = Mapping[Key, tuple[Address, Customer]]

_NAMED = (
    select(Address, Customer)
    .join(Customer, col(Customer.id) == col(Address.customer_id))
    .where(tuple_(col(Address.kind), col(Address.normal)).in_(bindparam("keys", expanding=True)))
)


def find(session: Session, inbox_id: int, parties: Sequence[Party]) -> Address | None:
    """The first of `parties`, as they are called in that inbox, that we know."""
    found = _known(session, inbox_id, parties)
    keys = (_key(inbox_id, party) for party in parties)
    return next((found[key][0] for key in keys if key in found), None)


def _key(inbox_id: int, party: Party) -> Key:
    return party.kind, normal(party.kind, party.value, inbox_id)


def _known(session: Session, inbox_id: int, parties: Iterable[Party]) -> Known:
    """What is known of `parties`, by kind and normal form."""
    rows = session.exec(_NAMED, params={"keys": [_key(inbox_id, party) for party in parties]})
    return {(address.kind, address.normal): (address, customer) for address, customer in rows}


def resolve(
    session: Session,
    inbox_id: int,
    sender: Party,
    also: tuple[Party, ...] = (),
    *,
    language: str = "",
    sample: bool = False,
) -> tuple[Customer, Address]:
    """The customer who writes as `sender`, found by any address the channel vouches for.

    Several parties of one customer are of one person; `language` is what they write in, and is
    remembered of one who has none yet.
    """
    parties = (sender, *also)
    found = _known(session, inbox_id, parties)
    keys = (_key(inbox_id, party) for party in parties)
    customer = next((found[key][1] for key in keys if key in found), None)
    if customer is None:
        customer = Customer(
            ref=secrets.new_ref(),
            name=sender.name,
            language=language,
            time_zone=_zone_of(parties),
            created_at=clock.now(),
            sample=sample,
        )
        session.add(customer)
        session.flush()
    address = _address_of(session, inbox_id, customer, sender, found)
    if address.customer_id != customer.id:
        if not found:
            session.delete(customer)  # made for somebody whom another inbox has just made
        customer = session.get_one(Customer, address.customer_id)
    for party in also:
        _address_of(session, inbox_id, customer, party, found)
    customer.name = customer.name or sender.name
    customer.language = customer.language or language
    customer.time_zone = customer.time_zone or _zone_of(parties)
    return customer, address


def _address_of(
    session: Session, inbox_id: int, customer: Customer, party: Party, found: Known
) -> Address:
    """The row for `party`, made for `customer` when nobody has it."""
    key = _key(inbox_id, party)
    if key in found:
        return found[key][0]
    kind, written = key
    address = Address(
        customer_id=customer.id,
        kind=kind,
        value=party.value,
        normal=written,
        created_at=clock.now(),
    )
    if made := inserting.unless_there(session, [address]):
        return made[0]
    # Another inbox filed the same person at this very moment and was faster.
    return _known(session, inbox_id, [party])[key][0]


def _zone_of(parties: Iterable[Party]) -> str:
    found = (zones.of_number(party.value) for party in parties if party.kind == PHONE)
    return next((zone for zone in found if zone), "")


def by_ref(session: Session, actor: Actor, ref: str) -> Customer:
    found = session.exec(select(Customer).where(Customer.ref == ref)).one_or_none()
    if found is None:
        raise NotFound("There is no such customer.")
    require(actor, Permission.REPLY)
    return found


def rename(session: Session, actor: Actor, ref: str, name: str) -> Customer:
    customer = by_ref(session, actor, ref)
    newest = newest_ticket(session, customer)
    customer.name = name.strip()
    changes.record(session, actor, newest, "customer_renamed", customer=ref)
    return customer


def set_time_zone(session: Session, actor: Actor, ref: str, time_zone: str) -> Customer:
    """Where they live; "" when that is not known and the organisation's hours count."""
    customer = by_ref(session, actor, ref)
    if time_zone:
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Invalid(f"“{time_zone}” is not a time zone.", field="time_zone") from None
    newest = newest_ticket(session, customer)
    customer.time_zone = time_zone
    changes.record(session, actor, newest, "customer_time_zone", customer=ref)
    return customer


def nobody_there(session: Session, inbox_id: int, recipient: str) -> None:
    """Nobody is asked for feedback there, and agents see it, until mail comes from there again."""
    address = find(session, inbox_id, [Party(EMAIL, recipient)])
    if address is not None:
        address.undeliverable_at = address.undeliverable_at or clock.now()
        session.add(address)


def reach_again(session: Session, actor: Actor, ref: str, value: str) -> Customer:
    """Mail arrives there after all, as a person has learned: a full mailbox has room again."""
    customer = by_ref(session, actor, ref)
    address = session.exec(
        select(Address).where(
            Address.customer_id == customer.id,
            Address.value == value,
            col(Address.undeliverable_at).is_not(None),
        )
    ).first()
    if address is None:
        raise NotFound("This customer has no such address that mail does not arrive at.")
    newest = newest_ticket(session, customer)
    address.undeliverable_at = None
    session.add(address)
    changes.record(session, actor, newest, "reachable_again", customer=ref)
    return customer


def allow_feedback(session: Session, actor: Actor, ref: str, *, allowed: bool) -> Customer:
    """Note that the customer agreed to be asked, or objects.

    Raises `Conflict` for one who objected already: nobody here takes that back for them.
    """
    customer = by_ref(session, actor, ref)
    newest = newest_ticket(session, customer)
    if allowed:
        session.refresh(customer, with_for_update={"key_share": True})
        if customer.no_feedback_at is not None:
            raise Conflict(withdrawals.OBJECTED)
        customer.may_ask = True
    else:
        withdrawals.of_customer(session, customer)
    what = "feedback_allowed" if allowed else "feedback_refused"
    changes.record(session, actor, newest, what, customer=ref)
    return customer


def newest_ticket(session: Session, customer: Customer) -> Ticket | None:
    """Where a change of the customer is written down; locked before them, as everywhere."""
    return session.exec(
        select(Ticket)
        .where(Ticket.customer_id == customer.id)
        .order_by(col(Ticket.last_activity_at).desc())
        .limit(1)
        .with_for_update(key_share=True)
    ).one_or_none()

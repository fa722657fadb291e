"""Who wrote: one customer for every way they write to us."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid, NotFound
from app.domain import zones
from app.domain.address import PHONE, normal
from app.services import changes, withdrawals
from app.services.access import Actor, Permission, require
from app.store.tables import Address, Customer, Ticket
from channels.contract import Party


def find(session: Session, inbox_id: int, parties: Iterable[Party]) -> Address | None:
    """The first of `parties`, as they are called in that inbox, that we know."""
    for party in parties:
        found = session.exec(
            select(Address).where(
                Address.kind == party.kind,
                Address.normal == normal(party.kind, party.value, inbox_id),
            )
        ).one_or_none()
        if found:
            return found
    return None


def _address_of(session: Session, inbox_id: int, customer: Customer, party: Party) -> Address:
    """The row for `party`, made for `customer` when nobody has it."""
    known = find(session, inbox_id, [party])
    if known:
        return known
    made = Address(
        customer_id=customer.id,
        kind=party.kind,
        value=party.value,
        normal=normal(party.kind, party.value, inbox_id),
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        # Another inbox filed the same person at this very moment and was faster.
        known = find(session, inbox_id, [party])
        if known is None:
            raise
        return known
    return made


def resolve(
    session: Session,
    inbox_id: int,
    sender: Party,
    also: tuple[Party, ...] = (),
    *,
    sample: bool = False,
) -> tuple[Customer, Address]:
    """The customer who writes as `sender`, found by any address the channel vouches for."""
    known = find(session, inbox_id, (sender, *also))
    customer = session.get(Customer, known.customer_id) if known else None
    made = customer is None
    if customer is None:
        customer = Customer(
            ref=secrets.new_ref(), name=sender.name, created_at=clock.now(), sample=sample
        )
        session.add(customer)
        session.flush()
    address = _address_of(session, inbox_id, customer, sender)
    if address.customer_id != customer.id:
        if made:
            session.delete(customer)
        customer = session.get_one(Customer, address.customer_id)
    if not customer.name and sender.name:
        customer.name = sender.name
    for party in also:
        _address_of(session, inbox_id, customer, party)
    if not customer.time_zone:
        customer.time_zone = _zone_of((sender, *also))
    return customer, address


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
    newest = _newest_ticket(session, customer)
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
    newest = _newest_ticket(session, customer)
    customer.time_zone = time_zone
    changes.record(session, actor, newest, "customer_time_zone", customer=ref)
    return customer


def allow_feedback(session: Session, actor: Actor, ref: str, *, allowed: bool) -> Customer:
    """Note that the customer agreed to be asked, or objects.

    Raises `Conflict` for one who objected already: nobody here takes that back for them.
    """
    customer = by_ref(session, actor, ref)
    newest = _newest_ticket(session, customer)
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


def _newest_ticket(session: Session, customer: Customer) -> Ticket | None:
    """Where a change of the customer is written down; locked before them, as everywhere."""
    return session.exec(
        select(Ticket)
        .where(Ticket.customer_id == customer.id)
        .order_by(col(Ticket.last_activity_at).desc())
        .limit(1)
        .with_for_update(key_share=True)
    ).one_or_none()

"""Who wrote: one customer for every way they write to us."""

from collections.abc import Iterable
from contextlib import suppress

import phonenumbers
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import NotFound
from app.services import changes
from app.services.access import Actor, Permission, require
from app.store.tables import Address, Customer, Ticket
from channels.contract import Party


def normal(party: Party) -> str:
    """What is compared: case and the domain's script do not make another person."""
    if party.kind == "email":
        local, _, domain = party.value.strip().rpartition("@")
        with suppress(UnicodeError):  # too long or malformed for DNS: compared as it stands
            domain = domain.encode("idna").decode()
        return f"{local}@{domain}".casefold()
    if party.kind == "phone":
        try:
            number = phonenumbers.parse(party.value, None)
        except phonenumbers.NumberParseException:
            return party.value.strip()
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return party.value


def find(session: Session, parties: Iterable[Party]) -> Address | None:
    """The first of `parties` that we know."""
    for party in parties:
        found = session.exec(
            select(Address).where(Address.kind == party.kind, Address.normal == normal(party))
        ).one_or_none()
        if found:
            return found
    return None


def address_of(session: Session, customer: Customer, party: Party) -> Address:
    """The row for `party`, made for `customer` when nobody has it."""
    known = find(session, [party])
    if known:
        return known
    made = Address(
        customer_id=customer.id,
        kind=party.kind,
        value=party.value,
        normal=normal(party),
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def resolve(
    session: Session, sender: Party, also: tuple[Party, ...], *, sample: bool = False
) -> tuple[Customer, Address]:
    """The customer who writes as `sender`, found by any address the channel vouches for."""
    known = find(session, (sender, *also))
    customer = session.get(Customer, known.customer_id) if known else None
    if customer is None:
        customer = Customer(
            ref=secrets.new_ref(), name=sender.name, created_at=clock.now(), sample=sample
        )
        session.add(customer)
        session.flush()
    elif not customer.name and sender.name:
        customer.name = sender.name
    address = address_of(session, customer, sender)
    for party in also:
        address_of(session, customer, party)
    return customer, address


def by_ref(session: Session, actor: Actor, ref: str) -> Customer:
    found = session.exec(select(Customer).where(Customer.ref == ref)).one_or_none()
    if found is None:
        raise NotFound("There is no such customer.")
    require(actor, Permission.REPLY)
    return found


def rename(session: Session, actor: Actor, ref: str, name: str) -> Customer:
    customer = by_ref(session, actor, ref)
    customer.name = name.strip()
    _noted(session, actor, customer, "customer_renamed")
    return customer


def allow_feedback(session: Session, actor: Actor, ref: str, *, allowed: bool) -> Customer:
    """Note that the customer agreed to be asked, or objects. An objection always wins."""
    customer = by_ref(session, actor, ref)
    customer.may_ask = allowed
    customer.no_feedback_at = None if allowed else clock.now()
    _noted(session, actor, customer, "feedback_allowed" if allowed else "feedback_refused")
    return customer


def _noted(session: Session, actor: Actor, customer: Customer, what: str) -> None:
    session.add(customer)
    newest = session.exec(
        select(Ticket)
        .where(Ticket.customer_id == customer.id)
        .order_by(col(Ticket.last_activity_at).desc())
        .limit(1)
    ).one_or_none()
    changes.record(session, actor, newest, what, customer=customer.ref)

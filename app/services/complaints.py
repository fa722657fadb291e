"""Who reports our mail as spam: no more of it that nobody wrote by hand, and somebody is told."""

from sqlmodel import Session, select

from app.core import clock
from app.core.errors import NotFound
from app.domain.address import EMAIL
from app.services import changes, customers, withdrawals
from app.services.access import SYSTEM, Actor, Permission, require
from app.store import inserting
from app.store.tables import Complaint, Customer, Delivery, Message, Ticket
from channels.contract import Party


def heard(session: Session, ticket: Ticket, message: Message, delivery: Delivery) -> bool:
    """They get what an agent writes, and nothing else any more. Whether it is news."""
    told = Complaint(delivery_id=delivery.id, at=clock.now())
    if not inserting.unless_there(session, [told]):
        return False
    address = customers.find(session, message.inbox_id, [Party(EMAIL, delivery.recipient)])
    if address is not None and address.complained_at is None:
        address.complained_at = clock.now()
        session.add(address)
        withdrawals.of_customer(session, session.get_one(Customer, address.customer_id))
    who = delivery.recipient
    changes.record(session, SYSTEM, ticket, "complained", message=message.id, who=who)
    return True


def note(session: Session, actor: Actor, complaint_id: int) -> None:
    """Somebody knows, so nobody need be told any more."""
    require(actor, Permission.REPLY)
    found = session.exec(
        select(Complaint).where(Complaint.id == complaint_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such complaint.")
    if found.noted_at is None:
        found.noted_at = clock.now()
        session.add(found)
        changes.record(session, actor, None, "complaint_noted", complaint=found.id)

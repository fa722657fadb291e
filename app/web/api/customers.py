"""Customers: what is known of one, and what people may change."""

from pydantic import BaseModel, ConfigDict

from app.services import customers, unlearning
from app.services.access import Permission, require
from app.services.queries import customer
from app.services.queries.customer import Panel
from app.web import routes
from app.web.api.fields import Input, Line, Ref
from app.web.deps import CurrentActor, Db

router = routes.api("customers", "/customers")


class CustomerState(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    ref: str
    name: str
    time_zone: str
    may_ask: bool
    may_learn: bool


class Name(Input):
    name: Line


class TimeZone(Input):
    time_zone: Line


class Reached(Input):
    address: Line


class Allowed(Input):
    allowed: bool


@router.get("/{ref}")
def one(ref: Ref, actor: CurrentActor, db: Db) -> Panel:
    """With their addresses, tickets, ratings and open follow-ups."""
    require(actor, Permission.READ)
    with db.reading() as session:
        return customer.view(session, ref)


@router.put("/{ref}/name")
def rename(ref: Ref, body: Name, actor: CurrentActor, db: Db) -> CustomerState:
    with db.transaction() as session:
        found = customers.rename(session, actor, ref, body.name)
    return CustomerState.model_validate(found)


@router.put("/{ref}/time-zone")
def set_time_zone(ref: Ref, body: TimeZone, actor: CurrentActor, db: Db) -> CustomerState:
    """Where they live, like `Asia/Tokyo`; empty: as the organisation."""
    with db.transaction() as session:
        found = customers.set_time_zone(session, actor, ref, body.time_zone)
    return CustomerState.model_validate(found)


@router.put("/{ref}/reachable")
def reach_again(ref: Ref, body: Reached, actor: CurrentActor, db: Db) -> CustomerState:
    """Mail arrives again at an address it had come back from for good."""
    with db.transaction() as session:
        found = customers.reach_again(session, actor, ref, body.address)
    return CustomerState.model_validate(found)


@router.put("/{ref}/feedback")
def allow_feedback(ref: Ref, body: Allowed, actor: CurrentActor, db: Db) -> CustomerState:
    """Note that they agreed to be asked, or object; agreement is refused after an objection."""
    with db.transaction() as session:
        found = customers.allow_feedback(session, actor, ref, allowed=body.allowed)
    return CustomerState.model_validate(found)


@router.put("/{ref}/learning")
def allow_learning(ref: Ref, body: Allowed, actor: CurrentActor, db: Db) -> CustomerState:
    """Whether triage may learn from what they wrote; if not, versions that did are deleted."""
    with db.transaction() as session:
        found = unlearning.allow(session, actor, ref, allowed=body.allowed)
    return CustomerState.model_validate(found)

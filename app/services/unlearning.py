"""Inquiries that are to be forgotten are gone from every model that may have learned from them."""

from datetime import datetime

from sqlmodel import Session, col, delete, select

from app.core import clock
from app.domain.words import ModelState
from app.services import changes, customers, lessons, models, organisation
from app.services.access import SYSTEM, Actor, Permission, require
from app.store.tables import Customer, ModelFile, ModelVersion


def allow(session: Session, actor: Actor, ref: str, *, allowed: bool) -> Customer:
    """Whether triage may learn from what a customer wrote. If not, what it learned is gone."""
    require(actor, Permission.LEAD)
    customer = customers.by_ref(session, actor, ref)
    newest = customers.newest_ticket(session, customer)
    session.refresh(customer, with_for_update={"key_share": True})
    if customer.may_learn is not allowed:
        customer.may_learn = allowed
        session.flush()
        if not allowed:
            forget(session, lessons.taught_since(session, customer.id))
        what = "learning_allowed" if allowed else "learning_refused"
        changes.record(session, actor, newest, what, customer=ref)
    return customer


def forget(session: Session, since: datetime | None) -> None:
    """Delete every version that may know what came then or later, and have another one trained.

    Whoever removes inquiries calls this: a vocabulary is made of what was written in them.
    """
    house = organisation.current(session)
    if since is None or house is None:
        return
    for version in session.exec(
        select(ModelVersion)
        .join(ModelFile, col(ModelFile.model_id) == col(ModelVersion.id))
        .where(ModelVersion.trained_at >= since)
        .order_by(col(ModelVersion.id))  # as others lock them
        .with_for_update(of=ModelVersion)
    ).all():
        session.execute(delete(ModelFile).where(col(ModelFile.model_id) == version.id))
        version.state, version.since = ModelState.RETIRED, clock.now()
        version.problem = models.UNLEARNED
        session.add(version)
    models.train_soon(session, house)
    changes.record(session, SYSTEM, None, "models_unlearned")

"""The outbox: what is going out, and what a person decides about it."""

from typing import Annotated

from fastapi import Query

from app.domain.words import DeliveryState
from app.services import doubts, outbox
from app.services.queries import deliveries
from app.services.queries.deliveries import Leaving
from app.web import routes
from app.web.api.fields import Before, Limit
from app.web.deps import CurrentActor, Db, Id

router = routes.api("outbox", "/outbox")

States = Annotated[list[DeliveryState], Query(max_length=len(DeliveryState))]


@router.get("")
def listed(
    actor: CurrentActor,
    db: Db,
    state: States = [],  # noqa: B006 - the framework copies it
    before: Before | None = None,
    limit: Limit = 50,
) -> list[Leaving]:
    """Newest first; continue with `before` = the last id."""
    with db.reading() as session:
        return list(deliveries.listed(session, actor, state, before, limit))


@router.post("/{delivery}/send-again")
def send_again(delivery: Id, actor: CurrentActor, db: Db) -> Leaving:
    """Failed, held or in doubt: a person decides that it goes out, with the same bytes."""
    with db.transaction() as session:
        outbox.send_again(session, actor, delivery)
        return deliveries.one(session, actor, delivery)


@router.post("/{delivery}/arrived")
def arrived(delivery: Id, actor: CurrentActor, db: Db) -> Leaving:
    """In doubt: a person knows that it arrived, so it is not sent again."""
    with db.transaction() as session:
        doubts.arrived(session, actor, delivery)
        return deliveries.one(session, actor, delivery)


@router.post("/{delivery}/cancel")
def cancel(delivery: Id, actor: CurrentActor, db: Db) -> Leaving:
    """Stop what has not left."""
    with db.transaction() as session:
        outbox.cancel(session, actor, delivery)
        return deliveries.one(session, actor, delivery)

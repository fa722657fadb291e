"""The balance of intake: whatever was received is in exactly one state, and has a reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.words import ArrivalState
from app.store.tables import Arrival


@dataclass(frozen=True, slots=True)
class Balance:
    received: int
    by_state: Mapping[ArrivalState, int]


def view(session: Session) -> Balance:
    """In one statement, so that nothing moves between two counts."""
    counted = sql_select(col(Arrival.state), func.count()).group_by(col(Arrival.state))
    found = dict(session.execute(counted).all())
    return Balance(sum(found.values()), {state: found.get(state, 0) for state in ArrivalState})

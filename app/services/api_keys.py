"""API keys: a program acting with the rights of the agent who made its key."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Invalid, NotFound
from app.services import changes
from app.services.access import Actor, Permission, require
from app.services.sessions import TOUCH_EVERY, Known
from app.store.tables import Agent, ApiKey

PREFIX = "setten_"  # so that a scanner of leaked secrets knows one when it sees it


@dataclass(frozen=True, slots=True)
class KeyView:
    id: int
    name: str
    agent_id: int
    agent: str
    created_at: datetime
    used_at: datetime | None


def create(session: Session, actor: Actor, name: str) -> tuple[int, str]:
    """The id and the key itself, which is shown once: only its digest is stored."""
    require(actor, Permission.ADMIN)
    if actor.agent_id is None:
        raise Invalid("An API key belongs to an agent.")
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 100:
        raise Invalid("A key needs a name of at most 100 characters.", field="name")
    # Also what keeps a page that is loaded again from making another key.
    if session.exec(select(ApiKey.id).where(ApiKey.name == tidy).limit(1)).one_or_none():
        raise Invalid("There is a key of that name already.", field="name")
    key = PREFIX + secrets.new_token()
    row = ApiKey(
        digest=secrets.digest(key), name=tidy, agent_id=actor.agent_id, created_at=clock.now()
    )
    session.add(row)
    session.flush()
    changes.record(session, actor, None, "api_key_created", key=row.id)
    return row.id, key


def listed(session: Session, actor: Actor) -> tuple[KeyView, ...]:
    require(actor, Permission.ADMIN)
    rows = session.exec(
        select(ApiKey, Agent.name)
        .join(Agent, col(Agent.id) == col(ApiKey.agent_id))
        .order_by(col(ApiKey.id))
    ).all()
    return tuple(
        KeyView(key.id, key.name, key.agent_id, agent, key.created_at, key.used_at)
        for key, agent in rows
    )


def revoke(session: Session, actor: Actor, key_id: int) -> None:
    require(actor, Permission.ADMIN)
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no such API key.")
    session.delete(key)
    changes.record(session, actor, None, "api_key_revoked", key=key_id)


def actor_of_key(session: Session, key: str) -> Known | None:
    """Whose key it is, with the rights that agent has now."""
    found = session.exec(
        select(ApiKey, Agent)
        .join(Agent, col(Agent.id) == col(ApiKey.agent_id))
        .where(ApiKey.digest == secrets.digest(key), col(Agent.active).is_(True))
    ).one_or_none()
    if found is None:
        return None
    row, agent = found
    actor = Actor(name=agent.name, role=agent.role, agent_id=agent.id, language=agent.language)
    return Known(actor, stale=row.used_at is None or row.used_at < clock.now() - TOUCH_EVERY)


def touch(session: Session, key: str) -> None:
    row = session.exec(select(ApiKey).where(ApiKey.digest == secrets.digest(key))).one_or_none()
    if row:
        row.used_at = clock.now()
        session.add(row)

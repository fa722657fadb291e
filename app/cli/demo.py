"""What `setten serve --demo` shows: an organisation, samples, and an account to look with."""

import secrets

from sqlmodel import Session

from app.cli.console import Installation
from app.core import passwords
from app.domain.words import Role
from app.services import agents, organisation, samples
from app.services.access import SYSTEM, Actor
from app.services.agents import NewAgent
from app.services.organisation import NewOrganisation

_EMAIL = "demo@localhost"


def furnish(house: Installation) -> str:
    """Fill an empty installation; how to sign in to it."""
    password = secrets.token_hex(6)
    hashed = passwords.make_hash(password, _EMAIL)
    with house.database.transaction() as session:
        _furnish(session, NewAgent("Demo", _EMAIL, hashed))
    return (
        "A demonstration with sample inquiries; everything in it is thrown away at the end.\n"
        f"Sign in as {_EMAIL} with the password {password}"
    )


def _furnish(session: Session, wanted: NewAgent) -> None:
    agent = agents.add(session, SYSTEM, wanted, Role.ADMIN)
    actor = Actor(name=agent.name, role=agent.role, agent_id=agent.id)
    organisation.set_up(session, actor, NewOrganisation("Setten Demo", "UTC", "en"))
    session.flush()
    samples.add(session, actor)

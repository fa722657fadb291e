"""Who answers, in which teams, and how they sign in."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from app.domain.words import Role
from app.store.row import Row
from app.store.types import link, maybe_link, maybe_moment, moment, primary_key, word


class Team(Row, table=True):
    __tablename__ = "team"

    id: int = primary_key()
    name: str = Field(unique=True)


class Agent(Row, table=True):
    __tablename__ = "agent"

    id: int = primary_key()
    name: str
    email: str = Field(unique=True)  # lower case
    password_hash: str = ""  # "" until a password was chosen
    role: Role = Field(default=Role.AGENT, sa_type=word(Role))
    language: str = ""
    theme: str = ""  # light, dark, or "" for the system's
    active: bool = True
    created_at: datetime = moment()


class Membership(Row, table=True):
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("team_id", "agent_id"),)

    id: int = primary_key()
    team_id: int = link("team", index=False)
    agent_id: int = link("agent")


class Login(Row, table=True):
    """A signed-in browser; revoked by deleting the row."""

    __tablename__ = "login"

    id: int = primary_key()
    digest: str = Field(unique=True)
    agent_id: int = link("agent")
    browser: str = ""
    created_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment()


class ApiKey(Row, table=True):
    __tablename__ = "api_key"

    id: int = primary_key()
    digest: str = Field(unique=True)
    name: str
    agent_id: int = link("agent")
    created_at: datetime = moment()
    used_at: datetime | None = maybe_moment()


class Invitation(Row, table=True):
    """A one-time link: the first administrator's, an invited agent's, or a new password's."""

    __tablename__ = "invitation"

    id: int = primary_key()
    digest: str = Field(unique=True)
    agent_id: int | None = maybe_link("agent")  # None: whoever comes first makes the account
    email: str = ""
    role: Role = Field(default=Role.AGENT, sa_type=word(Role))
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = maybe_moment()


class Attempt(Row, table=True):
    """Failed sign-ins, so that guessing is slow in every process at once."""

    __tablename__ = "attempt"

    id: int = primary_key()
    name: str = Field(unique=True)  # digest of the address, or of the network
    failures: int = 0
    until: datetime | None = maybe_moment()

"""The whole web half on a database of its own, and people who are signed in to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core import clock
from app.core.secrets import Keys
from app.core.settings import Settings
from app.domain.words import Role
from app.services import organisation, sessions
from app.services.access import SYSTEM, Actor
from app.services.organisation import NewOrganisation
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Agent
from app.web import wiring
from app.web.deps import House

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """Where the organisation is set up already."""
    with sqlite_db.transaction() as session:
        organisation.set_up(session, SYSTEM, NewOrganisation("Hoshi Tools", "Asia/Tokyo", "en"))
    return sqlite_db


@pytest.fixture
def house(settings: Settings, db: Database, blobs: Blobs, keys: Keys) -> House:
    return House(settings, db, blobs, keys)


@pytest.fixture
def app(house: House) -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.state.house = house
    wiring.wire(made)
    return made


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser nobody signed in to."""
    with TestClient(app, base_url=HERE, follow_redirects=False) as made:
        yield made


@dataclass(frozen=True)
class Person:
    """An agent and a browser they are signed in to."""

    actor: Actor
    client: TestClient
    token: str

    @property
    def id(self) -> int:
        assert self.actor.agent_id is not None
        return self.actor.agent_id


Hire = Callable[..., Person]


@pytest.fixture
def hire(app: FastAPI, db: Database) -> Iterator[Hire]:
    """`hire("Ann", Role.LEAD)`: a colleague at a browser of their own."""
    opened: list[TestClient] = []

    def make(name: str = "Ann", role: Role = Role.AGENT) -> Person:
        email = f"{name.lower()}@hoshi.example"
        with db.transaction() as session:
            agent = Agent(
                name=name, email=email, role=role, password_hash="-", created_at=clock.now()
            )
            session.add(agent)
            session.flush()
            token = sessions.open_for(session, agent.id, "Firefox")
        with db.reading() as session:
            known = sessions.actor_of_login(session, token)
        assert known is not None
        browser = TestClient(
            app,
            base_url=HERE,
            follow_redirects=False,
            cookies={"setten": token},
            headers={"sec-fetch-site": "same-origin"},
        )
        opened.append(browser)
        return Person(known.actor, browser, token)

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture
def ann(hire: Hire) -> Person:
    return hire("Ann", Role.AGENT)


@pytest.fixture
def lea(hire: Hire) -> Person:
    return hire("Lea", Role.LEAD)


@pytest.fixture
def boss(hire: Hire) -> Person:
    return hire("Boss", Role.ADMIN)

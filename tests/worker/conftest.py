"""A worker's parts around a fake channel, on each kind of database; time stands still."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.core import clock
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import inboxes, intake
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.services.intake import Stored
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Arrival, Delivery, Inbox, Message
from app.worker.trainer import Trainer
from app.worker.triage import Triage
from app.worker.works import Works
from channels.contract import Channel, Raw
from classifier.contract import Classifier
from tests.fakes import FakeChannel, FakeConfig, FakeTrainer
from tests.inquiries import NOON, Desk, make_desk
from tests.servers.postgres import Postgres
from tests.services.conftest import Forward, empty


def no_model(_: Path) -> Classifier:
    raise AssertionError("nobody asked for this model")


def answered_by(load: Callable[[Path], Classifier], *, on: bool = True) -> Triage:
    """What a worker asks where nobody has trained a version of their own."""
    return Triage(Path("unused"), switched_on=on, load=load, load_own=no_model)


@dataclass(frozen=True)
class Plant:
    """Works whose only channel is a fake, and the desk of the same house."""

    works: Works
    desk: Desk
    forward: Forward

    @property
    def inbox_id(self) -> int:
        return self.desk.inbox.id

    def with_channel(self, channel: Channel) -> "Plant":
        return replace(self, works=replace(self.works, channels={channel.kind: channel}))

    def with_triage(self, triage: Triage) -> "Plant":
        return replace(self, works=replace(self.works, triage=triage))

    def with_trainer(self, trainer: Trainer) -> "Plant":
        return replace(self, works=replace(self.works, trainer=trainer))

    def add_inbox(self, address: str, *, built_in: bool = False) -> Inbox:
        new = NewInbox("fake", address, FakeConfig(), address, writes_to="email", built_in=built_in)
        made: Inbox = self.desk.do(inboxes.create, SYSTEM, self.works.keys, new)
        return made

    def kept(self, *raws: Raw) -> list[int]:
        """Arrivals nobody has read yet, in this order."""
        return [self._keep(raw) for raw in raws]

    def _keep(self, raw: Raw) -> int:
        stored = Stored(self.works.blobs.put(raw.body), len(raw.body))
        arrival: Arrival = self.desk.do(intake.keep, self.inbox_id, raw, stored)
        return arrival.id

    def states(self) -> list[tuple[str, str]]:
        """What became of each arrival, oldest first: its id outside, its state."""
        return [(row.external_id, row.state) for row in self.desk.all(Arrival)]

    def texts(self) -> list[str]:
        return [message.text for message in self.desk.all(Message)]

    def delivery(self) -> tuple[str, str]:
        [row] = self.desk.all(Delivery)
        return row.state, row.words

    def inbox(self, inbox_id: int = 0) -> Inbox:
        found: Inbox = self.desk.one(Inbox, inbox_id or self.inbox_id)
        return found

    def break_config(self, inbox_id: int) -> None:
        with self.desk.db.transaction() as session:
            session.get_one(Inbox, inbox_id).sealed_config = b"sealed with a key that is lost"


@pytest.fixture(scope="session")
def emptied_postgres(postgres_server: Postgres, postgres_template: str) -> Iterator[Database]:
    url = postgres_server.create("setten_worker", postgres_template)
    database = Database(url, Path("unused/unused"))
    yield database
    database.close()
    postgres_server.drop("setten_worker")


@pytest.fixture
def postgres_db(emptied_postgres: Database) -> Iterator[Database]:
    yield emptied_postgres
    empty(emptied_postgres)


@pytest.fixture
def forward() -> Iterator[Forward]:
    with clock.at(NOON) as move:
        yield move


@pytest.fixture
def plant(
    db: Database, settings: Settings, keys: Keys, blobs: Blobs, forward: Forward
) -> Iterator[Plant]:
    desk = make_desk(db, keys)
    off = answered_by(no_model, on=False)
    url = "" if db.is_sqlite else "postgresql://elsewhere.invalid/setten"
    given = {"mail_port": 0, "database_url": url}
    works = Works(
        settings.model_copy(update=given),
        db,
        blobs,
        keys,
        {"fake": FakeChannel()},
        off,
        "one",
        FakeTrainer(),
    )
    made = Plant(works, desk, forward)
    inbox = made.add_inbox("help@shop.test")
    yield replace(made, desk=replace(desk, inbox=inbox))
    off.close()

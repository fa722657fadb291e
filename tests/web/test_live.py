"""Live updates over a real connection: what is told, to whom, how soon, and how they end."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from app.core import clock
from app.domain.words import Cause
from app.services import changes, sessions
from app.services.access import SYSTEM
from app.store.database import Database
from app.store.tables import Change, Ticket
from app.web.live import QUEUED, Listener
from tests.factories import make_ticket
from tests.web.conftest import Person

CEILING = 10.0


@pytest.fixture
def server(app: FastAPI) -> Iterator[str]:
    """A real server: a test client reads an answer only when it is complete."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=5)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    app.state.live.close()
    thread.join(CEILING)
    listening.close()
    assert not thread.is_alive()


@pytest.fixture
def ticket(db: Database) -> Ticket:
    with db.transaction() as session:
        return make_ticket(session)


class Stream:
    """One open stream as a browser reads it."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.status = answer.status_code
        self._lines = answer.iter_lines()

    def event(self) -> dict[str, object]:
        """The next one that is more than a sign of life."""
        found: dict[str, object] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "data":
                found |= json.loads(value)
            elif name == "event":
                found["event"] = value
            elif not line and found:
                return found
        raise EOFError

    def skip_greeting(self) -> "Stream":
        assert next(self._lines) == "retry: 2000"
        return self


@contextmanager
def listening(
    server: str, token: str, query: str = "", headers: dict[str, str] | None = None
) -> Iterator[Stream]:
    with (
        httpx2.Client(timeout=CEILING, cookies={"setten": token}) as client,
        client.stream("GET", f"{server}/live{query}", headers=headers) as answer,
    ):
        yield Stream(answer).skip_greeting() if answer.status_code == 200 else Stream(answer)


def happen(db: Database, ticket: Ticket | None, what: str) -> int:
    with db.transaction() as session:
        found = session.get_one(Ticket, ticket.id) if ticket else None
        made = changes.record(session, SYSTEM, found, what)
        session.flush()
        return made.id


def test_everybody_hears_of_a_change_within_a_second(
    server: str, ann: Person, lea: Person, db: Database, ticket: Ticket
) -> None:
    with listening(server, ann.token) as one, listening(server, lea.token) as other:
        happen(db, None, "warm")
        assert (one.event()["what"], other.event()["what"]) == ("warm", "warm")
        began = time.monotonic()
        number = happen(db, ticket, "replied")
        told = [one.event(), other.event()]
        seconds = time.monotonic() - began

    assert told == [{"change": number, "ticket": ticket.ref, "what": "replied"}] * 2
    assert seconds < 1


def test_stranger_hears_nothing(server: str) -> None:
    with listening(server, "nobody") as stream:
        assert stream.status == 401


@pytest.mark.parametrize("how", ["after", "last-event-id"])
def test_browser_that_comes_back_hears_what_it_missed(
    server: str, ann: Person, db: Database, ticket: Ticket, how: str
) -> None:
    seen = happen(db, ticket, "noted")
    missed = happen(db, ticket, "resolved")

    query = f"?after={seen}" if how == "after" else ""
    headers = {"last-event-id": str(seen)} if how == "last-event-id" else {}
    with listening(server, ann.token, query, headers) as stream:
        told = [stream.event()]
        while told[-1]["change"] != missed:
            told.append(stream.event())

    assert told[-1] == {"change": missed, "ticket": ticket.ref, "what": "resolved"}


@pytest.mark.parametrize("last", ["x", "-1", "9" * 19, ""])
def test_last_event_that_is_none_is_ignored(
    server: str, ann: Person, db: Database, last: str
) -> None:
    headers = {"last-event-id": last}
    with listening(server, ann.token, headers=headers) as stream:
        number = happen(db, None, "set_aside")

        assert stream.event() == {"change": number, "ticket": None, "what": "set_aside"}


def test_browser_that_missed_too_much_draws_itself_anew(
    server: str, ann: Person, db: Database, ticket: Ticket
) -> None:
    with db.transaction() as session:
        for _ in range(501):
            changes.record(session, SYSTEM, session.get_one(Ticket, ticket.id), "noted")

    with listening(server, ann.token, "?after=0") as stream:
        assert stream.event() == {"event": "reload"}


def test_changes_of_accounts_are_not_told(server: str, ann: Person, db: Database) -> None:
    with listening(server, ann.token) as stream:
        for what in ("signed_in", "agent_invited", "role_changed", "api_key_created"):
            happen(db, None, what)
        number = happen(db, None, "discarded")

        assert stream.event()["change"] == number


def test_number_that_turns_up_late_is_told_late(
    server: str, ann: Person, db: Database, ticket: Ticket
) -> None:
    def commit(number: int) -> None:
        with db.transaction() as session:
            made = Change(
                id=number, at=clock.now(), ticket_id=ticket.id, cause=Cause.SYSTEM, what="noted"
            )
            session.add(made)

    with listening(server, ann.token) as stream:
        commit(1001)
        first = stream.event()
        commit(1003)  # by another process; 1002 was handed out but is not committed yet
        second = stream.event()
        commit(1002)
        third = stream.event()

    assert [one["change"] for one in (first, second, third)] == [1001, 1003, 1002]


def test_seventh_window_is_one_too_many(server: str, ann: Person, lea: Person) -> None:
    with ExitStack() as stack:
        windows = [stack.enter_context(listening(server, ann.token)) for _ in range(7)]
        other = stack.enter_context(listening(server, lea.token))

        assert [window.status for window in windows] == [200] * 6 + [429]
        assert other.status == 200


def test_closed_window_makes_room(server: str, app: FastAPI, ann: Person, db: Database) -> None:
    with listening(server, ann.token):
        pass
    deadline = time.monotonic() + CEILING
    while app.state.live.streams and time.monotonic() < deadline:
        happen(db, None, "noted")  # the server notices at the latest when it writes

    assert app.state.live.streams == 0


def test_stream_of_a_revoked_session_ends_untold(
    server: str, ann: Person, lea: Person, db: Database, ticket: Ticket
) -> None:
    with listening(server, ann.token) as revoked, listening(server, lea.token) as other:
        with db.transaction() as session:
            sessions.sign_out(session, ann.actor)
        happen(db, ticket, "replied")

        assert other.event()["what"] == "replied"
        with pytest.raises(EOFError):
            revoked.event()


def test_closing_ends_every_stream_at_once(server: str, app: FastAPI, ann: Person) -> None:
    with listening(server, ann.token) as stream:
        began = time.monotonic()
        app.state.live.close()

        with pytest.raises(EOFError):
            stream.event()
        assert time.monotonic() - began < 1


async def test_window_that_reads_too_slowly_draws_itself_anew() -> None:
    listener = Listener(("login", 1), 1)

    for number in range(QUEUED + 5):
        listener.tell([f"data: {number}\n\n".encode()])

    waiting = [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]
    assert waiting[0] == b"event: reload\ndata: {}\n\n"
    assert len(waiting) <= QUEUED

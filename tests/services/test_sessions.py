"""Signing in, staying signed in, and how guessing is slowed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.core import clock, secrets
from app.core.errors import NotAllowed, NotFound, TooMany
from app.domain.words import Role
from app.services import agents, sessions
from app.services.access import SYSTEM
from app.services.agents import NewAgent
from app.services.sessions import Candidate
from app.store.database import Database
from app.store.tables import Agent, Attempt, Login

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOME, CAFE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def ann(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        wanted = NewAgent("Ann", "ann@hoshi.example", password_hash="hash of ann")
        agents.add(session, SYSTEM, wanted, Role.AGENT)


def attempt(db: Database, email: str = "ann@hoshi.example", network: str = CAFE) -> Candidate:
    """One attempt that nobody takes back: a wrong password."""
    with db.transaction() as session:
        return sessions.begin(session, email, network)


def seconds_to_wait(db: Database, email: str = "ann@hoshi.example", network: str = CAFE) -> int:
    with pytest.raises(TooMany) as refused:
        attempt(db, email, network)
    seconds = refused.value.data["seconds"]
    assert isinstance(seconds, int)
    return seconds


def succeed(db: Database, candidate: Candidate) -> str:
    with db.transaction() as session:
        return sessions.succeed(session, candidate, "Firefox")


def test_right_password_opens_a_session_of_its_own(db: Database) -> None:
    with clock.at(NOON):
        tokens = [succeed(db, attempt(db, " ANN@hoshi.example ")) for _ in range(2)]

        with db.reading() as session:
            known = [sessions.actor_of_login(session, token) for token in tokens]
            rows = session.exec(select(Login)).all()

    assert len(set(tokens)) == 2
    assert [one and (one.actor.name, one.actor.role, one.stale) for one in known] == [
        ("Ann", Role.AGENT, False)
    ] * 2
    assert [row.digest for row in rows] == [secrets.digest(token) for token in tokens]


def test_unknown_address_looks_like_any_other(db: Database) -> None:
    found = attempt(db, "nobody@hoshi.example")

    assert (found.agent_id, found.password_hash, len(found.attempts)) == (None, "", 2)


def test_inactive_agent_is_unknown(db: Database) -> None:
    with db.transaction() as session:
        session.exec(select(Agent)).one().active = False

    assert attempt(db).agent_id is None


def test_address_waits_longer_after_every_failure_but_never_for_ever(db: Database) -> None:
    waits = []
    with clock.at(NOON) as forward:
        for _ in range(sessions.ADDRESS.free):
            attempt(db)
        for _ in range(12):
            attempt(db)
            waits.append(seconds_to_wait(db))
            forward(timedelta(seconds=waits[-1]))

    assert [seconds - 1 for seconds in waits] == [
        2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300,
    ]  # fmt: skip


def test_attempts_while_waiting_do_not_lengthen_the_wait(db: Database) -> None:
    with clock.at(NOON) as forward:
        for _ in range(sessions.ADDRESS.free + 3):
            attempt(db)
            forward(timedelta(seconds=9))
        attempt(db)
        before = [seconds_to_wait(db) for _ in range(50)]

    assert before == [17] * 50


def test_another_address_of_another_network_is_not_slowed(db: Database) -> None:
    with clock.at(NOON):
        for _ in range(sessions.ADDRESS.free + 1):
            attempt(db)

        assert attempt(db, "lea@hoshi.example", HOME).agent_id is None


def test_one_password_on_many_addresses_is_slowed_by_network(db: Database) -> None:
    with clock.at(NOON):
        for number in range(sessions.NETWORK.free + 1):
            attempt(db, f"a{number}@hoshi.example")

        assert seconds_to_wait(db, "another@hoshi.example") == 3
        assert attempt(db, "another@hoshi.example", HOME).agent_id is None


def test_account_of_ones_own_does_not_free_the_network(db: Database) -> None:
    with clock.at(NOON):
        for number in range(sessions.NETWORK.free - 1):
            attempt(db, f"a{number}@hoshi.example")
        succeed(db, attempt(db))
        attempt(db, "b1@hoshi.example")
        attempt(db, "b2@hoshi.example")

        assert seconds_to_wait(db, "b3@hoshi.example") == 3


def test_attempts_at_the_same_moment_are_all_counted(db: Database) -> None:
    def try_once(_: int) -> bool:
        try:
            attempt(db, "nobody@hoshi.example")
        except TooMany:
            return False
        return True

    with clock.at(NOON), ThreadPoolExecutor(8) as threads:
        admitted = sum(threads.map(try_once, range(24)))

    assert admitted == sessions.ADDRESS.free + 1


def test_success_forgives_the_address(db: Database) -> None:
    with clock.at(NOON):
        for _ in range(4):
            attempt(db)
        succeed(db, attempt(db))

        for _ in range(sessions.ADDRESS.free):
            attempt(db)


def test_failures_of_yesterday_are_forgotten(db: Database) -> None:
    with clock.at(NOON) as forward:
        for _ in range(sessions.ADDRESS.free + 1):
            attempt(db)
        forward(timedelta(days=2))
        for _ in range(sessions.ADDRESS.free):
            attempt(db)


def test_slowing_is_one_for_every_process(db: Database, tmp_path: Path) -> None:
    url = db.engine.url.render_as_string(hide_password=False)
    other = Database(url, tmp_path / "unused")
    with clock.at(NOON):
        for _ in range(sessions.ADDRESS.free + 1):
            attempt(db)

        assert seconds_to_wait(other) == 3
    other.close()


def test_stored_attempts_name_nobody(db: Database) -> None:
    attempt(db)

    with db.reading() as session:
        rows = str([row.model_dump() for row in session.exec(select(Attempt))])
    assert "ann" not in rows
    assert CAFE not in rows


def test_password_changed_while_it_was_compared_does_not_sign_in(db: Database) -> None:
    candidate = attempt(db)
    with db.transaction() as session:
        session.exec(select(Agent)).one().password_hash = "another"

    with pytest.raises(NotAllowed):
        succeed(db, candidate)


def test_session_lives_while_it_is_used_and_ends_after_ninety_days(db: Database) -> None:
    seen = []
    with clock.at(NOON) as forward:
        token = succeed(db, attempt(db))
        for _ in range(5):
            forward(timedelta(days=20))
            with db.reading() as session:
                known = sessions.actor_of_login(session, token)
            seen.append(known is not None and known.stale)
            if known and known.actor.login_id:
                with db.transaction() as session:
                    sessions.touch(session, known.actor.login_id)

    assert seen == [True, True, True, True, False]


def test_session_unused_for_thirty_days_is_over(db: Database) -> None:
    with clock.at(NOON) as forward:
        token = succeed(db, attempt(db))
        forward(timedelta(days=30))

        with db.reading() as session:
            assert sessions.actor_of_login(session, token) is None


def test_revoking(db: Database) -> None:
    with clock.at(NOON):
        tokens = [succeed(db, attempt(db)) for _ in range(3)]
        with db.reading() as session:
            known = [sessions.actor_of_login(session, token) for token in tokens]
        here, there, third = [one.actor for one in known if one]
        with db.reading() as session:
            shown = sessions.listed(session, here)
        assert there.login_id is not None

        with db.transaction() as session:
            sessions.revoke(session, here, there.login_id)
            left = [row.id for row in sessions.listed(session, here)]
            sessions.revoke_others(session, here)
            last = [row.id for row in sessions.listed(session, here)]
            sessions.sign_out(session, here)

    assert [(row.id, row.current) for row in shown] == [
        (third.login_id, False),
        (there.login_id, False),
        (here.login_id, True),
    ]
    assert (left, last) == ([third.login_id, here.login_id], [here.login_id])
    with db.reading() as session:
        assert session.exec(select(Login)).all() == []


def test_session_of_somebody_else_cannot_be_revoked(db: Database) -> None:
    with clock.at(NOON):
        token = succeed(db, attempt(db))
        with db.transaction() as session:
            wanted = NewAgent("Eve", "eve@hoshi.example", password_hash="hash of eve")
            eve = agents.add(session, SYSTEM, wanted, Role.AGENT)
            theirs = sessions.open_for(session, eve.id, "Safari")
        with db.reading() as session:
            known = sessions.actor_of_login(session, theirs)
        assert known is not None

        with db.reading() as session:
            anns = sessions.actor_of_login(session, token)
        assert anns is not None

        with pytest.raises(NotFound), db.transaction() as session:
            sessions.revoke(session, known.actor, anns.actor.login_id or 0)

        with db.reading() as session:
            assert sessions.actor_of_login(session, token) == anns

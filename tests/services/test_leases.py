"""One holder at a time, and a number that shows who was earlier."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.services import leases
from app.store.database import Database

MINUTE = timedelta(minutes=1)
Forward = Callable[[timedelta], None]


def take(db: Database, holder: str) -> int | None:
    with db.transaction() as session:
        return leases.take(session, "pull 1", holder, MINUTE)


def held(db: Database, holder: str, token: int) -> bool:
    with db.transaction() as session:
        return leases.held(session, "pull 1", holder, token)


def drop(db: Database, holder: str) -> None:
    with db.transaction() as session:
        leases.drop(session, holder)


def test_one_holds_it_and_renews_it(db: Database, forward: Forward) -> None:
    assert [take(db, "a"), take(db, "b"), take(db, "a")] == [1, None, 1]
    forward(timedelta(seconds=50))
    assert take(db, "a") == 1
    forward(timedelta(seconds=50))

    assert take(db, "b") is None


def test_a_late_holder_is_recognised(db: Database, forward: Forward) -> None:
    assert take(db, "a") == 1
    forward(2 * MINUTE)
    assert held(db, "a", 1)  # nobody else wanted it

    assert take(db, "b") == 2

    assert (held(db, "a", 1), held(db, "b", 2), take(db, "a")) == (False, True, None)


@pytest.mark.usefixtures("forward")
def test_what_is_given_back_is_free_at_once_and_its_number_grows(db: Database) -> None:
    take(db, "a")

    drop(db, "a")

    assert held(db, "a", 1) is False
    assert take(db, "b") == 2
    drop(db, "b")
    assert take(db, "a") == 3


@pytest.mark.usefixtures("forward")
def test_of_many_who_come_at_once_one_gets_it(db: Database) -> None:
    together = threading.Barrier(4)
    got: list[int | None] = []

    def go(name: str) -> None:
        together.wait(10)
        got.append(take(db, name))

    threads = [threading.Thread(target=go, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [token for token in got if token] == [1]

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


def renew(db: Database, holder: str) -> bool:
    with db.transaction() as session:
        return leases.renew(session, "pull 1", holder, MINUTE)


def test_only_who_still_has_it_goes_on(db: Database, forward: Forward) -> None:
    assert not renew(db, "a")
    take(db, "a")
    forward(timedelta(seconds=50))
    assert (renew(db, "a"), renew(db, "b")) == (True, False)
    forward(timedelta(seconds=50))
    assert take(db, "b") is None

    drop(db, "a")

    assert not renew(db, "a")  # a renewal under way does not bring back what was given back
    assert take(db, "b") == 2
    forward(2 * MINUTE)
    assert not renew(db, "b")


def turn(db: Database, worker: str, who: str, *, waits: bool = True) -> bool:
    with db.transaction() as session:
        return leases.take_turn(session, "sent x", worker, who, MINUTE, waits=waits)


def is_wanted(db: Database, who: str) -> bool:
    with db.transaction() as session:
        return leases.is_wanted(session, "sent x", who)


def give_back(db: Database, holder: str) -> None:
    with db.transaction() as session:
        leases.take(session, "sent x", holder, timedelta(0))


@pytest.mark.usefixtures("forward")
def test_who_waits_for_a_turn_is_the_next(db: Database) -> None:
    assert (turn(db, "a", "watch 1"), is_wanted(db, "watch 1")) == (True, False)

    assert not turn(db, "b", "copy 9", waits=False)
    assert not is_wanted(db, "watch 1")
    assert not turn(db, "b", "watch 2")
    assert (is_wanted(db, "watch 1"), is_wanted(db, "watch 2")) == (True, False)

    give_back(db, "a watch 1")
    assert not turn(db, "a", "watch 1")
    assert not turn(db, "c", "copy 9")
    assert turn(db, "b", "watch 2")
    assert not is_wanted(db, "watch 2")
    assert not turn(db, "a", "watch 1")
    assert is_wanted(db, "watch 2")


def test_a_turn_is_free_again_when_whoever_had_it_or_waited_for_it_is_gone(
    db: Database, forward: Forward
) -> None:
    assert turn(db, "a", "watch 1")
    assert not turn(db, "b", "watch 2")
    drop(db, "a")
    assert not turn(db, "a", "watch 1")

    forward(leases.WISHED)

    assert turn(db, "a", "watch 1")

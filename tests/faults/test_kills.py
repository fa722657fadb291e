"""Killed at every place that has a name: nothing is lost, nothing is done twice."""

from collections.abc import Callable

import pytest

import app.main
import app.worker.engine  # noqa: F401 - importing is what declares the points
from app.core import crashpoints
from tests.faults.house import Surroundings, assert_in_order
from tests.faults.rounds import WHOLE, Round, Size
from tests.servers.setten import Setten

Nth = Callable[[Size], int]

INTAKE: dict[str, Nth] = {  # the how-manieth call is the last: in the middle of the work
    "pull.listed": lambda _: 2,
    "pull.fetched": lambda size: size.new * 2 // 3,
    "blob.half_written": lambda size: size.new * 2 // 3,
    "blob.renamed": lambda size: size.new * 2 // 3,
    "intake.raw_stored": lambda size: size.new * 2 // 3,
    "intake.keep_open": lambda size: size.new * 2 // 3,
    "pull.kept": lambda size: size.new * 2 // 3,
    "intake.file_open": lambda size: size.new * 2 // 3,
    "pull.settled": lambda size: size.new * 2 // 3,
}
OUTBOX: dict[str, Nth] = {
    "outbox.packed": lambda size: size.replies // 2,
    "outbox.talking": lambda size: size.replies // 2,
    "outbox.ambiguous": lambda size: size.replies // 2,
    "outbox.settle_open": lambda size: size.replies // 2,
}
FEEDBACK: dict[str, Nth] = {
    "survey.ask_open": lambda size: size.resolved // 2,
    "survey.answer_open": lambda size: size.ratings,
}
CASES = INTAKE | OUTBOX | FEEDBACK


def test_every_declared_point_has_a_case() -> None:
    assert set(CASES) == set(crashpoints.declared())


@pytest.mark.dovecot
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_kill_at_every_point_loses_and_doubles_nothing(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    """One installation dies at every point in turn; each finds work of its own to interrupt."""
    mails, replies = 2 * len(INTAKE), 2 * len(OUTBOX) + 2
    size = Size(new=mails, follow=3, replies=replies, resolved=3, ratings=1)
    armed = [f"{point}:{1 if point == 'pull.listed' else 2}" for point in INTAKE]
    armed += [f"{point}:{2 if point in OUTBOX else 1}" for point in (*OUTBOX, *FEEDBACK)]
    journey = Round(setten, around, size, armed)

    for at in range(len(INTAKE)):
        journey.write(range(2 * at, 2 * at + 2))
        if at == 0:
            journey.start()
        journey.wait_for_kill()
    journey.find_tickets()
    for at in range(len(OUTBOX)):
        journey.answer(2 * at)
        journey.answer(2 * at + 1)
        journey.wait_for_kill()
    for number in range(2 * len(OUTBOX), replies):
        journey.answer(number)
    journey.wait(journey.nothing_under_way, "end of sending")
    journey.write_again(range(size.follow))
    for number in journey.resolved:
        journey.resolve(number)
    journey.wait_for_kill()
    journey.wait(journey.nothing_under_way, "end of asking")
    for number in journey.rated():
        journey.rate(number)
    journey.settle()

    assert journey.kills == len(CASES)
    assert_in_order(setten)
    result = journey.assert_nothing_lost_or_doubled()
    for point in armed:
        kills(point, kind, 1, result)


@pytest.mark.faults
@pytest.mark.dovecot
@pytest.mark.parametrize("point", CASES)
def test_nothing_of_fifty_mails_is_lost_or_doubled(
    point: str, setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    armed = f"{point}:{CASES[point](WHOLE)}"
    journey = Round(setten, around, WHOLE, [armed])
    journey.run()
    assert journey.kills == 1, f"{armed} was never reached"
    setten.check()
    kills(f"{armed}, 50 mails", kind, 1, journey.assert_nothing_lost_or_doubled())

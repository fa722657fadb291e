"""Killed at every place that has a name: nothing is lost, nothing is done twice."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import app.main
import app.worker.engine  # noqa: F401 - importing is what declares the points
from app.core import crashpoints
from tests.faults.house import Surroundings, assert_balanced, assert_in_order
from tests.faults.rounds import Round, Size
from tests.servers.setten import Setten

STOPS_WITHIN = 30.0  # seconds; how long it may take is the matter of another test
# In the order in which work comes by them.
INTAKE = (
    "pull.listed",
    "pull.fetched",
    "blob.half_written",
    "blob.renamed",
    "intake.raw_stored",
    "intake.keep_open",
    "pull.kept",
    "file.read",
    "intake.file_open",
    "file.filed",
    "pull.settled",
)
OUTBOX = ("outbox.packed", "outbox.talking", "outbox.ambiguous", "outbox.settle_open")
FEEDBACK = ("survey.ask_open", "survey.answer_open")
POINTS = (*INTAKE, *OUTBOX, *FEEDBACK)


@dataclass(frozen=True)
class Work:
    """How much there is to interrupt for each kill; the last kill but a third falls into it."""

    mails: int
    answers: int
    size: Size

    @property
    def armed(self) -> list[str]:
        """Several mails in, but for their list, of which there is one, and their marks, which are
        left on all of them by one command."""
        mail, answer = max(2, self.mails * 2 // 3), max(2, self.answers * 2 // 3)
        return [
            "pull.listed:1",
            *(f"{point}:{mail}" for point in INTAKE[1:-1]),
            "pull.settled:1",
            *(f"{point}:{answer}" for point in OUTBOX),
            *(f"{point}:1" for point in FEEDBACK),
        ]


SMALL = Work(2, 2, Size(new=2 * len(INTAKE), follow=3, replies=10, resolved=3, ratings=1))
LARGE = Work(43, 10, Size(new=43 * len(INTAKE) + 7, follow=20, replies=44, resolved=5, ratings=3))


def test_every_declared_point_has_a_case() -> None:
    assert set(POINTS) == set(crashpoints.declared())


def test_the_long_walk_has_five_hundred_mails() -> None:
    assert LARGE.size.new + LARGE.size.follow == 500


@pytest.mark.faults
@pytest.mark.dovecot
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_kill_at_every_point_loses_and_doubles_nothing(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    journey = Round(setten, around, SMALL.size, SMALL.armed)
    die_everywhere(journey, SMALL)
    assert_in_order(setten)
    kills("every crash point", kind, journey.kills, journey.assert_nothing_lost_or_doubled())


@pytest.mark.faults
@pytest.mark.dovecot
def test_nothing_of_five_hundred_mails_is_lost_or_doubled(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    """The same with many mails under way at each kill, on both databases; and after one more
    start, which is asked to look at the whole folder, the balance of the folder is exact."""
    journey = Round(setten, around, LARGE.size, LARGE.armed)
    die_everywhere(journey, LARGE)
    assert journey.serving is not None
    journey.serving.send_signal(signal.SIGTERM)
    assert journey.serving.wait(STOPS_WITHIN) == 0, setten.log[-3000:]
    journey.serving = setten.serve()
    assert_balanced(setten, len(journey.dropped))
    setten.check()
    kills("every crash point", kind, journey.kills, journey.assert_nothing_lost_or_doubled())


def die_everywhere(journey: Round, work: Work) -> None:
    """One installation dies at every point in turn; each finds work of its own to interrupt."""
    size = work.size
    for at in range(len(INTAKE)):
        journey.write(range(work.mails * at, work.mails * (at + 1)))
        if at == 0:
            journey.start()
        journey.wait_for_kill()
    journey.write(range(work.mails * len(INTAKE), size.new))
    journey.find_tickets()
    for at in range(len(OUTBOX)):
        for number in range(work.answers * at, work.answers * (at + 1)):
            journey.answer(number)
        journey.wait_for_kill()
    for number in range(work.answers * len(OUTBOX), size.replies):
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
    assert journey.kills == len(POINTS)

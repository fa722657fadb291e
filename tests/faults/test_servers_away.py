"""The database goes away, the disk fills up: work waits, nothing is lost, and it goes on."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.house import Prepared, Surroundings, assert_in_order, books
from tests.faults.rounds import Round, Size
from tests.servers.setten import Setten, until

pytestmark = [pytest.mark.faults, pytest.mark.dovecot]

SIZE = Size(new=30, follow=6, replies=10, resolved=2, ratings=1)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgres"])
def test_a_database_that_crashes_in_the_middle_costs_nothing(
    setten: Setten, kind: str, around: Surroundings, kills: Callable[..., None]
) -> None:
    server = around.postgres()
    journey = Round(setten, around, SIZE)
    journey.write(range(SIZE.new // 2))
    journey.start()
    journey.wait(journey.tickets, "first ticket")
    server.crash()
    journey.write(range(SIZE.new // 2, SIZE.new))
    server.start()
    journey.find_tickets()
    for number in range(SIZE.replies):
        journey.answer(number)
        if number == SIZE.replies // 2:
            server.crash()
            server.start()
    journey.finish()
    assert journey.kills == 0
    assert_in_order(setten)
    result = journey.assert_nothing_lost_or_doubled()
    kills("PostgreSQL -m immediate, twice", kind, 2, result)


@pytest.fixture
def small_disk(tmp_path: Path, not_run: Callable[[str], None]) -> Iterator[Path]:
    """A disk of 24 MB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        not_run(f"a full disk: this user may not mount one ({mounted.stderr.strip()})")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(file: Path) -> None:
    """Until not a byte more goes in."""
    with file.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                continue


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_full_disk_pauses_intake_and_marks_nothing(
    kind: str,
    small_disk: Path,
    prepared: Callable[[str], Prepared],
    around: Surroundings,
    kills: Callable[..., None],
) -> None:
    with prepared(kind).copy(around, small_disk) as setten:
        journey = Round(setten, around, SIZE)
        journey.write(range(5))
        journey.start()
        journey.wait(lambda: journey.all_tickets(5), "tickets before")
        journey.wait(journey.all_marked, "marks before")
        _fill(small_disk / "ballast")

        journey.write(range(5, SIZE.new))
        until(lambda: "pulling failed" in setten.log or _complains(setten), "word of the trouble")
        assert journey.marked() <= journey.safe()

        (small_disk / "ballast").unlink()
        journey.find_tickets()
        for number in range(SIZE.replies):
            journey.answer(number)
        journey.finish()
        assert journey.kills == 0
        assert_in_order(setten)
        with books(setten) as rows:
            assert rows("SELECT count(*) FROM arrival WHERE state <> 'filed'") == [(0,)]
        kills("disk full", kind, 0, journey.assert_nothing_lost_or_doubled())
        shutil.rmtree(setten.data / "backups", ignore_errors=True)


def _complains(setten: Setten) -> bool:
    """Its own log cannot be written to a full disk; the page of inboxes says it, too."""
    with books(setten) as rows:
        return bool(rows("SELECT 1 FROM inbox WHERE last_in_error <> ''"))

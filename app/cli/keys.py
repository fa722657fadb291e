"""`keys`: the installation gets another key, and an old one is trusted no more."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli import console, stopped
from app.cli.console import Installation, say
from app.core import clock, key_file
from app.core.errors import Conflict, NotFound
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import changes, inboxes, portable
from app.services.access import SYSTEM
from app.store import keeping


def show(_asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings):
        ring = key_file.ring_of(key_file.read_key(settings.key_file))
    rows = [
        (str(key.number), key.since or "the beginning", "proves" if place else "signs and proves")
        for place, key in enumerate(ring)
    ]
    console.table(("KEY", "SINCE", "DOES"), rows)
    return 0


def rotate(_asked: argparse.Namespace, settings: Settings) -> int:
    with _at_rest(settings) as house:
        content = key_file.read_key(settings.key_file)
        content = key_file.with_new_key(content, clock.now().date())
        # The file first: whatever is cut off, each secret has its key.
        key_file.write_key(settings.key_file, content)
        keys = Keys(content)
        sealed = _seal_all(house, keys, "key_rotated", keys.newest)
    say(f"Key {keys.newest} signs from now on, and {sealed} inboxes are sealed with it.")
    say("What was signed before stays good until its key is withdrawn. Start every process anew.")
    return 0


def withdraw(asked: argparse.Namespace, settings: Settings) -> int:
    with _at_rest(settings) as house:
        content = key_file.read_key(settings.key_file)
        ring = key_file.ring_of(content)
        if asked.number not in {key.number for key in ring}:
            raise NotFound(f"There is no key {asked.number}; see “setten keys list”.")
        if asked.number == ring[0].number:
            raise Conflict(f"Key {asked.number} is the newest: “setten keys rotate” comes first.")
        # Nothing may depend on it any more, wherever an earlier change of keys was cut off.
        _seal_all(house, Keys(content), "key_withdrawn", asked.number)
        key_file.write_key(settings.key_file, key_file.without_key(content, asked.number))
    say(f"What was signed with key {asked.number} proves nothing any more.")
    return 0


@contextmanager
def _at_rest(settings: Settings) -> Iterator[Installation]:
    """A running process would go on with the keys it has read."""
    with console.opened(settings) as house:
        with house.database.reading() as session:
            busy = portable.working(session)
        if busy and not house.database.is_sqlite:
            raise Conflict(f"The worker {busy} is at work: stop every process of Setten first.")
        with stopped.lock(house.database, settings.data_dir):
            yield house


def _seal_all(house: Installation, keys: Keys, what: str, number: int) -> int:
    with house.database.transaction() as session:
        sealed = inboxes.seal_anew(session, keys)
        keeping.mark(session, keys)
        changes.record(session, SYSTEM, None, what, key=number)
    return sealed

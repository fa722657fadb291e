"""`worker` and `migrate`, and how every process of an installation begins and ends."""

import argparse
import asyncio
import logging
import os
import signal
import stat
import threading
from typing import TYPE_CHECKING

from app import __version__
from app.cli import console, starters
from app.cli.console import say
from app.core.errors import Invalid
from app.core.key_file import load_key
from app.core.secrets import Keys
from app.core.settings import Settings
from app.store import keeping, schema
from app.store.database import Database

if TYPE_CHECKING:
    from app.web.deps import House

log = logging.getLogger(__name__)

STOPS_WITHIN = 9.0
"""Seconds after Ctrl-C. What is not done then is found again at the next start, as after a kill."""


def bring_up_to_date(settings: Settings) -> bool:
    """Whether anything was to be done. Nothing heavy is loaded when it was not."""
    database = console.database_of(settings)
    close_folder(settings)
    try:
        with console.answering(settings):
            changed = _migrate(database, settings)
        keeping.open_keys(database, settings.key_file)
    finally:
        database.close()
    return changed


def _migrate(database: Database, settings: Settings) -> bool:
    try:
        schema.check_current(database)
    except Invalid:
        schema.migrate(database, settings.data_dir / "backups")
        return True
    return False


def close_folder(settings: Settings) -> None:
    """Shut others out of a data folder that is open; never of one that serves others as well."""
    folder = settings.data_dir
    if not folder.exists():
        return
    found = folder.stat()
    names = {path.name for path in folder.iterdir()}
    ours = not names or not names.isdisjoint({settings.sqlite_file.name, "secret.key"})
    if ours and found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
        folder.chmod(0o700)


def be_gone_in_time() -> None:
    """A thread that waits for a dead server must not hold the process: nothing is lost by this."""
    if any(thread.name == "be gone" for thread in threading.enumerate()):
        return
    last = threading.Timer(STOPS_WITHIN, _be_gone)
    last.name, last.daemon = "be gone", True
    last.start()


def _be_gone() -> None:
    log.warning("something did not end in time; it is taken up again at the next start")
    os._exit(0)


def worker(_asked: argparse.Namespace, settings: Settings) -> int:
    import uvloop

    from app.main import build_house

    close_folder(settings)
    with console.answering(settings):
        house = build_house(settings)
    uvloop.run(_work(house))
    return 0


async def _work(house: "House") -> None:
    from app.main import build_works
    from app.worker.engine import Engine

    stop = asyncio.Event()

    def stopping() -> None:
        be_gone_in_time()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping)
    engine = Engine(await asyncio.to_thread(build_works, house))
    await engine.start()
    say(f"Setten {__version__} works as {engine.works.name}. Ctrl-C stops it.")
    try:
        await stop.wait()
    finally:
        await engine.stop()
        house.database.close()


def _take_new_key(settings: Settings) -> None:
    database = console.database_of(settings)
    try:
        with console.answering(settings):
            _migrate(database, settings)
        keys = Keys(load_key(settings.key_file))
        with database.transaction() as session:
            keeping.mark(session, keys)
    finally:
        database.close()


def migrate(asked: argparse.Namespace, settings: Settings) -> int:
    if asked.new_key:
        _take_new_key(settings)
    changed = bring_up_to_date(settings)
    with console.opened(settings) as house:
        starters.make(house)
    if asked.new_key:
        say(f"This database now belongs to the key in {settings.key_file}.")
    say("The database is up to date." if changed else "The database was up to date already.")
    return 0

"""`backup` and `restore`: database, files and key in one file."""

import argparse
import tempfile
from pathlib import Path

from app import __version__
from app.cli import console, stopped
from app.cli.console import complain, say
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.key_file import read_key, write_key
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import integrity, portable
from app.store import backup as copies
from app.store import keeping, schema
from app.store.blobs import Blobs
from app.store.database import Database


def backup(asked: argparse.Namespace, settings: Settings) -> int:
    target = asked.file.absolute()
    if target.exists():
        raise Conflict(f"{target} is there already; choose another name.")
    with console.opened(settings) as house:
        key = read_key(settings.key_file)
        try:
            made = copies.write(house.database, house.blobs, key, __version__, target)
        except OSError as problem:
            raise Invalid(f"{target} cannot be written: {problem.strerror}.") from problem
    say(f"{target}: {made.rows} rows, {made.blobs} files and the key. Keep it secret.")
    if made.missing:
        complain(f"{made.missing} files that rows name are missing; see “setten check”.")
    return 1 if made.missing else 0


def restore(asked: argparse.Namespace, settings: Settings) -> int:
    if not asked.file.is_file():
        raise Invalid(f"There is no file {asked.file}.")
    database = console.database_of(settings)
    try:
        with stopped.lock(database, settings.data_dir):
            return _restore(asked, settings, database)
    finally:
        database.close()


def _restore(asked: argparse.Namespace, settings: Settings, database: Database) -> int:
    with console.answering(settings):
        schema.migrate(database, settings.data_dir / "backups")
    with database.reading() as session:
        there, busy = portable.lives_here(session), portable.working(session)
    if there and not asked.force:
        raise Conflict(f"There are {there} here already; --force replaces all of it.")
    if busy and not database.is_sqlite:
        raise Conflict(f"The worker {busy} is at work: stop every process of Setten first.")
    blobs = Blobs(settings.blob_dir)
    with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".restore-") as folder:
        archive = copies.unpack(asked.file, blobs, Path(folder))
        with database.transaction() as session:
            held = portable.move_in(session, archive, go_on=asked.send_waiting)
            # Before the rows are durable: with the old key they could not be opened.
            _put_key(settings.key_file, archive.key)
            keeping.mark(session, Keys(archive.key))
    manifest = archive.manifest
    say(f"{manifest.rows} rows and {manifest.blobs} files as of {manifest.made_at[:16]} are here.")
    if held:
        say(f"{held} deliveries are held: they may have been sent after the backup was made.")
    with database.reading() as session:
        problems = integrity.problems(session, blobs)
    for problem in problems:
        complain(f"{problem.kind} {', '.join(map(str, problem.ids))}: {problem.words}")
    return 1 if problems else 0


def _put_key(path: Path, key: bytes) -> None:
    """The key there before is kept beside it, in case that was a mistake."""
    if path.exists():
        if path.read_bytes() == key:
            return
        path.rename(path.with_name(f"{path.name}.before-{clock.now():%Y%m%dT%H%M%S}"))
    write_key(path, key)

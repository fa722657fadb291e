"""What every part of a worker needs, made once."""

import asyncio
import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from app.core.errors import Conflict
from app.core.secrets import Keys
from app.core.settings import Settings
from app.services import inboxes, leases
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Inbox
from app.worker.reader import Reader
from app.worker.trainer import Trainer
from app.worker.triage import Triage
from channels.contract import Channel, SentMailbox

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Turn:
    """One job at a time, and at most one more that waits: it finds whatever came meanwhile."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Works:
    settings: Settings
    database: Database
    blobs: Blobs
    keys: Keys
    channels: Mapping[str, Channel]
    triage: Triage
    name: str
    trainer: Trainer
    reader: Reader = field(default_factory=Reader)
    slow_reader: Reader = field(default_factory=Reader)  # of what others must not wait for
    turns: dict[str, Turn] = field(default_factory=dict)  # what → who does it now
    sent: dict[int, SentMailbox] = field(default_factory=dict)  # inbox → where this one watches
    _configs: dict[int, tuple[bytes, Any]] = field(default_factory=dict)  # inbox → sealed, opened

    @asynccontextmanager
    async def turn(self, what: str) -> AsyncIterator[bool]:
        """Whether the caller does it now; not where another one waits to do it already."""
        turn = self.turns.setdefault(what, Turn())
        if turn.awaited:
            yield False
            return
        turn.awaited = True
        try:
            await turn.lock.acquire()
        finally:
            turn.awaited = False
        try:
            yield True
        finally:
            turn.lock.release()

    @asynccontextmanager
    async def under(self, lease: str, lasts: timedelta) -> AsyncIterator[bool]:
        """Whether the caller does it now: nobody else in the whole organisation does meanwhile."""
        mine = await self.in_transaction(leases.take, lease, self.name, lasts) is not None
        try:
            yield mine
        finally:
            if mine:
                await self.in_transaction(leases.take, lease, self.name, timedelta(0))

    def config_of(self, inbox: Inbox) -> Any:
        """Its configuration. Opened once for as long as it is the same: each arrival asks."""
        sealed, opened = self._configs.get(inbox.id, (b"", None))
        if sealed != inbox.sealed_config:
            opened = inboxes.config_of(inbox, self.keys, self.channels[inbox.kind].config)
            self._configs[inbox.id] = inbox.sealed_config, opened
        return opened

    def do(
        self, verb: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run one verb in a transaction of its own."""
        with self.database.transaction() as session:
            return verb(session, *args, **kwargs)

    async def in_transaction(
        self, verb: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The same, off the event loop."""
        return await asyncio.to_thread(partial(self.do, verb, *args, **kwargs))

    async def read(
        self, query: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask something off the event loop, without writing."""
        return await asyncio.to_thread(partial(self._read, query, *args, **kwargs))

    def _read(
        self, query: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        with self.database.reading() as session:
            return query(session, *args, **kwargs)


def worker_name(settings: Settings, database: Database) -> str:
    """The same after a restart where only one worker can be, so that it finds its own work."""
    if settings.worker_name:
        return settings.worker_name
    if database.is_sqlite:
        return "embedded"
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def alone(settings: Settings) -> IO[str] | None:
    """One worker a data folder: two would both believe they are the one that died.

    The lock lasts until the file is closed; on PostgreSQL there may be any number of workers.
    """
    if settings.database_url and not settings.database_url.startswith("sqlite"):
        return None
    handle = (settings.data_dir / "worker.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise Conflict(
            f"Another Setten already works on {settings.data_dir}. "
            "Stop it first, or use PostgreSQL for several workers."
        ) from None
    return handle

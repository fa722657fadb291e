"""Server-sent events: what changed, told to every screen that listens."""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import TooMany
from app.services import sessions
from app.services.access import Actor
from app.services.queries import stream
from app.services.queries.stream import AT_MOST, Moved
from app.store.database import Database
from app.web.deps import CurrentActor

log = logging.getLogger(__name__)

router = APIRouter()

EVERY = 0.25  # seconds between two looks while anybody listens
HEARTBEAT = 15.0  # shorter than the patience of any proxy
STREAMS = 6  # for one signed-in browser: as many as it opens to one host
QUEUED = 100  # a screen that is further behind draws itself anew
GAP_SECONDS = 30.0  # no transaction is open longer; what is missing then was rolled back
GAPS = 1000

_PRIVATE = ("agent_", "api_key_", "password_", "role_", "signed_")
"""Changes of accounts, which no list shows."""

_RELOAD = format_sse_event(event="reload", data_str="{}")
_Item = bytes | None  # None ends the stream


@dataclass(eq=False)
class Listener:
    """One open screen."""

    key: tuple[str, int | None]
    login_id: int | None
    queue: asyncio.Queue[_Item] = field(default_factory=lambda: asyncio.Queue(QUEUED))

    def tell(self, events: Sequence[bytes]) -> None:
        """Never waits: who reads too slowly is told to draw everything anew."""
        if self.queue.qsize() + len(events) >= QUEUED:
            self._empty()
            events = [_RELOAD]
        for event in events:
            self.queue.put_nowait(event)

    def end(self) -> None:
        self._empty()
        self.queue.put_nowait(None)

    def _empty(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()


class Live:
    """One look at the database every quarter of a second, for all streams of this process."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poller: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        self._closed = False

    @property
    def streams(self) -> int:
        return len(self._listeners)

    def close(self) -> None:
        """End every stream and take no more. May be called from a signal handler or a thread."""
        self._closed = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for listener in self._listeners:
            listener.end()

    def join(self, actor: Actor) -> Listener:
        """Raises `TooMany` for a browser that has all its streams open already."""
        key = ("login", actor.login_id) if actor.login_id else ("agent", actor.agent_id)
        if Counter(listener.key for listener in self._listeners)[key] >= STREAMS:
            raise TooMany("Too many open windows listen already.", seconds=60)
        listener = Listener(key, actor.login_id)
        self._listeners.add(listener)
        self._loop = asyncio.get_running_loop()
        if self._poller is None or self._poller.done():
            self._begun = asyncio.Event()
            self._poller = self._loop.create_task(self._poll())
        if self._closed:
            listener.end()
        return listener

    async def begun(self) -> None:
        """Return once nothing that happens from now on is missed."""
        await self._begun.wait()

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    async def missed(self, last: int) -> list[bytes]:
        """What came after `last`; a little more than needed rather than less."""
        found = await self._read(max(0, last - GAPS // 20), ())
        return [_RELOAD] if len(found) == AT_MOST else _events(found)

    async def _read(self, last: int, missing: Sequence[int]) -> tuple[Moved, ...]:
        def read() -> tuple[Moved, ...]:
            with self._database().reading() as session:
                return stream.since(session, last, missing)

        return await anyio.to_thread.run_sync(read)

    async def _newest(self) -> int:
        def read() -> int:
            with self._database().reading() as session:
                return stream.newest(session)

        return await anyio.to_thread.run_sync(read)

    async def _poll(self) -> None:
        """Runs while anybody listens. A database that is away is waited for."""
        last: int | None = None
        gaps: dict[int, float] = {}
        while self._listeners and not self._closed:
            try:
                if last is None:
                    last = await self._newest()
                    self._begun.set()
                found = await self._read(last, tuple(gaps))
                if found:
                    await self._spread(_events(found))
                    last = _note_gaps(found, last, gaps)
            except SQLAlchemyError as error:
                log.warning("live updates wait", extra={"error": type(error).__name__})
            await asyncio.sleep(EVERY)
        self._begun.set()

    async def _spread(self, events: list[bytes]) -> None:
        """Tell everybody who is still signed in at this moment."""
        logins = {one.login_id for one in self._listeners if one.login_id}

        def read() -> set[int]:
            with self._database().reading() as session:
                return sessions.alive(session, logins)

        alive = await anyio.to_thread.run_sync(read) if logins else set()
        for listener in self._listeners:
            if listener.login_id and listener.login_id not in alive:
                listener.end()
            else:
                listener.tell(events)


def _note_gaps(found: Sequence[Moved], last: int, gaps: dict[int, float]) -> int:
    """The new last id; `gaps` then holds the numbers that may still turn up."""
    now = time.monotonic()
    seen = {moved.change for moved in found}
    newest = max(last, *seen)
    for number in range(max(last + 1, newest - GAPS), newest):
        if number not in seen:
            gaps[number] = now
    for number in [n for n, since in gaps.items() if n in seen or now - since > GAP_SECONDS]:
        del gaps[number]
    return newest


def _events(found: Sequence[Moved]) -> list[bytes]:
    return [
        format_sse_event(
            data_str=json.dumps(
                {"change": moved.change, "ticket": moved.ticket, "what": moved.what}
            ),
            id=str(moved.change),
        )
        for moved in found
        if not moved.what.startswith(_PRIVATE)
    ]


Number = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


@router.get("/live", response_class=StreamingResponse)
async def listen(
    request: Request,
    actor: CurrentActor,
    after: Number = None,
    last_event_id: Annotated[str, Header(max_length=200)] = "",
) -> StreamingResponse:
    """What changes from now on, or since `after` (or Last-Event-ID) when that is given."""
    live: Live = request.app.state.live
    listener = live.join(actor)
    known = last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19
    last = int(last_event_id) if known else after
    return StreamingResponse(
        _stream(live, listener, last),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _stream(live: Live, listener: Listener, last: int | None) -> AsyncIterator[bytes]:
    try:
        await live.begun()
        yield format_sse_event(retry=2000)
        if last is not None:
            for event in await live.missed(last):
                yield event
        while True:
            item: _Item = KEEPALIVE_COMMENT
            with suppress(TimeoutError):
                item = await asyncio.wait_for(listener.queue.get(), HEARTBEAT)
            if item is None:
                return
            yield item
    finally:
        live.leave(listener)

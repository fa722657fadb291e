"""Looks for answers that were written in a mail program, where the provider keeps what was sent.

Over a connection of its own, and never in the way of what comes in.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from app.core import clock
from app.services import sent_copies, sent_folder
from app.worker import withheld
from app.worker.works import Works
from channels.contract import (
    Channel,
    KnowsSent,
    Mailbox,
    Misconfigured,
    Recognises,
    ServerId,
    SignInRefused,
    TryLater,
)

FULL_LOOK = timedelta(hours=1)
AGAIN = 300.0  # seconds, after whatever went wrong
AFTER_REFUSAL = 3600.0  # accounts get locked

Fetch = Callable[[Mailbox, Sequence[ServerId]], Awaitable[None]]


class SentWatch:
    def __init__(self, works: Works, inbox_id: int, channel: KnowsSent, config: Any) -> None:
        self._works, self._inbox_id = works, inbox_id
        self._channel, self._config = channel, config
        self._open = AsyncExitStack()
        self._box: Mailbox | None = None
        self._not_before = 0.0
        self._looked: datetime | None = None

    async def look(self, fetch: Fetch) -> None:
        """What is new there is fetched. What goes wrong is said, and tried again later."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            return
        problem = ""
        try:
            if self._box is None:
                opened = self._channel.open_sent(self._config)
                self._box = await self._open.enter_async_context(opened)
            await self._look(self._box, fetch)
        except (TryLater, Misconfigured) as error:
            problem = str(error)
            refused = isinstance(error, SignInRefused)
            self._not_before = loop.time() + (AFTER_REFUSAL if refused else AGAIN)
            await self.close()
        await self._works.in_transaction(sent_copies.note, self._inbox_id, problem)

    async def close(self) -> None:
        self._box = None
        await self._open.aclose()

    async def _look(self, box: Mailbox, fetch: Fetch) -> None:
        works, inbox_id = self._works, self._inbox_id
        known = await works.read(sent_folder.known, inbox_id)
        now = clock.now()
        whole = self._looked is None or now - self._looked > FULL_LOOK
        after = None if whole else await works.read(sent_folder.newest, inbox_id)
        there = await box.list(after)
        if known is None:
            await works.in_transaction(sent_folder.start, inbox_id, there)
            return
        if there and known.scope not in {"", there[-1].scope}:
            there = await box.list(None)
            await self._begin_anew(box, known.scope, there, known.looked_at)
            whole = True
        missing = await works.read(sent_folder.missing, inbox_id, there)
        waiting = await works.read(withheld.due, inbox_id, sent=True)
        await fetch(box, [*waiting, *missing])
        if whole:
            await works.in_transaction(sent_folder.note_look, inbox_id, there)
            self._looked = now

    async def _begin_anew(
        self, box: Mailbox, was: str, there: Sequence[ServerId], looked_at: datetime
    ) -> None:
        same_folder = was.rpartition("/")[0] == there[-1].scope.rpartition("/")[0]
        if same_folder and isinstance(box, Recognises):
            older = await box.older(looked_at)
            await self._works.in_transaction(sent_folder.start_anew, self._inbox_id, there, older)
        else:
            await self._works.in_transaction(sent_folder.start, self._inbox_id, there)


@asynccontextmanager
async def beside(
    works: Works, inbox_id: int, channel: Channel, config: Any
) -> AsyncIterator[Callable[[Fetch], Awaitable[None]]]:
    """How to look there, or to do nothing where nobody wants it watched."""
    if not isinstance(channel, KnowsSent) or not channel.watches_sent(config):
        await works.in_transaction(sent_folder.forget, inbox_id)
        yield _nothing
        return
    watch = SentWatch(works, inbox_id, channel, config)
    try:
        yield watch.look
    finally:
        await watch.close()


async def _nothing(fetch: Fetch) -> None:
    """Nobody wants it watched."""

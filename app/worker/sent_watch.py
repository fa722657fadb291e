"""Looks for answers that were written in a mail program, where the provider keeps what was sent.

Over a connection of its own, and never in the way of what comes in. Copies of what Setten sends are
put there over the same one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from app.core import clock
from app.services import ledger, sent_copies, sent_folder
from app.worker import copies, sent_turn, withheld
from app.worker.works import Works
from channels.contract import (
    Channel,
    KnowsSent,
    Mailbox,
    Misconfigured,
    Recognises,
    SentMailbox,
    ServerId,
    SignInRefused,
    TryLater,
)

log = logging.getLogger(__name__)

FULL_LOOK = timedelta(hours=1)
AGAIN = 300.0  # seconds, after whatever went wrong
AFTER_REFUSAL = 3600.0  # accounts get locked
AT_ONCE = 25  # mails noted in one transaction

Fetch = Callable[[Mailbox, Sequence[ServerId]], Awaitable[None]]


class SentWatch:
    def __init__(
        self, works: Works, inbox_id: int, channel: KnowsSent, config: Any, fetch: Fetch
    ) -> None:
        self._works, self._inbox_id = works, inbox_id
        self._channel, self._config = channel, config
        self._fetch = fetch
        self._looked: datetime | None = None

    async def keep_looking(self) -> None:
        """Until it is cancelled: nothing that goes wrong here ends what comes in."""
        while True:
            wait = AGAIN
            try:
                wait = await self._until_trouble()
            except Exception:
                log.exception("watching what is sent failed", extra={"inbox": self._inbox_id})
            await asyncio.sleep(wait)

    async def _until_trouble(self) -> float:
        """What is new there is fetched. How long to wait after what went wrong, which is said."""
        account, who = self._channel.account(self._config), f"watch {self._inbox_id}"
        try:
            async with sent_turn.turn(self._works, account, who, waits=True) as ours:
                if ours:
                    async with self._channel.open_sent(self._config) as box:
                        await self._watch(box, account, who)
        except TimeoutError:
            log.warning("somebody else may be connected now", extra={"inbox": self._inbox_id})
        except (TryLater, Misconfigured) as error:
            await self._say(str(error))
            return AFTER_REFUSAL if isinstance(error, SignInRefused) else AGAIN
        return sent_turn.RENEW

    async def _watch(self, box: SentMailbox, account: str, who: str) -> None:
        """Until another inbox of the same account wants to look at what was sent."""
        works = self._works
        works.sent[self._inbox_id] = box
        try:
            await self._look(box)
            await self._say("")
            while True:
                if self._channel.keeps_copies(self._config):
                    await copies.put_due(works, self._inbox_id, box)
                if await sent_turn.is_wanted(works, account, who):
                    return
                await box.wait(works.settings.poll_seconds)
                await self._look(box)
        finally:
            del works.sent[self._inbox_id]

    async def _say(self, problem: str) -> None:
        await self._works.in_transaction(sent_copies.note, self._inbox_id, problem)

    async def _look(self, box: Mailbox) -> None:
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
        wanted = [*await works.read(withheld.due, inbox_id, sent=True), *missing]
        for first in range(0, len(wanted), AT_ONCE):
            await self._fetch(box, wanted[first : first + AT_ONCE])
        if whole:
            await works.in_transaction(sent_folder.note_look, inbox_id, there)
            self._looked = now

    async def _begin_anew(
        self, box: Mailbox, was: str, there: Sequence[ServerId], looked_at: datetime
    ) -> None:
        if _where(was) == _where(there[-1].scope) and isinstance(box, Recognises):
            # Servers go by days of their own. What is taken twice ends as a copy.
            older = await box.older(looked_at - ledger.NEAR)
            await self._works.in_transaction(sent_folder.start_anew, self._inbox_id, there, older)
        else:
            await self._works.in_transaction(sent_folder.start, self._inbox_id, there)


def _where(scope: str) -> tuple[str, str]:
    """Folder and account of a scope, see `ServerId`, however its mails are numbered."""
    folder, _, numbers = scope.rpartition("/")
    return folder, numbers.rpartition(".")[0]


@asynccontextmanager
async def beside(
    works: Works, inbox_id: int, channel: Channel, config: Any, fetch: Fetch
) -> AsyncIterator[None]:
    """Look there meanwhile, where somebody wants it watched."""
    if not isinstance(channel, KnowsSent) or not channel.watches_sent(config):
        await works.in_transaction(sent_folder.forget, inbox_id)
        yield
        return
    watch = SentWatch(works, inbox_id, channel, config, fetch)
    looking = asyncio.create_task(watch.keep_looking())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

"""Whose turn it is to be connected for what was sent.

Providers count the connections of an account. Each inbox has one to fetch with, which never waits;
beside these an account has one, of whichever inbox and worker, to watch what was sent and to put
copies there.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.services import leases
from app.worker.works import Works

LEASE = timedelta(seconds=60)
RENEW = 15.0  # seconds; and so often it is asked for by those who wait
TO_HANG_UP = 10.0  # seconds; whoever cannot renew it is disconnected when it is free for others

_LASTS = LEASE.total_seconds() - TO_HANG_UP


@asynccontextmanager
async def turn(works: Works, account: str, who: str, *, waits: bool) -> AsyncIterator[bool]:
    """Whether it is the caller's. Raises `TimeoutError` in it before it may be somebody else's.

    Who is cancelled gives nothing back, so that no stop waits for the database: the worker gives
    back all it has, and what else is left is free a minute later.
    """
    name, asked = lease_of(account), asyncio.get_running_loop().time()
    if not await works.in_transaction(leases.take_turn, name, works.name, who, LEASE, waits=waits):
        yield False
        return
    stopping = False
    try:
        async with asyncio.timeout_at(asked + _LASTS) as limit:
            renewing = asyncio.create_task(_renew(works, name, who, limit))
            try:
                yield True
            finally:
                renewing.cancel()
    except asyncio.CancelledError:
        stopping = True
        raise
    finally:
        if not stopping:
            await _give_back(works, name, who)


def lease_of(account: str) -> str:
    return f"sent {hashlib.sha256(account.encode()).hexdigest()[:16]}"


async def is_wanted(works: Works, account: str, who: str) -> bool:
    return await works.read(leases.is_wanted, lease_of(account), who)


async def _renew(works: Works, name: str, who: str, limit: asyncio.Timeout) -> None:
    loop, ours = asyncio.get_running_loop(), True
    while ours:
        await asyncio.sleep(RENEW)
        asked = loop.time()
        try:
            ours = await works.in_transaction(leases.renew, name, f"{works.name} {who}", LEASE)
        except SQLAlchemyError:
            ours = False
        if limit.expired():
            return
        # A database that does not answer ends it as well: the time is counted from the question.
        limit.reschedule(asked + _LASTS if ours else loop.time())


async def _give_back(works: Works, name: str, who: str) -> None:
    with suppress(SQLAlchemyError):  # then it is free a minute later
        await works.in_transaction(leases.take, name, f"{works.name} {who}", timedelta(0))

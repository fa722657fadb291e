"""Connections to outgoing servers, used again for the next mail as long as they are good."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPException

from channels.email import smtp
from channels.email.config import EmailConfig

AT_ONCE = 2  # connections of one inbox: providers count them
LONGEST = 100  # mails; many servers end a connection soon after
IDLE = 30.0  # seconds
CHECK_WITHIN = 10.0


@dataclass(eq=False, slots=True)
class Connection:
    """One that is signed in. `good` as long as the server and we agree where we are."""

    client: SMTP
    loop: asyncio.AbstractEventLoop
    mails: int = 0
    good: bool = True
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Connections:
    """Of one process. What is not lent out waits here for IDLE seconds."""

    idle: dict[Hashable, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    turns: dict[Hashable, asyncio.Semaphore] = field(default_factory=dict)
    longest: int = LONGEST
    opened: int = 0

    @asynccontextmanager
    async def lend(self, config: EmailConfig) -> AsyncIterator[Connection]:
        """Raises `smtp.Unsent` where none can be had. At most AT_ONCE of one inbox at a time."""
        key = (*_key(config), id(asyncio.get_running_loop()))
        async with self.turns.setdefault(key, asyncio.Semaphore(AT_ONCE)):
            connection = await self._take(key) or await self._open(config)
            try:
                yield connection
            except BaseException:
                connection.good = False
                raise
            finally:
                if connection.good and connection.mails < self.longest:
                    self._keep(key, connection)
                else:
                    await smtp.leave(connection.client)

    async def _open(self, config: EmailConfig) -> Connection:
        self.opened += 1
        client = await smtp.connected(config)
        try:
            await smtp.sign_in(client, config)
        except BaseException:
            await smtp.leave(client)
            raise
        return Connection(client, asyncio.get_running_loop())

    async def _take(self, key: Hashable) -> Connection | None:
        """One that still answers. A server may have ended it without our noticing."""
        while self.idle[key]:
            connection = self.idle[key].pop()
            if connection.timer is not None:
                connection.timer.cancel()
            try:
                await connection.client.rset(timeout=CHECK_WITHIN)
            except (SMTPException, OSError):
                connection.client.close()
            else:
                return connection
        return None

    def _keep(self, key: Hashable, connection: Connection) -> None:
        connection.timer = connection.loop.call_later(IDLE, self._too_long, key, connection)
        self.idle[key].append(connection)

    def _too_long(self, key: Hashable, connection: Connection) -> None:
        if connection in self.idle[key]:
            self.idle[key].remove(connection)
            connection.client.close()

    def close(self) -> None:
        """Hang up wherever nothing is under way, from whatever thread."""
        for connections in self.idle.values():
            while connections:
                connection = connections.pop()
                if connection.timer is not None:
                    connection.timer.cancel()
                if not connection.loop.is_closed():
                    connection.loop.call_soon_threadsafe(connection.client.close)


def _key(config: EmailConfig) -> tuple[Hashable, ...]:
    """What two mails must have in common to go over one connection."""
    return (
        config.smtp_host,
        config.smtp_port,
        config.smtp_security,
        config.auth,
        smtp.user_of(config),
        config.smtp_login,
        config.address,
        config.catch_tls_ca,
    )

"""A mail server of tests that tells what it was asked, and rests until something is new."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from typing_extensions import override

from channels.contract import Mailbox, Raw, ServerId
from tests.fakes import FakeChannel, FakeConfig, FakeMailbox, FakeServer
from tests.worker.hurry import until


class Post(FakeChannel):
    def __init__(self, *items: Raw) -> None:
        super().__init__(FakeServer(items=list(items)))
        self.troubles: list[Exception] = []  # raised by the next attempts to open it, in order
        self.attempts: list[float] = []
        self.listed: list[ServerId | None] = []
        self.fetched: list[int] = []
        self.gone: set[int] = set()
        self.hidden: set[int] = set()  # not listed
        self.on_open: Callable[[], None] = lambda: None
        self.on_fetch: Callable[[], None] = lambda: None
        self.box: Callable[[], Mailbox] = lambda: Box(self)
        self.open_now = 0
        self.rests = 0
        self.new = asyncio.Event()

    @override
    def open(self, config: FakeConfig) -> AbstractAsyncContextManager[Mailbox]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Mailbox]:
            self.attempts.append(asyncio.get_running_loop().time())
            self.on_open()
            if self.troubles:
                raise self.troubles.pop(0)
            self.open_now += 1
            try:
                yield self.box()
            finally:
                self.open_now -= 1

        return opened()

    async def look_again(self) -> None:
        """Something may be new; comes back when it was looked at."""
        rests = self.rests
        self.new.set()
        await until(lambda: self.rests > rests)


class Box(FakeMailbox):
    def __init__(self, post: Post) -> None:
        super().__init__(post.server)
        self.post = post

    @override
    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        self.post.listed.append(after)
        listed = await super().list(after)
        return [item for item in listed if item.number not in self.post.hidden]

    @override
    async def fetch(self, item: ServerId) -> Raw | None:
        self.post.fetched.append(item.number)
        self.post.on_fetch()
        return None if item.number in self.post.gone else await super().fetch(item)

    @override
    async def wait(self, seconds: float) -> None:
        self.post.rests += 1
        await self.post.new.wait()
        self.post.new.clear()

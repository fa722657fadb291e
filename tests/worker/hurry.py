"""An event loop whose seconds are short: what the worker waits for comes soon, in its order."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")
FASTER = 200.0
CEILING = 60.0  # real seconds


class _Impatient(selectors.DefaultSelector):
    faster = FASTER

    @override
    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout / self.faster if timeout else timeout)


class _Hurried(asyncio.SelectorEventLoop):
    def __init__(self, faster: float) -> None:
        selector = _Impatient()
        selector.faster = self.faster = faster
        super().__init__(selector)

    @override
    def time(self) -> float:
        return super().time() * self.faster


def hurried(act: Callable[[], Coroutine[Any, Any, T]], faster: float = FASTER) -> T:
    """Run `act` to its end, within CEILING."""

    async def within() -> T:
        async with asyncio.timeout(CEILING * faster):
            return await act()

    with asyncio.Runner(loop_factory=partial(_Hurried, faster)) as runner:
        return runner.run(within())


async def until(condition: Callable[[], object]) -> None:
    """Come back when it is so; `hurried` has the ceiling."""
    while True:
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(1)  # the condition decides, this only keeps the processor free


async def ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

"""A process that does nothing but read: what strangers wrote, within limits, knowing no secret.

It is asked and answers by its standard input and output: eight bytes of length, then that many
bytes of pickle. Before the first question it says by eight zeros that it is ready. It ends when
nobody asks for a minute, or when whoever asked is gone.
"""

import importlib
import os
import pickle
import resource
import select
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from channels.contract import Ignored, InboundMessage, Raw, Unreadable

MEMORY = 1 << 30  # bytes of address space
IDLE = 60.0  # seconds
LONGEST = 30  # seconds of one reading, in case that whoever asked cannot end it any more
LENGTH = struct.Struct(">Q")


@runtime_checkable
class ReadsElsewhere(Protocol):
    """A channel that reads what strangers put together, and wants it done here."""

    def elsewhere(self, config: Any) -> tuple[str, Any]:
        """The function as `module:name`, and all it needs to know of `config`: nothing secret.

        It is called with that, the arrival, and how much to leave out: 0 nothing, 1 most.
        """

    def parse_least(self, config: Any, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        """What a glance tells, where reading took too long. Raises `Unreadable`."""


Reads = Callable[[Any, Raw, int], Sequence[Any]]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    importlib.import_module(sys.argv[1].partition(":")[0])
    _write(b"")
    while (question := _question()) is not None:
        signal.alarm(LONGEST)
        _write(_answer(*question))
        signal.alarm(0)


def _question() -> Any:
    if not select.select([0], [], [], IDLE)[0]:
        return None
    head = _read(LENGTH.size)
    asked = _read(*LENGTH.unpack(head)) if head else None
    return pickle.loads(asked) if asked else None  # noqa: S301  # from our own worker


def _read(size: int) -> bytearray | None:
    """None when the other side is gone."""
    out = bytearray(size)
    view, at = memoryview(out), 0
    while at < size:
        got = os.readv(0, [view[at:]])
        if not got:
            return None
        at += got
    return out


def _answer(target: str, known: Any, raw: Raw, rung: int) -> bytes:
    try:
        module, _, name = target.partition(":")
        reads: Reads = getattr(importlib.import_module(module), name)
        return pickle.dumps(("read", list(reads(known, raw, rung))), protocol=5)
    except Unreadable as problem:
        return pickle.dumps(("unreadable", str(problem)))
    except Exception as problem:  # noqa: BLE001
        # Too much, or a bug of ours: either way less of it may still be read.
        return pickle.dumps(("too much", type(problem).__name__))


def _write(answer: bytes) -> None:
    for piece in (LENGTH.pack(len(answer)), answer):
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()

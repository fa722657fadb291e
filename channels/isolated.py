"""A process that does nothing but read: what strangers wrote, within limits, knowing no secret.

It is asked and answers by its standard input and output, in packets: eight bytes of length, then
that many bytes. A question is a pickle and then the arrival's own bytes; an answer is a pickle and
then each of its files: what is large is never copied into a pickle. Before the first question it
says by an empty packet that it is ready. It ends when nobody asks for a minute, or when whoever
asked is gone.
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
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from channels.contract import Ignored, InboundMessage, Raw, Unreadable

MEMORY = 1 << 30  # bytes of address space
IDLE = 60.0  # seconds
ONCE_MORE = 0.1  # seconds until it is said again that there is no more time
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


class _OutOfTime(BaseException):
    """It computed for as long as it may. Nothing that reads a mail catches that."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    signal.signal(signal.SIGPROF, _stop)
    importlib.import_module(sys.argv[1].partition(":")[0])
    _write([b""])
    while (question := _question()) is not None:
        signal.alarm(LONGEST)
        answer = _answer(*question)
        del question  # so that the mail and its files need not both be there
        _write(answer)
        del answer
        signal.alarm(0)


def _question() -> Any:
    if not select.select([0], [], [], IDLE)[0]:
        return None
    asked, body = _read(), _read()
    if asked is None or body is None:
        return None
    target, known, raw, rung, seconds = pickle.loads(asked)  # noqa: S301  # from our own worker
    return target, known, replace(raw, body=body), rung, seconds


def _read() -> bytes | None:
    """None when the other side is gone. Nothing is read ahead but what is asked for."""
    head = sys.stdin.buffer.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = sys.stdin.buffer.read(size)
    return body if len(body) == size else None


def _stop(_signal: int, _frame: object) -> None:
    raise _OutOfTime


def _answer(target: str, known: Any, raw: Raw, rung: int, seconds: float) -> Sequence[bytes]:
    """Within so many seconds of computing, or as long as it takes where they are 0."""
    try:
        return _read_through(target, known, raw, rung, seconds)
    except _OutOfTime:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return [pickle.dumps(("too much", "time"))]


def _read_through(target: str, known: Any, raw: Raw, rung: int, seconds: float) -> Sequence[bytes]:
    # By its own clock: a machine that is busy with other things makes no mail slow.
    signal.setitimer(signal.ITIMER_PROF, seconds, ONCE_MORE)
    try:
        module, _, name = target.partition(":")
        reads: Reads = getattr(importlib.import_module(module), name)
        found, files = _without_files(reads(known, raw, rung))
        return [pickle.dumps(("read", found), protocol=5), *files]
    except Unreadable as problem:
        return [pickle.dumps(("unreadable", str(problem)))]
    except Exception as problem:  # noqa: BLE001
        # Too much, or a bug of ours: either way less of it may still be read.
        return [pickle.dumps(("too much", type(problem).__name__))]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _without_files(found: Sequence[Any]) -> tuple[list[Any], list[bytes]]:
    """What was read, each file without its bytes; and these in their order."""
    files = [file.body for one in found for file in getattr(one, "files", ())]
    return [
        replace(one, files=tuple(replace(file, body=b"") for file in one.files))
        if getattr(one, "files", ())
        else one
        for one in found
    ], files


def _write(packets: Sequence[bytes]) -> None:
    for packet in packets:
        for piece in (LENGTH.pack(len(packet)), packet):
            view = memoryview(piece)
            while view:
                view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()

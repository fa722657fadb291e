"""A process of ours that is asked and answers by its standard input and output, in packets: eight
bytes of length, then that many bytes. Each wait for it ends at the latest when it is told to."""

import contextlib
import fcntl
import io
import os
import pickle
import select
import signal
import struct
import sys
import time
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

import channels

LENGTH = struct.Struct(">Q")
PIPE = 1 << 20  # bytes on the way at once

# What makes an answer none. The process that gave it is of no more use.
NO_ANSWER = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)


class Peer:
    """Begun at once; ended by `end`, or when nobody holds it any more."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        theirs_in, self._in = os.pipe()
        try:
            self._out, theirs_out = os.pipe()
        except OSError:
            os.close(theirs_in)
            os.close(self._in)
            raise
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)
            with contextlib.suppress(OSError):  # more than this user may have: it is only slower
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-s", "-m", module, *arguments],
                {**_environment(), **(environment or {})},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                    (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except OSError:
            os.close(self._in)
            os.close(self._out)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self.pid = pid
        self.end = weakref.finalize(self, _end, pid, self._in, self._out)

    @property
    def has_ended(self) -> bool:
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, look) is not None

    def wait(self, until: float) -> None:
        """Until it has loaded what it needs."""
        self._read(LENGTH.size, until)

    def say(self, packets: Sequence[bytes], until: float) -> None:
        """Raises `OSError` or `TimeoutError`."""
        for packet in packets:
            self._write(LENGTH.pack(len(packet)), until)
            self._write(packet, until)

    def hear(self, until: float, room: int) -> tuple[bytes, int]:
        """What comes next, and how much more may come. Raises `EOFError`, `OSError` or
        `TimeoutError`."""
        (size,) = LENGTH.unpack(self._read(LENGTH.size, until))
        if size > room:
            raise EOFError
        return self._read(size, until), room - size

    def _write(self, piece: bytes, until: float) -> None:
        view = memoryview(piece)
        while view:
            _wait(self._in, select.POLLOUT, until)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._in, view[:PIPE]) :]

    def _read(self, size: int, until: float) -> bytes:
        whole = io.BytesIO()  # gives its bytes away without copying them
        if size:
            whole.seek(size - 1)
            whole.write(b"\0")
        at = 0
        with whole.getbuffer() as view:
            while at < size:
                _wait(self._out, select.POLLIN, until)
                with view[at:] as rest:
                    got = os.readv(self._out, [rest])
                if not got:
                    raise EOFError
                at += got
        return whole.getvalue()


def understood(packet: bytes, classes: Mapping[str, Collection[str]]) -> Any:
    """A pickle of these classes and no others: whoever took over that process gets no further."""
    return _Answer(packet, classes).load()


def _end(pid: int, *pipes: int) -> None:
    for pipe in pipes:
        os.close(pipe)
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _wait(pipe: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def _environment() -> dict[str, str]:
    """What Python needs to find its modules, and nothing that is nobody's business."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    paths = [str(Path(channels.__file__).parent.parent), found.get("PYTHONPATH", "")]
    return {**found, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


class _Answer(pickle.Unpickler):
    def __init__(self, packet: bytes, classes: Mapping[str, Collection[str]]) -> None:
        super().__init__(io.BytesIO(packet))
        self._classes = classes

    @override
    def find_class(self, module: str, name: str) -> Any:
        if name in self._classes.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")

"""Has arrivals read by another process: what a stranger wrote may cost that one, never this one.

It is begun when there is something to read and ends by itself when there is not. At first it gets
as long as ordinary mail takes. What needs more is read apart from the others: what cannot be read
in time or within its memory even so, is read less thoroughly; what is then still too much is read
here, but hardly: by a look at its first lines.
"""

import contextlib
import fcntl
import io
import logging
import os
import pickle
import select
import signal
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import override

import channels
from app.worker.patience import Patience
from channels.contract import Ignored, InboundMessage, Raw, Unreadable
from channels.isolated import LENGTH, ReadsElsewhere

log = logging.getLogger(__name__)

WITHIN = (7.5, 2.5)  # seconds for all of it, then for less of it
GRACE = 0.5  # seconds until a process that does not stop by itself is ended
START = 60.0  # seconds in which its process is ready; no mail is blamed for a slow machine
LARGEST = 512 << 20  # bytes of an answer
PIPE = 1 << 20  # bytes on the way at once
_NO_ANSWER = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)
_RESULTS = {
    "channels.contract": {
        "Direction",
        "Forward",
        "Ignored",
        "InboundFile",
        "InboundMessage",
        "Party",
        "Ref",
        "RefKind",
    },
    "channels.report": {"Failure", "Report"},
    "channels.verdicts": {"Verdicts"},
    "datetime": {"datetime", "timedelta", "timezone"},
}


class Overrun(Exception):
    """Too long, too large, or its process died of it."""


class Reader:
    """At most one process. Any thread may ask; one is answered after the other."""

    def __init__(self, within: Sequence[float] = WITHIN, patience: Patience | None = None) -> None:
        self._within = within
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def parse(
        self, channel: ReadsElsewhere, config: Any, raw: Raw
    ) -> Sequence[InboundMessage | Ignored]:
        """As `channel.parse`, and always in time. Raises `Unreadable`."""
        target, known = channel.elsewhere(config)
        for rung, seconds in enumerate(self._within):
            question = (target, known, replace(raw, body=b""), rung, 0.0)
            try:
                with self._lock:
                    return self._ask(question, raw.body, seconds)
            except Overrun as problem:
                log.warning("arrival read in part", extra={"rung": rung, "problem": str(problem)})
        return channel.parse_least(config, raw)

    def parse_at_once(
        self, channel: ReadsElsewhere, config: Any, raw: Raw
    ) -> Sequence[InboundMessage | Ignored]:
        """The same, only where others need not wait for it. Raises `Overrun` and `Unreadable`."""
        target, known = channel.elsewhere(config)
        with self._lock:
            seconds = self._patience.seconds
            if not self._patience.suffices(len(raw.body)):
                raise Overrun("large, at a bad time")
            question = (target, known, replace(raw, body=b""), 0, seconds)
            return self._ask(question, raw.body, seconds + GRACE)

    def _ask(
        self, question: Any, body: bytes, seconds: float
    ) -> Sequence[InboundMessage | Ignored]:
        asked = (pickle.dumps(question, protocol=5), body)
        try:
            kind, found = self._answer(question[0], asked, seconds)
        except (OSError, EOFError, TimeoutError) as problem:
            self.close()
            raise Overrun(type(problem).__name__) from problem
        except _NO_ANSWER as problem:
            self.close()  # there may be more of it, that belongs to nothing
            raise Overrun(f"no answer: {problem}") from problem
        if kind == "unreadable":
            raise Unreadable(found)
        if kind != "read":
            raise Overrun(found)
        result: Sequence[InboundMessage | Ignored] = found
        return result

    def _answer(self, target: str, asked: Sequence[bytes], seconds: float) -> tuple[str, Any]:
        if self._process is not None:
            try:
                return self._timed(self._process, asked, seconds)
            except TimeoutError:
                raise
            except (OSError, EOFError):
                # It had just ended, because nobody asked for a minute; or it died of what was
                # asked, and then the next one dies as well.
                self.close()
        self._process = _Process(target)
        self._process.wait(time.monotonic() + START)
        return self._timed(self._process, asked, seconds)

    def _timed(
        self, process: "_Process", asked: Sequence[bytes], seconds: float
    ) -> tuple[str, Any]:
        began = time.monotonic()
        try:
            return process.ask(asked, began + seconds)
        finally:
            self._patience.spend(time.monotonic() - began)

    def tidy(self) -> None:
        """Let go of a process that ended because nobody asked: until then it stays in the table
        of the system as defunct."""
        if self._lock.acquire(blocking=False):
            try:
                if self._process is not None and self._process.has_ended:
                    self.close()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the process; the next question begins another."""
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    def __init__(self, target: str) -> None:
        theirs_in, self._in = os.pipe()
        self._out, theirs_out = os.pipe()
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)
            with contextlib.suppress(OSError):  # more than this user may have: it is only slower
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-s", "-m", "channels.isolated", target],
                _environment(),
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
        self._pid = pid
        self.end = weakref.finalize(self, _end, pid, self._in, self._out)

    @property
    def has_ended(self) -> bool:
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._pid, look) is not None

    def wait(self, until: float) -> None:
        """Until it has loaded what it reads with."""
        self._read(LENGTH.size, until)

    def ask(self, asked: Sequence[bytes], until: float) -> tuple[str, Any]:
        """Raises `EOFError`, `OSError`, `TimeoutError`, or what makes an answer none."""
        for packet in asked:
            self._write(LENGTH.pack(len(packet)), until)
            self._write(packet, until)
        answer, room = self._packet(until, LARGEST)
        kind, found = _Answer(io.BytesIO(answer)).load()
        if kind != "read":
            return kind, found
        messages = []
        for one in found:
            files = []
            for file in one.files if isinstance(one, InboundMessage) else ():
                body, room = self._packet(until, room)
                files.append(replace(file, body=body))
            messages.append(replace(one, files=tuple(files)) if files else one)
        return kind, messages

    def _write(self, piece: bytes, until: float) -> None:
        view = memoryview(piece)
        while view:
            _wait(self._in, select.POLLOUT, until)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._in, view[:PIPE]) :]

    def _packet(self, until: float, room: int) -> tuple[bytes, int]:
        """What comes next, and how much more may come."""
        (size,) = LENGTH.unpack(self._read(LENGTH.size, until))
        if size > room:
            raise EOFError
        return self._read(size, until), room - size

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
    """Takes nothing but messages: whoever took over that process gets no further."""

    @override
    def find_class(self, module: str, name: str) -> Any:
        if name in _RESULTS.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no message")

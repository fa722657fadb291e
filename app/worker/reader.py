"""Has arrivals read by another process: what a stranger wrote may cost that one, never this one.

It is begun when there is something to read and ends by itself when there is not. At first it gets
as long as ordinary mail takes. What needs more is read apart from the others: what cannot be read
in time or within its memory even so, is read less thoroughly; what is then still too much is read
here, but hardly: by a look at its first lines.
"""

import logging
import pickle
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.worker.patience import Patience
from app.worker.peer import NO_ANSWER, Peer, understood
from channels.contract import Ignored, InboundMessage, Raw, Unreadable
from channels.isolated import ReadsElsewhere

log = logging.getLogger(__name__)

WITHIN = (7.5, 2.5)  # seconds for all of it, then for less of it
GRACE = 0.5  # seconds until a process that does not stop by itself is ended
START = 60.0  # seconds in which its process is ready; no mail is blamed for a slow machine
LARGEST = 512 << 20  # bytes of an answer
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
        self._process: Peer | None = None

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
        except NO_ANSWER as problem:
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
        self._process = Peer("channels.isolated", target)
        self._process.wait(time.monotonic() + START)
        return self._timed(self._process, asked, seconds)

    def _timed(self, process: Peer, asked: Sequence[bytes], seconds: float) -> tuple[str, Any]:
        began = time.monotonic()
        try:
            process.say(asked, began + seconds)
            return _heard(process, began + seconds)
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


def _heard(peer: Peer, until: float) -> tuple[str, Any]:
    """Raises `EOFError`, `OSError`, `TimeoutError`, or what makes an answer none."""
    answer, room = peer.hear(until, LARGEST)
    kind, found = understood(answer, _RESULTS)
    if kind != "read":
        return kind, found
    messages = []
    for one in found:
        files = []
        for file in one.files if isinstance(one, InboundMessage) else ():
            body, room = peer.hear(until, room)
            files.append(replace(file, body=body))
        messages.append(replace(one, files=tuple(files)) if files else one)
    return kind, messages

"""Models that answer in another process: what they compute holds up no page and no mail."""

import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import finalize

from app.worker.peer import NO_ANSWER, Peer, understood
from classifier.contract import Classifier, Prediction

log = logging.getLogger(__name__)

OPENS_WITHIN = 720.0  # seconds; the samples' model may have to be fitted first
ANSWERS_WITHIN = 20.0  # seconds, until it is taken for hung
START = 60.0  # seconds
LARGEST = 1 << 20  # bytes of an answer
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_RESULTS = {
    "classifier.contract": {
        "Basis",
        "Decision",
        "FlagPrediction",
        "Guess",
        "HeadPrediction",
        "Near",
        "Prediction",
        "Reason",
        "RunnerUp",
        "Why",
    },
}


class Gone(Exception):
    """The process has ended, and its models with it: they can be opened anew."""


class Answering:
    """At most one process, begun when a model is opened. Any thread may ask; one is answered after
    the other."""

    def __init__(self, profile: str, *, answers_within: float = ANSWERS_WITHIN) -> None:
        self._profile, self._answers_within = profile, answers_within
        self._lock = threading.Lock()
        self._stopped = False
        self._peer: Peer | None = None
        self._unwanted: list[int] = []  # models of this process that nobody holds any more

    def samples(self, folder: Path) -> Classifier:
        """The model of the sample inquiries. Raises `Gone`, or `RuntimeError` if there is none."""
        return self._opened("samples", folder)

    def own(self, path: Path) -> Classifier:
        """A version the organisation trained. Raises `BadModel`, `Gone` or `RuntimeError`."""
        return self._opened("own", path)

    def stop(self) -> None:
        """End the process now, whatever it does, and begin no other: the worker ends. Whoever waits
        for an answer hears at once that there is none."""
        self._stopped = True
        peer = self._peer
        if peer is not None and peer.end.alive:
            with suppress(ProcessLookupError):
                os.kill(peer.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process; who opens a model begins another."""
        with self._lock:
            if self._peer is not None:
                self._peer.end()
                self._peer = None

    def _opened(self, what: str, path: Path) -> Classifier:
        with self._lock:
            peer = self._peer or self._begun()
            number = self._asked(peer, what, (str(path), self._profile), OPENS_WITHIN)
            model = _Apart(self, peer, number)
            finalize(model, self._unwanted.append, number)
            return model

    def predict(
        self, peer: Peer, number: int, texts: Sequence[str], languages: Sequence[str]
    ) -> Sequence[Prediction]:
        with self._lock:
            if peer is not self._peer:
                raise Gone
            asked = (number, tuple(texts), tuple(languages))
            said: Sequence[Prediction] = self._asked(peer, "predict", asked, self._answers_within)
            return said

    def _begun(self) -> Peer:
        if self._stopped:
            raise Gone
        self._unwanted = []
        try:
            peer = Peer("classifier.serving", environment=_ONE_THREAD)
        except OSError as problem:
            raise Gone from problem
        self._peer = peer
        try:
            peer.wait(time.monotonic() + START)
        except (OSError, EOFError, TimeoutError) as problem:
            peer.end()
            self._peer = None
            raise Gone from problem
        return peer

    def _asked(self, peer: Peer, what: str, told: tuple[Any, ...], seconds: float) -> Any:
        until = time.monotonic() + seconds
        unwanted, self._unwanted[:] = tuple(self._unwanted), ()
        try:
            peer.say([pickle.dumps((unwanted, what, told), protocol=5)], until)
            how, said, logged = understood(peer.hear(until, LARGEST)[0], _RESULTS)
        except (OSError, TimeoutError, *NO_ANSWER) as problem:
            peer.end()
            self._peer = None
            raise Gone from problem
        for name, level, line, extra in logged:
            logging.getLogger(name).log(level, line, extra=extra)
        if how == "bad":
            from classifier.storage import BadModel  # noqa: PLC0415 - numpy costs memory

            raise BadModel(said)
        if how != "said":
            raise RuntimeError(said)
        return said


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Apart:
    answering: Answering = field(repr=False)
    peer: Peer = field(repr=False)
    number: int

    def predict(self, text: str, *, language: str = "") -> Prediction:
        return self.predict_all([text], [language])[0]

    def predict_all(self, texts: Sequence[str], languages: Sequence[str]) -> Sequence[Prediction]:
        return self.answering.predict(self.peer, self.number, texts, languages)

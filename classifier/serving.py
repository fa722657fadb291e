"""A process in which models answer, so that asking them holds up nobody else's work.

It is asked by its standard input and answers by its standard output, in packets: eight bytes of
length, then a pickle. A question is which models are wanted no more, what is asked, and with what;
an answer is how it went, what was said, and what was logged meanwhile. Before the first question
it says by an empty packet that it is ready. It ends when whoever asked is gone.
"""

import logging
import os
import pickle
import struct
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from typing_extensions import override

from classifier import encoders, storage, train
from classifier.contract import Prediction
from classifier.encoders import Encoder
from classifier.model import Model

LENGTH = struct.Struct(">Q")
_PLAIN = (str, int, float)


class _Heard(logging.Handler):
    """What is logged here is said by whoever asked: only there a log is kept."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[str, int, str, dict[str, Any]]] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        usual = vars(logging.makeLogRecord({}))
        extra = {
            name: value
            for name, value in vars(record).items()
            if name not in usual and isinstance(value, _PLAIN)
        }
        self.lines.append((record.name, record.levelno, record.getMessage(), extra))


class Serving:
    """The models that were asked for, each by its number."""

    def __init__(self) -> None:
        self._models: dict[int, Model] = {}
        self._next = 0

    def forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._models.pop(number, None)

    def samples(self, folder: str, profile: str) -> int:
        """The model of the sample inquiries, fitted if there is none yet. Raises `NoModel`."""
        return self._keep(train.fit_default(Path(folder), profile, encoder=_encoder(profile)))

    def own(self, path: str, profile: str) -> int:
        """One that the organisation trained; all share one encoder. Raises `BadModel`."""
        return self._keep(storage.load(Path(path), _encoder(profile)))

    def predict(
        self, number: int, texts: Sequence[str], languages: Sequence[str]
    ) -> Sequence[Prediction]:
        return self._models[number].predict_all(texts, languages)

    def _keep(self, model: Model) -> int:
        self._next += 1
        self._models[self._next] = model
        return self._next


@cache
def _encoder(profile: str) -> Encoder:
    return encoders.usable(profile)


def main() -> None:
    heard, serving = _Heard(), Serving()
    logging.basicConfig(level=logging.INFO, handlers=[heard])
    _write(b"")
    while (question := _read()) is not None:
        answer = _answer(serving, *pickle.loads(question))  # noqa: S301  # from our own worker
        _write(pickle.dumps((*answer, heard.lines), protocol=5))
        heard.lines.clear()


def _answer(
    serving: Serving, unwanted: Sequence[int], what: str, told: Sequence[Any]
) -> tuple[str, Any]:
    serving.forget(unwanted)
    try:
        return "said", getattr(serving, what)(*told)
    except storage.BadModel as problem:
        return "bad", str(problem)
    except Exception as problem:  # noqa: BLE001
        # A bug of ours, or a broken version: whoever asked says so, and the next is answered.
        return "failed", f"{type(problem).__name__}: {problem}"


def _read() -> bytes | None:
    """None when the other side is gone."""
    head = sys.stdin.buffer.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = sys.stdin.buffer.read(size)
    return body if len(body) == size else None


def _write(packet: bytes) -> None:
    view = memoryview(LENGTH.pack(len(packet)) + packet)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()

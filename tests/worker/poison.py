"""What reading can cost: functions that another process is asked to run, and never survives."""

import mmap
import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from channels.contract import Ignored, InboundMessage, Party, Raw, Unreadable
from tests.fakes import FakeChannel


def message(text: str) -> InboundMessage:
    return InboundMessage("1", Party("email", "a@b.test"), datetime(2026, 1, 1, tzinfo=UTC), text)


def spins(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    while rung == 0:
        pass
    return [message("in part")]


def rests(_known: Any, _raw: Raw, _rung: int) -> Sequence[InboundMessage]:
    time.sleep(600)
    return []


def spins_for_some(known: Any, raw: Raw, rung: int) -> Sequence[InboundMessage | Ignored]:
    while rung == 0 and b"slow" in raw.body:
        pass
    return FakeChannel().parse(known, raw)


def always_spins(_known: Any, _raw: Raw, _rung: int) -> Sequence[InboundMessage]:
    while True:
        pass


def eats(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    held = mmap.mmap(-1, 5 << 28) if rung == 0 else None
    return [message("whole" if held else "in part")]


def falls(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    return falls(_known, _raw, rung) if rung == 0 else [message("in part")]


def dies(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    if rung == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return [message("in part")]


def has_a_bug(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    return [message(["in part of all"][rung - 1 and 5])]


def says_no(_known: Any, _raw: Raw, _rung: int) -> Sequence[InboundMessage]:
    raise Unreadable("This is no mail.")


def tells(known: Any, raw: Raw, _rung: int) -> Sequence[InboundMessage]:
    return [message(f"{known} {os.getpid()} {len(raw.body)} {sorted(os.environ)}")]


def answers_with_code(_known: Any, _raw: Raw, _rung: int) -> Sequence[Any]:
    return [Bomb()]


class Bomb:
    @override
    def __reduce__(self) -> Any:
        return os.system, ("true",)

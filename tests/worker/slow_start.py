"""What takes longer to load than one reading may take."""

import time
from collections.abc import Sequence
from typing import Any

from channels.contract import InboundMessage, Raw
from tests.worker.poison import message

_loaded = time.process_time() + 2.5
while time.process_time() < _loaded:
    pass


def reads(_known: Any, _raw: Raw, rung: int) -> Sequence[InboundMessage]:
    return [message(f"rung {rung}")]

"""Chat messages as a widget posts them: signed, with an id that stays when it tries again."""

import json
import time
from base64 import b64decode

from channels.signature import sign
from tests.faults.house import CHAT_SECRET


def chat_message(number: int) -> bytes:
    said = {
        "message_id": f"said-{number}",
        "conversation_id": f"talk-{number}",
        "sender": {"id": f"visitor-{number}", "name": f"Visitor {number}"},
        "text": f"Is number {number} in stock?",
    }
    event = {"type": "message.created", "timestamp": "2026-11-20T09:30:00Z", "data": said}
    return json.dumps(event).encode()


def signed(webhook: str, body: bytes) -> dict[str, str]:
    key = b64decode(CHAT_SECRET.removeprefix("whsec_"))
    return sign([key], webhook, int(time.time()), body)

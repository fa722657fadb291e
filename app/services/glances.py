"""What an arrival that is set aside says of itself, so that a person can decide about it."""

from collections.abc import Sequence

from app.domain.storable import storable
from app.services.understood import Understood
from channels.contract import Ignored, InboundMessage

_MOST = 300  # letters of each

Read = Sequence[InboundMessage | Understood | Ignored]


def of(read: Read) -> dict[str, str] | None:
    """Of the first message in it; None where there is none, or it could not be read."""
    for one in read:
        message = one.message if isinstance(one, Understood) else one
        if isinstance(message, InboundMessage):
            return {
                "name": _shown(message.sender.name),
                "address": _shown(message.sender.value),
                "subject": _shown(message.subject),
                "sent_at": message.sent_at.isoformat(),
            }
    return None


def _shown(text: str) -> str:
    """One line, with nothing in it that turns the letters around it."""
    plain = "".join(letter if letter.isprintable() else " " for letter in storable(text[:2000]))
    return " ".join(plain.split())[:_MOST]

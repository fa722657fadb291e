"""What a chat sends us and what we send it, as JSON."""

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from channels.contract import (
    Ignored,
    InboundFile,
    InboundMessage,
    OutboundMessage,
    Party,
    Ref,
    RefKind,
    Rendered,
)
from channels.payload import Id, Line, Text, UtcAt, e164_or_nothing, email_or_nothing, fill

CREATED = "message.created"
SENT = "message.sent"
KIND = "chat"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def _decoded(content: object) -> bytes:
    if not isinstance(content, str):
        raise ValueError("not text")  # noqa: TRY004  (pydantic lets a TypeError through)
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None


class FileIn(BaseModel):
    name: Line = ""
    content_type: Line = "application/octet-stream"
    content_base64: Annotated[bytes, BeforeValidator(_decoded)]


class SenderIn(BaseModel):
    id: Id
    name: Line = ""
    email: Line = ""
    phone: Line = ""
    language: Line = ""


class MessageIn(BaseModel):
    message_id: Id
    conversation_id: Id
    sender: SenderIn
    text: Text = ""
    files: Annotated[list[FileIn], Field(max_length=20)] = []


class Event(BaseModel):
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,100}$")]
    timestamp: UtcAt


class Created(Event):
    data: MessageIn


def read_event(content: object) -> InboundMessage | Ignored:
    """Raises `Unreadable`."""
    event = fill(Event, content)
    if event.type != CREATED:
        return Ignored(f"{event.type}: only {CREATED} is filed")
    created = fill(Created, content)
    if not created.data.text.strip() and not created.data.files:
        return Ignored(f"{CREATED}: neither text nor files")
    return _message(created)


def _message(created: Created) -> InboundMessage:
    message, sender = created.data, created.data.sender
    return InboundMessage(
        external_id=message.message_id,
        sender=Party(KIND, sender.id, sender.name),
        sent_at=created.timestamp,
        text=message.text,
        refs=(Ref(RefKind.CONVERSATION, message.conversation_id),),
        files=tuple(
            InboundFile(
                name=file.name or f"file-{number}",
                content_type=file.content_type,
                body=file.content_base64,
            )
            for number, file in enumerate(message.files, start=1)
        ),
        also_known_as=_other_addresses(sender),
        conversation=message.conversation_id,
        language=sender.language if _LANGUAGE.fullmatch(sender.language) else "",
    )


def _other_addresses(sender: SenderIn) -> tuple[Party, ...]:
    found = (
        Party("email", email_or_nothing(sender.email), sender.name),
        Party("phone", e164_or_nothing(sender.phone), sender.name),
    )
    return tuple(party for party in found if party.value)


def render_sent(message: OutboundMessage) -> Rendered:
    """The id is a digest, because the token in it is nobody else's business."""
    named = hashlib.sha256(f"{message.token}:{message.number}".encode()).hexdigest()
    message_id = f"msg_{named[:32]}"
    content = {
        "type": SENT,
        "timestamp": message.sent_at.astimezone(UTC).isoformat(),
        "data": {
            "message_id": message_id,
            "conversation_id": message.conversation,
            "in_reply_to": message.in_reply_to,
            "recipients": [party.value for party in message.to],
            "sender": {"name": message.sender_name},
            "text": message.text,
            "language": message.language,
            "automatic": message.automatic,
            "unsubscribe_url": message.unsubscribe_url,
            "files": [
                {
                    "name": file.name,
                    "content_type": file.content_type,
                    "content_base64": base64.b64encode(file.body).decode(),
                }
                for file in message.files
            ],
        },
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Rendered(external_id=message_id, body=canonical.encode())

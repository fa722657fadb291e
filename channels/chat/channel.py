"""The chat channel: one signed webhook in, one signed callback out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel

from channels.chat.config import ChatConfig
from channels.chat.message import KIND, read_event, render_sent
from channels.contract import (
    Held,
    Ignored,
    InboundMessage,
    OutboundMessage,
    Outcome,
    Progress,
    Raw,
    Rendered,
    Starter,
)
from channels.payload import read_json
from channels.signature import verify

if TYPE_CHECKING:
    from channels.chat.callback import Callback


class ChatChannel:
    kind = KIND
    label: Mapping[str, str] = {"en": "Chat", "ja": "チャット", "de": "Chat"}
    icon = "message-circle"
    writes_to = KIND
    config: type[BaseModel] = ChatConfig

    def __init__(self, callback: "Callback | None" = None) -> None:
        self._callback = callback

    def accept(
        self, config: ChatConfig, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Raw:
        return Raw(external_id=verify(config.keys(), headers, body, now), body=body)

    def parse(self, config: ChatConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        return [read_event(read_json(raw.body))]

    def starter(self) -> Starter:
        return Starter("Chat", "", ChatConfig())

    def render(self, config: ChatConfig, message: OutboundMessage) -> Rendered:
        return render_sent(message)

    async def send(
        self,
        config: ChatConfig,
        rendered: Rendered,
        recipients: Sequence[str],
        progress: Progress,
    ) -> Mapping[str, Outcome]:
        """One call whatever the number of recipients: they share the conversation."""
        outcome: Outcome
        if config.callback_url:
            outcome = await self._posts().post(config, rendered, progress)
        else:
            outcome = Held("This chat inbox has no callback address yet, so nothing was sent.")
        return dict.fromkeys(recipients, outcome)

    def _posts(self) -> "Callback":
        if self._callback is None:
            # Its HTTP client takes 0.2 s to import, which a start should not wait for.
            from channels.chat.callback import Callback  # noqa: PLC0415

            self._callback = Callback()
        return self._callback

"""What one chat inbox must be told."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from channels.signature import SharedSecret


class ChatConfig(SharedSecret):
    callback_url: str = Field(
        default="",
        max_length=2000,
        title="Callback address",
        description="Answers are posted here. Empty: answers wait until there is an address.",
    )
    verify_tls: bool = Field(
        default=True,
        title="Check the certificate",
        description="Off only for a test server whose certificate nobody signed.",
    )
    allow_loopback: bool = Field(
        default=False,
        title="Same machine",
        description="The widget runs on this machine: its address may be 127.0.0.1.",
    )

    @model_validator(mode="after")
    def _callback_is_reachable_in_principle(self) -> Self:
        if not self.callback_url:
            return self
        try:
            url = urlsplit(self.callback_url)
            port_is_one = url.port is None or url.port > 0
        except ValueError:
            raise ValueError("callback_url: not an address") from None
        if not url.hostname or not port_is_one or url.scheme not in {"http", "https"}:
            raise ValueError("callback_url: an address begins with https:// and names a host")
        if url.username is not None or url.fragment:
            raise ValueError("callback_url: an address without password and without #")
        if not self.callback_url.isascii() or not self.callback_url.isprintable():
            raise ValueError("callback_url: only ASCII; write the host in its xn-- form")
        if url.scheme == "http" and not self.allow_loopback:
            raise ValueError("callback_url: https, because customers' words travel there")
        return self

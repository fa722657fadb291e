"""Reading a whole log in a test, and where the logs of other projects are."""

import os
from pathlib import Path

import pytest

from channels.contract import BadRow, Ignored, InboundMessage, Raw
from channels.phone import channel
from channels.phone.config import PhoneConfig

with_fixtures = pytest.mark.skipif(
    "SETTEN_FIXTURES" not in os.environ, reason="needs SETTEN_FIXTURES"
)


def shared(path: str) -> bytes:
    return (Path(os.environ["SETTEN_FIXTURES"]) / "channels" / path).read_bytes()


def arrivals(config: PhoneConfig, body: bytes) -> list[Raw]:
    found = list(channel.read_file(config, body))
    assert [item for item in found if isinstance(item, BadRow)] == []
    return [item for item in found if isinstance(item, Raw)]


def messages(config: PhoneConfig, body: bytes) -> list[InboundMessage | Ignored]:
    return [message for raw in arrivals(config, body) for message in channel.parse(config, raw)]


def bad_rows(text: str | bytes, config: PhoneConfig | None = None) -> list[tuple[int, str]]:
    body = text.encode() if isinstance(text, str) else text
    found = channel.read_file(config or PhoneConfig(), body)
    return [(item.line, item.words) for item in found if isinstance(item, BadRow)]

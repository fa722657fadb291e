"""The channel in the README is one, and does what is said there."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import channels
from channels.contract import (
    Accepts,
    BadSignature,
    Ignored,
    InboundMessage,
    Party,
    Raw,
    Ref,
    RefKind,
)

README = (Path(channels.__file__).parent / "README.md").read_text()
NOW = datetime(2026, 4, 1, 9, 5, tzinfo=UTC)


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def telegram() -> Any:
    names: dict[str, Any] = {"__name__": "channels_telegram_of_the_readme"}
    exec(compile(block("python"), "README.md", "exec"), names)  # noqa: S102  (our own words)
    return names["TelegramChannel"]()


def test_the_channel_in_the_readme_reads_its_fixture(telegram: Any) -> None:
    config = telegram.config(secret="s3cret")
    body = block("json").encode()

    raw = telegram.accept(config, {"x-telegram-bot-api-secret-token": "s3cret"}, body, NOW)

    assert raw == Raw(external_id=hashlib.sha256(body).hexdigest(), body=body)
    assert telegram.parse(config, raw) == [
        InboundMessage(
            external_id="-12/3",
            sender=Party("telegram", "5", "Sato"),
            sent_at=NOW,
            text="返品したいです。",
            refs=(Ref(RefKind.CONVERSATION, "-12"),),
            conversation="-12",
            language="ja",
        )
    ]


def test_the_channel_in_the_readme_takes_webhooks(telegram: Any) -> None:
    assert isinstance(telegram, Accepts)


def test_the_channel_in_the_readme_lets_no_stranger_in(telegram: Any) -> None:
    config = telegram.config(secret="s3cret")

    with pytest.raises(BadSignature):
        telegram.accept(config, {}, block("json").encode(), NOW)


def test_the_channel_in_the_readme_notes_what_it_does_not_file(telegram: Any) -> None:
    update = {"update_id": 8, "poll": {}}

    assert telegram.parse(None, Raw("8", json.dumps(update).encode())) == [
        Ignored("not a message with text")
    ]


def test_the_readme_names_only_files_that_are_there() -> None:
    named = set(re.findall(r"`((?:chat|phone|email)/[a-z_]*(?:\.py)?)`", README))

    missing = {name for name in named if not (Path(channels.__file__).parent / name).exists()}
    assert (len(named) > 3, missing) == (True, set())

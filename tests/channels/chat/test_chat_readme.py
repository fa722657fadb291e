"""The examples for whoever connects a chat work as they stand."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import channels
from channels.chat import channel
from channels.chat.config import ChatConfig
from channels.contract import InboundMessage, OutboundMessage, Party, Raw

README = (Path(channels.__file__).parent / "chat" / "README.md").read_text()
CONFIG = ChatConfig()
SECRET = CONFIG.secret.get_secret_value()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_example_of_a_message_is_filed() -> None:
    [message] = channel.parse(CONFIG, Raw("x", blocks("json")[0].encode()))

    assert isinstance(message, InboundMessage)
    assert [party.kind for party in message.also_known_as] == ["email", "phone"]
    assert [file.body for file in message.files] == [b"hello"]


def test_the_example_of_an_answer_has_the_fields_of_an_answer() -> None:
    rendered = channel.render(
        CONFIG,
        OutboundMessage(
            token="t",
            number=1,
            sent_at=datetime(2026, 4, 1, tzinfo=UTC),
            sender_name="Ann",
            to=(Party("chat", "v"),),
            text="Hi",
        ),
    )
    sent, example = json.loads(rendered.body), json.loads(blocks("json")[1])

    assert (sent.keys(), sent["data"].keys()) == (example.keys(), example["data"].keys())


def test_the_example_in_python_signs_as_we_do() -> None:
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[0], "README.md", "exec"), names)  # noqa: S102  (our own words)
    now = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
    at = int(now.timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": names["signature"](SECRET, "msg_1", at, b"{}"),
    }

    assert channel.accept(CONFIG, headers, b"{}", now) == Raw("msg_1", b"{}")


@pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("sh", "openssl", "base64", "od")),
    reason="needs openssl",
)
def test_the_example_for_the_shell_is_accepted() -> None:
    """`curl` only tells what it was given: there is no server in this test."""
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + blocks("sh")[0]
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SECRET": SECRET, "HOOK": "http://x.test/"},
        capture_output=True,
        check=True,
        timeout=20,
    )
    given = done.stdout.decode().split("\0")
    body = given[given.index("--data-binary") + 1].encode()
    headers = dict(value.split(": ", 1) for flag, value in pairwise(given) if flag == "-H")

    raw = channel.accept(CONFIG, headers, body, datetime.fromtimestamp(time.time(), UTC))

    [message] = channel.parse(CONFIG, raw)
    assert isinstance(message, InboundMessage)
    assert (raw.external_id, message.text) == (headers["webhook-id"], "Hello")

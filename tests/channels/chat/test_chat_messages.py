"""Chat messages as they come in: read whole, or refused with a sentence that names the field."""

import base64
import contextlib
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.chat import channel
from channels.chat.config import ChatConfig
from channels.contract import (
    Accepts,
    BadSignature,
    Ignored,
    Imports,
    InboundMessage,
    Listens,
    Pulls,
    Raw,
    Sends,
    TakesEntries,
    Unreadable,
)
from channels.signature import sign

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
CONFIG = ChatConfig()
FIXTURES = Path(__file__).parent / "fixtures"
EVENT: dict[str, Any] = json.loads((FIXTURES / "return_ja.json").read_text())
UNREADABLE = "text that is far from this line"


def read(body: bytes) -> InboundMessage | Ignored:
    [message] = channel.parse(CONFIG, Raw(external_id="msg_1", body=body))
    return message


def with_(path: str, value: object) -> bytes:
    """The event with one field put in or replaced."""
    event = copy.deepcopy(EVENT)
    inside: Any = event
    *parents, last = path.split(".")
    for key in parents:
        inside = inside[int(key)] if key.isdigit() else inside[key]
    inside[last] = value
    return json.dumps(event).encode()


def test_chat_says_by_its_methods_what_it_can_do() -> None:
    kinds = (Accepts, Sends, Pulls, Listens, TakesEntries, Imports)

    assert [kind for kind in kinds if isinstance(channel, kind)] == [Accepts, Sends]


def test_what_is_accepted_is_kept_as_it_came_under_the_webhook_s_id() -> None:
    body = (FIXTURES / "return_ja.json").read_bytes()
    headers = sign(CONFIG.keys(), "msg_5", int(NOW.timestamp()), body)

    assert channel.accept(CONFIG, headers, body, NOW) == Raw(external_id="msg_5", body=body)


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 50, b"[" * 100_000])
def test_a_signed_body_is_accepted_whatever_it_holds(body: bytes) -> None:
    headers = sign(CONFIG.keys(), "msg_5", int(NOW.timestamp()), body)

    assert channel.accept(CONFIG, headers, body, NOW).body == body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON at line 1, column 1"),
        (b"\xff\xfe", "not UTF-8 at byte 1"),
        (b'{"a":1', "not JSON at line 1, column 7"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "a number that is none"),
        (b'{"a":NaN}', "a number that is none"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{}", "type: Field required (and 1 more)"),
        (with_("type", 7), "type: "),
        (with_("type", "message created"), "type: "),
        (with_("timestamp", "yesterday"), "timestamp: "),
        (with_("timestamp", "2026-04-01T09:00:00"), "timestamp: "),
        (with_("timestamp", "0001-01-01T00:00:00+14:00"), "timestamp: Value error, the year"),
        (with_("timestamp", 2**70), "timestamp: "),
        (with_("timestamp", 1e999), "a number that is none"),
        (b'{"type":"a","timestamp":1e999}', "timestamp: "),
        (with_("data", None), "data: "),
        (with_("data.message_id", 2**70), "data.message_id: "),
        (with_("data.message_id", ""), "data.message_id: "),
        (with_("data.message_id", "x" * 256), "data.message_id: "),
        (with_("data.message_id", "a\nb"), "data.message_id: Value error, an id has no line"),
        (with_("data.conversation_id", " a"), "data.conversation_id: Value error, an id has no"),
        (with_("data.sender.id", "\ud800"), "data.sender.id: "),
        (with_("data.sender.name", "a\x00"), "data.sender.name: Value error, holds a NUL"),
        (with_("data.sender.name", "\udc00"), "data.sender.name: "),
        (with_("data.text", "half \ud83d"), "data.text: "),
        (with_("data.text", "a\x00b"), "data.text: Value error, holds a NUL"),
        (with_("data.text", "x" * 100_001), "data.text: "),
        (with_("data.text", ["a"]), "data.text: "),
        (with_("data.files", [{}] * 21), "data.files: "),
        (with_("data.files.0.content_base64", "???"), "data.files.0.content_base64: Value error"),
        (with_("data.files.0.content_base64", 7), "data.files.0.content_base64: Value error"),
        (with_("data.files.0.name", None), "data.files.0.name: "),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_with_words_about_the_place(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(body)

    assert words in str(refusal.value)


def test_words_about_a_bad_field_never_quote_what_was_sent() -> None:
    with pytest.raises(Unreadable) as refusal:
        read(with_("data.message_id", [UNREADABLE]))

    assert UNREADABLE not in str(refusal.value)


def test_a_huge_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(Unreadable, match="larger than 48 MB"):
        read(b" " * (48 * 1024 * 1024 + 1))


def test_a_mark_at_the_beginning_does_no_harm() -> None:
    body = (FIXTURES / "return_ja.json").read_bytes()

    assert read(b"\xef\xbb\xbf" + body) == read(body)


def test_a_file_comes_out_as_it_went_in() -> None:
    content = bytes(range(256))

    message = read(with_("data.files.0.content_base64", base64.b64encode(content).decode()))

    assert isinstance(message, InboundMessage)
    assert [file.body for file in message.files] == [content]


@pytest.mark.parametrize(
    ("phone", "known"),
    [
        ("+81 90-1234-5678", "+819012345678"),
        ("tel:+4930901820", "+4930901820"),
        ("+1 (650) 253-0000 ext. 4", "+16502530000"),
        ("090-1234-5678", ""),  # which country?
        ("+1 555", ""),
        ("call me", ""),
    ],
)
def test_a_phone_number_counts_only_when_it_can_exist(phone: str, known: str) -> None:
    message = read(with_("data.sender.phone", phone))

    assert isinstance(message, InboundMessage)
    found = [party.value for party in message.also_known_as if party.kind == "phone"]
    assert found == ([known] if known else [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = [
    *("type", "timestamp", "data", "data.message_id", "data.conversation_id", "data.sender"),
    *("data.sender.id", "data.sender.name", "data.sender.email", "data.sender.phone"),
    *("data.sender.language", "data.text", "data.files", "data.unheard_of"),
    *("data.files.0.name", "data.files.0.content_type", "data.files.0.content_base64"),
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_a_field_of_any_other_kind_is_read_or_unreadable(path: str, value: object) -> None:
    body = with_(path, value)

    with contextlib.suppress(Unreadable):
        assert isinstance(read(body), InboundMessage | Ignored)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_changed_on_the_way_are_read_unreadable_or_not_accepted(data: st.DataObject) -> None:
    body = bytearray((FIXTURES / "return_ja.json").read_bytes())
    headers = sign(CONFIG.keys(), "msg_1", int(NOW.timestamp()), bytes(body))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    with contextlib.suppress(BadSignature):
        assert channel.accept(CONFIG, headers, bytes(body), NOW).body == bytes(body)
    with contextlib.suppress(Unreadable):
        assert isinstance(read(bytes(body)), InboundMessage | Ignored)

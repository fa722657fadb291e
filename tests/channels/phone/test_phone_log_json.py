"""Call logs as JSON: an array, or one object a line."""

import json
from datetime import UTC, datetime

import pytest

from channels.contract import InboundMessage, Party
from channels.phone.config import PhoneConfig
from tests.channels.phone.logs import arrivals, bad_rows, messages

NOWHERE = PhoneConfig()

CALL = {
    "call_id": "c-1",
    "party": "+4930901820",
    "direction": "in",
    "started_at": "2026-04-01T09:05:00Z",
    "seconds": 5,
    "notes": "Grüße",
}
NAMELESS = {key: value for key, value in CALL.items() if key != "call_id"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([CALL, NAMELESS]),
        json.dumps([CALL, NAMELESS], indent=2, ensure_ascii=False),
        json.dumps(CALL) + "\n\n" + json.dumps(NAMELESS) + "\n",
    ],
    ids=["array", "indented", "lines"],
)
def test_json_is_read_as_an_array_or_line_by_line(text: str) -> None:
    first, second = messages(NOWHERE, text.encode())

    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert first == InboundMessage(
        external_id="c-1",
        sender=Party("phone", "+4930901820"),
        sent_at=datetime(2026, 4, 1, 9, 5, tzinfo=UTC),
        text="Grüße",
        reply_text="Grüße",
        subject="Call from +4930901820",
        is_call=True,
        seconds=5,
    )
    assert second.external_id.startswith("sha256:")
    assert [raw.external_id for raw in arrivals(NOWHERE, text.encode())] == [
        "call:c-1",
        f"call:{second.external_id}",
    ]


def test_bad_json_is_named_by_its_place() -> None:
    lines = [json.dumps(CALL), "{", "[]", "7", json.dumps({**CALL, "seconds": "x"})]
    lone = json.dumps([{**CALL, "notes": "\ud800"}, 7, {**CALL, "odd": "\ud800"}])

    assert bad_rows("\n".join(lines)) == [
        (2, "not JSON"),
        (3, "not an object"),
        (4, "not an object"),
        (
            5,
            "seconds: Input should be a valid integer, unable to parse string as an integer",
        ),
    ]
    assert [line for line, _ in bad_rows(lone)] == [1, 2]
    assert [line for line, _ in bad_rows("[" * 200_000)] == [1]

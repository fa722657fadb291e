"""Calls that an exchange reports and calls that an agent writes down."""

import contextlib
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from channels.contract import (
    Accepts,
    BadSignature,
    Direction,
    Ignored,
    Imports,
    InboundMessage,
    Listens,
    Party,
    Pulls,
    Raw,
    Sends,
    TakesEntries,
    Unreadable,
)
from channels.phone import channel
from channels.phone.call import CallEntry
from channels.phone.config import PhoneConfig
from channels.signature import sign

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
TOKYO = PhoneConfig(region="JP", time_zone="Asia/Tokyo", language="ja")
CALL: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "inbound.json").read_text())


def read(config: PhoneConfig, raw: Raw) -> InboundMessage | Ignored:
    [message] = channel.parse(config, raw)
    return message


def read_call(config: PhoneConfig = TOKYO, **changes: object) -> InboundMessage:
    message = read(config, Raw("x", json.dumps({**CALL, **changes}).encode()))
    assert isinstance(message, InboundMessage)
    return message


def write(config: PhoneConfig = TOKYO, **entry: Any) -> InboundMessage:
    raw = channel.write_down(CallEntry(**entry), NOW, "ann@example.com")
    message = read(config, raw)
    assert isinstance(message, InboundMessage)
    return message


def test_phone_says_by_its_methods_what_it_can_do() -> None:
    kinds = (Accepts, TakesEntries, Imports, Sends, Pulls, Listens)

    assert [kind for kind in kinds if isinstance(channel, kind)] == [
        Accepts,
        TakesEntries,
        Imports,
    ]


def test_number_and_notes_are_enough() -> None:
    raw = channel.write_down(
        CallEntry(number="090-1234-5678", notes="届いた商品が壊れていた。"), NOW, "ann@example.com"
    )

    assert read(TOKYO, raw) == InboundMessage(
        is_call=True,
        external_id=raw.external_id.removeprefix("call:"),
        sender=Party("phone", "+819012345678"),
        sent_at=NOW,
        text="届いた商品が壊れていた。",
        subject="+819012345678 からの電話",
        reply_text="届いた商品が壊れていた。",
        logged_by="ann@example.com",
    )


def test_everything_an_agent_knows_is_kept() -> None:
    message = write(
        number="03-1234-5678",
        name="佐藤",
        direction="out",
        started_at="2026-04-01T17:30",
        minutes=3,
        notes="折り返しました。",
        email="sato@example.jp",
    )

    assert message == InboundMessage(
        external_id=message.external_id,
        sender=Party("phone", "+81312345678", "佐藤"),
        sent_at=datetime(2026, 4, 1, 8, 30, tzinfo=UTC),
        text="折り返しました。",
        subject="佐藤 への電話",
        reply_text="折り返しました。",
        direction=Direction.OUTBOUND,
        also_known_as=(Party("email", "sato@example.jp", "佐藤"),),
        is_call=True,
        seconds=180,
        logged_by="ann@example.com",
    )


def test_the_form_as_a_browser_sends_it_is_taken() -> None:
    form = {
        "number": "03-1234-5678",
        "name": "",
        "direction": "in",
        "started_at": "",
        "minutes": "",
        "notes": "ok",
        "email": "",
    }

    assert CallEntry.model_validate(form) == CallEntry(number="03-1234-5678", notes="ok")


def test_the_form_asks_for_the_number_and_the_notes_first() -> None:
    schema = CallEntry.model_json_schema()

    assert [field["title"] for field in schema["properties"].values()] == [
        "Number",
        "Notes",
        "Name",
        "Direction",
        "Minutes",
        "Started",
        "Email",
    ]
    assert schema["required"] == ["notes"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("notes", ""),
        ("notes", " \n"),
        ("notes", "a\x00b"),
        ("notes", "x" * 20_001),
        ("number", "1" * 101),
        ("direction", "internal"),
        ("minutes", "-1"),
        ("minutes", "10081"),
        ("started_at", "yesterday"),
        ("started_at", "0001-01-01T00:00"),
    ],
)
def test_a_form_that_says_nothing_sensible_is_refused_at_the_field(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        CallEntry.model_validate({"number": "1", "notes": "ok", field: value})

    assert [error["loc"] for error in refusal.value.errors()] == [(field,)]


def test_a_form_sent_twice_is_one_arrival_and_another_call_another() -> None:
    entry = CallEntry(number="03-1234-5678", notes="ok", started_at=NOW)
    later = CallEntry(number="03-1234-5678", notes="ok")

    ids = [
        channel.write_down(entry, NOW, "ann@example.com").external_id,
        channel.write_down(entry, NOW.replace(second=2), "ann@example.com").external_id,
        channel.write_down(later, NOW.replace(second=2), "ann@example.com").external_id,
        channel.write_down(entry, NOW, "bob@example.com").external_id,
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_two_withheld_numbers_are_two_people() -> None:
    first = write(number="", notes="One.")
    second = write(number="非通知", notes="Two.")

    assert [first.sender, second.sender] == [
        Party("phone-anonymous", first.external_id, "番号非通知"),
        Party("phone-anonymous", second.external_id, "番号非通知"),
    ]
    assert first.sender != second.sender
    assert first.subject == "非通知の電話"


def test_a_withheld_number_with_a_known_address_is_that_person() -> None:
    message = write(number="非通知", notes="Hello.", email="sato@example.jp", name="Sato")

    assert (message.sender, message.also_known_as) == (
        Party("email", "sato@example.jp", "Sato"),
        (),
    )


@pytest.mark.parametrize(
    ("language", "call", "text"),
    [
        ("en", {"seconds": 192}, "A call of 3 min 12 s without notes."),
        ("de", {"seconds": 192}, "Ein Gespräch von 3 min 12 s ohne Notiz."),
        ("ja", {"seconds": 192}, "3分12秒の通話がありました（メモなし）。"),
        ("en", {"seconds": 0}, "Missed call."),
        ("de", {"seconds": 20, "answered": False}, "Verpasster Anruf."),
        ("ja", {"seconds": 0, "direction": "out"}, "電話しましたが、応答がありませんでした。"),
        ("en", {"seconds": None}, "A call without notes."),
        ("de", {"seconds": None, "answered": True}, "Ein Gespräch ohne Notiz."),
        ("en", {"seconds": 192, "notes": " Hi "}, " Hi "),
    ],
)
def test_a_call_without_notes_says_what_is_known(
    language: str, call: dict[str, object], text: str
) -> None:
    config = PhoneConfig.model_validate({"language": language})

    assert read_call(config, **{"notes": "", **call}).text == text


@pytest.mark.parametrize(
    ("started_at", "sent_at"),
    [
        ("2026-04-01T09:05:00+02:00", datetime(2026, 4, 1, 7, 5, tzinfo=UTC)),
        ("2026-04-01T09:05:00", datetime(2026, 4, 1, 7, 5, tzinfo=UTC)),
        ("2026-01-01T09:05:00", datetime(2026, 1, 1, 8, 5, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice
        ("2026-03-29T02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # never comes
    ],
)
def test_a_time_without_offset_is_the_inbox_s(started_at: str, sent_at: datetime) -> None:
    berlin = PhoneConfig(time_zone="Europe/Berlin")

    assert read_call(berlin, started_at=started_at).sent_at == sent_at


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"call_id": None}, "call_id: "),
        ({"call_id": 2**70}, "call_id: "),
        ({"party": "1" * 101}, "party: "),
        ({"party": "\ud800"}, "party: "),
        ({"party": "9.01E+11"}, "party: the number 9.01E+11 lost its digits"),
        ({"direction": "sideways"}, "direction: "),
        ({"started_at": "soon"}, "started_at: "),
        ({"seconds": -1}, "seconds: "),
        ({"seconds": 2**70}, "seconds: "),
        ({"notes": "a\x00"}, "notes: "),
    ],
)
def test_a_call_that_cannot_be_read_is_refused_at_the_field(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_call(TOKYO, **changes)

    assert str(refusal.value).startswith(words)


def test_a_report_is_accepted_with_its_signature_only() -> None:
    config = PhoneConfig()
    body = json.dumps(CALL).encode()
    headers = sign(config.keys(), "evt-1", int(NOW.timestamp()), body)

    assert channel.accept(config, headers, body, NOW) == Raw(external_id="evt-1", body=body)
    with pytest.raises(BadSignature):
        channel.accept(PhoneConfig(), headers, body, NOW)


@pytest.mark.parametrize(
    "setting",
    [
        {"region": "XX"},
        {"region": "Japan"},
        {"time_zone": "Tokyo"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": ""},
        {"time_zone": "Europe"},
        {"language": "fr"},
        {"encoding": "ebcdic"},
    ],
)
def test_a_wrong_setting_is_refused(setting: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        PhoneConfig.model_validate(setting)

    assert [error["loc"] for error in refusal.value.errors()] == [tuple(setting)]


def test_a_country_in_small_letters_is_understood() -> None:
    assert PhoneConfig(region=" jp ").region == "JP"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*CALL, "answered", "email"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.text("0123456789+-()E. １２ー", max_size=30)
    | st.lists(st.integers(), max_size=2),
)
def test_a_call_with_any_field_changed_is_read_or_unreadable(field: str, value: object) -> None:
    call = {**copy.deepcopy(CALL), field: value}

    with contextlib.suppress(Unreadable):
        assert channel.parse(TOKYO, Raw("x", json.dumps(call).encode()))

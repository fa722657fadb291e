"""What every channel promises, tried on every channel there is and on all their fixtures."""

import contextlib
import hashlib
import inspect
import json
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from channels.contract import (
    OTHER,
    Accepts,
    AsksConsent,
    ChecksConnection,
    Imports,
    Listens,
    OffersPresets,
    Pulls,
    Raw,
    Renews,
    SelfTests,
    Sends,
    Starts,
    TakesEntries,
    Unreadable,
)
from channels.isolated import ReadsElsewhere
from channels.registry import all_channels

HERE = Path(__file__).parent
FIXTURES = sorted(
    path
    for path in HERE.glob("*/fixtures/*")
    if path.suffix in {".eml", ".json"} and path.with_suffix(".expected.json").exists()
)
JUNK = {
    "empty": b"",
    "binary": b"\x00\xff" * 50,
    "object": b"{}",
    "list": b"[]",
    "cut character": b"\xf0\x9f" * 9,
    "deep": b"[" * 100_000,
    "numbers": b'{"id": 1e999, "type": NaN}',
    "only line ends": b"\r\n" * 5000,
    "surrogate": b'{"type": "\\ud800"}',
    "long line": b"a" * 200_000,
    "nested mail": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 3000,
}
CAPABILITIES = (
    (Accepts, {"accept"}),
    (Pulls, {"pulls", "imports", "open"}),
    (Renews, {"renewed"}),
    (AsksConsent, {"ask_consent", "consented"}),
    (ChecksConnection, {"check_connection", "list_folders"}),
    (Starts, {"starter"}),
    (ReadsElsewhere, {"elsewhere", "parse_least"}),
    (Listens, {"listen"}),
    (Sends, {"render", "send"}),
    (TakesEntries, {"entry", "write_down"}),
    (Imports, {"read_file"}),
    (SelfTests, {"probe", "confirmed", "unproved"}),
    (OffersPresets, {"presets"}),
)


def _config(kind: str) -> BaseModel:
    """What a fixture's inbox was told: `config.json` beside it, or nothing at all."""
    model = all_channels()[kind].config
    path = HERE / kind / "fixtures" / "config.json"
    if path.exists():
        return model.model_validate_json(path.read_text())
    return model.model_construct()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no form for {type(value).__name__}")


def _as_expected(messages: Any) -> Any:
    return json.loads(json.dumps([asdict(message) for message in messages], default=_plain))


def test_there_are_fixtures_of_every_channel_that_is_here() -> None:
    with_fixtures = {path.parts[-3] for path in FIXTURES}

    here = {
        kind
        for kind, channel in all_channels().items()
        if type(channel).__module__.startswith("channels.")
    }
    assert here - with_fixtures == set()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_fixture_reads_as_expected(fixture: Path) -> None:
    kind = fixture.parts[-3]

    messages = all_channels()[kind].parse(_config(kind), Raw("x", fixture.read_bytes()))

    assert _as_expected(messages) == json.loads(fixture.with_suffix(".expected.json").read_text())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_parse_is_pure(fixture: Path) -> None:
    kind = fixture.parts[-3]
    raw = Raw("x", fixture.read_bytes())

    once, twice = (all_channels()[kind].parse(_config(kind), raw) for _ in range(2))

    assert list(once) == list(twice)


@pytest.mark.parametrize("kind", all_channels())
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_is_read_or_unreadable_and_never_a_crash(kind: str, junk: bytes) -> None:
    with contextlib.suppress(Unreadable):  # any other exception fails the test
        messages = all_channels()[kind].parse(_config(kind), Raw("x", junk))
        assert _as_expected(messages) is not None


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_fixture_cut_anywhere_is_no_crash(fixture: Path) -> None:
    kind, body = fixture.parts[-3], fixture.read_bytes()
    step = max(1, len(body) // 40)

    for end in range(0, len(body), step):
        with contextlib.suppress(Unreadable):
            assert _as_expected(all_channels()[kind].parse(_config(kind), Raw("x", body[:end])))


@pytest.mark.parametrize("kind", all_channels())
def test_what_a_channel_cannot_do_is_told_by_the_missing_method(kind: str) -> None:
    channel = all_channels()[kind]

    for capability, methods in CAPABILITIES:
        present = {name for name in methods if hasattr(channel, name)}
        assert present in (set(), methods), f"{kind} has only half of {capability.__name__}"
        assert isinstance(channel, capability) == (present == methods)


@pytest.mark.parametrize("kind", all_channels())
def test_a_channel_introduces_itself(kind: str) -> None:
    channel = all_channels()[kind]

    assert channel.kind == kind
    assert {"en", "ja", "de"} <= set(channel.label)
    assert all(channel.label.values())
    assert channel.icon


@pytest.mark.parametrize("kind", all_channels())
def test_every_setting_says_what_it_is(kind: str) -> None:
    fields = all_channels()[kind].config.model_fields

    silent = [name for name, field in fields.items() if not (field.title and field.description)]
    assert silent == []


@pytest.mark.parametrize("kind", all_channels())
def test_what_is_folded_away_is_there_once_and_can_stay_unseen(kind: str) -> None:
    fields = all_channels()[kind].config.model_fields
    folds = getattr(all_channels()[kind].config, "folds", ())
    names = [name for fold in folds for name in fold.names]

    assert sorted(names) == sorted(set(names) & set(fields))
    assert [name for name in names if fields[name].is_required()] == []
    assert all(fold.title and fold.words for fold in folds)


@pytest.mark.parametrize("kind", all_channels())
def test_a_preset_fills_in_what_the_channel_takes(kind: str) -> None:
    channel = all_channels()[kind]
    presets = channel.presets if isinstance(channel, OffersPresets) else ()
    fields = channel.config.model_fields
    plain = channel.config.model_construct().model_dump(mode="json")

    assert len({one.key for one in presets}) == len(presets)
    assert [one.key for one in presets[:1]] in ([], [OTHER])
    for one in presets[1:]:
        read = channel.config.model_validate(plain | {"address": "a@b.test"} | dict(one.values))
        assert {name: str(getattr(read, name)) for name in one.values} == dict(one.values)
        assert set(one.asks + one.skips) <= set(fields)
        assert one.source.startswith("https://")
        assert datetime.fromisoformat(one.as_of).date().isoformat() == one.as_of
        assert one.words
        assert one.region


@pytest.mark.parametrize("kind", all_channels())
def test_no_setting_with_a_secret_is_shown(kind: str) -> None:
    fields = all_channels()[kind].config.model_fields

    bare = [
        name
        for name, field in fields.items()
        if any(word in name for word in ("password", "secret"))
        and "SecretStr" not in str(field.annotation)
    ]
    assert bare == []


@pytest.mark.parametrize("kind", all_channels())
def test_only_talking_to_others_waits(kind: str) -> None:
    channel = all_channels()[kind]

    assert not inspect.iscoroutinefunction(channel.parse)
    if isinstance(channel, Sends):
        assert not inspect.iscoroutinefunction(channel.render)
        assert inspect.iscoroutinefunction(channel.send)

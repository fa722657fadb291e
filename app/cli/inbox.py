"""`inbox add | change | list`: what customers reach us by. Knows channels by contract only."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from sqlmodel import Session, col, select

from app.cli import console
from app.cli.console import say
from app.core.errors import Invalid, NotFound
from app.core.settings import Settings
from app.services import access, inboxes
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.services.queries import inboxes as connected
from app.store.tables import Inbox
from channels.contract import (
    Accepts,
    Channel,
    OffersPresets,
    Preset,
    SelfTests,
    Sends,
    preset_of,
)
from channels.registry import all_channels

_LANGUAGES = ("", "ja", "de", "en")
_BESIDE = ("name", "language_of_inbox", "reopen_days", "undo_seconds", "enabled")
"""What an inbox of every kind has, beside what its channel must be told."""


def add(asked: argparse.Namespace, settings: Settings) -> int:
    channel = _channel(asked.kind)
    given = _given(channel, asked.set)
    if asked.json_stdin:
        preset = _preset(channel, asked.preset)
        answers = dict(preset.values) if preset else {}
        answers |= _read_answers() | given
    else:
        preset, answers = _ask_answers(channel, asked.preset, given)
    beside = _beside(answers)
    config = _checked(channel.config, answers, "Nothing was added.")
    with console.opened(settings) as house, house.database.transaction() as session:
        made = inboxes.create(session, SYSTEM, house.keys, _wanted(channel, config, beside))
        _set_beside(session, made, beside)
    say(f"Inbox {made.id} ({made.name}) is there; a running Setten uses it within a few seconds.")
    if isinstance(channel, Accepts):
        say(f"Its hook is {settings.link_base}/hooks/{channel.kind}/{made.token}")
    if preset and preset.skips:
        say(f"Grant access to it: {settings.link_base}/settings/inboxes/{made.id}#consent")
    _say_new_secrets(config, answers)
    return 0


def change(asked: argparse.Namespace, settings: Settings) -> int:
    """What is not named stays."""
    with console.opened(settings) as house, house.database.transaction() as session:
        inbox = access.inbox(session, SYSTEM, asked.number)
        channel = _channel(inbox.kind)
        answers = _read_answers() if asked.json_stdin else {}
        answers |= _given(channel, asked.set)
        if not answers:
            raise Invalid("Say what to change: --set NAME=VALUE, or --json-stdin for passwords.")
        beside = {"name": inbox.name, "language_of_inbox": inbox.language} | _beside(answers)
        known = inboxes.config_of(inbox, house.keys, channel.config).model_dump()
        config = _checked(channel.config, known | answers, "Nothing was changed.")
        wanted = _wanted(channel, config, beside)
        changed = inboxes.change(session, SYSTEM, house.keys, inbox.id, wanted)
        _set_beside(session, changed, beside)
    say(f"Inbox {changed.id} ({changed.name}) is changed; a running Setten uses it in seconds.")
    return 0


def _wanted(channel: Channel, config: BaseModel, beside: Mapping[str, Any]) -> NewInbox:
    return NewInbox(
        kind=channel.kind,
        name=beside.get("name", ""),
        config=config,
        address=str(getattr(config, "address", "")),
        language=beside.get("language_of_inbox", ""),
        writes_to=channel.writes_to if isinstance(channel, Sends) else "",
        tester=channel if isinstance(channel, SelfTests) else None,
    )


def _beside(answers: dict[str, Any]) -> dict[str, Any]:
    """Taken out of `answers`, which are then what the channel must be told."""
    found = {name: answers.pop(name) for name in _BESIDE if name in answers}
    said = {name: "" if value is None else str(value).strip() for name, value in found.items()}
    if said.get("language_of_inbox", "") not in _LANGUAGES:
        raise Invalid("language_of_inbox: choose ja, de, en, or leave it empty.")
    beside: dict[str, Any] = {**said}
    for name in ("undo_seconds", "reopen_days"):
        if name in said:
            beside[name] = _number(name, said[name].lower())
    if "enabled" in said:
        beside["enabled"] = _switch(said["enabled"].lower())
    return beside


def _number(name: str, said: str) -> int | None:
    if name == "reopen_days" and said in {"", "ever", "never"}:
        return 0 if said == "never" else None
    if not said.isdecimal():
        ways = " of days, ever, or never" if name == "reopen_days" else " of seconds"
        raise Invalid(f"{name}: give a number{ways}.")
    return int(said)


def _switch(said: str) -> bool:
    if said not in {"yes", "no", "true", "false"}:
        raise Invalid("enabled: say yes or no.")
    return said in {"yes", "true"}


def _set_beside(session: Session, inbox: Inbox, beside: Mapping[str, Any]) -> None:
    if "reopen_days" in beside:
        inboxes.set_reopening(session, SYSTEM, inbox.id, beside["reopen_days"])
    if "undo_seconds" in beside:
        inboxes.set_undo(session, SYSTEM, inbox.id, beside["undo_seconds"])
    if beside.get("enabled", inbox.enabled) != inbox.enabled:
        inboxes.set_enabled(session, SYSTEM, inbox.id, enabled=beside["enabled"])


def _given(channel: Channel, wanted: Sequence[str]) -> dict[str, Any]:
    """What stands on the command line as name=value."""
    given: dict[str, Any] = {}
    for one in wanted:
        name, equals, value = one.partition("=")
        field = channel.config.model_fields.get(name)
        if not equals or (field is None and name not in _BESIDE):
            raise Invalid(f"--set {name}: there is no such setting of this channel, or no value.")
        if field is not None and field.annotation is SecretStr:
            raise Invalid(f"--set {name}: everybody can read arguments; it is asked for instead.")
        given[name] = value
    return given


def _preset(channel: Channel, key: str) -> Preset | None:
    presets = channel.presets if isinstance(channel, OffersPresets) else ()
    found = next((one for one in presets if one.key == key), None)
    if key and found is None:
        known = ", ".join(one.key for one in presets) or "none"
        raise Invalid(f"There is no preset “{key}” for this channel; there are: {known}.")
    return found


def _channel(kind: str) -> Channel:
    channel = all_channels().get(kind)
    if channel is None:
        raise NotFound(f"There is no channel “{kind}”; there are {', '.join(all_channels())}.")
    return channel


def _read_answers() -> dict[str, Any]:
    try:
        found = json.load(sys.stdin)
    except ValueError as problem:
        raise Invalid(f"Standard input is not JSON: {problem}.") from problem
    if not isinstance(found, dict):
        raise Invalid("Standard input must be one JSON object, a name for every answer.")
    return found


def _ask_answers(
    channel: Channel, key: str, given: Mapping[str, Any]
) -> tuple[Preset | None, dict[str, Any]]:
    """Only what everybody has to say, and what is not known of this provider."""
    preset = _preset(channel, key)
    say("Press Enter to take what stands in brackets.")
    answers: dict[str, Any] = {"name": console.ask("Name, as agents see it")}
    fields = channel.config.model_fields
    folded = {name for fold in getattr(channel.config, "folds", ()) for name in fold.names}
    for name in (one for one in fields if one not in folded):
        if name not in given and not (preset and name in preset.skips):
            _ask_into(answers, name, fields[name])
        if name == "address" and preset is None and isinstance(channel, OffersPresets):
            preset = preset_of(channel.presets, str(given.get(name) or answers.get(name, "")))
            _say_preset(preset)
    for name in preset.asks if preset else ():
        if name not in given:
            _ask_into(answers, name, fields[name])
    return preset, {**(preset.values if preset else {}), **answers, **given}


def _say_preset(preset: Preset) -> None:
    if preset.words:
        tried = "" if preset.tried else "; not tried"
        say()
        say(f"{preset.name}: {preset.words}")
        say(f"({preset.source}, as of {preset.as_of}{tried}. Other settings: --set name=value)")


def _ask_into(answers: dict[str, Any], name: str, field: FieldInfo) -> None:
    answer = _ask_one(name, field)
    if answer != "" or field.is_required():
        answers[name] = answer


def _ask_one(name: str, field: FieldInfo) -> str:
    say()
    say(f"{field.title or name}: {field.description or ''}".rstrip(": "))
    if field.annotation is SecretStr:
        return console.ask_secret("  hidden")
    default = field.get_default(call_default_factory=False)
    shown = "" if field.is_required() or default is None else _plain(default)
    choices = f" {'/'.join(_choices(field))}" if _choices(field) else ""
    return console.ask(f"  {name}{choices} [{shown}]")


def _choices(field: FieldInfo) -> list[str]:
    if isinstance(field.annotation, type) and issubclass(field.annotation, Enum):
        return [str(member.value) for member in field.annotation]
    return ["yes", "no"] if field.annotation is bool else []


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value.value if isinstance(value, Enum) else value)


def _checked(config: type[BaseModel], answers: Mapping[str, Any], done: str) -> BaseModel:
    """Raises `Invalid` naming each wrong answer and never quoting one: it may be a secret."""
    unknown = sorted(set(answers) - set(config.model_fields))
    if unknown:
        raise Invalid(f"There is no setting {', '.join(unknown)} for this channel.")
    try:
        return config.model_validate(dict(answers))
    except ValidationError as problem:
        wrong = [
            f"{'.'.join(map(str, one['loc'])) or 'together'}: "
            f"{one['msg'].removeprefix('Value error, ')}"
            for one in problem.errors(include_input=False, include_url=False)
        ]
        raise Invalid(f"{done} " + "; ".join(wrong)) from None


def _say_new_secrets(config: BaseModel, answers: Mapping[str, Any]) -> None:
    """What was made here has to be known to the other side; it is shown this once."""
    for name, value in config:
        if isinstance(value, SecretStr) and value.get_secret_value() and not answers.get(name):
            title = type(config).model_fields[name].title or name
            say(f"{title}, shown only now: {value.get_secret_value()}")


def show(_asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house, house.database.reading() as session:
        found = session.exec(select(Inbox).order_by(col(Inbox.id))).all()
    rows = [(str(one.id), one.kind, one.name, one.address or "-", _state(one)) for one in found]
    console.table(("NO", "CHANNEL", "NAME", "ADDRESS", "STATE"), rows)
    return 0


def _state(inbox: Inbox) -> str:
    if not inbox.enabled:
        return "switched off"
    return connected.trouble(inbox) or ("built in" if inbox.built_in else "well")

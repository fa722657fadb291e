"""One call: the JSON everything becomes before it is read, and the form an agent fills in."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from channels.contract import Direction, Ignored, InboundMessage, Party, Raw
from channels.payload import At, Id, Line, Text, email_or_nothing
from channels.phone import numbers, words
from channels.phone.config import PhoneConfig

LONGEST_CALL = 7 * 24 * 3600


class CallLog(BaseModel):
    """`party` is the other side whoever called; `internal` is one extension calling another."""

    call_id: Id
    party: Annotated[Line, Field(max_length=100)] = ""
    name: Line = ""
    direction: Literal["in", "out", "internal"] = "in"
    started_at: At
    seconds: Annotated[int | None, Field(ge=0, le=LONGEST_CALL)] = None
    answered: bool | None = None
    notes: Text = ""
    agent: Line = ""
    email: Line = ""


def _none_when_empty(value: object) -> object:
    return None if value == "" else value


def _some_words(text: str) -> str:
    if not text.strip():
        raise ValueError("a few words, please: they are what the others will read")
    return text


class CallEntry(BaseModel):
    """Number and notes are enough; what is left out is now, inbound, and unknown."""

    number: Annotated[Line, Field(max_length=100)] = Field(
        default="",
        title="Number",
        description="Empty when it was withheld.",
        json_schema_extra={"format": "tel"},
    )
    notes: Annotated[Text, Field(max_length=20_000), AfterValidator(_some_words)] = Field(
        title="Notes", json_schema_extra={"format": "textarea"}
    )
    name: Line = Field(default="", title="Name")
    direction: Literal["in", "out"] = Field(default="in", title="Direction")
    minutes: Annotated[int | None, BeforeValidator(_none_when_empty)] = Field(
        default=None, ge=0, le=LONGEST_CALL // 60, title="Minutes"
    )
    started_at: Annotated[At | None, BeforeValidator(_none_when_empty)] = Field(
        default=None, title="Started", description="Empty: just now."
    )
    email: Line = Field(default="", title="Email", json_schema_extra={"format": "email"})


def from_entry(entry: CallEntry, now: datetime, agent: str) -> Raw:
    """The same form sent twice by a nervous finger is the same arrival."""
    return as_raw(
        {
            "party": entry.number,
            "name": entry.name,
            "direction": entry.direction,
            "started_at": (entry.started_at or now).isoformat(),
            "seconds": None if entry.minutes is None else entry.minutes * 60,
            "notes": entry.notes,
            "agent": agent,
            "email": entry.email,
        }
    )


def as_raw(call: Mapping[str, Any], **evidence: Any) -> Raw:
    """An arrival that `CallLog` reads back. Without a `call_id` the content is the id.

    `evidence` is kept for a person who wants to see where it came from, and decides nothing.
    """
    call_id = call.get("call_id") or f"sha256:{_digest(call)}"
    body = _canonical({**call, "call_id": call_id, **evidence})
    # A lone surrogate becomes the escape it came from: JSON again, for the model to refuse.
    return Raw(external_id=f"call:{call_id}", body=body.encode("utf-8", "backslashreplace"))


def read_call(config: PhoneConfig, call: CallLog) -> InboundMessage | Ignored:
    """Raises `numbers.Damaged`."""
    if call.direction == "internal":
        return Ignored("a call between two extensions")
    said = words.of(config.language)
    email = email_or_nothing(call.email)
    party = numbers.party(call.party, call.name, config.region)
    if party is None and email:
        party = Party("email", email, call.name)
    elif party is None:
        # Its own number for each call: nobody can be told apart, so nobody is put together.
        party = Party(numbers.ANONYMOUS, call.call_id, call.name or said.withheld)
    direction = Direction.OUTBOUND if call.direction == "out" else Direction.INBOUND
    also_email = bool(email) and party.kind != "email"
    return InboundMessage(
        external_id=call.call_id,
        sender=party,
        sent_at=_in_zone(call.started_at, config.time_zone),
        text=call.notes if call.notes.strip() else _without_notes(call, said),
        subject=said.subject(direction, party),
        reply_text=call.notes.strip() and call.notes,
        direction=direction,
        also_known_as=(Party("email", email, call.name),) if also_email else (),
        is_call=True,
        seconds=call.seconds,
        logged_by=call.agent,
    )


def _without_notes(call: CallLog, said: words.Words) -> str:
    answered = bool(call.seconds) if call.answered is None else call.answered
    if call.seconds is None and call.answered is None:
        return said.no_notes
    if not answered:
        return said.not_reached if call.direction == "out" else said.missed
    return said.length(call.seconds) if call.seconds else said.no_notes


def _in_zone(at: datetime, zone: str) -> datetime:
    # In the hour that comes twice in autumn, the first one: a log without offset cannot say.
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(call: Mapping[str, Any]) -> str:
    folded = unicodedata.normalize("NFKC", re.sub(r"\s+", " ", _canonical(call)))
    return hashlib.sha256(folded.encode("utf-8", "backslashreplace")).hexdigest()

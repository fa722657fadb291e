"""The phone channel: it takes calls in three ways and sends nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from channels.contract import BadRow, Ignored, InboundMessage, Raw, Starter, Unreadable
from channels.payload import read_model
from channels.phone import log_file, numbers
from channels.phone.call import CallEntry, CallLog, from_entry, read_call
from channels.phone.config import PhoneConfig
from channels.signature import verify


class PhoneChannel:
    kind = "phone"
    label: Mapping[str, str] = {"en": "Phone", "ja": "電話", "de": "Telefon"}
    icon = "phone"
    config: type[BaseModel] = PhoneConfig
    entry: type[BaseModel] = CallEntry

    def accept(
        self, config: PhoneConfig, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Raw:
        return Raw(external_id=verify(config.keys(), headers, body, now), body=body)

    def parse(self, config: PhoneConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        call = read_model(CallLog, raw.body)
        try:
            return [read_call(config, call)]
        except numbers.Damaged as damage:
            raise Unreadable(f"party: {damage}") from damage

    def starter(self) -> Starter:
        return Starter("Phone", "", PhoneConfig())

    def write_down(self, entry: CallEntry, now: datetime, agent: str) -> Raw:
        return from_entry(entry, now, agent)

    def read_file(self, config: PhoneConfig, body: bytes) -> Sequence[Raw | BadRow]:
        return log_file.read(config, body)

"""A channel that exists only in tests: a list to pull from, signed hooks, scripted outcomes."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from app.store.tables import ModelFile
from app.worker.trainer import Made, NotTrained
from channels.contract import (
    BadSignature,
    Channel,
    Identity,
    Ignored,
    InboundMessage,
    Mailbox,
    OutboundMessage,
    Outcome,
    Party,
    Phase,
    Progress,
    Raw,
    Ref,
    RefKind,
    Rendered,
    Sent,
    ServerId,
    Unreadable,
)


class FakeConfig(BaseModel):
    secret: SecretStr = SecretStr("a secret of tests")
    import_days: int | None = None  # 0 for nothing old, None for all


@dataclass
class FakeServer:
    """What the other side holds and saw."""

    items: list[Raw] = field(default_factory=list)
    scope: str = "inbox/1"
    place: str = "inbox"
    settled: list[ServerId] = field(default_factory=list)
    sent: list[tuple[bytes, tuple[str, ...]]] = field(default_factory=list)
    phases: tuple[Phase, ...] = (Phase.TALKING, Phase.AMBIGUOUS)
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # what is not here is Sent
    trouble: Exception | None = None  # raised after the phases, in place of any outcome
    before: Callable[[Phase], None] = lambda _: None  # called before each phase is marked


class FakeMailbox:
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    @property
    def scope(self) -> str:
        return self._server.scope

    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        first = after.number + 1 if after and after.scope == self._server.scope else 1
        return [
            ServerId(self._server.scope, number)
            for number in range(first, len(self._server.items) + 1)
        ]

    async def fetch(self, item: ServerId) -> Raw | None:
        return self._server.items[item.number - 1]

    async def identities(self, items: Sequence[ServerId]) -> Mapping[ServerId, Identity]:
        there = {item: self._server.items[item.number - 1] for item in items}
        return {item: Identity(one.identity, one.received_at) for item, one in there.items()}

    async def older(self, than: datetime) -> Sequence[ServerId]:
        return [
            ServerId(self._server.scope, number)
            for number, one in enumerate(self._server.items, 1)
            if one.received_at and one.received_at < than
        ]

    async def settle(self, item: ServerId, *, whole: bool = True) -> None:
        self._server.settled.append(item)

    async def wait(self, seconds: float) -> None:
        """At once: there is nothing to wait for."""


class FakeChannel:
    kind = "fake"
    label: Mapping[str, str] = {"en": "Fake", "ja": "偽物", "de": "Attrappe"}
    icon = "drama"
    writes_to = "email"
    config: type[BaseModel] = FakeConfig

    def __init__(self, server: FakeServer | None = None) -> None:
        self.server = server or FakeServer()

    def parse(self, config: FakeConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        try:
            content = json.loads(raw.body)
        except ValueError as problem:
            raise Unreadable("This is not what the fake writes.") from problem
        if not isinstance(content, dict) or not isinstance(content.get("text"), str):
            raise Unreadable("This is not what the fake writes.")
        return [_message(raw, content)]

    def pulls(self, config: FakeConfig) -> bool:
        return True

    def imports(self, config: FakeConfig) -> timedelta | None:
        return None if config.import_days is None else timedelta(days=config.import_days)

    def place(self, config: FakeConfig) -> str:
        return self.server.place

    def open(self, config: FakeConfig) -> AbstractAsyncContextManager[Mailbox]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Mailbox]:
            yield FakeMailbox(self.server)

        return opened()

    def accept(
        self, config: FakeConfig, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Raw:
        if not hmac.compare_digest(headers.get("signature", ""), signature(config, body)):
            raise BadSignature("The fake's signature does not match.")
        return Raw(hashlib.sha256(body).hexdigest(), body)

    def render(self, config: FakeConfig, message: OutboundMessage) -> Rendered:
        if "unwritable" in message.text:
            raise ValueError("no words for it")
        written = {
            "text": message.text,
            "subject": message.subject,
            "to": [party.value for party in message.to],
            "in_reply_to": message.in_reply_to,
            "token": message.token,
        }
        body = json.dumps(written, sort_keys=True).encode()
        return Rendered(f"{message.token}.{message.number}@fake.test", body)

    async def send(
        self,
        config: FakeConfig,
        rendered: Rendered,
        recipients: Sequence[str],
        progress: Progress,
    ) -> Mapping[str, Outcome]:
        for phase in self.server.phases:
            self.server.before(phase)
            await progress(phase)
        if self.server.trouble:
            raise self.server.trouble
        self.server.sent.append((rendered.body, tuple(recipients)))
        return {one: self.server.outcomes.get(one, Sent()) for one in recipients}


def signature(config: FakeConfig, body: bytes) -> str:
    return hmac.new(config.secret.get_secret_value().encode(), body, "sha256").hexdigest()


def raw(external_id: str = "1", **content: Any) -> Raw:
    """An arrival the fake can read."""
    written = {"text": "The lid does not close.", "from": "yumi@customers.test"} | content
    return Raw(external_id, json.dumps(written).encode())


def _message(arrival: Raw, content: dict[str, Any]) -> InboundMessage:
    return InboundMessage(
        external_id=content.get("id", arrival.external_id),
        sender=Party("email", content["from"]),
        sent_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        text=content["text"],
        subject=content.get("subject", ""),
        refs=tuple(Ref(RefKind.MESSAGE_ID, one) for one in content.get("answers", [])),
        canonical=content.get("canonical", ""),
    )


def the_fake(server: FakeServer | None = None) -> Channel:
    return FakeChannel(server)


@dataclass
class FakeTrainer:
    """Learns one thing: whatever is asked, it is this stage."""

    stage: str = "D"
    trouble: str = ""
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    beside: list[bytes] = field(default_factory=list)
    before: Callable[[], None] = lambda: None  # called while it learns
    closed: bool = False

    def learn(self, asked: Mapping[str, Any], beside: ModelFile | None) -> Made:
        self.asked.append(asked)
        self.beside.append(beside.weights if beside else b"")
        self.before()
        if self.trouble:
            raise NotTrained(self.trouble)
        said = {
            lesson["key"]: {"label": self.stage, "probability": 0.95, "given": 0.95}
            for lesson in asked["lessons"]
        }
        answers = {"stage": said, "topic": {}}
        return Made(
            asked["name"].encode(),
            b"{}",
            {"samples": 7, "answers": answers, "former": answers, "skipped": 0, "refused": None},
        )

    def close(self) -> None:
        self.closed = True

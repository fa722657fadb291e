"""Email as a channel: parse, fetch, listen and send, put together."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from pydantic import BaseModel

from channels.contract import (
    Consent,
    Ignored,
    InboundMessage,
    Mailbox,
    OutboundMessage,
    Outcome,
    Progress,
    Published,
    Raw,
    Rendered,
    SentMailbox,
    Starter,
    Take,
    Tried,
)
from channels.email import (
    compose,
    connection_test,
    ladder,
    listener,
    oauth,
    self_test,
    sending,
    sent_folder,
    signing,
)
from channels.email.config import EmailConfig, ImportSince
from channels.email.connections import Connections
from channels.email.imap import account_of, open_mailbox
from channels.email.known import Known
from channels.email.parse import parse, parse_for
from channels.email.presets import PRESETS

TEST_ADDRESS = "hello@localhost"


class EmailChannel:
    kind = "email"
    label: Mapping[str, str] = {"en": "Email", "ja": "メール", "de": "E-Mail"}
    icon = "mail"
    writes_to = "email"
    config: type[BaseModel] = EmailConfig
    presets = PRESETS
    signing_keys = signing.KINDS

    def __init__(self) -> None:
        self._connections: Connections | None = None

    def parse(self, config: EmailConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        return [parse(config, raw)]

    def elsewhere(self, config: EmailConfig) -> tuple[str, Known]:
        return "channels.email.parse:parse_for", config.known

    def parse_least(self, config: EmailConfig, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        return parse_for(config.known, raw, ladder.LEAST)

    def pulls(self, config: EmailConfig) -> bool:
        return bool(config.imap_host)

    def imports(self, config: EmailConfig) -> timedelta | None:
        match config.import_since:
            case ImportSince.NOW:
                return timedelta(0)
            case ImportSince.DAYS:
                return timedelta(days=config.import_days)
            case ImportSince.ALL:
                return None

    def place(self, config: EmailConfig) -> str:
        return f"{account_of(config)} {config.folder}"

    def open(self, config: EmailConfig) -> AbstractAsyncContextManager[Mailbox]:
        return open_mailbox(config)

    async def check_connection(self, config: EmailConfig) -> Tried:
        return await connection_test.check(config)

    async def list_folders(self, config: EmailConfig) -> tuple[str, ...]:
        return await connection_test.list_folders(config)

    def ask_consent(self, config: EmailConfig, redirect: str) -> Consent | None:
        return oauth.ask_consent(config, redirect)

    async def consented(
        self, config: EmailConfig, redirect: str, proof: str, answer: Mapping[str, str]
    ) -> BaseModel:
        return await oauth.consented(config, redirect, proof, answer)

    def renewed(self, config: EmailConfig) -> BaseModel | None:
        return oauth.renewed(config)

    def with_new_key(self, config: EmailConfig, kind: str) -> BaseModel:
        return signing.with_new_key(config, kind)

    def published(self, config: EmailConfig) -> Mapping[str, Published]:
        return signing.published(config)

    def keeps_copies(self, config: EmailConfig) -> bool:
        return config.sent_copy

    def watches_sent(self, config: EmailConfig) -> bool:
        return config.sent_watch

    def account(self, config: EmailConfig) -> str:
        return account_of(config).lower()

    def open_sent(self, config: EmailConfig) -> AbstractAsyncContextManager[SentMailbox]:
        return sent_folder.open_sent(config)

    def starter(self) -> Starter:
        return Starter("Test mail", TEST_ADDRESS, EmailConfig(address=TEST_ADDRESS))

    def listen(
        self, host: str, port: int, knows: Callable[[str], bool], take: Take
    ) -> AbstractAsyncContextManager[int]:
        return listener.listen(host, port, knows, take)

    def render(self, config: EmailConfig, message: OutboundMessage) -> Rendered:
        return compose.render(config, message)

    async def send(
        self,
        config: EmailConfig,
        rendered: Rendered,
        recipients: Sequence[str],
        progress: Progress,
    ) -> Mapping[str, Outcome]:
        connections = self._connections or Connections(longest=1)
        return await sending.send(config, rendered, recipients, progress, connections)

    def linger(self) -> None:
        """From now on connections are used again; whoever asks for it calls `hang_up`."""
        self._connections = Connections()

    def hang_up(self) -> None:
        if self._connections is not None:
            self._connections.close()
            self._connections = None

    def probe(self, config: EmailConfig, token: str, sent_at: datetime) -> tuple[Rendered, str]:
        return self_test.probe(config, token, sent_at)

    def confirmed(self, config: EmailConfig) -> BaseModel:
        return self_test.confirmed(config)

    def unproved(self, config: EmailConfig, was: EmailConfig | None) -> BaseModel:
        return self_test.unproved(config, was)


channel = EmailChannel()

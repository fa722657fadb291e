"""What tests of fetching share: an inbox at a scripted server, and a bare connection to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from channels.contract import Raw, ServerId
from channels.email import channel
from channels.email.config import EmailConfig
from channels.email.imap_protocol import Protocol
from tests.servers.imap_liar import ImapLiar, Reply, imap_liar

CEILING = 20.0
ITEM = ServerId("INBOX/2482a4a1.42", 2)  # of support@example.com at 127.0.0.1
FETCHED = (
    b'* 2 FETCH (UID 2 RFC822.SIZE 5 INTERNALDATE "17-Nov-2026 09:00:00 +0900")\r\n{tag} OK\r\n'
)


def server(liar: ImapLiar) -> dict[str, Any]:
    return {"imap_host": "127.0.0.1", "imap_port": liar.port, "imap_security": "none"}


def config(liar: ImapLiar, **changes: Any) -> EmailConfig:
    settings = {"address": "support@example.com", "imap_password": "p"} | server(liar)
    return EmailConfig.model_validate(settings | changes)


async def fetched(replies: Mapping[str, Reply], size: int = 5) -> Raw | None:
    """The second of two mails, at a server that answers so."""
    listed = FETCHED.replace(b"SIZE 5", b"SIZE %d" % size)
    usual: dict[str, Reply] = {
        "UID FETCH 2 (UID RFC822": listed,
        "UID FETCH 1,2 (UID RFC822": listed,
    }
    async with imap_liar(usual | dict(replies)) as liar, channel.open(config(liar)) as box:
        return await box.fetch(ITEM)


@asynccontextmanager
async def talking(liar: ImapLiar, state: str = "SELECTED") -> AsyncIterator[Protocol]:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(Protocol, "127.0.0.1", liar.port)
    await protocol.greeting
    protocol.state = state
    yield protocol
    protocol.transport.abort()
    await protocol.lost.wait()


async def silence(writer: asyncio.StreamWriter) -> None:
    """Hear it, and never answer."""


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()

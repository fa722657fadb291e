"""A small mail server on this machine, so that trying Setten needs no account anywhere."""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session
from typing_extensions import override

from channels.contract import Raw, Take
from channels.email.config import is_loopback

log = logging.getLogger(__name__)

MAX_SIZE = 25 * 1024 * 1024
MAX_LINE = 1 << 20  # far more than the 998 of the standard: a long line is no reason to lose a mail


class _Server(SMTP):
    line_length_limit = MAX_LINE


class _Desk:
    """What is answered. A recipient is accepted only if known, a mail only once it is durable."""

    def __init__(self, knows: Callable[[str], bool], take: Take) -> None:
        self._knows = knows
        self._take = take

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if not self._knows(address):
            return "550 5.1.1 There is no inbox with this address here"
        if address not in envelope.rcpt_tos:
            envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        body = envelope.original_content or b""
        now = datetime.fromtimestamp(time.time(), UTC)
        # Of this handing over alone: the same mail once more is counted, then filed as a copy.
        handed = secrets.token_hex(8)
        for recipient in envelope.rcpt_tos:
            digest = hashlib.sha256(body + b"\0" + recipient.lower().encode()).hexdigest()
            headers = {"mail-from": str(envelope.mail_from or ""), "rcpt-to": recipient}
            raw = Raw(f"smtp/{digest}/{handed}", body, headers, received_at=now)
            await self._take(recipient, raw)
        return "250 2.0.0 Stored"

    async def handle_exception(self, error: Exception) -> str:
        # Whatever it was, without a 250 the sender keeps the mail and comes again.
        log.warning("mail not taken", extra={"error": type(error).__name__})
        return "451 4.3.0 Could not be stored now, please try again"


@asynccontextmanager
async def listen(
    host: str, port: int, knows: Callable[[str], bool], take: Take
) -> AsyncIterator[int]:
    """Serve until the context ends. Raises `ValueError` for a host others can reach."""
    if not is_loopback(host):
        raise ValueError("this listener has no protection: it may listen on this machine only")
    desk = _Desk(knows, take)
    loop = asyncio.get_running_loop()
    talking: set[asyncio.BaseTransport] = set()

    class Counted(_Server):
        @override
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            talking.add(transport)
            super().connection_made(transport)

        @override
        def connection_lost(self, error: Exception | None) -> None:
            talking.discard(self.transport)
            super().connection_lost(error)

    def serve() -> SMTP:
        return Counted(
            desk,
            data_size_limit=MAX_SIZE,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Setten",
            loop=loop,
        )

    server = await loop.create_server(serve, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in list(talking):
            transport.close()
        await server.wait_closed()

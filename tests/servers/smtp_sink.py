"""A mail server that takes everything and remembers it, or fails exactly as it is told."""

import asyncio
import base64
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override


@dataclass(frozen=True)
class Received:
    mail_from: str
    rcpt_tos: tuple[str, ...]
    body: bytes


@dataclass
class SmtpSink:
    """`answers` by stage: "MAIL", "RCPT", "DATA", or one recipient's address."""

    received: list[Received] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    close_after_dot: bool = False  # the mail is kept, but nobody is told
    hold: asyncio.Event | None = None  # the final answer waits for this; the mail is kept
    loop: asyncio.AbstractEventLoop | None = None  # where it lives, when that is another thread
    password: str = ""
    utf8: bool = False  # whether it takes addresses that are not ASCII
    tokens: set[str] | None = None  # access tokens it lets in with; None: it takes none at all
    connections: int = 0
    open_now: set[asyncio.Transport] = field(default_factory=set)
    port: int = 0

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get(address) or self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if answer := self.answers.get("DATA"):
            return answer
        self.received.append(
            Received(
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                envelope.original_content or b"",
            )
        )
        if self.hold is not None:
            await self.hold.wait()
        if self.close_after_dot:
            _cut(server.transport)
        return f"250 2.0.0 Ok: queued as SINK{len(self.received)}"

    def let_go(self) -> None:
        """Give the answers that were held back, from whatever thread."""
        held, self.hold = self.hold, None
        if held is not None and self.loop is not None:
            self.loop.call_soon_threadsafe(held.set)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == self.password.encode()
        return AuthResult(success=right, handled=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]).decode()
        if said.partition("auth=Bearer ")[2].rstrip("\1") in (self.tokens or set()):
            return AuthResult(success=True, auth_data=said)
        await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False)


def _cut(transport: asyncio.BaseTransport | None) -> None:
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


class _Server(SMTP):
    line_length_limit = 1 << 16

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.connections += 1
        self.event_handler.open_now.add(transport)
        super().connection_made(transport)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.open_now.discard(self.transport)
        super().connection_lost(error)


@asynccontextmanager
async def smtp_sink(
    sink: SmtpSink | None = None, *, tls: ssl.SSLContext | None = None, starttls: bool = False
) -> AsyncIterator[SmtpSink]:
    """Listen on loopback until the context ends; with `tls` from the start or after STARTTLS."""
    sink = sink or SmtpSink()
    loop = asyncio.get_running_loop()

    def serve() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a password without TLS is what is tested here
            return _Server(
                sink,
                hostname="sink.example",
                loop=loop,
                enable_SMTPUTF8=sink.utf8,
                tls_context=tls if starttls else None,
                require_starttls=starttls,
                auth_required=bool(sink.password),
                auth_require_tls=not sink.password and sink.tokens is None,
                auth_exclude_mechanism=["XOAUTH2"] if sink.tokens is None else [],
                authenticator=sink.authenticate if sink.password else None,
            )

    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=None if starttls else tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        # Who keeps a connection for the next mail finds it closed, as by any server that ends.
        for transport in sink.open_now:
            transport.abort()
        for _ in range(5):  # until that was told to whoever reads it
            await asyncio.sleep(0)
        await server.wait_closed()


@contextmanager
def sink_beside(password: str = "") -> Iterator[SmtpSink]:
    """The same on a thread of its own, for a test that is not asynchronous."""
    made = SmtpSink(password=password)
    listening, over = threading.Event(), asyncio.Event()
    made.loop = loop = asyncio.new_event_loop()

    async def live() -> None:
        async with smtp_sink(made):
            listening.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    assert listening.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()

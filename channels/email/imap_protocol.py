"""The IMAP connection: aioimaplib's protocol with its reading and waiting made safe."""

import asyncio
import base64
import binascii
import logging
import re
import ssl
from dataclasses import dataclass, field

from aioimaplib.aioimaplib import (
    CONNECTED,
    AioImapException,
    Command,
    IdleCommand,
    IMAP4ClientProtocol,
    quoted,
)

from channels.email.imap_lines import Lines

# aioimaplib 2.0.3 writes every received chunk, bodies included, to its debug log.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)

PATIENCE = 60.0  # seconds without one byte, after which nobody is there any more
IDLE_PATIENCE = 15.0  # seconds until the server takes up IDLE, and until it ends it

_TAGGED = re.compile(rb"[A-Z0-9]+ (OK|NO|BAD)\b")
_EXPUNGE = re.compile(rb"\d+ EXPUNGE$", re.IGNORECASE)
_EXISTS = re.compile(rb"(\d+) EXISTS$", re.IGNORECASE)


class Lost(Exception):
    """The connection is gone, or the other side no longer makes sense."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one command. Each untagged response is its text, literal, text, …"""

    status: str
    text: str
    untagged: list[list[bytes]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.status == "OK"


class Protocol(IMAP4ClientProtocol):  # type: ignore[misc]  # aioimaplib ships no types
    """One command at a time, none of them for ever.

    What aioimaplib does itself: it reads by recursion (a thousand lines end the connection), a lost
    connection wakes nobody, storing has no time limit, a greeting of BYE is never told, it strips
    "* " anywhere in a line, and it has no STARTTLS.
    """

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.transport: asyncio.Transport
        self.pending_sync_command: Command | None
        self.greeting: asyncio.Future[str] = self.loop.create_future()
        self.lost = asyncio.Event()
        self.bye = ""
        self.exists = 0
        self.arrivals = 0  # how often the server said that there are more mails than before
        self._lines = Lines()
        self._heard = 0.0
        self._to_say: list[str] = []  # what is still to be answered while signing in
        self._challenge = b""
        self._one_at_a_time = asyncio.Lock()
        self.literal_data: bytes | None = None  # what aioimaplib says when the server asks for it

    # What arrives

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        try:
            for parts in self._lines.feed(data):
                self._take(parts)
        except (AioImapException, ValueError, AttributeError, KeyError):
            self.transport.abort()  # out of step: nothing that follows can be trusted
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()

    def _take(self, parts: list[bytes]) -> None:
        first = parts[0]
        if self.state == CONNECTED and not self.greeting.done():
            self.greeting.set_result(first.decode("utf-8", "replace"))
        elif first.startswith(b"* "):
            parts[0] = first[2:]
            self._take_untagged(parts)
        elif first.startswith(b"+"):
            self._continuation(first)
        elif _TAGGED.match(first):
            self._response_done(first)

    def _take_untagged(self, parts: list[bytes]) -> None:
        if found := _EXISTS.match(parts[0]):
            now = int(found.group(1))
            self.arrivals += now > self.exists
            self.exists = now
        elif _EXPUNGE.match(parts[0]):
            self.exists -= 1
        elif parts[0].upper().startswith(b"BYE"):
            self.bye = parts[0][3:].decode("utf-8", "replace").strip()
        waiting = self.pending_sync_command or next(
            iter(self.pending_async_commands.values()), None
        )
        if waiting is not None:
            waiting.append_to_resp(parts)

    def _continuation(self, line: bytes) -> None:
        command = self.pending_sync_command
        if command is None or command.name != "AUTHENTICATE":
            super()._continuation(line)
            return
        if said := line[1:].strip():
            self._challenge = said
        # An empty line ends it: unanswered, the server would wait, and the reason be lost.
        self.send(self._to_say.pop(0) if self._to_say else "")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        if not self.greeting.done():
            self.greeting.set_result("* BYE the connection was closed before a greeting")
        pending = [self.pending_sync_command, *self.pending_async_commands.values()]
        self.pending_sync_command = None
        self.pending_async_commands.clear()
        for command in pending:
            if command is not None:
                command._exception = Lost(self.words_of_loss())
                command.close(b"connection lost", "KO")
        self.idle_queue.put_nowait([[b"BYE connection lost"]])

    @property
    def is_usable(self) -> bool:
        gone = self.lost.is_set() or self.transport.is_closing()
        return not gone and not self.has_pending_idle_command()

    def words_of_loss(self) -> str:
        ended = "the server ended the connection: "
        return f"{ended}{self.bye}" if self.bye else "the connection broke"

    # What is said

    def send(self, line: str, scrub: str | None = None) -> None:
        self.transport.write(f"{line}\r\n".encode())

    async def run(
        self, name: str, *args: str, uid: bool = False, patience: float = PATIENCE
    ) -> Answer:
        """Say one command and wait for its end. Raises `Lost`, after which nothing goes."""
        async with self._one_at_a_time:
            command = Command(name, self.new_tag(), *args, prefix="UID" if uid else None)
            return await self._finished(command, patience)

    async def append(self, mailbox: str, mail: bytes) -> Answer:
        """Put a mail there that counts as read."""
        self.literal_data = mail
        try:
            return await self.run("APPEND", mailbox, r"(\Seen)", f"{{{len(mail)}}}")
        finally:
            self.literal_data = None

    async def authenticate(self, mechanism: str, first: str) -> tuple[Answer, str]:
        """Sign in with one saying of ours; what came back, and why not if the server told."""
        at_once = "SASL-IR" in self.capabilities
        self._to_say, self._challenge = [] if at_once else [first], b""
        answer = await self.run("AUTHENTICATE", mechanism, *([first] if at_once else []))
        try:
            told = base64.b64decode(self._challenge, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            told = ""
        return answer, told

    async def idle(self, seconds: float) -> list[list[bytes]]:
        """What the server tells within `seconds`; nothing if it had nothing to tell."""
        async with self._one_at_a_time:
            while not self.idle_queue.empty():
                self.idle_queue.get_nowait()
            self._idle_event.clear()
            command = IdleCommand(self.new_tag(), self.idle_queue)
            idling = asyncio.ensure_future(self._finished(command, seconds + PATIENCE))
            try:
                started = asyncio.ensure_future(self._idle_event.wait())
                done, _ = await asyncio.wait(
                    {idling, started}, timeout=IDLE_PATIENCE, return_when=asyncio.FIRST_COMPLETED
                )
                started.cancel()
                if started not in done:
                    if idling in done and idling.result().status in {"NO", "BAD"}:
                        self.capabilities.discard("IDLE")  # offered, but not meant
                        return []
                    raise Lost("the server does not answer")
                told = await self._told(seconds)
                if not self.lost.is_set():
                    self.send("DONE")
                await asyncio.wait_for(idling, IDLE_PATIENCE)
            except TimeoutError as error:
                raise Lost("the server does not answer") from error
            finally:
                if not idling.done():
                    idling.cancel()
                    self.transport.abort()
        return told

    async def _told(self, seconds: float) -> list[list[bytes]]:
        try:
            told: list[list[bytes]] = await asyncio.wait_for(self.idle_queue.get(), seconds)
        except TimeoutError:
            return []
        return told

    async def _finished(self, command: Command, patience: float) -> Answer:
        if self.lost.is_set() or self.transport.is_closing():
            raise Lost(self.words_of_loss())
        self._heard = self.loop.time()
        running = asyncio.ensure_future(self.execute(command))
        try:
            while not running.done():
                # As long as bytes come it is only slow: 25 MB over a thin line take minutes.
                left = self._heard + patience - self.loop.time()
                if left <= 0:
                    raise Lost("the server does not answer")
                await asyncio.wait({running}, timeout=left)
            response = running.result()
        except AioImapException as error:
            raise Lost(str(error)) from error
        finally:
            if not running.done():
                # Whatever still comes belongs to a command nobody waits for.
                running.cancel()
                self.transport.abort()
        final = response.lines[-1] if response.lines else b""
        text = final.decode("utf-8", "replace") if isinstance(final, bytes) else ""
        return Answer(
            response.result, text, [line for line in response.lines if isinstance(line, list)]
        )

    async def start_tls(self, context: ssl.SSLContext, host: str) -> Answer:
        answer = await self.run("STARTTLS")
        if answer.ok:
            if self._lines.begun:  # said before encryption, meant to be believed after it
                raise Lost("the server said more than it may before encryption")
            self.transport = await self.loop.start_tls(
                self.transport, self, context, server_hostname=host, ssl_handshake_timeout=30
            )
        return answer


def quote(text: str) -> str:
    return str(quoted(text))

"""An IMAP server that says exactly what a test tells it to, however wrong that is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ImapLiar:
    """`replies` by the beginning of a command; `{tag}` in bytes becomes the command's tag."""

    greeting: bytes = b"* OK ready\r\n"
    replies: dict[str, Reply] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    mute: set[str] = field(default_factory=set)  # commands that get no answer any more
    tag: str = ""  # of the last command
    port: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            writer.write(self.greeting)
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                self.heard.append(command or tag)
                if command:
                    self.tag = tag
                await self._answer(tag, command or tag, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, tag: str, command: str, writer: asyncio.StreamWriter) -> None:
        if command in self.mute:
            return
        known: dict[str, Reply] = {**USUAL, **self.replies}
        for start in sorted(known, key=len, reverse=True):
            if command.upper().startswith(start):
                reply = known[start]
                if isinstance(reply, bytes):
                    writer.write(reply.replace(b"{tag}", tag.encode()))
                else:
                    await reply(writer)
                return
        writer.write(f"{tag} BAD what is {command}\r\n".encode())

    async def end(self) -> None:
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)


USUAL: Mapping[str, Reply] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n",
    "LOGIN": b"{tag} OK signed in\r\n",
    "EXAMINE": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 42] valid\r\n{tag} OK [READ-ONLY] selected\r\n",
    "SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 42] valid\r\n{tag} OK selected\r\n",
    "UID SEARCH": b"* SEARCH 1 2\r\n{tag} OK searched\r\n",
    "NOOP": b"{tag} OK nothing\r\n",
    "LOGOUT": b"* BYE see you\r\n{tag} OK bye\r\n",
}


@asynccontextmanager
async def imap_liar(
    replies: dict[str, Reply] | None = None, greeting: bytes = b"* OK ready\r\n"
) -> AsyncIterator[ImapLiar]:
    liar = ImapLiar(greeting, replies or {})
    server = await asyncio.start_server(liar.talk, "127.0.0.1", 0)
    liar.port = server.sockets[0].getsockname()[1]
    try:
        yield liar
    finally:
        server.close()
        await liar.end()
        await server.wait_closed()

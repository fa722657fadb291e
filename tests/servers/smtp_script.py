"""An outgoing server that says what it is told, remembers every command, and can break anywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CUT = "cut"  # as an answer: the connection ends instead


@dataclass
class SmtpScript:
    """`answers` by the beginning of a command, "DATA" and "." for the end of the mail.

    A list gives its answers one after the other, the last for ever.
    """

    offers: tuple[str, ...] = ("SIZE 10000000",)
    answers: dict[str, list[str]] = field(default_factory=dict)
    said: list[list[str]] = field(default_factory=list)  # commands of each connection
    mails: list[bytes] = field(default_factory=list)
    open_now: int = 0
    most_at_once: int = 0
    hold: asyncio.Event | None = None  # the final answer waits for this
    enough: int = 0  # `full` is set when it has so many mails
    full: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def _answer(self, command: str, otherwise: str) -> str:
        for beginning, given in self.answers.items():
            if command.upper().startswith(beginning.upper()):
                return given.pop(0) if len(given) > 1 else given[0]
        return otherwise

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        self.writers.append(writer)
        said: list[str] = []
        self.said.append(said)
        try:
            await self._talk(reader, writer, said)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_now -= 1
            writer.close()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: list[str]
    ) -> None:
        writer.write(b"220 script.example ESMTP\r\n")
        while line := await reader.readline():
            command = line.decode("utf-8").rstrip("\r\n")
            said.append(command)
            otherwise = "250 2.0.0 OK"
            if command.upper().startswith("EHLO"):
                offers = ("script.example", *self.offers)
                middle = [f"250-{one}" for one in offers[:-1]]
                otherwise = "\r\n".join([*middle, f"250 {offers[-1]}"])
            elif command.upper() == "DATA":
                otherwise = "354 go ahead"
            elif command.upper() == "QUIT":
                otherwise = "221 bye"
            answer = self._answer(command, otherwise)
            if answer == CUT:
                return
            writer.write(answer.encode() + b"\r\n")
            if answer.startswith(("221", "421")):
                return
            if answer.startswith("354"):
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                if len(self.mails) == self.enough:
                    self.full.set()
                if self.hold is not None:
                    await self.hold.wait()
                answer = self._answer(".", f"250 2.0.0 queued as SCRIPT{len(self.mails)}")
                if answer == CUT:
                    return
                writer.write(answer.encode() + b"\r\n")
                if answer.startswith("421"):
                    return


@asynccontextmanager
async def smtp_script(script: SmtpScript | None = None) -> AsyncIterator[SmtpScript]:
    script = script or SmtpScript()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, limit=1 << 20)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for writer in script.writers:
            writer.close()
        await server.wait_closed()

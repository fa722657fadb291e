"""Tries an inbox's servers step by step, and says of each step what it showed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiosmtplib import SMTPException, SMTPResponseException

from channels.contract import Finding, Misconfigured, Tried, TryLater
from channels.email import imap, smtp
from channels.email.addresses import sendable
from channels.email.config import AfterFiling, EmailConfig, Security
from channels.email.folders import read_folder
from channels.email.imap_protocol import Lost
from channels.email.imap_session import Session, connect, sign_in
from channels.email.tls import words_of_system

INCOMING, OUTGOING = "Incoming mail", "Outgoing mail"
REACHED = 10.0  # seconds
WHOLE = 60.0
MOST_FOLDERS = 1000


@dataclass(slots=True)
class _Side:
    """What was found out about one direction so far."""

    about: str
    findings: list[Finding] = field(default_factory=list)
    folders: tuple[str, ...] = ()

    def good(self, words: str) -> None:
        self.findings.append(Finding(self.about, good=True, words=words))

    def bad(self, words: str) -> None:
        self.findings.append(Finding(self.about, good=False, words=words))


async def check(config: EmailConfig) -> Tried:
    """Both directions at once; the first step of each that fails is its last."""
    sides = []
    if config.imap_host:
        sides.append(_tried(_Side(INCOMING), config))
    if config.smtp_host:
        sides.append(_tried(_Side(OUTGOING), config))
    if not sides:
        return Tried((Finding(INCOMING, good=False, words="No server is set up."),))
    found = await asyncio.gather(*sides)
    return Tried(
        tuple(finding for side in found for finding in side.findings),
        tuple(name for side in found for name in side.folders),
    )


async def list_folders(config: EmailConfig) -> tuple[str, ...]:
    """Names of the folders that can be fetched from, the inbox first. Raises as `Pulls.open`."""
    async with _signed_in(config) as session:
        return await _folders(session)


async def _folders(session: Session) -> tuple[str, ...]:
    answer = await session.ask("LIST", '""', '"*"', uid=False)
    folders = [folder for parts in answer.untagged if (folder := read_folder(parts))]
    names = {folder.name for folder in folders if folder.can_be_opened}
    # The inbox is always there, in whatever letters it is written.
    return ("INBOX", *sorted(name for name in names if name.upper() != "INBOX")[:MOST_FOLDERS])


async def _tried(side: _Side, config: EmailConfig) -> _Side:
    try:
        async with asyncio.timeout(WHOLE):
            await (_incoming if side.about == INCOMING else _outgoing)(side, config)
    except (Misconfigured, TryLater) as problem:
        side.bad(str(problem))
    except smtp.Unsent as problem:
        side.bad(problem.outcome.words)
    except (TimeoutError, SMTPException, OSError):
        side.bad("The server stopped answering.")
    return side


async def _reach(side: _Side, host: str, port: int) -> None:
    try:
        async with asyncio.timeout(REACHED):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            side.good(f"{host} is a known name.")
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror as error:
        words = f"No server is known by the name {host}. Is it spelled right?"
        raise Misconfigured(words) from error
    except TimeoutError as error:
        raise TryLater(f"{host} does not answer on port {port}.") from error
    except OSError as error:
        words = words_of_system(error)
        raise TryLater(f"{host} cannot be reached on port {port}: {words}") from error
    writer.transport.abort()
    side.good(f"{host} answers on port {port}.")


def _say_encryption(side: _Side, host: str, security: Security) -> None:
    if security is Security.NONE:
        side.good(f"The connection to {host} is not encrypted, and does not leave this machine.")
    else:
        side.good(f"The connection to {host} is encrypted, and its certificate is good.")


@asynccontextmanager
async def _signed_in(config: EmailConfig, side: _Side | None = None) -> AsyncIterator[Session]:
    protocol = await connect(config)
    try:
        if side:
            _say_encryption(side, config.imap_host, config.imap_security)
        yield await sign_in(protocol, config)
    finally:
        if protocol.is_usable:
            with suppress(Lost, OSError):
                await protocol.run("LOGOUT", patience=3)
        protocol.transport.close()


async def _incoming(side: _Side, config: EmailConfig) -> None:
    host = config.imap_host
    await _reach(side, host, config.imap_port)
    async with _signed_in(config, side) as session:
        side.good(f"{host} lets {config.imap_username or config.address} in.")
        side.folders = await _folders(session)
        policy, _ = await imap.select(session)
        many = session.protocol.exists
        side.good(f"The folder {config.folder} can be opened. Mails in it: {many}.")
        if policy.warning:
            side.bad(policy.warning)
        elif config.after_filing is not AfterFiling.LEAVE:
            side.good(f"{host} can do what is wanted with filed mails.")


async def _outgoing(side: _Side, config: EmailConfig) -> None:
    host = config.smtp_host
    await _reach(side, host, config.smtp_port)
    client = await smtp.connected(config)
    try:
        _say_encryption(side, host, config.smtp_security)
        await smtp.sign_in(client, config)
        if user := smtp.user_of(config):
            side.good(f"{host} lets {user} in.")
        try:
            await client.mail(sendable(config.address))
            await client.rset()
        except SMTPResponseException as error:
            said = f"{error.code} {error.message[:300]}"
            side.bad(f"{host} takes no mail from {config.address}: {said}")
        else:
            side.good(f"{host} takes mail from {config.address}.")
    finally:
        await smtp.leave(client)

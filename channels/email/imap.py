"""A mail folder on a server: what is there, fetched without leaving a mark."""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channels.contract import Misconfigured, Raw, ServerId, TryLater
from channels.email.config import AfterFiling, EmailConfig, Security
from channels.email.imap_protocol import Answer, Lost, Protocol, mutf7, quote
from channels.email.tls import context_for, words_of

log = logging.getLogger(__name__)

MAX_SIZE = 50_000_000  # of a larger mail only the header fields are fetched
IDLE_SECONDS = 540.0  # many servers and routers drop a silent connection well before the 29
POLL_SECONDS = 60.0
CONNECT_SECONDS = 30.0
LOOK_AHEAD = 200  # mails whose sizes are asked for at once

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{10,40})"', re.IGNORECASE)
_QUOTED_BODY = re.compile(rb'BODY\[(?:HEADER)?\] "((?:[^"\\]|\\.)*)"', re.IGNORECASE | re.DOTALL)
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_BUSY = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|OVERQUOTA|SERVERBUG|CONTACTADMIN|THROTTLED)|too many|try again"
    r"|temporar|simultaneous|not connected|maximum number|rate limit|lock",
    re.IGNORECASE,
)


@asynccontextmanager
async def open_mailbox(config: EmailConfig) -> AsyncIterator["ImapMailbox"]:
    """Connect, sign in and select. Raises `TryLater` or `Misconfigured`."""
    protocol = await _connect(config)
    try:
        try:
            await _sign_in(protocol, config)
            mailbox = await _select(protocol, config)
        except Lost as error:
            raise TryLater(f"{config.imap_host}: {error}") from error
        yield mailbox
    finally:
        if protocol.is_usable:
            with suppress(Lost, OSError):
                await protocol.run("LOGOUT", patience=3)
        protocol.transport.close()


class ImapMailbox:
    """One selected folder. Its scope changes when the server gave all mails new numbers."""

    def __init__(self, protocol: Protocol, config: EmailConfig, validity: int) -> None:
        self.scope = f"{config.folder}/{validity}"
        self._protocol = protocol
        self._config = config
        self._listed: list[int] = []
        self._known: dict[int, tuple[int, datetime | None]] = {}
        self._arrivals_seen = -1

    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        if self._arrivals_seen >= 0:  # a server need not show what came since, unless it is asked
            await self._ask("NOOP", uid=False)
        self._arrivals_seen = self._protocol.arrivals
        first = after.number + 1 if after is not None and after.scope == self.scope else 1
        answer = await self._ask("SEARCH", "UID", f"{first}:*")
        found = {
            int(number)
            for parts in answer.untagged
            if parts[0].upper().startswith(b"SEARCH")
            for number in parts[0].split()[1:]
            if number.isdigit()
        }
        # "7:*" names the last mail even when its number is below 7.
        self._listed = sorted(number for number in found if number >= first)
        self._known.clear()
        return [ServerId(self.scope, number) for number in self._listed]

    async def fetch(self, item: ServerId) -> Raw | None:
        if item.scope != self.scope:
            return None
        if item.number not in self._known:
            await self._look_ahead(item.number)
        size, received_at = self._known.pop(item.number, (-1, None))
        if size < 0:
            await self._check_gone(item)
            return None
        too_big = size > MAX_SIZE
        body = await self._body(item.number, "BODY.PEEK[HEADER]" if too_big else "BODY.PEEK[]")
        if body is None or (not body and size > 0):
            await self._check_gone(item)
            return None
        return Raw(
            external_id=f"{item.scope}/{item.number}",
            body=body,
            received_at=received_at,
            oversized=size if too_big else 0,
        )

    async def settle(self, item: ServerId) -> None:
        if self._config.after_filing is AfterFiling.SEEN and item.scope == self.scope:
            await self._ask("STORE", str(item.number), "+FLAGS.SILENT", r"(\Seen)")

    async def wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        # What was said between the last listing and now must not be slept over.
        while self._protocol.arrivals == self._arrivals_seen or self._arrivals_seen < 0:
            left = until - loop.time()
            if left <= 0:
                return
            try:
                if "IDLE" in self._protocol.capabilities:
                    told = await self._protocol.idle(min(left, IDLE_SECONDS))
                    if any(parts[0].upper().endswith((b"EXISTS", b"RECENT")) for parts in told):
                        return
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._protocol.lost.wait(), min(left, POLL_SECONDS))
                    await self._protocol.run("NOOP")
            except Lost as error:
                raise TryLater(f"{self._config.imap_host}: {error}") from error
            if self._protocol.lost.is_set():
                raise TryLater(f"{self._config.imap_host}: {self._protocol.words_of_loss()}")

    async def _look_ahead(self, number: int) -> None:
        ahead = [uid for uid in self._listed if uid >= number][:LOOK_AHEAD]
        if not ahead or ahead[0] != number:
            ahead = [number]
        wanted = ",".join(map(str, ahead))
        answer = await self._ask("FETCH", wanted, "(UID RFC822.SIZE INTERNALDATE)")
        for parts in answer.untagged:
            line = b" ".join(parts)
            uid, size, date = _UID.search(line), _SIZE.search(line), _DATE.search(line)
            if uid and size:
                known = (int(size.group(1)), _date(date.group(1)) if date else None)
                self._known[int(uid.group(1))] = known

    async def _body(self, number: int, part: str) -> bytes | None:
        answer = await self._ask("FETCH", str(number), f"(UID {part})")
        for parts in answer.untagged:
            uid = _UID.search(b" ".join(parts[::2]))  # every other part is a literal
            if uid is None or int(uid.group(1)) != number:
                continue
            if len(parts) > 1:
                return parts[1]
            if found := _QUOTED_BODY.search(parts[0]):
                return re.sub(rb"\\(.)", rb"\1", found.group(1))
        return None

    async def _check_gone(self, item: ServerId) -> None:
        """Nothing came: either the mail is gone, or the server only says OK (Exchange does)."""
        answer = await self._ask("SEARCH", "UID", str(item.number))
        listed = b" ".join(parts[0] for parts in answer.untagged).split()
        if str(item.number).encode() in listed:
            raise TryLater(
                f"{self._config.imap_host} lists mail {item.number} but does not hand it out.", 60
            )

    async def _ask(self, name: str, *args: str, uid: bool = True) -> Answer:
        try:
            answer = await self._protocol.run(name, *args, uid=uid)
        except Lost as error:
            raise TryLater(f"{self._config.imap_host}: {error}") from error
        if not answer.ok:
            raise TryLater(f"{self._config.imap_host} refused {name}: {answer.text[:200]}", 30)
        return answer


def _date(text: bytes) -> datetime | None:
    try:
        return parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2)).astimezone(
            UTC
        )
    except (ValueError, TypeError, OverflowError):
        return None


async def _connect(config: EmailConfig) -> Protocol:
    host, port = config.imap_host, config.imap_port
    context = context_for(config)
    implicit = context if config.imap_security is Security.TLS else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, protocol = await loop.create_connection(Protocol, host, port, ssl=implicit)
            try:
                await _greeted(protocol, config, context)
            except BaseException:
                protocol.transport.abort()
                raise
    except ssl.SSLError as error:
        raise Misconfigured(words_of(error, host, port)) from error
    except socket.gaierror as error:
        words = f"No server is known by the name {host}. Is it spelled right?"
        raise TryLater(words, 60) from error
    except TimeoutError as error:
        raise TryLater(f"{host} does not answer on port {port}.", 30) from error
    except (OSError, Lost) as error:
        raise TryLater(f"{host} cannot be reached on port {port}: {error}", 10) from error
    return protocol


async def _greeted(protocol: Protocol, config: EmailConfig, context: ssl.SSLContext) -> None:
    host, port = config.imap_host, config.imap_port
    greeting = (await protocol.greeting).removeprefix("* ")
    if not greeting.upper().startswith(("OK", "PREAUTH")):
        raise TryLater(f"{host} turned us away: {greeting[:200]}", 60)
    protocol.state = "AUTH" if greeting.upper().startswith("PREAUTH") else "NONAUTH"
    if config.imap_security is Security.STARTTLS:
        answer = await protocol.start_tls(context, host)
        if not answer.ok:
            said = answer.text[:200]
            raise Misconfigured(f"{host} offers no STARTTLS on port {port}: {said}")


async def _sign_in(protocol: Protocol, config: EmailConfig) -> None:
    host = config.imap_host
    await _read_capabilities(protocol)
    if protocol.state == "AUTH":
        return
    if "LOGINDISABLED" in protocol.capabilities:
        protocol.transport.abort()
        raise Misconfigured(f"{host} takes no password on this connection: choose TLS or STARTTLS.")
    password = config.imap_password.get_secret_value()
    user = config.imap_username or config.address
    try:
        answer = await protocol.run("LOGIN", quote(user), quote(password))
    except ValueError as error:
        raise Misconfigured("User name and password must be one line each.") from error
    if not answer.ok:
        protocol.transport.abort()
        if _BUSY.search(answer.text) and "AUTHENTICATIONFAILED" not in answer.text.upper():
            raise TryLater(f"{host} lets nobody in at the moment: {answer.text[:200]}", 60)
        raise Misconfigured(
            f"{host} refused the user name or password of {user}. It said: {answer.text[:200]} "
            "Many providers want an app password instead of the usual one."
        )
    protocol.state = "AUTH"
    await _read_capabilities(protocol)  # servers offer more after signing in


async def _read_capabilities(protocol: Protocol) -> None:
    answer = await protocol.run("CAPABILITY")
    words = [parts[0].decode("ascii", "replace").upper().split() for parts in answer.untagged]
    protocol.capabilities = {
        item for line in words if line[:1] == ["CAPABILITY"] for item in line[1:]
    }


async def _select(protocol: Protocol, config: EmailConfig) -> ImapMailbox:
    # Read-only where we leave everything as it is: then no server can mark anything by mistake.
    leave = config.after_filing is AfterFiling.LEAVE
    verb = "EXAMINE" if leave else "SELECT"
    answer = await protocol.run(verb, quote(mutf7(config.folder)))
    if not answer.ok:
        if _BUSY.search(answer.text):
            raise TryLater(f"{config.imap_host}: {answer.text[:200]}", 60)
        raise Misconfigured(
            f"{config.imap_host} has no folder {config.folder} that can be opened. "
            f"It said: {answer.text[:200]}"
        )
    protocol.state = "SELECTED"
    found = [_VALIDITY.search(parts[0]) for parts in answer.untagged]
    validity = next((int(match.group(1)) for match in found if match), None)
    if validity is None:
        raise Misconfigured(
            f"{config.imap_host} gives mails in {config.folder} no lasting numbers (UIDVALIDITY), "
            "so mails could be lost or fetched twice. This server cannot be used."
        )
    return ImapMailbox(protocol, config, validity)

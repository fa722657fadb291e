"""Connecting to an incoming server and signing in, with words for everything that fails."""

import asyncio
import base64
import json
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from channels.contract import Misconfigured, SignInRefused, TryLater, Withheld
from channels.email import oauth
from channels.email.config import Auth, EmailConfig, Security
from channels.email.imap_protocol import Answer, Lost, Protocol, quote
from channels.email.tls import context_for, words_of, words_of_system

CONNECT_SECONDS = 30.0

_BUSY = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|OVERQUOTA|SERVERBUG|CONTACTADMIN|THROTTLED)|too many|try again"
    r"|temporar|simultaneous|not connected|maximum number|rate limit|lock",
    re.IGNORECASE,
)
_FAULTY = re.compile(r"\[(?:SERVERBUG|CONTACTADMIN)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that is signed in."""

    protocol: Protocol
    config: EmailConfig

    @property
    def host(self) -> str:
        return self.config.imap_host

    def offers(self, *capabilities: str) -> bool:
        return all(name in self.protocol.capabilities for name in capabilities)

    async def run(self, name: str, *args: str, uid: bool = False) -> Answer:
        """Say one command. Raises `TryLater` when the connection is lost."""
        try:
            return await self.protocol.run(name, *args, uid=uid)
        except Lost as error:
            raise TryLater(f"{self.host}: {error}") from error

    async def ask(self, name: str, *args: str, uid: bool = True) -> Answer:
        """The same, where nothing but OK will do."""
        answer = await self.run(name, *args, uid=uid)
        if not answer.ok:
            raise TryLater(f"{self.host} refused {name}: {answer.text[:200]}", 30)
        return answer

    async def tell(self, numbers: Sequence[int], what: str) -> Answer:
        """Ask for something of some mails. Raises `Withheld` when these are refused."""
        answer = await self.run("FETCH", ",".join(map(str, numbers)), what, uid=True)
        if not answer.ok:
            said = answer.text[:200]
            if is_busy(said) and not _FAULTY.search(said):
                raise TryLater(f"{self.host} refused FETCH: {said}", 30)
            raise Withheld(
                f"{self.host} lists mail {numbers[0]} but does not hand it out. It said: {said}"
            )
        return answer


def is_busy(words: str) -> bool:
    """Whether a refusal will pass by itself."""
    return bool(_BUSY.search(words))


async def connect(config: EmailConfig) -> Protocol:
    """Connect and encrypt. Raises `TryLater` or `Misconfigured`."""
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
        words = words_of_system(error)
        raise TryLater(f"{host} cannot be reached on port {port}: {words}", 10) from error
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


async def sign_in(protocol: Protocol, config: EmailConfig) -> Session:
    """Raises `SignInRefused` when the account is, and `TryLater` when it is not at fault."""
    try:
        await _read_capabilities(protocol)
        if protocol.state != "AUTH":
            await (_with_token if config.auth is Auth.OAUTH else _with_password)(protocol, config)
            protocol.state = "AUTH"
            await _read_capabilities(protocol)  # servers offer more after signing in
    except Lost as error:
        raise TryLater(f"{config.imap_host}: {error}") from error
    return Session(protocol, config)


async def _with_password(protocol: Protocol, config: EmailConfig) -> None:
    host, user = config.imap_host, config.imap_username or config.address
    if "LOGINDISABLED" in protocol.capabilities:
        raise Misconfigured(f"{host} takes no password on this connection: choose TLS or STARTTLS.")
    password = config.imap_password.get_secret_value()
    if re.search(r"[\r\n\x00]", user + password):
        raise Misconfigured("User name and password must be one line each.")
    if (user + password).isascii() or "AUTH=PLAIN" not in protocol.capabilities:
        answer = await protocol.run("LOGIN", quote(user), quote(password))
    else:  # LOGIN has no way to say other letters
        plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
        answer, _ = await protocol.authenticate("PLAIN", plain)
    if not answer.ok:
        _unless_busy(host, answer.text)
        raise SignInRefused(
            f"{host} refused the user name or password of {user}. It said: {answer.text[:200]} "
            "Many providers want an app password instead of the usual one."
        )


async def _with_token(protocol: Protocol, config: EmailConfig) -> None:
    host, user = config.imap_host, config.imap_username or config.address
    if "AUTH=XOAUTH2" not in protocol.capabilities:
        raise Misconfigured(f"{host} does not take OAuth: sign in with a password instead.")
    token = await oauth.access_token(config)
    answer, told = await protocol.authenticate("XOAUTH2", oauth.saying(user, token))
    if not answer.ok:
        said = f"{answer.text[:200]} {_reason(told)}".strip()
        _unless_busy(host, said)
        if oauth.forget(config, token):
            # It was valid by the clock and taken back before its time: a new one may do.
            raise TryLater(f"{host} does not take the access token any more: {said}", 2)
        raise SignInRefused(
            f"{host} does not let {user} in with the access that was granted. It said: {said} "
            "Grant access anew, and look whether IMAP is switched on for this account."
        )


def _unless_busy(host: str, said: str) -> None:
    if is_busy(said) and "AUTHENTICATIONFAILED" not in said.upper():
        raise TryLater(f"{host} lets nobody in at the moment: {said[:200]}", 60)


def _reason(told: str) -> str:
    """What a server says about a token it refuses: JSON with a status, seldom more."""
    try:
        found = json.loads(told)
    except ValueError:
        return told[:200]
    return f"status {str(found.get('status', ''))[:20]}" if isinstance(found, dict) else ""


async def _read_capabilities(protocol: Protocol) -> None:
    answer = await protocol.run("CAPABILITY")
    words = [parts[0].decode("ascii", "replace").upper().split() for parts in answer.untagged]
    protocol.capabilities = {
        item for line in words if line[:1] == ["CAPABILITY"] for item in line[1:]
    }

"""A way to the outgoing server: connected, encrypted and signed in, or why not."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from channels.contract import (
    Later,
    Misconfigured,
    Paused,
    Refused,
    TryLater,
)
from channels.email import oauth
from channels.email.addresses import normal
from channels.email.config import Auth, EmailConfig, Security
from channels.email.tls import context_for, words_of, words_of_system

TIMEOUT = 60.0


class Unsent(Exception):
    """Nothing was taken, for a reason that is the same for every recipient."""

    def __init__(self, outcome: Later | Refused | Paused) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome


@contextmanager
def _in_plain_words(config: EmailConfig) -> Iterator[None]:
    """Raises `Unsent` for whatever goes wrong before a mail is spoken of."""
    host, port = config.smtp_host, config.smtp_port
    try:
        yield
    except Misconfigured as error:
        raise Unsent(Paused(str(error))) from error
    except TryLater as error:
        raise Unsent(Later(str(error), error.after)) from error
    except SMTPAuthenticationError as error:
        words = (
            f"{host} refused the user name or password of {user_of(config)}. It said: "
            f"{error.message[:200]} Nothing is sent until this is corrected in the settings."
        )
        outcome = Paused(words) if error.code >= 500 else Later(words)
        raise Unsent(outcome) from error
    except ssl.SSLError as error:
        raise Unsent(Paused(words_of(error, host, port))) from error
    except (SMTPException, OSError, TimeoutError) as error:
        raise Unsent(_unreached(error, host, port)) from error


async def connected(config: EmailConfig) -> SMTP:
    """Raises `Unsent`."""
    with _in_plain_words(config):
        client = SMTP(
            hostname=config.smtp_host,
            port=config.smtp_port,
            use_tls=config.smtp_security is Security.TLS,
            # Said outright: left open, the library takes encryption only where it is offered.
            start_tls=config.smtp_security is Security.STARTTLS,
            tls_context=None if config.smtp_security is Security.NONE else context_for(config),
            local_hostname=normal(config.address).rpartition("@")[2],  # tells no machine's name
            timeout=TIMEOUT,
        )
        await client.connect()
    return client


async def sign_in(client: SMTP, config: EmailConfig) -> None:
    """Raises `Unsent`."""
    with _in_plain_words(config):
        if config.auth is Auth.OAUTH:
            await _with_token(client, config)
        elif login := config.smtp_login:
            await _with_password(client, config, *login)


async def _with_password(client: SMTP, config: EmailConfig, user: str, password: str) -> None:
    await client.ehlo()  # what it offers, over the connection as it is now
    if client.supports_extension("auth"):
        await client.login(user, password)
    elif not config.smtp_login_is_borrowed:
        raise Misconfigured(
            f"{config.smtp_host} offers no sign-in on port {config.smtp_port}: "
            "choose another encryption, or leave user name and password for sending empty."
        )


async def _with_token(client: SMTP, config: EmailConfig) -> None:
    await client.ehlo()  # what it offers, over the connection as it is now
    if "xoauth2" not in client.server_auth_methods:
        raise Misconfigured(
            f"{config.smtp_host} does not take OAuth: sign in with a password instead."
        )
    token = await oauth.access_token(config)
    try:
        await client.auth_xoauth2(user_of(config), token)
    except SMTPAuthenticationError as error:
        if oauth.forget(config, token):
            words = f"{config.smtp_host} does not take the access token any more: {error.message}"
            raise TryLater(words[:500], 2) from error
        raise


def user_of(config: EmailConfig) -> str:
    """Who signs in; "" where nobody does."""
    if config.auth is Auth.PASSWORD:
        return config.smtp_login[0] if config.smtp_login else ""
    return config.smtp_username or config.imap_username or config.address


def _unreached(error: Exception, host: str, port: int) -> Later | Paused:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        return Paused(words_of(cause, host, port))
    if isinstance(error, SMTPResponseException):
        return Later(f"{host} turned us away: {error.code} {error.message[:200]}", 60)
    if "STARTTLS" in str(error):
        return Paused(f"{host} offers no STARTTLS on port {port}.")
    return Later(f"{host} cannot be reached on port {port}: {words_of_system(error)}", 0)


async def leave(client: SMTP) -> None:
    # The outcome stands: however this ends, it changes nothing.
    with suppress(SMTPException, OSError):
        if client.is_connected:
            await client.quit(timeout=5)
    client.close()

"""Handing one mail to the outgoing server, knowing at every step what a failure means."""

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
)

from channels.contract import (
    Held,
    InDoubt,
    Later,
    Misconfigured,
    Outcome,
    Phase,
    Progress,
    Refused,
    Rendered,
    Sent,
    TryLater,
)
from channels.email import oauth
from channels.email.addresses import normal, sendable
from channels.email.config import Auth, EmailConfig, Security
from channels.email.tls import context_for, words_of

TIMEOUT = 60.0
DATA_TIMEOUT = 600.0  # as RFC 5321 asks: a server may check a mail for viruses before it answers
PAUSE = 300.0  # after what only an admin can cure

_QUEUE_ID = re.compile(
    r"(?:queued (?:mail for delivery )?as|message accepted|id[=:])\s*<?([\w.@=+/-]{4,120})",
    re.IGNORECASE,
)
_RELAY = re.compile(
    r"\b5\.7\.\d|relay|authenticat|sender address rejected|not owned", re.IGNORECASE
)


class Unsent(Exception):
    """Nothing was taken, for a reason that is the same for every recipient."""

    def __init__(self, outcome: Later | Refused) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome


async def send(
    config: EmailConfig, rendered: Rendered, recipients: Sequence[str], progress: Progress
) -> Mapping[str, Outcome]:
    """One outcome per recipient; after the mark AMBIGUOUS only an answer of the server counts."""
    recipients = list(dict.fromkeys(recipients))
    if not config.smtp_host:
        held = Held(f"Not sent: no outgoing server is set up for {config.address}.")
        return dict.fromkeys(recipients, held)
    await progress(Phase.TALKING)
    client: SMTP | None = None
    try:
        client = await connected(config)
        await sign_in(client, config)
        await _announce(client, config, rendered)
        outcomes, accepted = await _addressed(client, recipients)
        if accepted:
            await progress(Phase.AMBIGUOUS)
            outcomes |= dict.fromkeys(accepted, await _handed_over(client, rendered))
    except Unsent as unsent:
        return dict.fromkeys(recipients, unsent.outcome)
    finally:
        if client is not None:
            await leave(client)
    return {recipient: outcomes[recipient] for recipient in recipients}


@contextmanager
def _in_plain_words(config: EmailConfig) -> Iterator[None]:
    """Raises `Unsent` for whatever goes wrong before a mail is spoken of."""
    host, port = config.smtp_host, config.smtp_port
    try:
        yield
    except Misconfigured as error:
        raise Unsent(Later(str(error), PAUSE)) from error
    except TryLater as error:
        raise Unsent(Later(str(error), error.after)) from error
    except SMTPAuthenticationError as error:
        words = (
            f"{host} refused the user name or password of {user_of(config)}. It said: "
            f"{error.message[:200]} Nothing is sent until this is corrected in the settings."
        )
        raise Unsent(Later(words, PAUSE)) from error
    except ssl.SSLError as error:
        raise Unsent(Later(words_of(error, host, port), PAUSE)) from error
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
        elif config.smtp_username:
            await client.login(config.smtp_username, config.smtp_password.get_secret_value())


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
        return config.smtp_username
    return config.smtp_username or config.imap_username or config.address


def _unreached(error: Exception, host: str, port: int) -> Later:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        return Later(words_of(cause, host, port), PAUSE)
    if isinstance(error, SMTPResponseException):
        return Later(f"{host} turned us away: {error.code} {error.message[:200]}", 60)
    if "STARTTLS" in str(error):
        return Later(f"{host} offers no STARTTLS on port {port}.", PAUSE)
    return Later(f"{host} cannot be reached on port {port}: {error}", 0)


async def _announce(client: SMTP, config: EmailConfig, rendered: Rendered) -> None:
    options = [f"SIZE={len(rendered.body)}"] if client.supports_extension("size") else []
    try:
        await client.mail(sendable(config.address), options=options)
    except SMTPResponseException as error:
        words = f"{error.code} {error.message[:500]}"
        if error.code < 500:
            raise Unsent(Later(words)) from error
        # The server does not let this account send at all: no fault of this mail.
        if error.code in {530, 535} or _RELAY.search(error.message):
            raise Unsent(
                Later(f"{config.smtp_host} lets us send nothing: {words}", PAUSE)
            ) from error
        raise Unsent(Refused(words)) from error
    except (SMTPException, OSError) as error:
        raise Unsent(Later(f"{config.smtp_host}: {error}")) from error


async def _addressed(
    client: SMTP, recipients: Sequence[str]
) -> tuple[dict[str, Outcome], list[str]]:
    """What is decided already, and who was accepted."""
    outcomes: dict[str, Outcome] = {}
    accepted: list[str] = []
    for recipient in recipients:
        try:
            await client.rcpt(sendable(recipient))
        except SMTPResponseException as error:
            words = f"{error.code} {error.message[:500]}"
            # 552 to a recipient means that their mailbox is full today.
            later = error.code < 500 or error.code == 552
            outcomes[recipient] = Later(words) if later else Refused(words)
        except ValueError:
            outcomes[recipient] = Refused(
                "This address has letters that our server cannot send to."
            )
        except (SMTPException, OSError) as error:
            raise Unsent(Later(f"The server stopped answering: {error}")) from error
        else:
            accepted.append(recipient)
    return outcomes, accepted


async def _handed_over(client: SMTP, rendered: Rendered) -> Outcome:
    try:
        answer = await client.data(rendered.body, timeout=DATA_TIMEOUT)
    except SMTPDataError as error:
        words = f"{error.code} {error.message[:500]}"
        if 200 <= error.code < 300:  # taken, in unusual words
            return Sent(_queue_id(error.message))
        return Later(words) if error.code < 500 else Refused(words)
    except (SMTPException, OSError) as error:
        return InDoubt(
            f"The mail was handed over, but the server did not say whether it keeps it: {error}"
        )
    return Sent(_queue_id(answer.message))


def _queue_id(message: str) -> str:
    found = _QUEUE_ID.search(message)
    return found.group(1).rstrip(".") if found else ""


async def leave(client: SMTP) -> None:
    # The outcome stands: however this ends, it changes nothing.
    with suppress(SMTPException, OSError):
        if client.is_connected:
            await client.quit(timeout=5)
    client.close()

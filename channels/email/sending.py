"""Handing one mail to the outgoing server, knowing at every step what a failure means."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, TypeAlias

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
)
from aiosmtplib.protocol import SMTPProtocol

from channels.contract import (
    Held,
    InDoubt,
    Later,
    Outcome,
    Paused,
    Phase,
    Progress,
    Refused,
    Rendered,
    Sent,
)
from channels.email import answers, compose
from channels.email.addresses import is_plain, on_the_wire, sendable
from channels.email.config import EmailConfig
from channels.email.connections import Connection, Connections
from channels.email.smtp import Unsent

_NO_UTF8 = (
    "cannot send to an address with such letters before the @ (it lacks SMTPUTF8). "
    "Ask for another address."
)
_UNSAID = "The mail was handed over, but the server did not say whether it keeps it:"
BEGIN_TIMEOUT = 120.0  # until a server says that it wants the content
DATA_TIMEOUT = 600.0  # as RFC 5321 asks: a server may check a mail for viruses before it answers
LONGEST_ENVELOPE_ID = 100  # letters, as RFC 3461 has it
CHUNK = 65_536  # what is encrypted at once leaves no trace of how much of it has left
_HUNG_UP = Later("The server stopped answering.", away=True)
THIN_LINE = 16_000  # bytes a second; what goes out slower than that is not waited for

_Answer: TypeAlias = asyncio.Task[SMTPResponse]

_LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_DOT = re.compile(rb"(?m)^\.")


async def send(
    config: EmailConfig,
    rendered: Rendered,
    recipients: Sequence[str],
    progress: Progress,
    connections: Connections,
) -> Mapping[str, Outcome]:
    """One outcome per recipient; after the mark AMBIGUOUS only an answer of the server counts."""
    recipients = list(dict.fromkeys(recipients))
    if not config.smtp_host:
        held = Held(f"Not sent: no outgoing server is set up for {config.address}.")
        return dict.fromkeys(recipients, held)
    await progress(Phase.TALKING)
    outcomes: dict[str, Outcome] = {}
    # Apart: what is handed over with SMTPUTF8 cannot go on to a server that does not know it.
    for some in (
        [one for one in recipients if is_plain(one)],
        [one for one in recipients if not is_plain(one)],
    ):
        if some:
            outcomes |= await _taken(config, rendered, some, progress, connections)
    return {recipient: outcomes[recipient] for recipient in recipients}


async def _taken(
    config: EmailConfig,
    rendered: Rendered,
    recipients: Sequence[str],
    progress: Progress,
    connections: Connections,
) -> dict[str, Outcome]:
    try:
        async with connections.lend(config) as connection:
            return await _spoken(connection, config, rendered, recipients, progress)
    except Unsent as unsent:
        outcome = unsent.outcome
        outcome = replace(outcome, away=True) if isinstance(outcome, Later) else outcome
        return dict.fromkeys(recipients, outcome)


async def _spoken(
    connection: Connection,
    config: EmailConfig,
    rendered: Rendered,
    recipients: Sequence[str],
    progress: Progress,
) -> dict[str, Outcome]:
    client = connection.client
    utf8 = not is_plain(recipients[0])
    await _announce(client, config, rendered, utf8=utf8)
    outcomes, accepted = await _addressed(connection, config, recipients)
    if accepted:
        outcome = await _handed_over(client, rendered, progress)
        connection.good = isinstance(outcome, Sent)
        outcomes |= dict.fromkeys(accepted, outcome)
    connection.mails += 1
    return outcomes


async def _announce(client: SMTP, config: EmailConfig, rendered: Rendered, *, utf8: bool) -> None:
    sender = sendable(config.address)
    try:
        if client.last_ehlo_response is None:
            with suppress(SMTPResponseException):  # one that knows no EHLO offers nothing
                await client.ehlo()
        options = _options(client, rendered)
        if utf8:
            if not client.supports_extension("smtputf8"):
                raise Unsent(Refused(f"{config.smtp_host} {_NO_UTF8}"))
            options.append("SMTPUTF8")
        if compose.is_answer_of_a_machine(rendered.body):
            # So that whatever answers to it has nobody to answer. Not every server allows that.
            with suppress(SMTPResponseException):
                await client.mail("", options=options)
                return
        await client.mail(sender, options=options)
    except SMTPResponseException as error:
        raise Unsent(answers.to_sender(error, config.smtp_host)) from error
    except (SMTPException, OSError) as error:
        raise Unsent(Later(f"{config.smtp_host}: {error}")) from error


def _options(client: SMTP, rendered: Rendered) -> list[str]:
    options = [f"SIZE={len(rendered.body)}"] if client.supports_extension("size") else []
    if client.supports_extension("dsn"):
        options.append("RET=HDRS")
        if name := _envelope_id(rendered.external_id):
            options.append(f"ENVID={name}")
    return options


def _envelope_id(own_id: str) -> str:
    """What the mail is called in a notice; where its domain is too long for that, without it."""
    names = (_xtext(own_id), _xtext(own_id.partition("@")[0]))
    return next((name for name in names if len(name) <= LONGEST_ENVELOPE_ID), "")


def _xtext(value: str) -> str:
    """As RFC 3461 writes what stands in an option."""
    plain = (chr(code) for code in range(33, 127) if chr(code) not in "+=")
    kept = frozenset(plain)
    return "".join(char if char in kept else f"+{ord(char):02X}" for char in value)


async def _addressed(
    connection: Connection, config: EmailConfig, recipients: Sequence[str]
) -> tuple[dict[str, Outcome], list[str]]:
    """What is decided already, and who was accepted."""
    outcomes: dict[str, Outcome] = {}
    accepted: list[str] = []
    client = connection.client
    for recipient in recipients:
        try:
            address = on_the_wire(recipient)
            options = []
            if client.supports_extension("dsn"):
                options = ["NOTIFY=FAILURE,DELAY"]
                options += [f"ORCPT=rfc822;{_xtext(address)}"] if address.isascii() else []
            await client.rcpt(address, options=options, encoding="utf-8")
        except SMTPResponseException as error:
            outcomes[recipient] = answers.to_recipient(error, config.smtp_host)
            if error.code == 421:  # and with that it hangs up: nobody was handed anything
                connection.good = False
                return {**dict.fromkeys(recipients, outcomes[recipient]), **outcomes}, []
        except ValueError:
            outcomes[recipient] = Refused("This is no address that mail can be sent to.")
        except (SMTPException, OSError) as error:
            # What was decided stays so; nothing was handed over for the others.
            connection.good = False
            later = Later(f"The server stopped answering: {error}", away=True)
            return {**dict.fromkeys(recipients, later), **outcomes}, []
        else:
            accepted.append(recipient)
    for recipient, outcome in outcomes.items():
        if isinstance(outcome, Paused):
            if not accepted:
                raise Unsent(outcome)
            outcomes[recipient] = Refused(outcome.words)  # who relays for some, is not closed
    return outcomes, accepted


async def _handed_over(client: SMTP, rendered: Rendered, progress: Progress) -> Outcome:
    """What ends a mail is the dot: no server keeps one without it, so there is no doubt before."""
    try:
        asked = await client.execute_command(b"DATA", timeout=BEGIN_TIMEOUT)
    except (SMTPException, OSError) as error:
        return Later(f"The server stopped answering: {error}", away=True)
    if asked.code != SMTPStatus.start_input:
        return answers.to_mail(SMTPDataError(asked.code, asked.message))
    protocol = client.protocol
    if protocol is None:
        return _HUNG_UP
    content = _LONE.sub(b"\r\n", rendered.body)
    content = _DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n")
    patience = DATA_TIMEOUT + len(content) / THIN_LINE
    with ExitStack() as cut_short:
        cut_short.callback(client.close)  # what waits for content takes even a farewell for that
        answer = asyncio.create_task(protocol.read_response(timeout=patience))
        cut_short.callback(_forget, answer)
        if not await _flown(protocol, content, answer):
            return _unfinished(answer)
        await progress(Phase.AMBIGUOUS)
        if answer.done():
            return _unfinished(answer)
        try:
            protocol.write(b".\r\n")
        except SMTPServerDisconnected:
            return _HUNG_UP
        outcome = await _said(client, rendered, answer)
        cut_short.pop_all()
    return outcome


async def _flown(protocol: SMTPProtocol, content: bytes, answer: _Answer) -> bool:
    """Whether the content has left, and nothing was said to it meanwhile."""
    transport = protocol.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.set_write_buffer_limits(high=1, low=0)  # until all of it has left
    for start in range(0, len(content), CHUNK):
        try:
            protocol.write(content[start : start + CHUNK])
        except SMTPServerDisconnected:
            return False
        left = asyncio.create_task(protocol._drain_helper())
        try:
            await asyncio.wait({left, answer}, return_when=asyncio.FIRST_COMPLETED)
            gone = left.done() and left.exception() is None
        finally:
            _forget(left)
        if not gone or answer.done():
            return False
    return protocol.is_connected


def _unfinished(answer: _Answer) -> Outcome:
    """What is to be made of a connection that ended, or a word that came, before the dot."""
    if not answer.done() or answer.exception() is not None:
        return _HUNG_UP
    said = answer.result()
    if said.code < 400:
        return _HUNG_UP
    return answers.to_mail(SMTPDataError(said.code, said.message))


def _forget(task: asyncio.Task[Any]) -> None:
    if not task.cancel() and not task.cancelled():
        task.exception()  # looked at: it says nothing that is not known


async def _said(client: SMTP, rendered: Rendered, answer: _Answer) -> Outcome:
    try:
        said = await answer
    except (SMTPException, OSError) as error:
        client.close()  # what it may still say would be taken for the answer to the next command
        return InDoubt(f"{_UNSAID} {error}")
    if 250 <= said.code < 260:  # some say it in unusual words
        told = answers.other_ids(said.message, client.hostname or "")
        others = tuple(one for one in told if one != rendered.external_id)
        return Sent(answers.queue_id(said.message), others)
    if said.code < 400:  # as 354 once more, or a farewell: that says nothing about the mail
        client.close()
        return InDoubt(f"{_UNSAID} {said.code} {said.message}")
    return answers.to_mail(SMTPDataError(said.code, said.message))

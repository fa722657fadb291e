"""Handing mail to a real SMTP server that fails in every way there is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from channels.contract import (
    Held,
    InDoubt,
    Later,
    Outcome,
    Paused,
    Phase,
    Refused,
    Rendered,
    Sent,
)
from channels.email import channel
from channels.email.answers import other_ids, queue_id
from channels.email.config import EmailConfig
from tests.servers import free_port
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import Received, SmtpSink, smtp_sink

MAIL = Rendered("1@example.com", b"Subject: x\r\n\r\n.dot\r\n..\r\nFrom me\r\n\r\n.\r\nend\r\n")
ANN, BOB = "ann@example.org", "bob@example.org"


class Phases:
    def __init__(self) -> None:
        self.seen: list[Phase] = []

    async def __call__(self, phase: Phase) -> None:
        self.seen.append(phase)


def config(port: int, **changes: Any) -> EmailConfig:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
    }
    return EmailConfig.model_validate(settings | changes)


async def send(
    sink: SmtpSink, *recipients: str, **changes: Any
) -> tuple[Mapping[str, Outcome], list[Phase]]:
    phases = Phases()
    outcomes = await channel.send(config(sink.port, **changes), MAIL, recipients or [ANN], phases)
    return outcomes, phases.seen


async def test_the_bytes_arrive_as_they_were_rendered() -> None:
    async with smtp_sink() as sink:
        outcomes, phases = await send(sink, ANN, BOB)

    assert outcomes == {ANN: Sent("SINK1"), BOB: Sent("SINK1")}
    assert sink.received == [Received("support@example.com", (ANN, BOB), MAIL.body)]
    assert phases == [Phase.TALKING, Phase.AMBIGUOUS]


async def test_without_a_server_it_is_held_and_nobody_is_asked() -> None:
    phases = Phases()

    outcomes = await channel.send(EmailConfig(address="a@example.com"), MAIL, [ANN], phases)

    words = "Not sent: no outgoing server is set up for a@example.com."
    assert outcomes == {ANN: Held(words)}
    assert phases.seen == []


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("2.0.0 Ok: queued as 4bG2Xk1TzQz9sTW", "4bG2Xk1TzQz9sTW"),  # Postfix
        ("OK id=1qsLTY-0005mV-Kx", "1qsLTY-0005mV-Kx"),  # Exim
        ("2.0.0 9AKC1x2y012345 Message accepted for delivery", "9AKC1x2y012345"),  # Sendmail
        ("2.6.0 <t.1@a.test> [InternalId=8264383, Hostname=x] Queued mail for delivery", "8264383"),
        ("2.0.0 OK  1697541234 d9443c01a7336-1c9d8d7 - gsmtp", "d9443c01a7336-1c9d8d7"),  # Gmail
        ("Ok 0102018b3d0f4b1c-9a8f-000000", "0102018b3d0f4b1c-9a8f-000000"),  # Amazon SES
        ("ok 1697541234 qp 12345", "1697541234"),  # qmail
        ("2.0.0 fine, thank you", ""),
    ],
)
def test_a_server_tells_what_it_calls_a_mail_in_its_log(answer: str, name: str) -> None:
    assert queue_id(answer) == name


SES = "0102018b3d0f4b1c-9a8f7e6d-1b2c-4d3e-8f90-a1b2c3d4e5f6-000000"


@pytest.mark.parametrize(
    ("answer", "host", "told"),
    [
        (
            "2.6.0 <a7@PROD.outlook.test> [InternalId=826, Hostname=x] Queued mail for delivery",
            "smtp.office365.com",
            ("a7@PROD.outlook.test",),
        ),
        (f"Ok {SES}", "email-smtp.eu-west-1.amazonaws.com", (f"{SES}@eu-west-1.amazonses.com",)),
        (f"Ok {SES}", "Email-SMTP.us-east-1.amazonaws.com", (f"{SES}@email.amazonses.com",)),
        (
            f"Ok {SES}",
            "vpce-1.email-smtp.eu-west-1.vpce.amazonaws.com",
            (f"{SES}@eu-west-1.amazonses.com",),
        ),
        (f"Ok {SES}", "smtp.example.com", ()),
        ("Ok 0102018b3d0f4b1c-000000", "email-smtp.eu-west-1.amazonaws.com", ()),
        (f"Ok {SES}", "email-smtp.eu-west-1.amazonaws.com.evil.test", ()),
        ("2.0.0 Ok: queued as 4bG2Xk1TzQz9sTW", "mail.example.com", ()),
        ("2.0.0 Ok: queued as <4bG2Xk1TzQz9sTW>", "mail.example.com", ()),
        ("2.0.0 a7@PROD.outlook.test", "mail.example.com", ()),
        ("<1@a> <2@a> <3@a> " * 99, "mail.example.com", ("1@a", "2@a")),
        (f"<{'x' * 201}@a.test> <a b@c> <a@b@c> < @>", "mail.example.com", ()),
    ],
)
def test_a_relay_tells_what_it_makes_of_our_id(
    answer: str, host: str, told: tuple[str, ...]
) -> None:
    assert other_ids(answer, host) == told


UNSAID = "The mail was handed over, but the server did not say whether it keeps it:"


@pytest.mark.parametrize(
    ("stage", "answer", "outcome"),
    [
        ("MAIL", "451 4.3.0 busy", Later("451 4.3.0 busy", away=True)),
        ("MAIL", "552 5.3.4 too big", Refused("552 5.3.4 too big")),
        (
            "MAIL",
            "550 5.7.1 relaying denied",
            Paused("127.0.0.1 lets us send nothing: 550 5.7.1 relaying denied"),
        ),
        ("MAIL", "530 5.7.0 sign in", Paused("127.0.0.1 lets us send nothing: 530 5.7.0 sign in")),
        ("MAIL", "552 5.2.2 quota", Later("552 5.2.2 quota", away=True)),
        ("MAIL", "553 5.1.7 bad sender", Refused("553 5.1.7 bad sender")),
        ("RCPT", "421 4.7.0 closing", Later("421 4.7.0 closing", away=True)),
        ("RCPT", "452 4.2.2 full", Later("452 4.2.2 full")),
        ("RCPT", "550 5.7.1 not wanted", Refused("550 5.7.1 not wanted")),
        (
            "RCPT",
            "554 5.7.1 Relay access denied",
            Paused("127.0.0.1 lets us send nothing: 554 5.7.1 Relay access denied"),
        ),
        ("RCPT", "450 4.2.1 greylisted", Later("450 4.2.1 greylisted")),
        ("RCPT", "553 5.1.8 bad sender 5.1.1", Refused("553 5.1.8 bad sender 5.1.1")),
        ("RCPT", "550 5.1.1 no such user", Refused("550 5.1.1 no such user", nobody_there=True)),
        ("RCPT", "552 5.2.2 mailbox full", Later("552 5.2.2 mailbox full")),
        ("DATA", "451 4.3.0 later", Later("451 4.3.0 later")),
        ("DATA", "421 4.3.2 shutting down", Later("421 4.3.2 shutting down", away=True)),
        ("DATA", "452 4.3.1 no space", Later("452 4.3.1 no space")),
        ("DATA", "552 5.2.2 mailbox full", Later("552 5.2.2 mailbox full")),
        ("DATA", "552 5.3.4 too big", Refused("552 5.3.4 too big")),
        ("DATA", "550 5.7.1 content", Refused("550 5.7.1 content")),
        ("DATA", "554 5.7.1 spam", Refused("554 5.7.1 spam")),
        ("DATA", "251 2.0.0 fine", Sent()),
        ("DATA", "250 <1@relay.test> Queued mail", Sent("1@relay.test", ("1@relay.test",))),
        ("DATA", f"250 <{MAIL.external_id}> Queued mail", Sent(MAIL.external_id)),
        ("DATA", "221 2.0.0 goodbye", InDoubt(f"{UNSAID} 221 2.0.0 goodbye")),
        ("DATA", "354 go ahead", InDoubt(f"{UNSAID} 354 go ahead")),
    ],
)
async def test_each_answer_means_what_it_means(stage: str, answer: str, outcome: Outcome) -> None:
    async with smtp_sink(SmtpSink(answers={stage: answer})) as sink:
        outcomes, phases = await send(sink)

    assert outcomes == {ANN: outcome}
    assert (Phase.AMBIGUOUS in phases) == (stage == "DATA")


async def test_each_recipient_has_an_outcome_of_their_own() -> None:
    answers = {ANN: "550 5.1.1 unknown", "cy@example.org": "450 4.2.1 later"}
    async with smtp_sink(SmtpSink(answers=answers)) as sink:
        outcomes, _ = await send(sink, ANN, BOB, "cy@example.org")

    assert outcomes == {
        ANN: Refused("550 5.1.1 unknown", nobody_there=True),
        BOB: Sent("SINK1"),
        "cy@example.org": Later("450 4.2.1 later"),
    }
    assert [mail.rcpt_tos for mail in sink.received] == [(BOB,)]


async def test_no_answer_after_the_last_dot_is_in_doubt_though_it_was_kept() -> None:
    async with smtp_sink(SmtpSink(close_after_dot=True)) as sink:
        outcomes, phases = await send(sink)

    assert isinstance(outcomes[ANN], InDoubt)
    assert len(sink.received) == 1
    assert phases[-1] is Phase.AMBIGUOUS


@asynccontextmanager
async def cutting(
    take: int, word: bytes = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The port of a server that resets after so many bytes of content, or says a word to them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 cut.example ESMTP\r\n")
        while line := await reader.readline():
            if line.strip() != b"DATA":
                writer.write(b"250 ok\r\n")
                continue
            writer.write(b"354 go ahead\r\n")
            await reader.readexactly(take)
            if not word:
                writer.transport.abort()
                return
            writer.write(word)
            break
        with suppress(OSError):
            await reader.read()  # until the other side gives up
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


LONG = Rendered("1@example.com", b"Subject: x\r\n\r\n" + (b"a" * 70 + b"\r\n") * 200_000)


@pytest.mark.dovecot
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
async def test_a_connection_lost_in_the_middle_of_a_mail_leaves_no_doubt(
    encrypted: bool, dovecot: Dovecot
) -> None:
    context = None
    changes: dict[str, Any] = {}
    if encrypted:
        context = _context(dovecot)
        changes = {
            "smtp_security": "tls",
            "catch_tls_ca": str(dovecot.ca),
            "smtp_host": "localhost",
        }
    phases = Phases()
    async with cutting(300_000, tls=context) as port:
        outcomes = await channel.send(config(port, **changes), LONG, [ANN], phases)

    assert outcomes == {ANN: Later("The server stopped answering.", away=True)}
    assert phases.seen == [Phase.TALKING]


async def test_a_connection_lost_inside_the_dot_is_in_doubt() -> None:
    for end in (1, 2, 3):
        phases = Phases()
        async with cutting(len(b"Subject: x\r\n\r\nhello\r\n") + end) as port:
            mail = Rendered("1@example.com", b"Subject: x\r\n\r\nhello\r\n")
            outcomes = await channel.send(config(port), mail, [ANN], phases)

        assert isinstance(outcomes[ANN], InDoubt)
        assert phases.seen == [Phase.TALKING, Phase.AMBIGUOUS]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        (b"552 5.3.4 too big\r\n", Refused("552 5.3.4 too big")),
        (b"451 4.3.0 later\r\n", Later("451 4.3.0 later")),
        (b"250 2.0.0 fine\r\n", Later("The server stopped answering.", away=True)),
    ],
)
async def test_what_a_server_says_in_the_middle_of_a_mail_counts_without_doubt(
    word: bytes, outcome: Outcome
) -> None:
    phases = Phases()
    async with cutting(300_000, word) as port:
        outcomes = await channel.send(config(port), LONG, [ANN], phases)

    assert outcomes == {ANN: outcome}
    assert phases.seen == [Phase.TALKING]


async def test_the_mark_is_durable_before_the_dot_is_written() -> None:
    async with smtp_sink() as sink:

        async def fails(phase: Phase) -> None:
            if phase is Phase.AMBIGUOUS:
                raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await channel.send(config(sink.port), MAIL, [ANN], fails)

    assert sink.received == []


async def test_a_server_that_hangs_up_before_the_dot_leaves_no_doubt() -> None:
    async with smtp_sink() as sink:

        async def slow(phase: Phase) -> None:
            if phase is Phase.AMBIGUOUS:
                [connection] = sink.open_now
                connection.abort()
                for _ in range(10):  # until that was told to whoever reads it
                    await asyncio.sleep(0)

        outcomes = await channel.send(config(sink.port), MAIL, [ANN], slow)

    words = "The server stopped answering."
    assert (outcomes, sink.received) == ({ANN: Later(words, away=True)}, [])


async def test_nobody_listening_is_tried_later() -> None:
    port = free_port()

    outcomes = await channel.send(config(port), MAIL, [ANN], Phases())

    outcome = outcomes[ANN]
    assert isinstance(outcome, Later)
    assert outcome.words == f"127.0.0.1 cannot be reached on port {port}: Connection refused"
    assert outcome.away


async def test_a_wrong_password_pauses_and_says_whose() -> None:
    async with smtp_sink(SmtpSink(password="right")) as sink:
        login = {"smtp_username": "u", "smtp_password": "wrong"}
        outcomes, phases = await send(sink, **login)
        right, _ = await send(sink, smtp_username="u", smtp_password="right")

    outcome = outcomes[ANN]
    assert isinstance(outcome, Paused)
    assert outcome.words.startswith("127.0.0.1 refused the user name or password of u.")
    assert phases == [Phase.TALKING]
    assert right == {ANN: Sent("SINK1")}


async def test_what_is_said_of_fetching_holds_for_sending_too_where_sign_in_is_offered() -> None:
    async with smtp_sink(SmtpSink(password="right")) as sink, smtp_sink() as relay:
        asked, _ = await send(sink, imap_username="u", imap_password="right")
        not_asked, _ = await send(relay, imap_username="u", imap_password="right")
        said = {"smtp_username": "u", "smtp_password": "right"}
        insisted, _ = await send(relay, **said)

    assert asked == {ANN: Sent("SINK1")}
    assert not_asked == {ANN: Sent("SINK1")}
    assert isinstance(insisted[ANN], Paused)


@pytest.mark.parametrize("recipient", ["a@b\r\nRCPT TO:<c@d>", "ü@example.org", "a@b\x00"])
async def test_an_address_that_cannot_be_sent_to_is_refused_alone(recipient: str) -> None:
    async with smtp_sink() as sink:
        outcomes, _ = await send(sink, recipient, BOB)

    assert isinstance(outcomes[recipient], Refused)
    assert outcomes[BOB] == Sent("SINK1")
    assert [mail.rcpt_tos for mail in sink.received] == [(BOB,)]


async def test_a_slow_answer_is_waited_for() -> None:
    hold = asyncio.Event()
    async with smtp_sink(SmtpSink(hold=hold)) as sink:
        sending = asyncio.create_task(send(sink))
        await asyncio.wait({sending}, timeout=0.2)
        assert not sending.done()
        hold.set()

        outcomes, _ = await sending

    assert outcomes == {ANN: Sent("SINK1")}


def _context(dovecot: Dovecot) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(dovecot.ca, Path(dovecot.ca).with_name("key.pem"))
    return context


@asynccontextmanager
async def _encrypted(dovecot: Dovecot, *, starttls: bool) -> AsyncIterator[SmtpSink]:
    async with smtp_sink(tls=_context(dovecot), starttls=starttls) as sink:
        yield sink


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_encryption_is_used_and_verified(dovecot: Dovecot, security: str) -> None:
    changes = {"smtp_host": "localhost", "smtp_security": security}
    async with _encrypted(dovecot, starttls=security == "starttls") as sink:
        trusted, _ = await send(sink, catch_tls_ca=str(dovecot.ca), **changes)
        untrusted, _ = await send(sink, **changes)

    outcome = untrusted[ANN]
    assert trusted == {ANN: Sent("SINK1")}
    assert isinstance(outcome, Paused)
    assert outcome.words.startswith("The certificate of localhost is not trusted")


async def test_encryption_that_is_not_offered_is_not_done_without() -> None:
    async with smtp_sink() as sink:
        outcomes, _ = await send(sink, smtp_security="starttls")

    assert outcomes == {
        ANN: Paused(f"127.0.0.1 offers no STARTTLS on port {sink.port}."),
    }
    assert sink.received == []


UTF8 = "花子@例え.jp"


@pytest.mark.parametrize("offered", [True, False])
async def test_letters_of_all_scripts_need_a_server_that_takes_them(offered: bool) -> None:
    no = (
        "127.0.0.1 cannot send to an address with such letters before the @ (it lacks SMTPUTF8). "
        "Ask for another address."
    )
    async with smtp_sink(SmtpSink(utf8=offered)) as sink:
        outcomes, phases = await send(sink, UTF8, ANN, "bob@例え.jp")

    taken = [Sent("SINK1"), Sent("SINK2") if offered else Refused(no)]
    assert outcomes == {ANN: taken[0], "bob@例え.jp": taken[0], UTF8: taken[1]}
    # Apart, so that no server on the way refuses the others because of it.
    assert [one.rcpt_tos for one in sink.received] == [
        (ANN, "bob@xn--r8jz45g.jp"),
        *([("花子@xn--r8jz45g.jp",)] if offered else []),
    ]
    assert phases[0] is Phase.TALKING
    assert set(phases[1:]) == {Phase.AMBIGUOUS}

"""Trying the servers of an inbox before it is saved: what each step showed, in plain words."""

import asyncio
import imaplib
import ssl
from typing import Any

import pytest

from channels.contract import ChecksConnection, Finding, Misconfigured, TryLater
from channels.email import channel, connection_test
from channels.email.config import EmailConfig
from channels.email.folders import Folder, from_mutf7, mutf7, read_folder
from tests.channels.email.imap_talk import config as scripted
from tests.channels.email.imap_talk import hang_up
from tests.channels.email.test_email_imap import config as both
from tests.servers import free_port
from tests.servers.dovecot import Dovecot
from tests.servers.imap_liar import Reply, imap_liar
from tests.servers.smtp_sink import SmtpSink, smtp_sink

dovecots = pytest.mark.dovecot


def outgoing(port: int, **changes: Any) -> EmailConfig:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
    }
    return EmailConfig.model_validate(settings | changes)


async def told(settings: EmailConfig) -> list[tuple[bool, str]]:
    assert isinstance(channel, ChecksConnection)
    async with asyncio.timeout(30):
        tried = await channel.check_connection(settings)
    return [(finding.good, finding.words) for finding in tried.findings]


@dovecots
async def test_all_that_works_is_said_step_by_step(dovecot: Dovecot, user: str) -> None:
    for number in (1, 2):
        dovecot.drop(user, b"Subject: %d\r\n\r\ntext\r\n" % number)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(dovecot.top / "cert.pem", dovecot.top / "key.pem")
    async with smtp_sink(SmtpSink(password="sesame"), tls=tls) as sink:
        settings = both(
            dovecot,
            user,
            after_filing="keyword",
            smtp_host="localhost",
            smtp_port=sink.port,
            smtp_username="support",
            smtp_password="sesame",
        )
        tried = await channel.check_connection(settings)

    incoming, outgoing = "Incoming mail", "Outgoing mail"
    assert tried.folders == ("INBOX",)
    assert list(tried.findings) == [
        Finding(incoming, True, "localhost is a known name."),
        Finding(incoming, True, f"localhost answers on port {dovecot.port_tls}."),
        Finding(
            incoming,
            True,
            "The connection to localhost is encrypted, and its certificate is good.",
        ),
        Finding(incoming, True, f"localhost lets {user} in."),
        Finding(incoming, True, "The folder INBOX can be opened. Mails in it: 2."),
        Finding(incoming, True, "localhost can do what is wanted with filed mails."),
        Finding(outgoing, True, "localhost is a known name."),
        Finding(outgoing, True, f"localhost answers on port {sink.port}."),
        Finding(
            outgoing,
            True,
            "The connection to localhost is encrypted, and its certificate is good.",
        ),
        Finding(outgoing, True, "localhost lets support in."),
        Finding(outgoing, True, "localhost takes mail from support@example.com."),
    ]
    assert sink.received == []


@dovecots
@pytest.mark.parametrize(
    ("changes", "good", "words"),
    [
        (
            {"imap_host": "no-such-host.invalid"},
            0,
            "No server is known by the name no-such-host.invalid. Is it spelled right?",
        ),
        (
            {"catch_tls_ca": ""},
            2,
            (
                "The certificate of localhost is not trusted: self-signed certificate. Check the "
                "server name; if the certificate is from your own authority, name its file in the "
                "settings."
            ),
        ),
        (
            {"imap_password": "wrong"},
            3,
            (
                "localhost refused the user name or password of {user}. It said: "
                "[AUTHENTICATIONFAILED] Authentication failed. "
                "Many providers want an app password instead of the usual one."
            ),
        ),
        (
            {"folder": "お問い合わせ"},
            4,
            "localhost has no folder お問い合わせ that can be opened. It said: ",
        ),
        (
            {"after_filing": "move", "after_folder": "完了"},
            5,
            "localhost has no folder 完了 for filed mails: they stay in INBOX.",
        ),
    ],
    ids=["name", "certificate", "password", "folder", "after filing"],
)
async def test_the_first_step_that_fails_says_what_is_wrong(
    dovecot: Dovecot, user: str, changes: dict[str, str], good: int, words: str
) -> None:
    steps = await told(both(dovecot, user, **changes))

    assert [step[0] for step in steps] == [True] * good + [False]
    assert steps[-1][1].startswith(words.format(user=user))


@dovecots
async def test_starttls_where_tls_was_meant_is_said(dovecot: Dovecot, user: str) -> None:
    steps = await told(both(dovecot, user, imap_port=dovecot.port))

    assert steps[-1] == (
        False,
        (
            f"localhost does not start with TLS on port {dovecot.port}: "
            "choose STARTTLS or another port."
        ),
    )


async def test_nobody_at_the_port_is_said() -> None:
    port = free_port()

    [name, port_closed] = await told(outgoing(port))

    assert name == (True, "127.0.0.1 is a known name.")
    assert port_closed[0] is False
    assert port_closed[1] == f"127.0.0.1 cannot be reached on port {port}: Connection refused"


async def test_a_refused_password_of_the_outgoing_server_is_said() -> None:
    async with smtp_sink(SmtpSink(password="sesame")) as sink:
        steps = await told(outgoing(sink.port, smtp_username="support", smtp_password="wrong"))

    assert [step[0] for step in steps] == [True, True, True, False]
    assert steps[2][1] == (
        "The connection to 127.0.0.1 is not encrypted, and does not leave this machine."
    )
    assert steps[3][1].startswith("127.0.0.1 refused the user name or password of support.")


async def test_a_sender_that_is_refused_is_said() -> None:
    async with smtp_sink(SmtpSink(answers={"MAIL": "553 5.7.1 not owned by you"})) as sink:
        steps = await told(outgoing(sink.port))

    assert steps[-1] == (
        False,
        "127.0.0.1 takes no mail from support@example.com: 553 5.7.1 not owned by you",
    )


async def test_an_inbox_without_servers_has_nothing_to_try() -> None:
    assert await told(EmailConfig(address="a@b.example")) == [(False, "No server is set up.")]


async def test_a_server_that_hangs_up_is_said_and_does_not_hold_up_the_other() -> None:
    async with imap_liar({"LOGIN": hang_up}) as liar, smtp_sink() as sink:
        to = {"smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "none"}
        settings = scripted(liar, **to, smtp_sign_in=False)
        steps = await told(settings)

    assert [good for good, _ in steps] == [*[True] * 3, False, *[True] * 4]
    assert steps[3][1] == "127.0.0.1: the connection broke"


@dovecots
async def test_folders_are_listed_as_a_person_reads_them(dovecot: Dovecot, user: str) -> None:
    names = ["Archiv/2026", "お問い合わせ", 'Of "us" & co', "Entwürfe", "完了/東京"]
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as other:
        other.login(user, "secret")
        for name in names:
            quoted = mutf7(name).replace('"', '\\"')
            assert other.create(f'"{quoted}"')[0] == "OK"

    found = await channel.list_folders(both(dovecot, user))

    assert found == ("INBOX", *sorted(names))
    for name in names:
        async with channel.open(both(dovecot, user, folder=name)) as box:
            assert await box.list(None) == []


async def test_folders_are_read_however_they_are_written() -> None:
    literal = b'* LIST () "/" {14}\r\nLiteral {3} (x\r\n'
    listed: Reply = (
        b'* LIST (\\HasNoChildren) "." INBOX\r\n'
        b'* LIST (\\Noselect \\HasChildren) "/" "Parent"\r\n'
        b'* LIST (\\NonExistent) "/" "Gone"\r\n'
        b"* LIST () NIL bare\r\n"
        b'* LIST () "/" "q \\"uoted\\" \\\\"\r\n'
        b'* LIST () "/" "&U,BTFw-"\r\n'
        b'* LIST () "/" "AT&T"\r\n'
        b"* LIST (broken\r\n" + literal + b"* 3 EXISTS\r\n{tag} OK listed\r\n"
    )
    async with imap_liar({"LIST": listed}) as liar:
        found = await connection_test.list_folders(scripted(liar))

    assert found == ("INBOX", "AT&T", "Literal {3} (x", "bare", 'q "uoted" \\', "台北")


async def test_a_refusal_to_list_is_raised() -> None:
    async with imap_liar({"LIST": b"{tag} NO not today\r\n"}) as liar:
        with pytest.raises(TryLater):
            await connection_test.list_folders(scripted(liar))
    async with imap_liar({"LOGIN": b"{tag} NO no\r\n"}) as liar:
        with pytest.raises(Misconfigured):
            await connection_test.list_folders(scripted(liar))


def test_a_folder_tells_what_stands_between_it_and_those_in_it() -> None:
    parts = [b'LIST (\\HasChildren) "." "A.B"']

    assert read_folder(parts) == Folder("A.B", ".")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("INBOX", "INBOX"),
        ("&ZeVnLIqe-", "日本語"),
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
        ("A &- B", "A & B"),
        ("&2D3eAA-", "😀"),
        ("AT&T", "AT&T"),
        ("&***-", "&***-"),
        ("&AA-", "&AA-"),
        ("お問い合わせ", "お問い合わせ"),
    ],
)
def test_names_are_read_and_what_is_no_such_writing_stays(written: str, read: str) -> None:
    assert from_mutf7(written) == read


@pytest.mark.parametrize("name", ["INBOX", "A & B", "日本語/台北", "😀&-", "", "&", "-", "&&a-ü"])
def test_names_come_back_as_they_were(name: str) -> None:
    assert from_mutf7(mutf7(name)) == name

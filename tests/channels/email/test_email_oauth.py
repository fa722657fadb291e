"""Signing in with OAuth: tokens renewed in time, refusals told, at real and scripted servers."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from channels.contract import Misconfigured, Phase, Rendered, Sent, SignInRefused, TryLater
from channels.email import channel, oauth
from channels.email.config import EmailConfig
from tests.channels.email import imap_talk
from tests.servers import free_port
from tests.servers.dovecot import Dovecot
from tests.servers.imap_liar import Reply, imap_liar
from tests.servers.smtp_sink import SmtpSink, smtp_sink
from tests.servers.token_server import TokenServer, token_server
from tests.worker.hurry import hurried, until

CAPABILITY: Reply = b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done\r\n"


def config(provider: TokenServer, **changes: Any) -> EmailConfig:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "auth": "oauth",
        "oauth_client_id": "setten",
        "oauth_client_secret": "hush",
        "oauth_token_url": provider.url,
        "oauth_refresh_token": "refresh-0",
    }
    return EmailConfig.model_validate(settings | changes)


async def _words(kind: type[Exception], settings: EmailConfig) -> str:
    with pytest.raises(kind) as told:
        await oauth.access_token(settings)
    return str(told.value)


async def test_a_token_is_asked_for_once_and_used_as_long_as_it_is_valid() -> None:
    async with token_server() as provider:
        settings = config(provider, oauth_scopes="mail offline_access")
        tokens = [await oauth.access_token(settings) for _ in range(3)]

    assert tokens == ["setten~access-1"] * 3
    assert provider.asked == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-0",
            "client_id": "setten",
            "client_secret": "hush",
            "scope": "mail offline_access",
        }
    ]


async def test_an_application_without_a_secret_sends_none() -> None:
    async with token_server() as provider:
        await oauth.access_token(config(provider, oauth_client_secret=""))

    assert provider.asked == [
        {"grant_type": "refresh_token", "refresh_token": "refresh-0", "client_id": "setten"}
    ]


def _passed(loop: asyncio.AbstractEventLoop, moment: float) -> bool:
    return loop.time() >= moment


def test_a_token_is_renewed_before_it_expires() -> None:
    async def act() -> list[str]:
        loop = asyncio.get_running_loop()
        async with token_server() as provider:
            provider.lifetime = 200
            tokens = [await oauth.access_token(config(provider))]
            given = loop.time()
            for age in (20.0, 101.0):  # of these 200 the last 100 are to spare
                await until(partial(_passed, loop, given + age))
                tokens.append(await oauth.access_token(config(provider)))
        return tokens

    assert hurried(act, faster=50) == ["setten~access-1", "setten~access-1", "setten~access-2"]


async def test_a_refresh_token_that_was_replaced_is_used_and_can_be_stored() -> None:
    async with token_server() as provider:
        provider.rotates, provider.lifetime = True, 0
        settings = config(provider)
        nothing_yet = oauth.renewed(settings)
        for _ in range(2):
            await oauth.access_token(settings)
        renewed = oauth.renewed(settings)
        assert renewed is not None
        await oauth.access_token(renewed)

    assert nothing_yet is None
    assert renewed.oauth_refresh_token.get_secret_value() == "refresh-2"
    assert oauth.renewed(renewed) is not None
    assert [form["refresh_token"] for form in provider.asked] == [
        "refresh-0",
        "refresh-1",
        "refresh-2",
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            (400, {"error": "invalid_grant", "error_description": "Token was revoked"}),
            SignInRefused,
            (
                "127.0.0.1 says that the access that was granted is not valid any more: Token was "
                "revoked. Grant it anew and store the new refresh token."
            ),
        ),
        (
            (401, {"error": "invalid_client"}),
            SignInRefused,
            "127.0.0.1 refuses the client id or its secret: invalid_client",
        ),
        (
            (503, "busy"),
            TryLater,
            "The token server 127.0.0.1 gives no token at the moment: status 503",
        ),
        (
            (200, "[]"),
            TryLater,
            "The token server 127.0.0.1 gives no token at the moment: status 200",
        ),
        (
            (429, {"error": "slow_down"}),
            TryLater,
            "The token server 127.0.0.1 gives no token at the moment: slow_down",
        ),
    ],
)
async def test_a_refusal_is_told_in_plain_words(
    answer: tuple[int, Any], kind: type[Exception], words: str
) -> None:
    async with token_server() as provider:
        provider.scripted = [answer]

        assert await _words(kind, config(provider)) == words


async def test_a_token_server_that_is_away_is_tried_later() -> None:
    away = config(TokenServer(port=free_port()))

    assert (await _words(TryLater, away)).startswith(
        "The token server 127.0.0.1 cannot be reached: "
    )


async def test_what_is_missing_is_said_before_anybody_is_asked() -> None:
    async with token_server() as provider:
        words = await _words(Misconfigured, config(provider, oauth_refresh_token=""))

    assert words == (
        "To sign in with OAuth, the token address, the client id and the refresh token "
        "must be filled in."
    )
    assert provider.asked == []


# Access granted at the provider's page

BACK = "https://setten.example/back"


def asking_for(provider: TokenServer) -> EmailConfig:
    return config(
        provider,
        oauth_refresh_token="",
        oauth_consent_url=provider.url.replace("/token", "/consent?tenant=t"),
        oauth_scopes="mail offline_access",
    )


async def test_access_is_granted_with_a_code_that_only_we_can_use() -> None:
    async with token_server() as provider:
        settings = asking_for(provider)
        consent = oauth.ask_consent(settings, BACK)
        assert consent is not None
        asked = dict(httpx2.URL(consent.url).params)
        granted = await oauth.consented(
            settings, BACK, consent.proof, provider.consent(consent.url)
        )
        token = await oauth.access_token(granted)

    verifier = consent.proof.partition(" ")[2]
    assert verifier not in consent.url
    del asked["state"], asked["code_challenge"]
    assert asked == {
        "tenant": "t",
        "response_type": "code",
        "client_id": "setten",
        "redirect_uri": BACK,
        "scope": "mail offline_access",
        "code_challenge_method": "S256",
        "login_hint": "support@example.com",
        "access_type": "offline",
        "prompt": "consent",
    }
    assert granted.oauth_refresh_token.get_secret_value() == "refresh-1"
    assert token == "setten~access-1"  # the one that came with it is used
    assert [form["grant_type"] for form in provider.asked] == ["authorization_code"]
    assert provider.asked[0]["code_verifier"] == verifier


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"code": "code-0"}, "This answer belongs to no question of ours. Start again."),
        (
            {"code": "code-0", "state": "another"},
            "This answer belongs to no question of ours. Start again.",
        ),
        (
            {"state": "mine", "error": "access_denied"},
            "127.0.0.1 did not grant access: access_denied",
        ),
        (
            {"state": "mine", "code": "stolen"},
            (
                "127.0.0.1 says that the access that was granted is not valid any more: Bad code. "
                "Grant it anew and store the new refresh token."
            ),
        ),
    ],
)
async def test_a_grant_that_is_none_is_told(answer: dict[str, str], words: str) -> None:
    async with token_server() as provider:
        with pytest.raises(Misconfigured) as told:
            await oauth.consented(asking_for(provider), BACK, "mine verifier", answer)

    assert str(told.value) == words


async def test_access_without_a_refresh_token_is_not_lasting() -> None:
    async with token_server() as provider:
        provider.scripted = [(200, {"access_token": "once", "expires_in": 3600})]
        with pytest.raises(Misconfigured) as told:
            await oauth.consented(
                asking_for(provider), BACK, "mine v", {"state": "mine", "code": "c"}
            )

    assert str(told.value) == ("127.0.0.1 granted no lasting access: it gave no refresh token.")


def test_nobody_is_asked_where_a_password_is_used() -> None:
    assert oauth.ask_consent(EmailConfig(address="a@b.c"), BACK) is None


# At a scripted server


async def _signed_in(provider: TokenServer, replies: dict[str, Reply]) -> list[str]:
    async with imap_liar({"CAPABILITY": CAPABILITY} | replies) as liar:
        settings = config(provider, **imap_talk.server(liar))
        async with channel.open(settings):
            pass
    return liar.heard


async def test_the_token_is_said_with_the_command_where_the_server_takes_that() -> None:
    async with token_server() as provider:
        heard = await _signed_in(provider, {"AUTHENTICATE": b"{tag} OK in\r\n"})

    said = base64.b64encode(b"user=support@example.com\1auth=Bearer setten~access-1\1\1").decode()
    assert heard[:3] == ["CAPABILITY", f"AUTHENTICATE XOAUTH2 {said}", "CAPABILITY"]


async def test_the_token_is_said_after_a_plus_where_it_does_not() -> None:
    said = base64.b64encode(b"user=support@example.com\1auth=Bearer setten~access-1\1\1").decode()
    plain: Reply = b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done\r\n"
    async with token_server() as provider, imap_liar({"CAPABILITY": plain}) as liar:

        async def go_on(writer: Any) -> None:
            liar.replies[said.upper()] = f"{liar.tag} OK in\r\n".encode()
            writer.write(b"+ \r\n")

        liar.replies["AUTHENTICATE"] = go_on
        settings = config(provider, **imap_talk.server(liar))
        async with channel.open(settings):
            pass

    assert liar.heard[1:3] == ["AUTHENTICATE XOAUTH2", said]


async def test_a_fresh_token_that_is_refused_stops_the_inbox_with_the_reason() -> None:
    reason = base64.b64encode(b'{"status":"400","schemes":"Bearer"}')

    async with token_server() as provider:
        with pytest.raises(SignInRefused) as told:
            async with asyncio.timeout(5):
                await _refused(provider, b"+ " + reason + b"\r\n")

    assert str(told.value) == (
        "127.0.0.1 does not let support@example.com in with the access that was granted. It said: "
        "[AUTHENTICATIONFAILED] Invalid SASL argument. status 400 "
        "Grant access anew, and look whether IMAP is switched on for this account."
    )


async def test_a_used_token_that_is_refused_is_renewed_before_anybody_is_troubled() -> None:
    async with token_server() as provider:
        await _signed_in(provider, {"AUTHENTICATE": b"{tag} OK in\r\n"})
        with pytest.raises(TryLater):
            await _refused(provider, b"+ e30=\r\n")

        await _signed_in(provider, {"AUTHENTICATE": b"{tag} OK in\r\n"})

    assert len(provider.asked) == 2


async def _refused(provider: TokenServer, challenge: bytes) -> None:
    async with imap_liar({"CAPABILITY": CAPABILITY}) as liar:

        async def challenged(writer: Any) -> None:
            no = f"{liar.tag} NO [AUTHENTICATIONFAILED] Invalid SASL argument.\r\n"
            liar.replies[""] = no.encode()
            writer.write(challenge)

        liar.replies["AUTHENTICATE"] = challenged
        settings = config(provider, **imap_talk.server(liar))
        async with channel.open(settings):
            pass


async def test_a_server_without_oauth_is_said_so_and_gets_no_token() -> None:
    without: Reply = b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"
    async with token_server() as provider:
        with pytest.raises(Misconfigured) as told:
            await _signed_in(provider, {"CAPABILITY": without})

    assert str(told.value) == "127.0.0.1 does not take OAuth: sign in with a password instead."
    assert provider.asked == []


# At a real server


@pytest.fixture
async def providing() -> AsyncIterator[TokenServer]:
    async with token_server() as provider:
        yield provider


@pytest.fixture
def asking(providing: TokenServer, tmp_path: Path) -> Iterator[Dovecot]:
    """A Dovecot that asks the provider about each token."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        told = Path(folder) / "oauth2.conf"
        told.write_text(
            f"introspection_mode = auth\nintrospection_url = http://127.0.0.1:{providing.port}"
            "/introspect\nusername_attribute = username\nactive_attribute = active\n"
            "active_value = true\n"
        )
        told.chmod(0o644)
        server = Dovecot.start(
            tmp_path,
            "\nauth_mechanisms = plain login xoauth2\npassdb {\n  driver = oauth2\n"
            f"  mechanisms = xoauth2\n  args = {told}\n}}\n",
        )
        yield server
        server.stop()


@pytest.mark.dovecot
async def test_a_real_server_lets_in_whose_token_the_provider_knows(
    providing: TokenServer, asking: Dovecot
) -> None:
    asking.drop("mailbox", b"Subject: hello\r\n\r\ntext\r\n")
    settings = config(
        providing,
        oauth_client_id="mailbox",
        imap_host="localhost",
        imap_port=asking.port_tls,
        imap_username="mailbox",
        catch_tls_ca=str(asking.ca),
    )
    async with channel.open(settings) as box:
        items = await box.list(None)
    providing.access_tokens.clear()
    with pytest.raises(TryLater):  # it had served before
        async with channel.open(settings):
            pass
    async with channel.open(settings) as box:
        again = await box.list(None)

    assert [item.number for item in items] == [1]
    assert again == items
    assert len(providing.asked) == 2


# Sending


class _Phases:
    async def __call__(self, phase: Phase) -> None:
        """Nobody looks."""


async def _sent(provider: TokenServer, port: int) -> Any:
    settings = config(provider, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    mail = Rendered("1@example.com", b"Subject: x\r\n\r\ny\r\n")
    outcomes = await channel.send(settings, mail, ["ann@example.org"], _Phases())
    return outcomes["ann@example.org"]


async def test_mail_is_sent_with_the_same_token() -> None:
    async with (
        token_server() as provider,
        smtp_sink(SmtpSink(tokens=provider.access_tokens)) as sink,
    ):
        outcome = await _sent(provider, sink.port)

    assert outcome == Sent("SINK1")


async def test_a_refused_token_sends_nothing_and_is_told() -> None:
    async with token_server() as provider, smtp_sink(SmtpSink(tokens=set())) as sink:
        outcome = await _sent(provider, sink.port)

    assert outcome.words.startswith(
        "127.0.0.1 refused the user name or password of support@example.com. It said: "
    )
    assert sink.received == []


async def test_a_revoked_access_sends_nothing_and_is_told() -> None:
    async with token_server() as provider, smtp_sink(SmtpSink(tokens=set())) as sink:
        provider.refresh_tokens.clear()
        outcome = await _sent(provider, sink.port)

    assert outcome.words == (
        "127.0.0.1 says that the access that was granted is not valid any more: Token was "
        "revoked. Grant it anew and store the new refresh token."
    )


async def test_an_outgoing_server_without_oauth_is_said_so() -> None:
    async with token_server() as provider, smtp_sink() as sink:
        outcome = await _sent(provider, sink.port)

    assert outcome.words == "127.0.0.1 does not take OAuth: sign in with a password instead."

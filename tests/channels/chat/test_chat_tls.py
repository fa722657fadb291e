"""The address is pinned, and the certificate is still checked against the name."""

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels.chat.callback import Callback
from channels.chat.channel import ChatChannel
from channels.chat.config import ChatConfig
from channels.contract import Later, Outcome, Phase, Rendered, Sent
from tests.channels.chat.receiver import answering, receiving


async def to_loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def ignore(_phase: Phase) -> None:
    """The phases are looked at elsewhere."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed for callback.test, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "callback.test")])
    now = datetime.now(UTC)  # noqa: TID251  (OpenSSL reads the machine's clock)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("callback.test"), x509.IPAddress(ipaddress.ip_address("10.9.9.9"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "callback.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def outcome_for(host: str, certificate: Path, **how: bool) -> Outcome:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    trust = (
        ssl.create_default_context(cafile=str(certificate)) if how.get("trusted", True) else None
    )
    chat = ChatChannel(Callback(resolve=to_loopback, trust=trust))
    async with receiving(answering("200 OK"), tls=serving) as receiver:
        config = ChatConfig(
            callback_url=f"https://{host}:{receiver.port}/",
            allow_loopback=True,
            verify_tls=how.get("verify_tls", True),
        )
        outcomes = await chat.send(config, Rendered("msg_1", b"{}"), ["v"], ignore)
        assert len(receiver.calls) == (1 if outcomes["v"] == Sent() else 0)
    return outcomes["v"]


async def test_the_certificate_of_the_name_is_accepted_at_the_pinned_address(
    certificate: Path,
) -> None:
    assert await outcome_for("callback.test", certificate) == Sent()


async def test_the_certificate_of_another_name_is_not(certificate: Path) -> None:
    outcome = await outcome_for("other.test", certificate)

    assert isinstance(outcome, Later)
    assert "certificate" in outcome.words.lower()


async def test_a_certificate_nobody_signed_is_not_accepted(certificate: Path) -> None:
    assert isinstance(await outcome_for("callback.test", certificate, trusted=False), Later)


async def test_a_certificate_nobody_signed_is_accepted_when_told_so(certificate: Path) -> None:
    assert (
        await outcome_for("callback.test", certificate, trusted=False, verify_tls=False) == Sent()
    )

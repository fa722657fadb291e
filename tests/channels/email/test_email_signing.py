"""Signatures (DKIM): others can check them, nothing can be added, and a bad key is refused."""

import re
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import SecretStr, ValidationError

from channels.contract import OutboundFile, OutboundMessage, Party
from channels.email import channel, dkim_key
from channels.email.config import EmailConfig

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dkim

PLAIN = EmailConfig(address="support@shop.test")
MESSAGE = OutboundMessage(
    token="k7Qz-9_a",
    number=12,
    sent_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    sender_name="Ann · 小鳥",
    to=(Party("email", "hanako@example.jp", "佐藤 花子"),),
    text="Guten Tag **Frau Satō**,\n\n.\n\tEnde   \n\n",
    subject="Re: Rücksendung, die einen langen Betreff hat, damit er gefaltet werden muss",
    files=(OutboundFile("請求書.pdf", "application/pdf", bytes(range(256)) * 9),),
    unsubscribe_url="https://help.example.com/f/abc/stop",
    automatic=True,
)


@pytest.fixture(scope="module")
def config() -> EmailConfig:
    made = channel.with_new_key(PLAIN, "rsa")
    assert isinstance(made, EmailConfig)
    return made.model_copy(update={"dkim_sign": True})


@pytest.fixture(scope="module")
def both(config: EmailConfig) -> EmailConfig:
    made = channel.with_new_key(config, "ed25519")
    assert isinstance(made, EmailConfig)
    return made.model_copy(update={"dkim_second_sign": True})


def verifies(config: EmailConfig, mail: bytes, number: int = 0) -> bool:
    """Whether one of its signatures holds; they are counted from above."""
    records = {f"{one.name}.".encode(): one.value for one in channel.published(config).values()}

    def look_up(name: bytes, **_: object) -> bytes | None:
        return records[name].encode() if name in records else None

    try:
        return bool(dkim.DKIM(mail).verify(number, dnsfunc=look_up))
    except dkim.ValidationError:
        return False


def test_what_we_sign_others_can_check(config: EmailConfig) -> None:
    mail = channel.render(config, MESSAGE).body

    assert verifies(config, mail)
    assert channel.render(config, MESSAGE).body == mail
    assert mail.endswith(channel.render(PLAIN, MESSAGE).body)
    header = re.sub(rb"\s", b"", mail.partition(b"\r\nFrom:")[0]).decode()
    assert header.startswith("DKIM-Signature:v=1;a=rsa-sha256;c=relaxed/relaxed;d=shop.test;")
    assert f";s={config.dkim_selector};t=1795167000;" in header
    assert all(len(line) < 999 for line in mail.split(b"\r\n"))


def test_two_signatures_hold_each_by_itself(config: EmailConfig, both: EmailConfig) -> None:
    mail = channel.render(both, MESSAGE).body

    assert channel.render(both, MESSAGE).body == mail
    assert mail.endswith(channel.render(PLAIN, MESSAGE).body)
    head = re.sub(rb"\s", b"", mail.partition(b"\r\nFrom:")[0]).decode()
    assert re.findall(r";(a=[^;]+|s=[^;]+|t=\d+)(?=;)", head) == [
        *("a=rsa-sha256", f"s={both.dkim_selector}", "t=1795167000"),
        *("a=ed25519-sha256", f"s={both.dkim_second_selector}", "t=1795167000"),
    ]
    assert channel.published(both)["rsa"] == channel.published(config)["rsa"]
    assert [verifies(both, mail, number) for number in (0, 1)] == [True, True]
    first, second = re.findall(rb"DKIM-Signature:.*?\r\n(?!\s)", mail, re.DOTALL)[:2]
    for alone in (first, second):
        assert verifies(both, alone + channel.render(PLAIN, MESSAGE).body)
    for changed in (mail + b"x", b"From: mallory@example.net\r\n" + mail):
        assert [verifies(both, changed, number) for number in (0, 1)] == [False, False]


def test_a_second_key_signs_only_once_somebody_says_so(config: EmailConfig) -> None:
    waiting = channel.with_new_key(config, "ed25519")

    assert isinstance(waiting, EmailConfig)
    assert list(channel.published(waiting)) == ["rsa", "ed25519"]
    assert channel.render(waiting, MESSAGE).body == channel.render(config, MESSAGE).body
    again = waiting.model_copy(update={"dkim_sign": False, "dkim_second_sign": True})
    assert channel.render(again, MESSAGE).body == channel.render(PLAIN, MESSAGE).body


@pytest.mark.parametrize(
    "added",
    [
        b"From: mallory@example.net\r\n",
        b"Subject: another\r\n",
        b"Reply-To: mallory@example.net\r\n",
        b"List-Unsubscribe: <https://example.net>\r\n",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    ],
)
@pytest.mark.parametrize("automatic", [True, False])
def test_nobody_can_add_what_is_shown(config: EmailConfig, added: bytes, automatic: bool) -> None:
    message = MESSAGE if automatic else replace(MESSAGE, automatic=False, unsubscribe_url="")
    mail = channel.render(config, message).body

    assert verifies(config, mail)
    assert not verifies(config, added + mail)
    assert not verifies(config, mail.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1))


Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def pem(key: Private, password: bytes = b"") -> str:
    how = forms.BestAvailableEncryption(password) if password else forms.NoEncryption()
    return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, how).decode()


SHORT = rsa.generate_private_key(65537, 2048)
CURVE, EDWARDS = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("hunter2", "this is no private key without a password: it begins with"),
        (pem(SHORT, b"pw"), "this is no private key without a password: it begins with"),
        (pem(SHORT)[:300] + pem(SHORT)[500:], "this private key cannot be read: was all of it"),
        (pem(CURVE), "this is neither an RSA nor an Ed25519 key"),
    ],
    ids=["no key", "with a password", "cut", "another kind"],
)
@pytest.mark.parametrize("name", ["dkim_key", "dkim_second_key"])
def test_a_wrong_key_is_refused_in_plain_words(name: str, key: str, words: str) -> None:
    assert words in refused(**{name: key})


def test_each_key_is_of_its_kind_and_has_a_name_of_its_own() -> None:
    first, second = pem(SHORT), pem(EDWARDS)
    same = {"dkim_selector": "mail", "dkim_second_selector": "mail"}

    assert "this is no RSA key, and only those" in refused(dkim_key=second)
    assert "this is no Ed25519 key" in refused(dkim_second_key=first)
    assert "dkim_second_selector: each key needs a name of its own" in refused(**same)
    assert "dkim_second_sign: to sign, a key and its name are needed" in refused(
        dkim_second_sign=True, dkim_second_key=second
    )


def refused(**values: object) -> str:
    with pytest.raises(ValidationError) as error:
        EmailConfig.model_validate({"address": "a@b.test", **values})
    return error.value.errors()[0]["msg"]


def test_a_key_that_lost_its_line_breaks_is_read_as_well() -> None:
    squeezed = pem(SHORT).replace("\n", "")

    found = EmailConfig(address="a@b.test", dkim_selector="mail", dkim_key=SecretStr(squeezed))

    assert dkim_key.public(found.dkim_key.get_secret_value()) == dkim_key.public(pem(SHORT))
    assert channel.published(found)["rsa"].name == "mail._domainkey.b.test"


@pytest.mark.parametrize("selector", ["A", "a b", "a;d=evil.test", "-a", "a.", "a\r\nX: y"])
def test_a_selector_is_a_name_in_dns(selector: str) -> None:
    with pytest.raises(ValidationError):
        EmailConfig(address="a@b.test", dkim_selector=selector)


def test_without_a_key_nothing_can_be_signed() -> None:
    with pytest.raises(ValidationError, match="dkim_sign: to sign, a key and its name are needed"):
        EmailConfig(address="a@b.test", dkim_sign=True)

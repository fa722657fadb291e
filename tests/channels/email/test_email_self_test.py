"""The mail an inbox writes to itself, and what its arrival proves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contract import InboundMessage, Raw, Ref, RefKind
from channels.email import channel
from channels.email.config import EmailConfig

CONFIG = EmailConfig(address="support@example.com", imap_host="imap.example.com")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN = "u7qzabcde-1-abcdefghijklmnopqrstuvwxyz"


def test_probe_is_a_mail_of_ours_to_a_personal_address() -> None:
    rendered, recipient = channel.probe(CONFIG, TOKEN, NOON)

    (message,) = channel.parse(CONFIG, Raw("x", rendered.body))

    assert isinstance(message, InboundMessage)
    assert recipient == f"support+t.{TOKEN}@example.com"
    assert [party.value for party in message.to] == [recipient]
    assert message.sender.value == "support@example.com"
    assert message.machine == "ourselves"
    assert message.refs == (Ref(RefKind.ADDRESS_TOKEN, TOKEN), Ref(RefKind.ID_TOKEN, TOKEN))
    assert message.external_id == rendered.external_id
    assert b"\r\nReply-To:" not in rendered.body


def test_probe_is_the_same_every_time() -> None:
    assert channel.probe(CONFIG, TOKEN, NOON) == channel.probe(CONFIG, TOKEN, NOON)


def test_probe_needs_an_address_that_every_server_takes() -> None:
    with pytest.raises(ValueError, match="address"):
        channel.probe(EmailConfig(address="büro@example.com"), TOKEN, NOON)


def test_arrival_proves_that_replies_may_carry_a_personal_address() -> None:
    assert channel.confirmed(CONFIG) == CONFIG.model_copy(update={"reply_tokens": True})


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({}, True),
        ({"sender_name": "Support"}, True),
        ({"reply_tokens": False}, False),
        ({"address": "help@example.com"}, False),
        ({"imap_host": "mail.example.net"}, False),
        ({"folder": "Support"}, False),
    ],
)
def test_proof_lasts_as_long_as_mail_arrives_in_the_same_place(
    change: dict[str, Any], stays: bool
) -> None:
    was = CONFIG.model_copy(update={"reply_tokens": True})
    wanted = was.model_copy(update=change)

    kept = channel.unproved(wanted, was)

    assert kept == wanted.model_copy(update={"reply_tokens": stays})


@pytest.mark.parametrize("was", [None, CONFIG])
def test_nobody_can_claim_what_no_probe_proved(was: EmailConfig | None) -> None:
    claimed = CONFIG.model_copy(update={"reply_tokens": True})

    assert channel.unproved(claimed, was) == CONFIG

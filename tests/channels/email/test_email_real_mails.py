"""Mails of other projects, found by SETTEN_FIXTURES: none may crash, none may take long."""

import os
import time
from pathlib import Path

import pytest

from channels.contract import InboundMessage, Raw, Unreadable
from channels.email import channel
from channels.email.config import EmailConfig

_FOLDER = os.environ.get("SETTEN_FIXTURES")
MAILS = sorted(Path(_FOLDER, "mail").rglob("*.eml")) if _FOLDER else []
CONFIG = EmailConfig(address="support@example.com")


@pytest.mark.skipif(not MAILS, reason="SETTEN_FIXTURES names no folder of mails")
def test_every_real_mail_is_read_in_time() -> None:
    assert len(MAILS) > 100
    unreadable = []
    for path in MAILS:
        start = time.process_time()
        try:
            (message,) = channel.parse(CONFIG, Raw("x", path.read_bytes()))
        except Unreadable:
            unreadable.append(path.name)
        else:
            assert isinstance(message, InboundMessage)
            assert message.sender.value
            assert message.external_id
            f"{message.subject}{message.text}{message.html}".encode()  # no lone surrogates
        assert time.process_time() - start < 10, path

    assert unreadable == []

"""What every journey starts with: a real Setten, a real IMAP server, a real SMTP sink."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten
from tests.servers.smtp_sink import SmtpSink, sink_beside


@pytest.fixture
def setten(tmp_path: Path) -> Iterator[Setten]:
    """A fresh installation, embedded. After the journey its books must be in order."""
    installation = Setten(tmp_path / "data")
    try:
        yield installation
        if any(process.poll() is None for process in installation.processes):
            installation.check()
    finally:
        installation.stop()


@pytest.fixture
def dovecot(tmp_path: Path) -> Iterator[Dovecot]:
    server = Dovecot.start(tmp_path / "dovecot")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """The sink lives on a loop of its own: a journey itself waits for nothing."""
    with sink_beside() as made:
        yield made

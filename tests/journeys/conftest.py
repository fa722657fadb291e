"""What every journey starts with: a real Setten, a real IMAP server, a real SMTP sink."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten
from tests.servers.smtp_sink import SmtpSink, smtp_sink


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
    made = SmtpSink()
    listening, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def live() -> None:
        async with smtp_sink(made):
            listening.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    assert listening.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()

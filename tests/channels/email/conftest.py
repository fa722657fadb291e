"""One Dovecot for all tests of mail; each test has a mailbox of its own."""

from collections.abc import Iterator

import pytest

from tests.servers.dovecot import Dovecot


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    # Where somebody has a folder of this name, the server says what it is for.
    sent = "namespace inbox {\n  mailbox Sent {\n    special_use = \\Sent\n  }\n}\n"
    server = Dovecot.start(tmp_path_factory.mktemp("dovecot"), sent)
    yield server
    server.stop()


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A mailbox nobody used before."""
    return f"u{abs(hash(request.node.nodeid)) % 10**12}"

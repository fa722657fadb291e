"""Real servers for tests, each in a folder of its own, on loopback and a free port."""

import os
import shutil
import socket
from pathlib import Path

import pytest

_SYSTEM = ("/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql/15/bin")


def require(program: str, how: str = "make test-setup") -> str:
    """Path of a program tests need. Missing: skipped with a sentence, a failure where CI=true."""
    path = shutil.which(program) or shutil.which(program, path=os.pathsep.join(_SYSTEM))
    if path is None:
        words = f"{Path(program).name} is not installed: run `{how}` to install it"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

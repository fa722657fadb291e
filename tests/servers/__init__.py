"""Real servers for tests, each in a folder of its own, on loopback and a free port."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

_SYSTEM = ("/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql/15/bin")


def require(program: str, how: str = "make test-setup") -> str:
    """Path of a program tests need. Missing: skipped with a sentence, a failure where CI=true."""
    path = shutil.which(program) or shutil.which(program, path=os.pathsep.join(_SYSTEM))
    if path is None:
        missing(f"{Path(program).name} is not installed: run `{how}` to install it")
    return path


def missing(words: str) -> NoReturn:
    """A real part is not there: the test is skipped, but fails where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: "subprocess.Popen[bytes]", within: float) -> None:
    """Gently, and after `within` seconds by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

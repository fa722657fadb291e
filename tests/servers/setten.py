"""Setten itself as its users run it: processes started by the command, spoken to over HTTP."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx

from tests.documents import ROOT
from tests.servers import free_port

CEILING = 60.0
T = TypeVar("T")

PASSWORD = "correct horse battery"


def until(look: Callable[[], T], what: str, ceiling: float = CEILING) -> T:
    """The first true answer of `look`. Fails, naming `what`, when there is none in time."""
    end = time.monotonic() + ceiling
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"within {ceiling:.0f} s there was no {what}; last: {found!r}")
        time.sleep(0.05)  # the condition decides, this only keeps the processor free


@dataclass
class Setten:
    """One installation: a data folder, settings, and the processes started on it."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    mail_port: int = field(default_factory=free_port)
    tree: Path = ROOT  # where its source lies
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"origin": f"http://127.0.0.1:{self.port}"},
            timeout=30,
        )

    @property
    def variables(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SETTEN_")}
        return {
            **inherited,
            "SETTEN_DATA_DIR": str(self.data),
            "SETTEN_PORT": str(self.port),
            "SETTEN_MAIL_PORT": str(self.mail_port),
            "PYTHONUNBUFFERED": "1",
            # A first model takes half a minute to learn: a test that is about triage says so.
            "SETTEN_TRIAGE": "off",
            **self.environment,
        }

    @property
    def log(self) -> str:
        return "".join(
            path.read_text(errors="replace") for path in sorted(self.data.glob("*.test-log"))
        )

    def spawn(self, *words: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command in the background; what it prints is kept in the data folder."""
        self.data.mkdir(parents=True, exist_ok=True)
        out = self.data / f"{len(self.processes):03d}-{words[0]}.test-log"
        with out.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *words],
                env={**self.variables, **(more or {})},
                cwd=self.tree,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            env=self.variables,
            cwd=self.tree,
            input=given,
            capture_output=True,
            text=True,
            timeout=CEILING * 2,
            check=False,
        )

    def serve(self, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """`setten serve`; returns once it answers (or died, which `more` may have asked for)."""
        process = self.spawn("serve", more=more)
        until(lambda: process.poll() is not None or self.answers(), "answering Setten")
        return process

    def answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def first_link(self) -> str:
        """The way in that the console shows to the first administrator."""
        found = until(lambda: re.search(r"https?://\S+(/invitation/\S+)", self.log), "first link")
        assert found is not None
        return found.group(1)

    def set_up(self, **more: str) -> None:
        """Become the administrator and answer the first page's questions."""
        link = self.first_link()
        form = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD, "repeat": PASSWORD}
        answer = self.client.post(link, data=form)
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        answers = {
            "name": "Kotori",
            "time_zone": "Europe/Berlin",
            "language": "en",
            "start": "empty",
            "feedback_notice": "on",
            **more,
        }
        answer = self.client.post("/welcome", data=answers)
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])

    def add_inbox(self, kind: str, **config: object) -> dict[str, Any]:
        """Add an inbox as the settings page does."""
        body = {"kind": kind, "address": config.get("address", ""), "config": config}
        return dict(self.post("/api/inboxes", body))

    def add_mailbox(self, imap_port: int, smtp_port: int, **more: object) -> dict[str, Any]:
        """Add the mailbox of the journeys, with servers on this machine."""
        return self.add_inbox(
            "email",
            address="support@example.com",
            imap_host="127.0.0.1",
            imap_port=imap_port,
            imap_security="none",
            imap_username="support",
            imap_password="secret",
            import_since="all",
            after_filing="seen",
            smtp_host="127.0.0.1",
            smtp_port=smtp_port,
            smtp_security="none",
            **more,
        )

    def get(self, path: str) -> Any:
        answer = self.client.get(path, headers={"accept": "application/json"})
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.json()

    def post(self, path: str, body: object = None, key: str = "") -> Any:
        """With a `key`, doing it again does nothing."""
        named = {"Idempotency-Key": key} if key else {}
        body = body if body is not None else {}
        return self._sent(self.client.post(path, json=body, headers=named))

    def put(self, path: str, body: object) -> Any:
        return self._sent(self.client.put(path, json=body))

    def _sent(self, answer: httpx.Response) -> Any:
        assert answer.status_code < 300, (answer.url, answer.status_code, answer.text[:500])
        return answer.json() if answer.content else None

    def tickets(self) -> list[dict[str, Any]]:
        """Every row but spam, the newest 200 of each view."""
        views = ("open", "waiting", "snoozed", "resolved")
        pages = [self.get(f"/api/tickets?view={view}&limit=200") for view in views]
        return [row for page in pages for row in page["rows"]]

    def check(self) -> None:
        """Nothing lost, nothing doubled, everything where it says it is."""
        done = self.run("check", "--json")
        assert done.returncode == 0, done.stdout + done.stderr

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def stop(self) -> None:
        """As an administrator ends it; within ten seconds."""
        running = [process for process in self.processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        try:
            for process in running:
                process.wait(10)
        finally:
            self.kill()
            self.client.close()

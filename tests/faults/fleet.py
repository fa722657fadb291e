"""Processes that serve pages and workers, and somebody who kills one of them again and again."""

import random
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from tests.servers import free_port
from tests.servers.setten import Setten, until

BETWEEN_KILLS = (1.0, 4.0)  # seconds


@dataclass
class Fleet:
    """Two that serve pages; on PostgreSQL two workers, on SQLite the one there can be."""

    setten: Setten
    rng: random.Random
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)
    kills: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        workers = ["w1"] if "SETTEN_DATABASE_URL" not in self.setten.environment else ["w1", "w2"]
        for name in (*(f"web{at}" for at in range(len(self.ports))), *workers):
            self._start(name)
        until(lambda: all(self.answers(port) for port in self.ports), "pages")

    def _start(self, name: str) -> None:
        if name.startswith("web"):
            port = str(self.ports[int(name[3:])])
            self.running[name] = self.setten.spawn("web", more={"SETTEN_PORT": port})
        else:
            self.running[name] = self.setten.spawn("worker", more={"SETTEN_WORKER_NAME": name})
            self.logs[name] = max(self.setten.data.glob("*-worker.test-log"))

    def answers(self, port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def harass(self) -> None:
        """Until it is over: kill one, mostly at work and sometimes while it starts."""
        while not self.over.wait(self.rng.uniform(*BETWEEN_KILLS)):
            name = self.rng.choice(sorted(self.running))
            if self.rng.random() < 0.8:
                until(lambda: self.over.is_set() or self.ready(name), f"{name} at work", 120)  # noqa: B023
            if not self.over.is_set():
                self._kill(name)

    def _kill(self, name: str) -> None:
        process = self.running[name]
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL, self.setten.log[-3000:]
        self.kills += 1
        self._start(name)

    def ready(self, name: str) -> bool:
        if name.startswith("web"):
            return self.answers(self.ports[int(name[3:])])
        return "worker ready" in self.logs[name].read_text(errors="replace")

    def assert_alive(self) -> None:
        for name, process in self.running.items():
            assert process.poll() is None, f"{name} ended by itself\n{self.setten.log[-4000:]}"

    def start_workers_again(self) -> None:
        """Gently: each ends by itself, and the next one looks at the whole folder."""
        for name in [one for one in self.running if not one.startswith("web")]:
            self.running[name].send_signal(signal.SIGTERM)
            assert self.running[name].wait(60) == 0, self.setten.log[-3000:]
            self._start(name)

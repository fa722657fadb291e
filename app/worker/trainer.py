"""The process a new version of the model is trained in."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.store.tables import ModelFile
from classifier.apart import environment

WITHIN = 1800.0  # seconds; a minute on an idle machine


class NotTrained(Exception):
    """There is no model; the message is the last thing the training said."""


@dataclass(frozen=True, slots=True)
class Made:
    """A model as it lies in its files, and what was said while it was made."""

    weights: bytes
    card: bytes
    said: Mapping[str, Any]


class Trainer(Protocol):
    def learn(self, asked: Mapping[str, Any], beside: ModelFile | None) -> Made:
        """Train, and compare with the version before. Raises `NotTrained`."""

    def close(self) -> None:
        """End what is under way: the worker ends."""


class Apart:
    """Trains in a child process: niced, on one thread, with bounded memory and time."""

    def __init__(self, folder: Path, profile: str) -> None:
        self._folder, self._profile = folder, profile
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def learn(self, asked: Mapping[str, Any], beside: ModelFile | None) -> Made:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="training-", dir=self._folder) as made:
            path, before = Path(made) / "new.npz", Path(made) / "before.npz"
            if beside is not None:
                before.write_bytes(beside.weights)
                before.with_suffix(".json").write_bytes(beside.card)
            said = self._run(path, [before] if beside else [], json.dumps(asked))
            return Made(path.read_bytes(), path.with_suffix(".json").read_bytes(), said)

    def _run(self, path: Path, beside: list[Path], asked: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "classifier.learning", "--profile", self._profile]
        command += [str(path), "--beside", *map(str, beside)]
        if self._closed:
            raise NotTrained("The worker ends.")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, module and path
            command,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            answer, complaint = self._process.communicate(asked, timeout=WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise NotTrained("Training took too long.") from None
        if self._process.returncode:
            last = complaint.strip().splitlines() or [f"It ended with {self._process.returncode}."]
            raise NotTrained(last[-1])
        said: dict[str, Any] = json.loads(answer)
        return said

    def close(self) -> None:
        self._closed = True
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

"""Raw arrivals and attachments by content hash, durable before anything names them."""

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.core import crashpoints
from app.core.errors import NotFound

_half_written = crashpoints.declare("blob.half_written", "half of a raw file is on the disk")
_renamed = crashpoints.declare("blob.renamed", "the raw file is in place, no row names it yet")

YOUNG = 86_400.0  # seconds after `put` in which a row may still come to name the file


class Blobs:
    """A folder of files named by the SHA-256 of what is in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._durable: set[str] = set()  # folders whose own names were synced by this process
        (folder / "incoming").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def put(self, body: bytes) -> str:
        """Store and return the SHA-256. On return the bytes survive a power cut."""
        sha256 = hashlib.sha256(body).hexdigest()
        target = self.path(sha256)
        if self._renewed(target):
            # Whoever put it there may have died before its name was durable.
            self._make_durable(target.parent)
            return sha256
        draft = self.folder / "incoming" / f"{sha256[:16]}.{secrets.token_hex(6)}"
        with draft.open("wb") as file, memoryview(body) as view:
            file.write(view[: len(body) // 2])
            _half_written()
            file.write(view[len(body) // 2 :])
            file.flush()
            os.fsync(file.fileno())
        target.parent.mkdir(exist_ok=True)
        draft.replace(target)
        self._make_durable(target.parent)
        _renamed()
        return sha256

    def _renewed(self, target: Path) -> bool:
        """Whether it is there; then it is young again, and nobody removes it."""
        try:
            with self._locked(fcntl.LOCK_SH):
                os.utime(target)
        except (FileNotFoundError, PermissionError):  # another user's: it is written anew
            return False
        return True

    def remove(self, sha256: str, young: float = YOUNG) -> bool:
        """Remove what no row names; whether it is gone.

        It stays while it is young, for whoever put it last may be about to name it; while others
        rely on all files being there; and where the disk knows no locks.
        """
        path = self.path(sha256)
        with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as alone, suppress(FileNotFoundError):
            if not alone or path.stat().st_mtime > time.time() - young:
                return False
            path.unlink()
        if path.parent.exists():
            _sync_folder(path.parent)
        return True

    @contextmanager
    def all_staying(self) -> Iterator[None]:
        """Nothing is removed meanwhile: for whoever first asks which files there are."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[bool]:
        """Whether the folder is locked for us; let go with the block, or with the process."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, how)
            except OSError:
                ours = False
            else:
                ours = True
            yield ours
        finally:
            os.close(handle)

    def _make_durable(self, folder: Path) -> None:
        _sync_folder(folder)
        if folder.name not in self._durable:
            _sync_folder(self.folder)
            self._durable.add(folder.name)

    def get(self, sha256: str) -> bytes:
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"The stored file {sha256[:12]}… is missing.") from None

    def intact(self, sha256: str) -> bool:
        """Whether the file is there and still what its name says."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def every(self) -> Iterator[str]:
        for path in sorted(self.folder.glob("??/*")):
            yield path.name

    def sweep(self, older_than_seconds: float = 86_400) -> int:
        """Remove what was half written when a process died; the count of files removed."""
        limit = time.time() - older_than_seconds
        removed = 0
        for file in (self.folder / "incoming").iterdir():
            # Another worker may finish or remove the file while we look at it.
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < limit:
                    file.unlink()
                    removed += 1
        return removed


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""The file of the installation's keys: made once, read at every start, changed on purpose only."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.core.errors import Invalid

LENGTH = 32


@dataclass(frozen=True, slots=True)
class Key:
    number: int  # what was made with it says so
    value: bytes
    since: str = ""  # the day it was made; "" for the first one


def ring_of(content: bytes) -> Sequence[Key]:
    """The keys in what a key file holds, the newest first. Raises `ValueError` for anything else.

    The first key stands there alone, as its 32 bytes; with a second one, each has a line.
    """
    if len(content) == LENGTH:
        return [Key(1, content)]
    found = [_of_line(line) for line in content.decode("ascii").splitlines()]
    numbers = [key.number for key in found]
    if not found or numbers != sorted(set(numbers), reverse=True):
        raise ValueError("its keys are in no order")
    return found


def is_whole(content: bytes) -> bool:
    try:
        return bool(ring_of(content))
    except ValueError:
        return False


def _of_line(line: str) -> Key:
    number, value, since = line.split(" ")
    key = Key(int(number), bytes.fromhex(value), since.strip("-") and since)
    if key.number < 1 or len(key.value) != LENGTH:
        raise ValueError("a line of it is no key")
    return key


def with_new_key(content: bytes, today: date) -> bytes:
    """The same with one key more, which is the newest."""
    ring = ring_of(content)
    new = Key(ring[0].number + 1, secrets.token_bytes(LENGTH), today.isoformat())
    return _written([new, *ring])


def without_key(content: bytes, number: int) -> bytes:
    return _written([key for key in ring_of(content) if key.number != number])


def _written(ring: Sequence[Key]) -> bytes:
    lines = (f"{key.number} {key.value.hex()} {key.since or '-'}\n" for key in ring)
    return "".join(lines).encode()


def load_key(path: Path) -> bytes:
    """What `path` holds, made with one key and mode 0600 if it is not there yet."""
    try:
        return read_key(path)
    except FileNotFoundError:
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _make_key(path)
    except OSError as problem:
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: {path} cannot be written ({problem.strerror})."
        ) from problem


def read_key(path: Path) -> bytes:
    """What `path` holds. Raises `FileNotFoundError` for none, `Invalid` for what is no key."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: {path} cannot be read ({problem.strerror})."
        ) from problem
    if not is_whole(content):
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: {path} must hold exactly {LENGTH} bytes, or what "
            f"“setten keys rotate” wrote; it holds {len(content)} bytes that are neither."
        )
    return content


def _make_key(path: Path) -> bytes:
    # Linked into place: of two processes that start together one wins.
    draft = _aside(path, secrets.token_bytes(LENGTH))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return load_key(path)


def write_key(path: Path, content: bytes) -> None:
    """Put it in the place of what is there; a process that reads meanwhile sees one or the other.

    Durable when it returns: what is sealed with a new key next must not outlive it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _aside(path, content).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _aside(path: Path, content: bytes) -> Path:
    """A file beside it, for the owner only: nobody ever reads half a key."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft

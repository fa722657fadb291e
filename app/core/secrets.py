"""The installation's key and everything derived from it: seals, tokens, password hashes."""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import Invalid

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
KEY_ID = "1"  # names the key a token was made with, so that keys can be changed later


def new_ref(length: int = 9) -> str:
    """A random reference that is safe in addresses, subjects and on the telephone."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))


def new_token() -> str:
    """256 random bits, for links and sessions."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored in place of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def load_key(path: Path) -> bytes:
    """The key in `path`, made with mode 0600 if it is not there yet."""
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
    """The key in `path`. Raises `FileNotFoundError` for none, `Invalid` for what is no key."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: {path} cannot be read ({problem.strerror})."
        ) from problem
    if len(key) != 32:
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: {path} must hold exactly 32 bytes; it holds {len(key)}."
        )
    return key


def _make_key(path: Path) -> bytes:
    # Written aside and linked into place: of two processes that start together one wins, and
    # neither ever reads half a key.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return load_key(path)


class Keys:
    """One key for each purpose, derived from the installation's key."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def _derive(self, purpose: str) -> bytes:
        # HKDF-Expand (RFC 5869) for one block: the master key is uniformly random already.
        return hmac.digest(self._master, f"setten {purpose}".encode() + b"\x01", "sha256")

    @property
    def mark(self) -> str:
        """Recognises the installation's key without telling it."""
        return self._mac("mark", KEY_ID)

    @cached_property
    def _seal(self) -> AESGCM:
        return AESGCM(self._derive("seal"))

    def seal(self, text: str, *, label: str) -> bytes:
        """Encrypt for the database; `label` binds it to its place."""
        nonce = secrets.token_bytes(12)
        return nonce + self._seal.encrypt(nonce, text.encode(), label.encode())

    def unseal(self, sealed: bytes, *, label: str) -> str:
        try:
            return self._seal.decrypt(sealed[:12], sealed[12:], label.encode()).decode()
        except (InvalidTag, ValueError):  # too short even to be one
            raise Invalid(
                "A stored secret cannot be opened with this installation's key: "
                "was the database moved without secret.key?"
            ) from None

    def _mac(self, purpose: str, value: str) -> str:
        mac = hmac.digest(self._derive(purpose), value.encode(), "sha256")[:16]
        return base64.b32encode(mac).decode().rstrip("=").lower()

    def id_token(self, ref: str) -> str:
        """In the id of a message about ticket `ref`: whoever quotes it has seen that message."""
        return f"{ref}-{KEY_ID}-{self._mac('id', f'{ref} {KEY_ID}')}"

    def reply_token(self, ref: str) -> str:
        """In the address where answers about ticket `ref` are wanted.

        Not the one of its ids: those travel in every answer, and would then open the address.
        """
        return f"{ref}-{KEY_ID}-{self._mac('reply', f'{ref} {KEY_ID}')}"

    def ticket_of_id(self, token: str) -> str | None:
        """The ticket reference an `id_token` proves, or None if it proves nothing."""
        return _proved(token, self.id_token)

    def ticket_of_reply(self, token: str) -> str | None:
        """The ticket reference a `reply_token` proves, or None if it proves nothing."""
        return _proved(token, self.reply_token)

    def survey_token(self, nonce: str) -> str:
        """256 bits in the link of one feedback request; the database keeps its digest only."""
        mac = hmac.digest(self._derive("survey"), nonce.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def form_token(self, purpose: str, value: str) -> str:
        """Marks a form that this program made."""
        return self._mac(f"form {purpose}", value)


def _proved(token: str, make: Callable[[str], str]) -> str | None:
    # Servers and people change the case of addresses and ids.
    given = token.lower()
    ref, _, _ = given.partition("-")
    return ref if hmac.compare_digest(make(ref).encode(), given.encode()) else None

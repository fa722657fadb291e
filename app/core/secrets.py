"""The installation's keys and everything derived from them: seals, tokens, password hashes."""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import Invalid
from app.core.key_file import ring_of

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_ref(length: int = 9) -> str:
    """A random reference that is safe in addresses, subjects and on the telephone."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))


def new_token() -> str:
    """256 random bits, for links and sessions."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored in place of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Keys:
    """One key for each purpose, derived from the keys of the installation.

    The newest of them seals and signs; each that is still in the file opens and proves.
    """

    def __init__(self, content: bytes) -> None:
        self._ring = {key.number: key.value for key in ring_of(content)}
        self.newest = next(iter(self._ring))

    def _derive(self, purpose: str, number: int) -> bytes:
        # HKDF-Expand (RFC 5869) for one block: a master key is uniformly random already.
        return hmac.digest(self._ring[number], f"setten {purpose}".encode() + b"\x01", "sha256")

    @property
    def mark(self) -> str:
        """Recognises the newest key without telling it."""
        return self._mark(self.newest)

    def has_mark(self, mark: str) -> bool:
        """Whether it is that of any key there is."""
        return mark in {self._mark(number) for number in self._ring}

    def _mark(self, number: int) -> str:
        return self._mac("mark", str(number), number)

    def seal(self, text: str, *, label: str) -> bytes:
        """Encrypt for the database; `label` binds it to its place."""
        nonce = secrets.token_bytes(12)
        cipher = AESGCM(self._derive("seal", self.newest))
        return nonce + cipher.encrypt(nonce, text.encode(), label.encode())

    def unseal(self, sealed: bytes, *, label: str) -> str:
        for number in self._ring:
            cipher = AESGCM(self._derive("seal", number))
            try:
                return cipher.decrypt(sealed[:12], sealed[12:], label.encode()).decode()
            except (InvalidTag, ValueError):  # too short even to be one
                continue
        raise Invalid(
            "A stored secret cannot be opened with this installation's key: "
            "was the database moved without secret.key?"
        )

    def _mac(self, purpose: str, value: str, number: int) -> str:
        mac = hmac.digest(self._derive(purpose, number), value.encode(), "sha256")[:16]
        return base64.b32encode(mac).decode().rstrip("=").lower()

    def _token(self, purpose: str, ref: str, number: int) -> str:
        return f"{ref}-{number}-{self._mac(purpose, f'{ref} {number}', number)}"

    def id_token(self, ref: str) -> str:
        """In the id of a message about ticket `ref`: whoever quotes it has seen that message."""
        return self._token("id", ref, self.newest)

    def reply_token(self, ref: str) -> str:
        """In the address where answers about ticket `ref` are wanted.

        Not the one of its ids: those travel in every answer, and would then open the address.
        """
        return self._token("reply", ref, self.newest)

    def tag_token(self, ref: str) -> str:
        """In what people read, text and subject, of a message about ticket `ref`."""
        return self._token("tag", ref, self.newest)

    def ticket_of_id(self, token: str) -> str | None:
        """The ticket reference an `id_token` proves, or None if it proves nothing."""
        return self._proved("id", token)

    def ticket_of_reply(self, token: str) -> str | None:
        """The ticket reference a `reply_token` proves, or None if it proves nothing."""
        return self._proved("reply", token)

    def ticket_of_tag(self, token: str) -> str | None:
        """The ticket reference a `tag_token` proves, or None if it proves nothing."""
        return self._proved("tag", token)

    def _proved(self, purpose: str, token: str) -> str | None:
        # Servers and people change the case of addresses and ids.
        given = token.lower()
        ref, _, rest = given.partition("-")
        named = rest.partition("-")[0]
        number = next((one for one in self._ring if str(one) == named), None)
        if number is None:  # a key that was withdrawn, or never was
            return None
        good = self._token(purpose, ref, number)
        return ref if hmac.compare_digest(good.encode(), given.encode()) else None

    def survey_token(self, nonce: str) -> str:
        """256 bits in the link of one feedback request; the database keeps its digest only."""
        mac = hmac.digest(self._derive("survey", self.newest), nonce.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def form_token(self, purpose: str, value: str) -> str:
        """Marks a form that this program made."""
        return self._mac(f"form {purpose}", value, self.newest)

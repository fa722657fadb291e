"""Standard Webhooks: the shared secret of an inbox, signing what leaves, checking what comes."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from channels.contract import BadSignature

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
# A sender rotating secrets lists one signature for each; nobody has more than a few.
MOST_SIGNATURES = 16

# The parts are joined by dots when they are signed, so an id must not bring one.
_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def new_secret() -> SecretStr:
    return SecretStr(PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())


def _key(secret: SecretStr) -> bytes:
    """Raises ValueError with words that never quote the secret."""
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"a secret is {PREFIX} and then base64") from None
    if not 24 <= len(key) <= 64:
        raise ValueError(f"a secret is {PREFIX} and then 24 to 64 bytes in base64")
    return key


def _checked(secret: SecretStr) -> SecretStr:
    _key(secret)
    return secret


def _checked_or_empty(secret: SecretStr) -> SecretStr:
    return _checked(secret) if secret.get_secret_value() else secret


class SharedSecret(BaseModel):
    """What both ends of a webhook know; a channel's `config` extends it."""

    secret: Annotated[SecretStr, AfterValidator(_checked)] = Field(
        default_factory=new_secret,
        title="Secret",
        description="Signs every call in both directions. Made here when you leave it out.",
    )
    previous_secret: Annotated[SecretStr, AfterValidator(_checked_or_empty)] = Field(
        default=SecretStr(""),
        title="Previous secret",
        description="Still accepted while the other side changes over. Empty otherwise.",
    )

    def keys(self) -> list[bytes]:
        """The key in force first."""
        known = [self.secret, self.previous_secret]
        return [_key(secret) for secret in known if secret.get_secret_value()]


def sign(keys: Sequence[bytes], message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers; one signature for each key, so that either end may rotate first."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(
            "v1," + _digest(key, message_id, str(seconds), body).decode() for key in keys
        ),
    }


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the webhook's id, which stays the same when the sender tries again.

    Raises `BadSignature` for anything else than a fresh call signed with one of `keys`.
    """
    message_id, seconds = _header(headers, "id"), _header(headers, "timestamp")
    if not _ID.fullmatch(message_id):
        raise BadSignature("webhook-id: missing or not an id")
    if not _SECONDS.fullmatch(seconds):
        raise BadSignature("webhook-timestamp: missing or not whole seconds")
    if abs(now.timestamp() - int(seconds)) > TOLERANCE_SECONDS:
        raise BadSignature("webhook-timestamp: more than five minutes away from our clock")
    listed = _header(headers, "signature").split(" ")[:MOST_SIGNATURES]
    # compare_digest refuses text that is not ASCII, and a header may hold anything.
    offered = [
        signature[3:].encode("utf-8", "surrogatepass")
        for signature in listed
        if signature.startswith("v1,")
    ]
    expected = [_digest(key, message_id, seconds, body) for key in keys]
    matches = [hmac.compare_digest(one, other) for one in expected for other in offered]
    if not any(matches):
        raise BadSignature("webhook-signature: does not match the body and the secret")
    return message_id


def _digest(key: bytes, message_id: str, seconds: str, body: bytes) -> bytes:
    signed = message_id.encode() + b"." + seconds.encode() + b"." + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _header(headers: Mapping[str, str], name: str) -> str:
    # Svix sent the same scheme under its own name before it became a standard.
    for prefix in ("webhook-", "svix-"):
        if value := headers.get(prefix + name):
            return value
    return ""

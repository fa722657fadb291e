"""Which tickets are the random part: what people say of these alone measures the model."""

import hashlib

_SHARE = 0.1  # of all tickets


def drawn(ref: str) -> bool:
    """Whether the ticket of this reference was drawn: by chance, and always the same."""
    number = int.from_bytes(hashlib.sha256(ref.encode()).digest()[:8], "big")
    return number < _SHARE * 2**64

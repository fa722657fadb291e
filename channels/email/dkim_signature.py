"""The signature of one mail, over all that it says and over what nobody may add to it."""

from dataclasses import dataclass
from datetime import datetime

import dkim
from typing_extensions import override

# Twice each: whoever adds a second one, or one that was not there, breaks the signature.
_SEALED = (b"from", b"subject", b"reply-to", b"list-unsubscribe", b"list-unsubscribe-post")
_ONCE = (
    *(b"to", b"cc", b"date", b"message-id", b"in-reply-to", b"references", b"mime-version"),
    *(b"content-type", b"content-language", b"auto-submitted"),
)


class _Signature(dkim.DKIM):  # type: ignore[misc] # it ships no types
    """Signed as of the moment the mail was written: rendering it twice gives the same bytes."""

    at: datetime

    @override
    def gen_header(
        self, fields: list[tuple[bytes, bytes]], *args: object, **kwargs: object
    ) -> bytes:
        moment = str(int(self.at.timestamp())).encode()
        told = [(name, moment if name == b"t" else value) for name, value in fields]
        signed: bytes = super().gen_header(told, *args, **kwargs)
        return signed


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and where others find its other half."""

    kind: str
    domain: str
    selector: str
    private: bytes


def signature(mail: bytes, signer: Signer, at: datetime) -> bytes:
    """The field, which says nothing of other signatures: each holds without them."""
    head = mail.partition(b"\r\n\r\n")[0]
    there = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")}
    names = [*_SEALED, *(name for name in _SEALED if name in there)]
    names += [name for name in _ONCE if name in there]
    made = _Signature(mail)
    made.at = at
    field: bytes = made.sign(
        signer.selector.encode(),
        signer.domain.encode(),
        signer.private,
        f"{signer.kind}-sha256".encode(),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=names,
    )
    return field

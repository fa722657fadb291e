"""Signs what an inbox sends with the keys of its domain (DKIM)."""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import SecretStr

from channels.contract import Published
from channels.email import dkim_key
from channels.email.addresses import sendable
from channels.email.config import EmailConfig
from channels.email.dkim_key import Kind

KINDS = tuple(Kind)
_BEGIN = {Kind.RSA: "dkim", Kind.ED25519: "dkim_second"}  # the names of the settings do so


def with_new_key(config: EmailConfig, kind: str) -> EmailConfig:
    """Nothing is signed with it before somebody says that it is published."""
    pem, begin = dkim_key.new(Kind(kind)), _BEGIN[Kind(kind)]
    return config.model_copy(
        update={
            f"{begin}_sign": False,
            f"{begin}_selector": dkim_key.selector_for(pem),
            f"{begin}_key": SecretStr(pem),
        }
    )


def published(config: EmailConfig) -> Mapping[str, Published]:
    domain = _domain(config)
    return {
        kind: Published(
            f"{selector}._domainkey.{domain}",
            f"v=DKIM1; k={kind}; p={base64.b64encode(dkim_key.public(pem)).decode()}",
        )
        for kind, selector, pem, _ in _keys(config)
        if selector and pem
    }


def signed(config: EmailConfig, mail: bytes, at: datetime) -> bytes:
    """The mail with the signatures before it; nothing may change afterwards."""
    # Here and not above: half a second, for who signs.
    from channels.email.dkim_signature import Signer, signature  # noqa: PLC0415

    signers = [
        Signer(kind, _domain(config), selector, dkim_key.private(pem))
        for kind, selector, pem, signs in _keys(config)
        if signs
    ]
    return b"".join([*(signature(mail, signer, at) for signer in signers), mail])


def _keys(config: EmailConfig) -> Iterator[tuple[Kind, str, str, bool]]:
    """Each with its selector, and whether it signs."""
    first, second = config.dkim_key.get_secret_value(), config.dkim_second_key.get_secret_value()
    yield Kind.RSA, config.dkim_selector, first, config.dkim_sign
    yield Kind.ED25519, config.dkim_second_selector, second, config.dkim_second_sign


def _domain(config: EmailConfig) -> str:
    return sendable(config.address).rpartition("@")[2]

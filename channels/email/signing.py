"""Signs what an inbox sends with the key of its domain (DKIM)."""

import base64
from datetime import datetime

from pydantic import SecretStr

from channels.contract import Published
from channels.email import dkim_key
from channels.email.addresses import sendable
from channels.email.config import EmailConfig


def with_new_key(config: EmailConfig) -> EmailConfig:
    """Nothing is signed with it before somebody says that it is published."""
    pem = dkim_key.new()
    return config.model_copy(
        update={
            "dkim_sign": False,
            "dkim_selector": dkim_key.selector_for(pem),
            "dkim_key": SecretStr(pem),
        }
    )


def published(config: EmailConfig) -> Published | None:
    pem = config.dkim_key.get_secret_value()
    if not pem or not config.dkim_selector:
        return None
    name = f"{config.dkim_selector}._domainkey.{_domain(config)}"
    return Published(name, f"v=DKIM1; k=rsa; p={base64.b64encode(dkim_key.public(pem)).decode()}")


def signed(config: EmailConfig, mail: bytes, at: datetime) -> bytes:
    """The mail with the signature before it; nothing may change afterwards."""
    from channels.email.dkim_signature import sign  # noqa: PLC0415 - half a second, for who signs

    key = dkim_key.traditional(config.dkim_key.get_secret_value())
    return sign(mail, _domain(config), config.dkim_selector, key, at)


def _domain(config: EmailConfig) -> str:
    return sendable(config.address).rpartition("@")[2]

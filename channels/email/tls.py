"""Encryption to mail servers, always verified, and what keeps us from them in plain words."""

import os
import re
import ssl

from channels.contract import Misconfigured
from channels.email.config import EmailConfig

_NUMBER = re.compile(r"\[Errno (\d{1,4})\]")


def context_for(config: EmailConfig) -> ssl.SSLContext:
    """Raises `Misconfigured` when the file of the private authority cannot be read."""
    try:
        return ssl.create_default_context(cafile=config.catch_tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            f"The certificate file {config.catch_tls_ca} cannot be read: {error.strerror or error}"
        ) from error


def with_public_authorities(config: EmailConfig) -> ssl.SSLContext:
    """For servers of others: the inbox's own authority counts beside the public ones."""
    context = context_for(config)
    context.load_default_certs()
    return context


def words_of(error: ssl.SSLError, host: str, port: int) -> str:
    """For an admin: what is wrong with the encryption and what to change."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {host} is not trusted: {error.verify_message}. Check the server "
            "name; if the certificate is from your own authority, name its file in the settings."
        )
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return f"{host} does not start with TLS on port {port}: choose STARTTLS or another port."
    return f"No encrypted connection to {host} on port {port}: {error.reason or error}"


def words_of_system(error: Exception) -> str:
    """What the system calls it. A library's own words are for who reads its code."""
    number = _NUMBER.search(str(error))
    return os.strerror(int(number.group(1))) if number else str(error)

"""Keys that mails are signed with (DKIM), so that others believe who sent them."""

import base64
import hashlib
import re
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

MADE_BITS, FEWEST_BITS = 2048, 1024  # RFC 8301 lets nobody believe a shorter key

_SELECTOR = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,3}"
)
_PEM = re.compile(r"-----BEGIN ([A-Z ]{0,20}PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----")


class Kind(StrEnum):
    """As the record in DNS names them; every server that checks mail understands the first."""

    RSA = "rsa"
    ED25519 = "ed25519"


_Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def new(kind: Kind) -> str:
    key: _Key = (
        rsa.generate_private_key(public_exponent=65537, key_size=MADE_BITS)
        if kind is Kind.RSA
        else ed25519.Ed25519PrivateKey.generate()
    )
    return key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    ).decode()


def selector_for(pem: str) -> str:
    """A name that no other key of the domain has."""
    return f"setten-{hashlib.sha256(public(pem)).hexdigest()[:8]}"


def checked_selector(name: str) -> str:
    """A name in DNS. Raises `ValueError`."""
    if not _SELECTOR.fullmatch(name):
        raise ValueError("this may only have small letters, digits, hyphens, and dots between")
    return name


def checked(pem: str, kind: Kind) -> str:
    """The key as it is kept. Raises `ValueError`, in words for who typed it."""
    key = _read(pem)
    if kind is Kind.ED25519:
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise ValueError("this is no Ed25519 key")
        return pem.strip()
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("this is no RSA key, and only those are understood everywhere")  # noqa: TRY004 - for the form
    if key.key_size < FEWEST_BITS:
        raise ValueError(
            f"this key has {key.key_size} bits: nobody believes one below {FEWEST_BITS}, "
            f"and {MADE_BITS} are usual"
        )
    return pem.strip()


def private(pem: str) -> bytes:
    """The private half as the library that signs reads it."""
    key = _read(pem)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.private_bytes_raw())
    return key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption()
    )


def public(pem: str) -> bytes:
    """The other half as the record in DNS has it."""
    key = _read(pem).public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.public_bytes_raw()
    return key.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)


@lru_cache(maxsize=64)  # to read one takes long enough to be felt with every mail
def _read(pem: str) -> _Key:
    # A field of one line takes the line breaks away: they are put back where they were.
    found = _PEM.search(pem.strip())
    if found is None or "ENCRYPTED" in found[1]:
        raise ValueError(
            "this is no private key without a password: it begins with -----BEGIN PRIVATE KEY----- "
            "or -----BEGIN RSA PRIVATE KEY-----"
        )
    lines = re.findall(r".{1,64}", "".join(found[2].split()))
    whole = "\n".join([f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""])
    try:
        key = forms.load_pem_private_key(whole.encode(), None)
    except (ValueError, TypeError) as error:
        raise ValueError("this private key cannot be read: was all of it copied?") from error
    if not isinstance(key, _Key):
        raise ValueError("this is neither an RSA nor an Ed25519 key")  # noqa: TRY004 - for the form
    return key

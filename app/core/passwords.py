"""Passwords: what is accepted as one, and slow hashes of them."""

import unicodedata

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.errors import Invalid

SHORTEST = 10
LONGEST = 256

# The commonest of those that are long enough; attackers try them first. Digits and signs that
# people hang on their end are cut off before the comparison.
_COMMON = frozenset(
    {
        "", "1q2w3e4r5t", "1qaz2wsx3edc", "abcdefghij", "administrator", "asdfghjkl", "changeme",
        "hallohallo", "iloveyou", "letmein", "passwort", "password", "passw0rd", "p@ssw0rd",
        "p@ssword", "qazwsxedc", "qwertyuiop", "qwerty", "qwertz", "qwertzuiop", "secret",
        "geheim", "sonnenschein", "support", "superman", "sunshine", "trustno", "welcome",
        "willkommen", "princess", "football", "baseball", "zaq1zaq1", "sakura", "nihon",
        "setten", "pasuwado", "himitsu",
    }
)  # fmt: skip

_hashes = PasswordHash((Argon2Hasher(),))
# What an unknown address is compared with, so that it takes as long: no password has this hash.
_NOBODY = f"$argon2id$v=19$m=65536,t=3,p=4${'c2V0dGVu' * 2}c2V0dA${'A' * 43}"


def normal(password: str) -> str:
    """The same password whatever keyboard it came from: full-width letters are the letters."""
    return unicodedata.normalize("NFKC", password)


def make_hash(password: str, email: str) -> str:
    """The hash of a new password. Takes a third of a second: never inside a transaction.

    Raises `Invalid` with a sentence for a password that would be guessed.
    """
    wanted = normal(password)
    if len(wanted) < SHORTEST:
        raise Invalid(f"A password needs at least {SHORTEST} characters.", field="password")
    if len(wanted) > LONGEST:
        raise Invalid(f"A password has at most {LONGEST} characters.", field="password")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in wanted):
        raise Invalid("A password has no control characters.", field="password")
    folded = wanted.casefold()
    local = email.casefold().partition("@")[0]
    if folded == email.casefold() or (local and folded.rstrip("0123456789!?.") == local):
        raise Invalid("The address itself is the first thing anybody tries.", field="password")
    if len(set(folded)) < 4 or folded.strip("0123456789!?.-_ ") in _COMMON:
        raise Invalid("This password is among the first anybody tries.", field="password")
    return _hashes.hash(wanted)


def is_right(password: str, stored: str) -> bool:
    """Whether it is the password of `stored`; as slow for "" (nobody) as for anybody.

    Takes a third of a second: never inside a transaction, never on the event loop.
    """
    if len(password) > LONGEST:
        return False
    try:
        right = _hashes.verify(normal(password), stored or _NOBODY)
    except UnicodeEncodeError:  # half a character: no keyboard sends that
        return False
    return right and bool(stored)

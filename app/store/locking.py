"""Makes transactions about the same thing wait for each other, before there is a row to lock."""

import hashlib
from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

_LOCK = text(
    "SELECT pg_advisory_xact_lock(one) FROM "
    "(SELECT one FROM unnest(CAST(:numbers AS bigint[])) AS one ORDER BY one) AS numbers"
)


def names(session: Session, wanted: Iterable[str]) -> None:
    """Hold every one of `wanted` until the transaction ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "sqlite":
        return
    # In one order everywhere, so that two transactions never wait for each other.
    digests = {hashlib.sha256(name.encode("utf-8", "replace")).digest() for name in wanted if name}
    numbers = [int.from_bytes(digest[:8], "big", signed=True) for digest in digests]
    session.connection().execute(_LOCK, {"numbers": numbers})

"""Our tokens → FTS5 or tsvector: the same hits on both databases.

Migrations make the table `search`: on SQLite an FTS5 table whose rowid is the message's id, on
PostgreSQL a row a message with a GIN index. Both are written in the message's own transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import text
from sqlmodel import Session

from app.domain import tokens
from app.domain.tokens import GAP, TOKENIZER_VERSION, Term, Tokens

_FEW = 2_000
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What one message can be found by."""

    message_id: int
    ticket_id: int
    parts: tuple[str, ...]


def index(session: Session, entry: Entry) -> None:
    """Make the message findable, in place of what was known of it."""
    reindex(session, (entry,))


def reindex(session: Session, entries: Iterable[Entry]) -> int:
    """The same for many; how many they were. Give batches: it all is one transaction."""
    is_sqlite = _is_sqlite(session)
    statement, row = (_SQLITE_PUT, _sqlite_row) if is_sqlite else (_POSTGRES_PUT, _postgres_row)
    waiting, count = iter(entries), 0
    while batch := list(islice(waiting, 200)):
        session.connection().execute(statement, [row(entry) for entry in batch])
        count += len(batch)
    return count


def outdated(session: Session, limit: int = 500) -> list[int]:
    """Ids of messages that are not in the index, or as an older tokeniser read them; the newest
    first. Indexing what this returns until it returns nothing brings the index up to date."""
    key = "rowid" if _is_sqlite(session) else "message_id"
    found = session.connection().execute(
        text(
            f"SELECT message.id FROM message LEFT JOIN search ON search.{key} = message.id "  # noqa: S608
            "WHERE search.version IS NULL OR search.version <> :version "
            "ORDER BY message.id DESC LIMIT :limit"
        ),
        {"version": TOKENIZER_VERSION, "limit": limit},
    )
    return list(found.scalars())


def remove(session: Session, message_ids: Sequence[int]) -> None:
    """Make the messages unfindable. Unknown ids are fine."""
    if message_ids:
        key = "rowid" if _is_sqlite(session) else "message_id"
        session.connection().execute(
            text(f"DELETE FROM search WHERE {key} = :id"),  # noqa: S608
            [{"id": number} for number in message_ids],
        )


def move(session: Session, message_ids: Sequence[int], ticket_id: int) -> None:
    """The messages are on another ticket now; what they are found by stays."""
    if message_ids:
        key = "rowid" if _is_sqlite(session) else "message_id"
        session.connection().execute(
            text(f"UPDATE search SET ticket_id = :ticket WHERE {key} = :id"),  # noqa: S608
            [{"id": number, "ticket": ticket_id} for number in message_ids],
        )


def find(session: Session, query: str, limit: int = 200) -> list[int]:
    """Tickets with a message that holds everything in `query`, newest message first.

    No query is wrong: what cannot be looked for is left out, and nothing finds nothing.
    """
    terms = tokens.terms_of(query)
    if not terms or limit < 1:
        return []
    hits = _in_sqlite(session, terms) if _is_sqlite(session) else _in_postgres(session, terms)
    tickets: dict[int, None] = {}
    for ticket_id in hits:
        tickets[ticket_id] = None
        if len(tickets) == limit:
            break
    return list(tickets)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


# SQLite. The tokeniser of the table is `ascii`, which leaves our tokens as they are.

_SQLITE_PUT = text(
    "INSERT OR REPLACE INTO search (rowid, ticket_id, version, tokens, parts) "
    "VALUES (:message_id, :ticket_id, :version, :tokens, :parts)"
)


def _sqlite_row(entry: Entry) -> dict[str, object]:
    found = tokens.tokens_of(entry.parts)
    return {
        "message_id": entry.message_id,
        "ticket_id": entry.ticket_id,
        "version": TOKENIZER_VERSION,
        "tokens": " ".join(found.main),
        "parts": " ".join(found.parts),
    }


def match(terms: Iterable[Term]) -> str:
    """As FTS5 wants to be asked. Tokens are letters and digits: there is nothing to escape."""
    return " AND ".join(f'"{" ".join(term.tokens)}"{" *" if term.prefix else ""}' for term in terms)


def _in_sqlite(session: Session, terms: Iterable[Term]) -> Iterator[int]:
    # By rowid the index is walked from its end: the first hits are there at once.
    found = session.connection().execute(
        text("SELECT ticket_id FROM search WHERE search MATCH :query ORDER BY rowid DESC"),
        {"query": match(terms)},
    )
    with found:
        yield from found.scalars()


# PostgreSQL. Its own text parser never sees our texts: we hand it finished vectors.

_POSTGRES_PUT = text(
    "INSERT INTO search (message_id, ticket_id, version, tokens) "
    "VALUES (:message_id, :ticket_id, :version, CAST(:tokens AS tsvector)) "
    "ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id, "
    "version = excluded.version, tokens = excluded.tokens"
)


def vector(found: Tokens) -> str:
    """A tsvector with every token's places; parts come after a gap, behind all the others."""
    places: dict[str, list[str]] = {}
    for place, token in enumerate(found.main, 1):
        if token != GAP:
            places.setdefault(token, []).append(str(place))
    for place, token in enumerate(found.parts, len(found.main) + 2):
        places.setdefault(token, []).append(str(place))
    return " ".join(f"'{token}':{','.join(numbers)}" for token, numbers in places.items())


def _postgres_row(entry: Entry) -> dict[str, object]:
    return {
        "message_id": entry.message_id,
        "ticket_id": entry.ticket_id,
        "version": TOKENIZER_VERSION,
        "tokens": vector(tokens.tokens_of(entry.parts)),
    }


def tsquery(terms: Iterable[Term]) -> str:
    return " & ".join(
        "(" + " <-> ".join(f"'{token}'" for token in term.tokens) + (":*)" if term.prefix else ")")
        for term in terms
    )


def _in_postgres(session: Session, terms: Iterable[Term]) -> Iterator[int]:
    query = tsquery(terms)
    # The planner cannot guess how rare a prefix is, and for a rare one may walk all messages from
    # the newest on. So the hits are counted first, by the index, and sorted when they are few.
    few = (
        session.connection()
        .execute(
            text(
                "WITH hits AS MATERIALIZED (SELECT message_id, ticket_id FROM search "
                "WHERE tokens @@ CAST(:query AS tsquery) LIMIT :limit) "
                "SELECT ticket_id FROM hits ORDER BY message_id DESC"
            ),
            {"query": query, "limit": _FEW + 1},
        )
        .scalars()
        .all()
    )
    yield from few if len(few) <= _FEW else _frequent(session, query)


def _frequent(session: Session, query: str) -> Iterator[int]:
    """What is in so many messages is near in the newest ones: these are read page by page."""
    before = 2**62
    while True:
        page = (
            session.connection()
            .execute(
                text(
                    "SELECT message_id, ticket_id FROM search "
                    "WHERE tokens @@ CAST(:query AS tsquery) AND message_id < :before "
                    "ORDER BY message_id DESC LIMIT :limit"
                ),
                {"query": query, "before": before, "limit": _PAGE},
            )
            .all()
        )
        yield from (ticket_id for _, ticket_id in page)
        if len(page) < _PAGE:
            return
        before = page[-1].message_id

"""What must be true at every moment: nothing lost, nothing twice, nothing without its reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.domain.tokens import TOKENIZER_VERSION
from app.domain.words import ArrivalState
from app.services import integrity_rules
from app.store.blobs import Blobs
from app.store.tables import Arrival, Attachment, DraftFile, Inbox, Message

NAMED = 20  # rows a problem names; it is as bad with more
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that does not hold, and rows of the named table where it does not."""

    kind: str
    words: str
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxBalance:
    """received = waiting + filed + copy + ignored + set aside + discarded + refused."""

    inbox_id: int
    name: str
    received: int
    by_state: Mapping[ArrivalState, int]


def balance(session: Session) -> list[InboxBalance]:
    """Everything that was received, inbox by inbox, in one statement."""
    counted = (
        sql_select(col(Inbox.id), col(Inbox.name), col(Arrival.state), func.count(col(Arrival.id)))
        .outerjoin(Arrival, col(Arrival.inbox_id) == col(Inbox.id))
        .group_by(col(Inbox.id), col(Inbox.name), col(Arrival.state))
        .order_by(col(Inbox.id))
    )
    found: dict[tuple[int, str], dict[ArrivalState | None, int]] = {}
    for inbox_id, name, state, count in session.execute(counted):
        found.setdefault((inbox_id, name), {})[state] = count
    return [
        InboxBalance(
            inbox_id,
            name,
            sum(states.values()),
            {state: states.get(state, 0) for state in ArrivalState},
        )
        for (inbox_id, name), states in found.items()
    ]


def problems(session: Session, blobs: Blobs) -> list[Problem]:
    """Every rule that does not hold. Each is looked at in one statement, so that work going on
    meanwhile is no problem; files are read in small pieces."""
    found: list[Problem] = []
    for kind, words, rows in integrity_rules.every():
        ids = tuple(session.execute(rows.limit(NAMED)).scalars())
        if ids:
            found.append(Problem(kind, words, ids))
    return [*found, *_search(session), *_keys(session), *_files(session, blobs)]


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _search(session: Session) -> Iterator[Problem]:
    key = "rowid" if _is_sqlite(session) else "message_id"
    lacking = text(
        f"SELECT message.id FROM message LEFT JOIN search ON search.{key} = message.id "  # noqa: S608
        "WHERE NOT message.request AND (search.version IS NULL OR search.version <> :version) "
        "LIMIT :limit"
    )
    ids = session.execute(lacking, {"version": TOKENIZER_VERSION, "limit": NAMED}).scalars().all()
    if ids:
        yield Problem("message", "cannot be found: run setten reindex", tuple(ids))
    stray = text(
        f"SELECT search.{key} FROM search LEFT JOIN message ON message.id = search.{key} "  # noqa: S608
        "WHERE message.id IS NULL LIMIT :limit"
    )
    ids = session.execute(stray, {"limit": NAMED}).scalars().all()
    if ids:
        yield Problem("search", "finds messages that are not there", tuple(ids))


def _keys(session: Session) -> Iterator[Problem]:
    if not _is_sqlite(session):
        return  # PostgreSQL lets no such row in
    broken: dict[str, list[int]] = {}
    for table, row, *_ in session.execute(text("PRAGMA foreign_key_check")):
        rows = broken.setdefault(table, [])
        if len(rows) < NAMED and row is not None:
            rows.append(row)
    for table, rows in broken.items():
        yield Problem(table, "names a row that is not there", tuple(rows))


def _files(session: Session, blobs: Blobs) -> Iterator[Problem]:
    for kind, number, sha256 in (
        ("attachment", col(Attachment.id), col(Attachment.sha256)),
        ("draft", col(DraftFile.id), col(DraftFile.sha256)),
        ("arrival", col(Arrival.id), col(Arrival.sha256)),
        ("arrival", col(Arrival.id), col(Arrival.original_sha256)),
        ("message", col(Message.id), col(Message.rendered_sha256)),
    ):
        lost: list[int] = []
        last = ""
        rows = sql_select(sha256, func.min(number)).group_by(sha256).order_by(sha256).limit(_BATCH)
        while batch := session.execute(rows.where(sha256 > last)).all():
            last = batch[-1][0]
            for name, found in batch:
                if not blobs.intact(name) and len(lost) < NAMED:
                    lost.append(found)
        if lost:
            yield Problem(kind, "has lost its file, or the file is damaged", tuple(lost))
    sized = sql_select(col(Attachment.id), col(Attachment.sha256), col(Attachment.size))
    wrong = [
        number
        for number, sha256, size in session.execute(sized).yield_per(_BATCH)
        if (path := blobs.path(sha256)).exists() and path.stat().st_size != size
    ]
    if wrong:
        yield Problem("attachment", "has another size than it says", tuple(wrong[:NAMED]))

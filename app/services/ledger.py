"""What each server was seen to hold: the ledger, not a cursor, says what is missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, or_, select

from app.core import clock
from app.domain.words import ArrivalState
from app.services import changes
from app.services.access import SYSTEM
from app.store import inserting
from app.store.tables import Arrival, Folder, Inbox, LedgerRow
from channels.contract import Identity, ServerId

GONE = "It was gone before it could be fetched."

_DONE = (ArrivalState.FILED, ArrivalState.COPY, ArrivalState.IGNORED)
_AT_ONCE = 500
MARKED_AT_ONCE = 200
ANSWERED = timedelta(minutes=1)
NEAR = timedelta(days=2)  # about the moment from which on mail is wanted: here it is known
UNEXPLAINED = 50  # numbers that are named one by one


def start(
    session: Session,
    inbox_id: int,
    old: Sequence[ServerId],
    *,
    place: str = "",
    since: datetime | None = None,
) -> None:
    """What is there already is not wanted, up to the last of `old`; nor what came before `since`.

    `place` is where it lies: at another one, it is begun anew.
    """
    inbox = session.get_one(Inbox, inbox_id)
    inbox.started, inbox.started_at = True, clock.now()
    inbox.start_place, inbox.wanted_from = place, since
    begin = old[-1] if old else ServerId("", 0)
    inbox.start_scope, inbox.start_number = begin.scope, begin.number
    session.add(inbox)


def row_of(session: Session, inbox_id: int, item: ServerId, *, sent: bool = False) -> LedgerRow:
    """What is known of one item of a server; made when it was never seen."""
    row = session.exec(
        select(LedgerRow).where(
            LedgerRow.inbox_id == inbox_id,
            LedgerRow.scope == item.scope,
            LedgerRow.number == item.number,
        )
    ).one_or_none()
    return row or LedgerRow(
        inbox_id=inbox_id, scope=item.scope, number=item.number, seen_at=clock.now(), sent=sent
    )


def skip(
    session: Session,
    inbox_id: int,
    items: Iterable[ServerId] | Mapping[ServerId, str],
    *,
    sent: bool = False,
) -> None:
    """These are not wanted, one by one; where it is told, with what they are."""
    identities = items if isinstance(items, Mapping) else {}
    now = clock.now()
    inserting.unless_there(
        session,
        [
            LedgerRow(
                inbox_id=inbox_id,
                scope=item.scope,
                number=item.number,
                identity=identities.get(item, ""),
                seen_at=now,
                settled_at=now,
                sent=sent,
                skipped=True,
            )
            for item in items
        ],
    )


def newest(session: Session, inbox_id: int) -> ServerId | None:
    """The highest number known in the folder as it is numbered now."""
    inbox = session.get_one(Inbox, inbox_id)
    row = session.exec(
        select(LedgerRow)
        .where(LedgerRow.inbox_id == inbox_id, col(LedgerRow.sent).is_(False))
        .order_by(col(LedgerRow.id).desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        begin = ServerId(inbox.start_scope, inbox.start_number)
        return begin if inbox.start_scope else None
    number = session.exec(
        select(func.max(LedgerRow.number)).where(
            LedgerRow.inbox_id == inbox_id, LedgerRow.scope == row.scope
        )
    ).one()
    return ServerId(row.scope, number)


def missing(session: Session, inbox_id: int, there: Sequence[ServerId]) -> list[ServerId]:
    """What of `there` has to be fetched, in the same order."""
    if not there:
        return []
    inbox = session.get_one(Inbox, inbox_id)
    lowest = min(item.number for item in there)
    known = {
        ServerId(scope, number)
        for scope, number in session.exec(
            select(LedgerRow.scope, LedgerRow.number).where(
                LedgerRow.inbox_id == inbox_id,
                col(LedgerRow.scope).in_({item.scope for item in there}),
                LedgerRow.number >= lowest,
                # What was gone and is listed again is not gone; what is withheld has its time.
                or_(col(LedgerRow.problem) == "", col(LedgerRow.next_at).is_not(None)),
            )
        )
    }
    return [item for item in there if item not in known and not _before_start(inbox, item)]


def _before_start(inbox: Inbox, item: ServerId) -> bool:
    return item.scope == inbox.start_scope and item.number <= inbox.start_number


def note_gone(session: Session, inbox_id: int, item: ServerId, *, sent: bool = False) -> None:
    """Listed and then not there: somebody else removed it. The ledger says so."""
    row = row_of(session, inbox_id, item, sent=sent)
    row.problem, row.next_at = GONE, None
    session.add(row)


def to_settle(session: Session, inbox_id: int, behind: int) -> list[tuple[int, ServerId, bool]]:
    """Rows behind one of what is filed and not marked on the server, oldest first.

    Each with whether all of it was fetched.
    """
    rows = session.exec(
        select(LedgerRow.id, LedgerRow.scope, LedgerRow.number, Arrival.oversized)
        .join(Arrival, col(LedgerRow.arrival_id) == col(Arrival.id))
        .where(
            LedgerRow.inbox_id == inbox_id,
            col(LedgerRow.id) > behind,
            col(LedgerRow.settled_at).is_(None),
            col(Arrival.state).in_(_DONE),
        )
        .order_by(col(LedgerRow.id))
        .limit(MARKED_AT_ONCE)
    ).all()
    return [
        (row_id, ServerId(scope, number), not oversized)
        for row_id, scope, number, oversized in rows
    ]


def note_settled(session: Session, row_ids: Sequence[int]) -> None:
    for row in session.exec(select(LedgerRow).where(col(LedgerRow.id).in_(row_ids))):
        row.settled_at = clock.now()
        session.add(row)


# A folder whose server gave all of its items new numbers


def _folder_of(scope: str) -> str:
    return scope.rpartition("/")[0]


def was_renumbered(session: Session, inbox_id: int, scope: str) -> bool:
    """Whether the folder was known under other numbers, and is not yet under these."""
    inbox = session.get_one(Inbox, inbox_id)
    known = session.exec(
        select(Folder.scope).where(Folder.inbox_id == inbox_id, col(Folder.sent).is_(False))
    ).all()
    if scope in known:
        return False
    return any(
        other and other != scope and _folder_of(other) == _folder_of(scope)
        for other in (*known, inbox.start_scope)
    )


def renumber(session: Session, inbox_id: int, found: Mapping[ServerId, Identity]) -> None:
    """Write down what of `found` the ledger knows under another number. The rest is missing.

    What came long before mail was wanted is not wanted now either.
    """
    inbox = session.get_one(Inbox, inbox_id)
    before = _known_as(session, inbox_id, found)
    rows, skipped = [], []
    for item, identity in found.items():
        same = before.get(identity.key)
        if same:
            row = same.pop(0)
            rows.append(
                LedgerRow(
                    inbox_id=inbox_id,
                    scope=item.scope,
                    number=item.number,
                    arrival_id=row.arrival_id,
                    identity=row.identity,
                    seen_at=clock.now(),
                    settled_at=row.settled_at,
                    skipped=row.skipped,
                )
            )
        elif _is_older(identity.received_at, inbox.wanted_from):
            skipped.append(item)
    inserting.unless_there(session, rows)
    skip(session, inbox_id, skipped)


def _is_older(received_at: datetime | None, wanted_from: datetime | None) -> bool:
    return bool(received_at and wanted_from and received_at < wanted_from - NEAR)


def _known_as(
    session: Session, inbox_id: int, found: Mapping[ServerId, Identity]
) -> dict[str, list[LedgerRow]]:
    """Rows under other numbers by what they are, oldest first."""
    keys = {identity.key for identity in found.values() if identity.key}
    scopes = {item.scope for item in found}
    rows = session.exec(
        select(LedgerRow)
        .where(
            LedgerRow.inbox_id == inbox_id,
            col(LedgerRow.identity).in_(keys),
            col(LedgerRow.scope).not_in(scopes),
            col(LedgerRow.sent).is_(False),
        )
        .order_by(col(LedgerRow.id))
    ).all()
    by_key: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        by_key[row.identity].append(row)
    return by_key


# What a look at the whole folder found


def note_answer(session: Session, inbox_id: int) -> None:
    """Its server was asked just now. Written down to a minute, not with every look."""
    inbox, now = session.get_one(Inbox, inbox_id), clock.now()
    if inbox.looked_at is None or now - inbox.looked_at > ANSWERED:
        inbox.looked_at = now
        session.add(inbox)


def note_seen(session: Session, inbox_id: int, until: datetime) -> None:
    """All that its place held at that time is known here. Written down to a minute."""
    inbox = session.get_one(Inbox, inbox_id)
    before = inbox.seen.get(inbox.start_place)
    if before is None or until - datetime.fromisoformat(before) > ANSWERED:
        inbox.seen = {**inbox.seen, inbox.start_place: until.isoformat()}
        session.add(inbox)


def seen_until(inbox: Inbox, place: str) -> datetime:
    """Up to when the mail of that place is known; of a new one, that of wherever it was last."""
    known = inbox.seen.get(place) or max(inbox.seen.values(), default="")
    return datetime.fromisoformat(known) if known else inbox.started_at or clock.now()


def note_left(session: Session, inbox_id: int, count: int) -> None:
    """So many of an import are still to be fetched."""
    session.get_one(Inbox, inbox_id).to_fetch = count


def note_look(session: Session, inbox_id: int, scope: str, there: Sequence[ServerId]) -> None:
    """The folder as it was just now, after everything missing was fetched."""
    inbox, now = session.get_one(Inbox, inbox_id), clock.now()
    numbers = {item.number for item in there}
    rows = session.exec(
        select(LedgerRow.id, LedgerRow.number, LedgerRow.gone_at).where(
            LedgerRow.inbox_id == inbox_id, LedgerRow.scope == scope
        )
    ).all()
    note_gone_and_back(session, rows, numbers, now)
    _forget_other_numbers(session, inbox_id, scope, now)
    known = {number for _, number, _ in rows}
    unknown = [item for item in there if item.number not in known]
    unexplained = [item.number for item in unknown if not _before_start(inbox, item)]
    folder = session.exec(
        select(Folder).where(Folder.inbox_id == inbox_id, Folder.scope == scope)
    ).one_or_none()
    if folder is None:
        if not there:
            return  # of numbers that were never used nothing can be told
        folder = Folder(inbox_id=inbox_id, scope=scope, looked_at=now)
        others = session.exec(
            select(Folder).where(Folder.inbox_id == inbox_id, col(Folder.sent).is_(False))
        ).all()
        # Since it is fetched from this place: another account has numbers of its own.
        begun = inbox.started_at
        same = [other for other in others if begun is None or other.looked_at >= begun]
        if any(_folder_of(other.scope) == _folder_of(scope) for other in same):
            changes.record(session, SYSTEM, None, "mailbox_renumbered", inbox=inbox_id, scope=scope)
        for other in others:
            session.delete(other)  # there is nothing on the server under its numbers any more
    folder.looked_at, folder.on_server = now, len(numbers)
    folder.older = len(unknown) - len(unexplained)
    folder.unexplained, folder.not_explained = unexplained[:UNEXPLAINED], len(unexplained)
    session.add(folder)
    inbox.to_fetch = 0


def note_gone_and_back(
    session: Session,
    rows: Sequence[tuple[int, int, datetime | None]],
    there: Collection[int],
    now: datetime,
) -> None:
    """Of rows with their number and since when they are gone: which are there by now."""
    gone = [row_id for row_id, number, was in rows if number not in there and was is None]
    back = [row_id for row_id, number, was in rows if number in there and was is not None]
    _set_gone(session, gone, now)
    _set_gone(session, back, None)


def _set_gone(session: Session, row_ids: Sequence[int], at: datetime | None) -> None:
    for first in range(0, len(row_ids), _AT_ONCE):
        some = row_ids[first : first + _AT_ONCE]
        for row in session.exec(select(LedgerRow).where(col(LedgerRow.id).in_(some))):
            row.gone_at = at
            session.add(row)
        session.flush()


def _forget_other_numbers(session: Session, inbox_id: int, scope: str, now: datetime) -> None:
    rows = session.exec(
        select(LedgerRow.id).where(
            LedgerRow.inbox_id == inbox_id,
            LedgerRow.scope != scope,
            col(LedgerRow.sent).is_(False),
            col(LedgerRow.gone_at).is_(None),
        )
    ).all()
    _set_gone(session, rows, now)

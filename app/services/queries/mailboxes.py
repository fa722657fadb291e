"""What each folder of a server held at the last look, and what became of every item."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core import clock
from app.domain.words import ArrivalState
from app.services.access import Actor, Permission, require
from app.store.tables import Arrival, Folder, Inbox, LedgerRow

NAMED = 20
RATE_OVER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NotFetched:
    number: int
    problem: str
    attempts: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class FolderBalance:
    """`on_server` is the sum of `older`, `skipped`, all `states`, `not_fetched`, `unexplained`."""

    inbox_id: int
    inbox: str
    folder: str
    looked_at: datetime
    on_server: int
    older: int  # from before the inbox was connected, and not wanted
    skipped: int  # the same, noted one by one
    states: Mapping[ArrivalState, int]
    not_fetched: int
    problems: tuple[NotFetched, ...]  # the first of them
    unexplained: int
    numbers: tuple[int, ...]  # the first of them

    @property
    def difference(self) -> int:
        """Zero, or something is wrong with the ledger."""
        explained = self.older + self.skipped + self.not_fetched + self.unexplained
        return self.on_server - explained - sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Import:
    """Old mail that is being brought in."""

    inbox_id: int
    inbox: str
    fetched: int
    filed: int
    to_fetch: int  # still on the server
    a_minute: float  # filed over the last minutes
    minutes_left: float | None  # None while nobody can say

    @property
    def total(self) -> int:
        return self.fetched + self.to_fetch

    @property
    def waiting(self) -> int:
        return self.total - self.filed

    @property
    def left(self) -> timedelta | None:
        return None if self.minutes_left is None else timedelta(minutes=self.minutes_left)


def balances(session: Session, actor: Actor) -> tuple[FolderBalance, ...]:
    require(actor, Permission.READ)
    folders = session.execute(
        sql_select(Folder, col(Inbox.name))
        .join(Inbox, col(Inbox.id) == col(Folder.inbox_id))
        .order_by(col(Inbox.name), col(Folder.scope))
    ).all()
    return tuple(_balance(session, folder, inbox) for folder, inbox in folders)


def _balance(session: Session, folder: Folder, inbox: str) -> FolderBalance:
    there = and_(
        col(LedgerRow.inbox_id) == folder.inbox_id,
        col(LedgerRow.scope) == folder.scope,
        col(LedgerRow.seen_at) <= folder.looked_at,
        or_(col(LedgerRow.gone_at).is_(None), col(LedgerRow.gone_at) > folder.looked_at),
    )
    states: dict[ArrivalState, int] = defaultdict(int)
    skipped = not_fetched = 0
    for state, unwanted, count in session.execute(
        sql_select(col(Arrival.state), col(LedgerRow.skipped), func.count())
        .select_from(LedgerRow)
        .outerjoin(Arrival, col(Arrival.id) == col(LedgerRow.arrival_id))
        .where(there)
        .group_by(col(Arrival.state), col(LedgerRow.skipped))
    ):
        if state is not None:
            states[state] += count
        elif unwanted:
            skipped += count
        else:
            not_fetched += count
    problems = session.execute(
        sql_select(
            col(LedgerRow.number),
            col(LedgerRow.problem),
            col(LedgerRow.attempts),
            col(LedgerRow.next_at),
        )
        .where(there, col(LedgerRow.arrival_id).is_(None), col(LedgerRow.skipped).is_(False))
        .order_by(col(LedgerRow.number))
        .limit(NAMED)
    ).all()
    return FolderBalance(
        inbox_id=folder.inbox_id,
        inbox=inbox,
        folder=folder.scope.rpartition("/")[0] or folder.scope,
        looked_at=folder.looked_at,
        on_server=folder.on_server,
        older=folder.older,
        skipped=skipped,
        states={state: states[state] for state in ArrivalState},
        not_fetched=not_fetched,
        problems=tuple(NotFetched(*row) for row in problems),
        unexplained=folder.not_explained,
        numbers=tuple(folder.unexplained[:NAMED]),
    )


def imports(session: Session, actor: Actor) -> tuple[Import, ...]:
    """Imports that are not done."""
    require(actor, Permission.READ)
    waiting = col(Arrival.state) == ArrivalState.WAITING
    imported = and_(col(Arrival.inbox_id) == col(Inbox.id), col(Arrival.backlog).is_(True))
    just_now = clock.now() - RATE_OVER
    rows = session.execute(
        sql_select(
            col(Inbox.id),
            col(Inbox.name),
            col(Inbox.to_fetch),
            func.count(col(Arrival.id)),
            func.count().filter(waiting),
            func.count().filter(col(Arrival.filed_at) > just_now),
            func.min(col(Arrival.filed_at)).filter(col(Arrival.filed_at) > just_now),
        )
        .outerjoin(Arrival, imported)
        .group_by(col(Inbox.id), col(Inbox.name), col(Inbox.to_fetch))
        .having(or_(func.count().filter(waiting) > 0, col(Inbox.to_fetch) > 0))
        .order_by(col(Inbox.id))
    ).all()
    return tuple(_import(*row) for row in rows)


def _import(
    inbox_id: int,
    inbox: str,
    to_fetch: int,
    fetched: int,
    waiting: int,
    lately: int,
    since: datetime | None,
) -> Import:
    minutes = max((clock.now() - since).total_seconds() / 60, 0.1) if since else 0.0
    rate = lately / minutes if minutes and lately > 1 else 0.0
    return Import(
        inbox_id=inbox_id,
        inbox=inbox,
        fetched=fetched,
        filed=fetched - waiting,
        to_fetch=to_fetch,
        a_minute=rate,
        minutes_left=(waiting + to_fetch) / rate if rate else None,
    )

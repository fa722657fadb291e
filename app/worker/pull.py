"""Fetches from servers that keep mail until somebody comes: one supervised task an inbox."""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlmodel import Session, col, func, or_, select

from app.core import clock, crashpoints
from app.core.errors import Invalid
from app.domain.words import ArrivalState
from app.services import inboxes, intake, leases
from app.services.intake import Parcel, Stored
from app.store.tables import Arrival, Inbox, LedgerRow
from app.worker import refusals, withheld
from app.worker.works import Works
from channels.contract import (
    Mailbox,
    Misconfigured,
    NotSettled,
    Pulls,
    Raw,
    Renews,
    ServerId,
    SignInRefused,
    TryLater,
    Withheld,
)

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW = 15.0
LOOK_AROUND = 3.0  # seconds between looks at which inboxes there are
FULL_LOOK = timedelta(hours=1)
BACKOFF = (2.0, 300.0)  # seconds, doubling with jitter
AT_ONCE = 25  # mails noted in one transaction, when that many wait …
AT_ONCE_BYTES = 8_000_000  # … and are no larger together; they are in memory until then
AFTER_MISCONFIGURED = 300.0

_listed = crashpoints.declare("pull.listed", "ids listed, nothing fetched")
_fetched = crashpoints.declare("pull.fetched", "bytes in memory, nothing stored")
_kept = crashpoints.declare("pull.kept", "arrival committed, no mark on the server")
_settled = crashpoints.declare("pull.settled", "mark left on the server, not noted here")


Fetched = tuple[ServerId, Raw | Withheld | None]  # None: it was gone

_UNACCEPTABLE = (DataError, IntegrityError, ProgrammingError)


class LostLease(Exception):
    """Another worker fetches this mailbox now."""


@dataclass(frozen=True, slots=True)
class Held:
    """The right to fetch one inbox."""

    inbox_id: int
    worker: str
    token: int

    @property
    def lease(self) -> str:
        return f"pull {self.inbox_id}"


async def supervise(works: Works) -> None:
    """Keep one task alive for every inbox that fetches; start and end them as inboxes change."""
    running: dict[int, tuple[bytes, asyncio.Task[None]]] = {}
    try:
        while True:
            wanted = await asyncio.to_thread(_wanted, works)
            for inbox_id, (config, task) in list(running.items()):
                if task.done() or wanted.get(inbox_id) != config:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    del running[inbox_id]
            for inbox_id, config in wanted.items():
                if inbox_id not in running:
                    running[inbox_id] = (
                        config,
                        asyncio.create_task(_keep_pulling(works, inbox_id)),
                    )
            await asyncio.sleep(LOOK_AROUND)
    finally:
        for _, task in running.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in running.values()), return_exceptions=True)


def _wanted(works: Works) -> dict[int, bytes]:
    with works.database.reading() as session:
        found = inboxes.enabled(session)
    wanted: dict[int, bytes] = {}
    for inbox in found:
        if _wants(works, inbox):
            wanted[inbox.id] = inbox.sealed_config
    return wanted


def _wants(works: Works, inbox: Inbox) -> bool:
    channel = works.channels.get(inbox.kind)
    try:
        return isinstance(channel, Pulls) and channel.pulls(works.config_of(inbox))
    except (Invalid, ValueError):
        return True  # its own task says what is wrong with it, and the other inboxes go on


async def _keep_pulling(works: Works, inbox_id: int) -> None:
    wait = BACKOFF[0]
    while True:
        if left := await asyncio.to_thread(refusals.seconds_left, works, inbox_id):
            await asyncio.sleep(min(left, RENEW))
            continue
        token = await works.in_transaction(leases.take, f"pull {inbox_id}", works.name, LEASE)
        if token is None:
            await asyncio.sleep(RENEW)
            continue
        held, began = Held(inbox_id, works.name, token), time.monotonic()
        renewing = asyncio.create_task(_renew(works, held))
        pulling = asyncio.create_task(_pull(works, held))
        try:
            await asyncio.wait({renewing, pulling}, return_when=asyncio.FIRST_COMPLETED)
            if renewing.done():
                pulling.cancel()
                await asyncio.gather(pulling, return_exceptions=True)
                wait = RENEW
            else:
                # What went well for long is a new trouble, not more of the last one.
                wait = BACKOFF[0] if time.monotonic() - began > BACKOFF[1] else wait
                wait = await _after(works, inbox_id, pulling, wait)
        finally:
            for task in (renewing, pulling):
                task.cancel()
            await asyncio.gather(renewing, pulling, return_exceptions=True)
        await asyncio.sleep(wait)


async def _after(works: Works, inbox_id: int, pulling: "asyncio.Task[None]", wait: float) -> float:
    """Why pulling ended, written where people see it; how long to wait before the next try."""
    try:
        pulling.result()
    except SignInRefused as problem:
        log.warning("account refused", extra={"inbox": inbox_id})
        await works.in_transaction(refusals.note, inbox_id, str(problem))
        return 0.0
    except (Misconfigured, Invalid) as problem:
        log.warning("inbox needs a person", extra={"inbox": inbox_id})
        await works.in_transaction(inboxes.note_trouble, inbox_id, str(problem))
        return AFTER_MISCONFIGURED
    except TryLater as problem:
        log.info("mail server is away", extra={"inbox": inbox_id})
        await works.in_transaction(inboxes.note_trouble, inbox_id, str(problem))
        jitter = random.uniform(0.7, 1.3)  # noqa: S311
        return max(problem.after, min(wait * 2 * jitter, BACKOFF[1]))
    except LostLease:
        return RENEW
    except Exception:
        # Whatever it is, the other inboxes go on and this one tries again.
        log.exception("pulling failed", extra={"inbox": inbox_id})
        await works.in_transaction(
            inboxes.note_trouble, inbox_id, "Setten failed while fetching; see the log."
        )
        return min(wait * 2, BACKOFF[1])
    return BACKOFF[0]


async def _renew(works: Works, held: Held) -> None:
    while True:
        await asyncio.sleep(RENEW)
        if await works.in_transaction(leases.take, held.lease, held.worker, LEASE) != held.token:
            return


async def _pull(works: Works, held: Held) -> None:
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, held.inbox_id)
    config = works.config_of(inbox)
    channel = works.channels[inbox.kind]
    assert isinstance(channel, Pulls)
    async with channel.open(config) as box:
        await works.in_transaction(inboxes.note_trouble, inbox.id, "")
        if isinstance(channel, Renews) and (fresh := channel.renewed(config)):
            was = inbox.sealed_config
            await works.in_transaction(inboxes.renew, works.keys, inbox.id, was, fresh)
        if not inbox.started:
            old = await box.list(None) if channel.skips_old(config) else ()
            await works.in_transaction(_start, inbox.id, old)
        looked = clock.now()
        await _look(works, held, box, None)
        while True:
            await withheld.say(works, inbox.id, box, await _settle(works, held, box))
            await box.wait(works.settings.poll_seconds)
            after = await asyncio.to_thread(_newest, works, inbox.id)
            if clock.now() - looked > FULL_LOOK:
                # What a cursor cannot see: gaps, and mail that was moved back.
                after, looked = None, clock.now()
            await _look(works, held, box, after)


def _start(session: Session, inbox_id: int, old: Sequence[ServerId]) -> None:
    inbox = session.get_one(Inbox, inbox_id)
    inbox.started = True
    if old:
        inbox.start_scope, inbox.start_number = old[-1].scope, old[-1].number
    session.add(inbox)


def _newest(works: Works, inbox_id: int) -> ServerId | None:
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
        row = session.exec(
            select(LedgerRow)
            .where(LedgerRow.inbox_id == inbox_id)
            .order_by(col(LedgerRow.id).desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            start = ServerId(inbox.start_scope, inbox.start_number)
            return start if inbox.start_scope else None
        number = session.exec(
            select(func.max(LedgerRow.number)).where(
                LedgerRow.inbox_id == inbox_id, LedgerRow.scope == row.scope
            )
        ).one()
        return ServerId(row.scope, number)


async def _look(works: Works, held: Held, box: Mailbox, after: ServerId | None) -> None:
    """Fetch what the ledger lacks, oldest first."""
    there = await box.list(after)
    missing = await asyncio.to_thread(withheld.due, works, held.inbox_id)
    missing += await asyncio.to_thread(_missing, works, held.inbox_id, there)
    if missing:
        _listed()
    fetched: list[Fetched] = []
    for item in missing:
        try:
            raw: Raw | Withheld | None = await box.fetch(item)
        except Withheld as problem:
            raw = problem  # those behind it go on
        except Exception:
            # What stands before it must not wait for a mail that cannot be had.
            await asyncio.to_thread(_keep, works, held, fetched)
            raise
        _fetched()
        fetched.append((item, raw))
        if len(fetched) == AT_ONCE or _size(fetched) > AT_ONCE_BYTES:
            await asyncio.to_thread(_keep, works, held, fetched)
            fetched = []
    await asyncio.to_thread(_keep, works, held, fetched)


def _size(fetched: Sequence[Fetched]) -> int:
    return sum(len(raw.body) for _, raw in fetched if isinstance(raw, Raw))


def _missing(works: Works, inbox_id: int, there: Sequence[ServerId]) -> list[ServerId]:
    if not there:
        return []
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
        scopes = {item.scope for item in there}
        lowest = min(item.number for item in there)
        known = {
            ServerId(scope, number)
            for scope, number in session.exec(
                select(LedgerRow.scope, LedgerRow.number).where(
                    LedgerRow.inbox_id == inbox_id,
                    col(LedgerRow.scope).in_(scopes),
                    LedgerRow.number >= lowest,
                    # What was gone and is listed again is not gone; what is withheld has its time.
                    or_(col(LedgerRow.problem) == "", col(LedgerRow.next_at).is_not(None)),
                )
            )
        }
    start = (inbox.start_scope, inbox.start_number)
    return [
        item
        for item in there
        if item not in known and not (item.scope == start[0] and item.number <= start[1])
    ]


def _keep(works: Works, held: Held, fetched: Sequence[Fetched]) -> None:
    """Make the bytes durable, and then note all of them in one transaction."""
    parcels = {
        item: Parcel(raw, Stored(works.blobs.put(raw.body), len(raw.body)), item)
        for item, raw in fetched
        if isinstance(raw, Raw)
    }
    try:
        _note(works, held, fetched, parcels)
    except _UNACCEPTABLE:
        _note_each(works, held, fetched, parcels)
    for _ in parcels:
        _kept()


def _note_each(
    works: Works, held: Held, fetched: Sequence[Fetched], parcels: Mapping[ServerId, Parcel]
) -> None:
    """One that the database cannot take must not hold up the others; it is heard of after them."""
    trouble: DBAPIError | None = None
    for one in fetched:
        try:
            _note(works, held, [one], parcels)
        except _UNACCEPTABLE as problem:
            trouble = problem
    if trouble:
        raise trouble


def _note(
    works: Works, held: Held, fetched: Sequence[Fetched], parcels: Mapping[ServerId, Parcel]
) -> None:
    if not fetched:
        return
    with works.database.transaction() as session:
        if not leases.held(session, held.lease, held.worker, held.token):
            raise LostLease
        for item, raw in fetched:
            if raw is None:
                _note_gone(session, held.inbox_id, item)
            elif isinstance(raw, Withheld):
                withheld.note(session, held.inbox_id, item, raw)
        if there := [parcels[item] for item, raw in fetched if isinstance(raw, Raw)]:
            intake.keep_all(session, held.inbox_id, there)


def _note_gone(session: Session, inbox_id: int, item: ServerId) -> None:
    """Listed and then not there: somebody else removed it. The ledger says so."""
    row = intake.ledger_row(session, inbox_id, item)
    row.problem, row.next_at = "It was gone before it could be fetched.", None
    session.add(row)


async def _settle(works: Works, held: Held, box: Mailbox) -> str:
    """Leave the mark on the server for what is filed, and only for that. Why not, if it refuses."""
    while filed := await asyncio.to_thread(_to_settle, works, held.inbox_id):
        marked: list[int] = []
        try:
            for row_id, item in filed:
                await box.settle(item)
                _settled()
                marked.append(row_id)
        except NotSettled as problem:
            return str(problem)  # fetching goes on, and the mark is tried again with the next look
        finally:
            # One transaction for all of them: to leave a mark twice does no harm.
            if marked:
                await works.in_transaction(_note_settled, marked)
    return ""


def _to_settle(works: Works, inbox_id: int) -> list[tuple[int, ServerId]]:
    with works.database.reading() as session:
        rows = session.exec(
            select(LedgerRow.id, LedgerRow.scope, LedgerRow.number)
            .join(Arrival, col(LedgerRow.arrival_id) == col(Arrival.id))
            .where(
                LedgerRow.inbox_id == inbox_id,
                col(LedgerRow.settled_at).is_(None),
                col(Arrival.state).in_(
                    [ArrivalState.FILED, ArrivalState.COPY, ArrivalState.IGNORED]
                ),
            )
            .order_by(col(LedgerRow.id))
            .limit(200)
        ).all()
    return [(row_id, ServerId(scope, number)) for row_id, scope, number in rows]


def _note_settled(session: Session, row_ids: Sequence[int]) -> None:
    for row in session.exec(select(LedgerRow).where(col(LedgerRow.id).in_(row_ids))):
        row.settled_at = clock.now()
        session.add(row)

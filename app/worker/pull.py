"""Fetches from servers that keep mail until somebody comes: one supervised task an inbox."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from app.core import clock, crashpoints
from app.core.errors import Invalid
from app.services import inboxes, intake, leases, ledger
from app.services.intake import Parcel, Stored
from app.store.tables import Inbox
from app.worker import refusals, sent_watch, withheld
from app.worker.begin import AT_ONCE as AT_ONCE_KNOWN
from app.worker.begin import begin
from app.worker.works import Works
from channels.contract import (
    Mailbox,
    Misconfigured,
    NotSettled,
    Pulls,
    Raw,
    Recognises,
    Renews,
    ServerId,
    SettlesTogether,
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
BACKLOG = (
    100  # with more missing than this it is an import: whatever comes meanwhile is filed first
)
AT_ONCE_BYTES = 8_000_000  # … and are no larger together; they are in memory until then
AFTER_MISCONFIGURED = 300.0
REFUSALS = 20  # marks that are refused in one look
MARKING = 10.0  # seconds marks are left without a look at what came meanwhile
LOSSES = 3  # after so many at the same mail, those behind it go on

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
    sent: bool = False  # what is fetched lay among what was sent
    losses: Counter[ServerId] = field(default_factory=Counter, compare=False)

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
    losses: Counter[ServerId] = Counter()
    while True:
        if left := await asyncio.to_thread(refusals.seconds_left, works, inbox_id):
            await asyncio.sleep(min(left, RENEW))
            continue
        token = await works.in_transaction(leases.take, f"pull {inbox_id}", works.name, LEASE)
        if token is None:
            await asyncio.sleep(RENEW)
            continue
        held = Held(inbox_id, works.name, token, losses=losses)
        began = asyncio.get_running_loop().time()
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
                lasted = asyncio.get_running_loop().time() - began
                wait = BACKOFF[0] if lasted > BACKOFF[1] else wait
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
        return BACKOFF[0]  # and then the hour that is noted
    except (Misconfigured, Invalid) as problem:
        log.warning("inbox needs a person", extra={"inbox": inbox_id})
        await works.in_transaction(inboxes.note_trouble, inbox_id, str(problem))
        return AFTER_MISCONFIGURED
    except TryLater as problem:
        log.info("mail server is away", extra={"inbox": inbox_id})
        await works.in_transaction(inboxes.note_trouble, inbox_id, str(problem))
        return max(problem.after, _longer(wait))
    except LostLease:
        return RENEW
    except Exception:
        # Whatever it is, the other inboxes go on and this one tries again.
        log.exception("pulling failed", extra={"inbox": inbox_id})
        await works.in_transaction(
            inboxes.note_trouble, inbox_id, "Setten failed while fetching; see the log."
        )
        return _longer(wait)
    return BACKOFF[0]


def _longer(wait: float) -> float:
    """Not the same for all: whom one trouble cut off would come back all at once."""
    return min(wait * 2, BACKOFF[1]) * random.uniform(0.7, 1.0)  # noqa: S311


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
    fetch_sent = partial(_fetch, works, replace(held, sent=True), backlog=False)
    async with (
        channel.open(config) as box,
        sent_watch.beside(works, inbox.id, channel, config, fetch_sent),
    ):
        await works.in_transaction(inboxes.note_connected, inbox.id)
        if isinstance(channel, Renews) and (fresh := channel.renewed(config)):
            was = inbox.sealed_config
            await works.in_transaction(inboxes.renew, works.keys, inbox.id, was, fresh)
        place = channel.place(config)
        if not inbox.started or inbox.start_place != place:
            await begin(works, inbox, box, place, channel.imports(config))
        asked = looked = clock.now()
        await _look(works, held, box, None)
        behind = 0
        while True:
            trouble, behind, done = await _settle(works, held, box, behind)
            await withheld.say(works, inbox.id, box, trouble, asked)
            if done:
                await box.wait(works.settings.poll_seconds)
            after = await works.read(ledger.newest, inbox.id)
            asked = clock.now()
            if asked - looked > FULL_LOOK:
                # What a cursor cannot see: gaps, and mail that was moved back.
                after, looked = None, asked
            await _look(works, held, box, after)


async def _look(works: Works, held: Held, box: Mailbox, after: ServerId | None) -> None:
    """Fetch what the ledger lacks, oldest first; with no `after`, look at everything there is."""
    there = await box.list(after)
    missing = await works.read(ledger.missing, held.inbox_id, there)
    if missing and isinstance(box, Recognises):
        missing = await _unknown(works, held, box, missing)
    missing = [*await works.read(withheld.due, held.inbox_id), *missing]
    if missing:
        _listed()
    backlog = len(missing) > BACKLOG
    while missing:
        some, missing = missing[:AT_ONCE], missing[AT_ONCE:]
        await _fetch(works, held, box, some, backlog=backlog)
        if backlog:
            await works.in_transaction(ledger.note_left, held.inbox_id, len(missing))
        if missing and there:
            there = [*there, *await _overtake(works, held, box, there[-1])]
    if after is None:
        await works.in_transaction(ledger.note_look, held.inbox_id, box.scope, there)


async def _overtake(works: Works, held: Held, box: Mailbox, last: ServerId) -> Sequence[ServerId]:
    """What came during an import does not wait until it ends."""
    new = await box.list(last)
    missing = await works.read(ledger.missing, held.inbox_id, new)
    await _fetch(works, held, box, missing, backlog=False)
    await works.in_transaction(ledger.note_answer, held.inbox_id)
    return new


async def _unknown(
    works: Works, held: Held, box: Recognises, missing: list[ServerId]
) -> list[ServerId]:
    """Where the server gave everything new numbers, nothing is fetched that we have."""
    if not await works.read(ledger.was_renumbered, held.inbox_id, missing[-1].scope):
        return missing
    for first in range(0, len(missing), AT_ONCE_KNOWN):
        found = await box.identities(missing[first : first + AT_ONCE_KNOWN])
        await works.in_transaction(ledger.renumber, held.inbox_id, found)
    return await works.read(ledger.missing, held.inbox_id, missing)


async def _fetch(
    works: Works, held: Held, box: Mailbox, items: Sequence[ServerId], *, backlog: bool
) -> None:
    fetched: list[Fetched] = []
    for item in items:
        try:
            raw: Raw | Withheld | None = await box.fetch(item)
        except Withheld as problem:
            raw = problem  # those behind it go on
        except Exception as problem:
            # Neither what stands before it nor what comes behind waits for it for ever.
            held.losses[item] += 1
            if held.losses[item] >= LOSSES:
                words = f"Mail {item.number} could not be fetched: {problem}"
                fetched.append((item, Withheld(words)))
            await asyncio.to_thread(_keep, works, held, fetched, backlog=backlog)
            raise
        _fetched()
        fetched.append((item, raw))
        if _size(fetched) > AT_ONCE_BYTES:
            await asyncio.to_thread(_keep, works, held, fetched, backlog=backlog)
            fetched = []
    await asyncio.to_thread(_keep, works, held, fetched, backlog=backlog)


def _size(fetched: Sequence[Fetched]) -> int:
    return sum(len(raw.body) for _, raw in fetched if isinstance(raw, Raw))


def _keep(works: Works, held: Held, fetched: Sequence[Fetched], *, backlog: bool) -> None:
    """Make the bytes durable, and then note all of them in one transaction."""
    parcels = {
        item: Parcel(raw, Stored(works.blobs.put(raw.body), len(raw.body)), item, backlog)
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
    """One that the database cannot take must not hold up the others."""
    for item, raw in fetched:
        try:
            _note(works, held, [(item, raw)], parcels)
        except _UNACCEPTABLE:
            log.exception("the database takes no such mail", extra={"inbox": held.inbox_id})
            words = f"The database does not take mail {item.number}; see the log."
            _note(works, held, [(item, Withheld(words))], parcels)


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
                ledger.note_gone(session, held.inbox_id, item, sent=held.sent)
            elif isinstance(raw, Withheld):
                withheld.note(session, held.inbox_id, item, raw, sent=held.sent)
        if there := [parcels[item] for item, raw in fetched if isinstance(raw, Raw)]:
            intake.keep_all(session, held.inbox_id, there)


async def _settle(works: Works, held: Held, box: Mailbox, behind: int) -> tuple[str, int, bool]:
    """Leave the mark on the server for what is filed, and only for that.

    Why not, if it refuses; the row behind which the next look goes on, so that many that are
    refused keep no other from its mark, and 0 when it was at the end; and whether that is all.
    What is filed meanwhile is for the next time: while much waits to be filed there is always more,
    and what has just come would wait for the last of it.
    """
    refused: list[str] = []
    clocked = asyncio.get_running_loop().time
    until = clocked() + MARKING
    full = True
    while full and (filed := await works.read(ledger.to_settle, held.inbox_id, behind)):
        full = len(filed) == ledger.MARKED_AT_ONCE
        marked: list[int] = []
        try:
            if isinstance(box, SettlesTogether) and await box.settle_together(
                [item for _, item, whole in filed if whole]
            ):
                _settled()
                marked += [row for row, _, whole in filed if whole]
                filed = [one for one in filed if not one[2]]
            for behind, item, whole in filed:
                try:
                    await box.settle(item, whole=whole)
                    _settled()
                    marked.append(behind)
                except NotSettled as problem:
                    refused.append(str(problem))  # it is tried again with a later look
                    if len(refused) == REFUSALS:
                        return refused[0], behind, True
                if clocked() > until:
                    return next(iter(refused), ""), behind, False
        finally:
            # One transaction for all of them: to leave a mark twice does no harm.
            if marked:
                await works.in_transaction(ledger.note_settled, marked)
        if full and clocked() > until:
            return next(iter(refused), ""), behind, False
    return next(iter(refused), ""), 0, True

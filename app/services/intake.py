"""What comes in: kept raw first, understood later, filed in one transaction."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from app import __version__
from app.core import clock, crashpoints
from app.core.errors import Conflict, Invalid, NotFound
from app.core.secrets import Keys
from app.domain.words import ArrivalState
from app.services import changes, filing, forwarding, glances, ledger
from app.services.access import SYSTEM, Actor, Permission, require
from app.services.filing import Understood
from app.store import inserting, jobs
from app.store.tables import Arrival, Inbox, LedgerRow
from channels.contract import Ignored, Raw, SelfTests, ServerId

AT_ONCE = 300  # that are discarded with one press
ATTEMPTS = 3  # a bug of ours may go away with the next attempt; after these a person decides

_before_keep = crashpoints.declare("intake.raw_stored", "raw bytes durable, no row yet")
_inside_keep = crashpoints.declare("intake.keep_open", "arrival written, not committed")
_TO_FILE = (
    select(Arrival, Inbox)
    .join(Inbox, col(Inbox.id) == col(Arrival.inbox_id))
    .where(col(Arrival.id) == bindparam("arrival"), Arrival.state == ArrivalState.WAITING)
    .with_for_update(of=col(Arrival.id))
)

_inside_file = crashpoints.declare("intake.file_open", "ticket written, not committed")


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the raw bytes of an arrival already are."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """An arrival whose raw bytes are durable; `item` is what its server calls it."""

    raw: Raw
    stored: Stored
    item: ServerId | None = None
    backlog: bool = False  # of an import


def keep(session: Session, inbox_id: int, raw: Raw, stored: Stored) -> Arrival | None:
    """Note an arrival before anyone tries to read it. None if we already had it."""
    return next(iter(keep_all(session, inbox_id, [Parcel(raw, stored)])), None)


def keep_all(session: Session, inbox_id: int, parcels: Sequence[Parcel]) -> Sequence[Arrival]:
    """The same for some arrivals of one inbox, in their order; those that are new.

    The ledger then knows that what a server holds was fetched.
    """
    inbox = session.get_one(Inbox, inbox_id, with_for_update={"key_share": True})
    waiting = session.exec(
        select(Arrival.id)
        .where(
            Arrival.inbox_id == inbox_id,
            Arrival.state == ArrivalState.WAITING,
            col(Arrival.next_at).is_(None),
            col(Arrival.slow).is_(False),
        )
        .limit(1)
    ).one_or_none()
    rows = []
    for parcel in parcels:
        _before_keep()
        rows.append(_arrival(inbox_id, parcel))
    arrivals = inserting.unless_there(session, rows)
    _enter(session, inbox_id, parcels, arrivals)
    if arrivals:
        if not arrivals[-1].sent:  # all of them are of one folder
            inbox.last_in_at, inbox.last_in_error = arrivals[-1].received_at, ""
            session.add(inbox)
        if waiting is None:
            # An older one that still waits has a job that files these, too: that job looks
            # again, under the lock of the inbox's row, before it ends.
            wake(session, inbox_id)
    session.flush()
    for _ in parcels:
        _inside_keep()
    return arrivals


def _arrival(inbox_id: int, parcel: Parcel) -> Arrival:
    raw, now = parcel.raw, clock.now()
    return Arrival(
        inbox_id=inbox_id,
        external_id=raw.external_id,
        sha256=parcel.stored.sha256,
        size=parcel.stored.size,
        headers=dict(raw.headers),
        received_at=now,
        server_at=raw.received_at,
        oversized=raw.oversized,
        sent=raw.sent,
        backlog=parcel.backlog,
        settled_at=None if parcel.item else now,
    )


def _enter(
    session: Session, inbox_id: int, parcels: Sequence[Parcel], arrivals: Sequence[Arrival]
) -> None:
    """Write into the ledger which arrival became of each item of the server."""
    numbers = {arrival.external_id: arrival.id for arrival in arrivals}
    items: dict[ServerId, int] = {}
    identities = {parcel.item: parcel.raw.identity for parcel in parcels}
    for parcel in parcels:
        if parcel.item:
            name = parcel.raw.external_id
            if name not in numbers:
                numbers[name] = _kept_before(session, inbox_id, name)
            items[parcel.item] = numbers[name]
    new = inserting.unless_there(
        session,
        [
            LedgerRow(
                inbox_id=inbox_id,
                scope=item.scope,
                number=item.number,
                arrival_id=arrival_id,
                identity=identities[item],
                seen_at=clock.now(),
                sent=parcels[0].raw.sent,  # all of them are of one folder
            )
            for item, arrival_id in items.items()
        ],
    )
    listed = items.keys() - {ServerId(row.scope, row.number) for row in new}
    for item in listed:
        row = ledger.row_of(session, inbox_id, item)
        row.arrival_id, row.identity = items[item], identities[item]
        row.problem, row.next_at = "", None
        session.add(row)


def _kept_before(session: Session, inbox_id: int, external_id: str) -> int:
    return session.exec(
        select(Arrival.id).where(Arrival.inbox_id == inbox_id, Arrival.external_id == external_id)
    ).one()


def refuse(session: Session, inbox_id: int, external_id: str, size: int, reason: str) -> None:
    """Count what was turned away at the door, with the reason; nothing of it is kept."""
    session.add(
        Arrival(
            inbox_id=inbox_id,
            external_id=external_id,
            size=size,
            received_at=clock.now(),
            state=ArrivalState.REFUSED,
            reason=reason,
            settled_at=clock.now(),
        )
    )


def wake(session: Session, inbox_id: int, *, slow: bool = False, delay: float = 0.0) -> None:
    """Have what waits there filed; what takes long is filed beside the rest."""
    jobs.enqueue(session, "file_slow" if slow else "file", delay=delay, inbox_id=inbox_id)


def next_waiting(session: Session, inbox_id: int, *, slow: bool = False) -> Arrival | None:
    """The oldest arrival of the inbox that is due. Locks the inbox, see `keep_all`."""
    session.get_one(Inbox, inbox_id, with_for_update={"key_share": True})
    return next(iter(due(session, inbox_id, 1, slow=slow)), None)


def due(session: Session, inbox_id: int, at_most: int, *, slow: bool = False) -> Sequence[Arrival]:
    """What waits in the inbox and may be tried now: the oldest first, an import after the rest.

    Answers found among what was sent come last: they find there what they answer.
    """
    return session.exec(
        select(Arrival)
        .where(
            Arrival.inbox_id == inbox_id,
            Arrival.state == ArrivalState.WAITING,
            col(Arrival.slow).is_(slow),
            col(Arrival.next_at).is_(None) | (col(Arrival.next_at) <= clock.now()),
        )
        .order_by(col(Arrival.sent), col(Arrival.backlog), col(Arrival.id))
        .limit(at_most)
    ).all()


def file(
    session: Session,
    keys: Keys,
    arrival_id: int,
    understood: Sequence[Understood | Ignored],
    tester: SelfTests | None = None,
) -> None:
    """Turn what was understood into messages on tickets, all of it or nothing.

    `tester` is the channel it came by, where that can test itself.
    """
    claimed = session.exec(_TO_FILE, params={"arrival": arrival_id}).one_or_none()
    if claimed is None:
        return
    arrival, inbox = claimed
    place = filing.Place(inbox, arrival, tester)
    # Several messages in one arrival: all wait for a person if one of them has to. What was filed
    # beside it would be filed once more when the arrival is read again.
    with session.begin_nested() if len(understood) > 1 else nullcontext() as together:
        outcomes = [
            filing.Outcome(ArrivalState.IGNORED, found.reason)
            if isinstance(found, Ignored)
            else filing.file_one(session, keys, place, found)
            for found in understood
        ] or [filing.Outcome(ArrivalState.IGNORED, "There was nothing in it.")]
        aside = next((one for one in outcomes if one.state is ArrivalState.SET_ASIDE), None)
        if aside and together:
            together.rollback()
    if aside:
        set_aside(session, arrival_id, aside.reason, understood)
    else:
        # Filed if one of them was, else what became of the first.
        best = next((one for one in outcomes if one.state is ArrivalState.FILED), outcomes[0])
        arrival.state, arrival.reason, arrival.glance = best.state, best.reason, None
        arrival.copy_of_id = best.copy_of_id
        arrival.next_at, arrival.filed_at = None, clock.now()
    session.flush()
    _inside_file()


def _claimed(session: Session, arrival_id: int) -> Arrival | None:
    arrival = session.exec(
        select(Arrival).where(Arrival.id == arrival_id).with_for_update()
    ).one_or_none()
    return arrival if arrival and arrival.state is ArrivalState.WAITING else None


def set_aside(session: Session, arrival_id: int, reason: str, read: glances.Read = ()) -> None:
    """Nobody can read it, or say whose it is: keep it where people see it, with the reason."""
    arrival = _claimed(session, arrival_id)
    if arrival:
        arrival.state, arrival.reason, arrival.next_at = ArrivalState.SET_ASIDE, reason, None
        arrival.read_by, arrival.glance = __version__, glances.of(read)
        session.add(arrival)
        changes.record(session, SYSTEM, None, "set_aside", arrival=arrival.id)


def let_others_pass(session: Session, arrival_id: int) -> None:
    """It takes longer to read than those behind it should wait."""
    arrival = _claimed(session, arrival_id)
    if arrival and not arrival.slow:
        arrival.slow = True
        session.add(arrival)
        wake(session, arrival.inbox_id, slow=True)


def failed(session: Session, arrival_id: int, words: str, read: glances.Read = ()) -> None:
    """A bug of ours or a broken machine: try again, and set aside after ATTEMPTS."""
    arrival = _claimed(session, arrival_id)
    if arrival is None:
        return
    arrival.attempts += 1
    if arrival.attempts >= ATTEMPTS:
        set_aside(session, arrival_id, f"Setten failed on it {ATTEMPTS} times: {words}", read)
        return
    seconds = 5.0 * 4**arrival.attempts
    arrival.reason = words
    arrival.next_at = clock.now() + timedelta(seconds=seconds)
    session.add(arrival)
    wake(session, arrival.inbox_id, slow=arrival.slow, delay=seconds)


def _for_a_person(session: Session, actor: Actor, arrival_id: int) -> Arrival:
    require(actor, Permission.REPLY)
    arrival = session.exec(
        select(Arrival).where(Arrival.id == arrival_id).with_for_update()
    ).one_or_none()
    if arrival is None:
        raise NotFound("There is no such arrival.")
    if arrival.state is not ArrivalState.SET_ASIDE:
        raise Conflict("This arrival is not set aside any more.", state=arrival.state)
    return arrival


def _begin_anew(session: Session, arrival: Arrival) -> None:
    arrival.state, arrival.attempts, arrival.next_at = ArrivalState.WAITING, 0, None
    arrival.slow = False
    session.add(arrival)


def try_again(session: Session, actor: Actor, arrival_id: int) -> None:
    """Read a set-aside arrival again, for example after an upgrade."""
    _read_again(session, actor, [_for_a_person(session, actor, arrival_id)])


def take(session: Session, actor: Actor, arrival_id: int) -> None:
    """It is an inquiry, though an address of ours sent it."""
    arrival = _for_a_person(session, actor, arrival_id)
    if arrival.reason != forwarding.FROM_US:
        raise Conflict("This arrival was set aside for another reason.")
    arrival.taken = True
    _begin_anew(session, arrival)
    wake(session, arrival.inbox_id)
    changes.record(session, actor, None, "taken_as_inquiry", arrival=arrival.id)


def mend(session: Session, actor: Actor, arrival_id: int, stored: Stored) -> None:
    """Read it again from bytes that a person has mended; those that came are kept beside them."""
    arrival = _for_a_person(session, actor, arrival_id)
    arrival.original_sha256 = arrival.original_sha256 or arrival.sha256
    arrival.sha256, arrival.size, arrival.oversized = stored.sha256, stored.size, 0
    _begin_anew(session, arrival)
    wake(session, arrival.inbox_id)
    changes.record(session, actor, None, "mended", arrival=arrival.id, was=arrival.original_sha256)


def after_upgrade(session: Session) -> int:
    """What an older program could not read is tried by this one, once; how many."""
    rows = session.exec(
        select(Arrival)
        .where(Arrival.state == ArrivalState.SET_ASIDE, Arrival.read_by != __version__)
        .with_for_update(skip_locked=True)
    ).all()
    return _read_again(session, SYSTEM, rows)


def try_all_again(session: Session, actor: Actor) -> int:
    """Read everything that is set aside again; how many."""
    require(actor, Permission.REPLY)
    rows = session.exec(
        select(Arrival).where(Arrival.state == ArrivalState.SET_ASIDE).with_for_update()
    ).all()
    return _read_again(session, actor, rows)


def _read_again(session: Session, actor: Actor, rows: Sequence[Arrival]) -> int:
    for arrival in rows:
        _begin_anew(session, arrival)
        changes.record(session, actor, None, "tried_again", arrival=arrival.id)
    for inbox_id in {arrival.inbox_id for arrival in rows}:
        wake(session, inbox_id)
    return len(rows)


def discard(session: Session, actor: Actor, arrival_id: int, reason: str) -> None:
    """Decide that a set-aside arrival is not needed. Its raw source stays."""
    _discard(session, actor, _for_a_person(session, actor, arrival_id), reason)


def discard_ours(session: Session, actor: Actor, through: int, reason: str) -> int:
    """The same for what an address of ours sent, up to the last one that was seen; how many.

    At most `AT_ONCE`, the oldest: for the rest it is done again.
    """
    require(actor, Permission.REPLY)
    if not reason.strip():
        raise Invalid("Say why they are not needed.", field="reason")
    rows = session.exec(
        select(Arrival)
        .where(
            Arrival.state == ArrivalState.SET_ASIDE,
            Arrival.reason == forwarding.FROM_US,
            col(Arrival.id) <= through,
        )
        .order_by(col(Arrival.id))
        .limit(AT_ONCE)
        .with_for_update()
    ).all()
    for arrival in rows:
        _discard(session, actor, arrival, reason)
    return len(rows)


def _discard(session: Session, actor: Actor, arrival: Arrival, reason: str) -> None:
    arrival.state = ArrivalState.DISCARDED
    arrival.reason = reason.strip() or "no reason given"
    session.add(arrival)
    changes.record(session, actor, None, "discarded", arrival=arrival.id)

"""What goes out: packed, sent by a worker, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.core import clock, crashpoints, secrets
from app.core.errors import Conflict, NotFound
from app.core.secrets import Keys
from app.domain.storable import storable
from app.domain.words import DeliveryState
from app.services import (
    changes,
    customers,
    dispatched,
    followups,
    held,
    letters,
    pauses,
    sent_copies,
    surveys,
    withdrawals,
)
from app.services import resting as rests
from app.services.access import SYSTEM, Actor, Permission, require
from app.store import jobs
from app.store.tables import (
    Attachment,
    Delivery,
    Inbox,
    Message,
    Ticket,
)
from channels.contract import (
    Held,
    InDoubt,
    Later,
    OutboundMessage,
    Outcome,
    Paused,
    Phase,
    Refused,
    Rendered,
    Sent,
)

MOMENT = 5.0  # seconds until what a database that went away cut short is tried again
GIVE_UP_AFTER = timedelta(days=5)
_STEPS = (60, 300, 900, 3600)  # seconds between attempts; the last repeats

_packed = crashpoints.declare("outbox.packed", "deliveries claimed, provider not called")
_talking = crashpoints.declare("outbox.talking", "connected, nothing final said")
_ambiguous = crashpoints.declare("outbox.ambiguous", "marked before the point of no return")
_settling = crashpoints.declare("outbox.settle_open", "provider answered, result not committed")

DUE = (DeliveryState.QUEUED, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True)
class FileToSend:
    name: str
    content_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything a worker needs to send one message, read in one go."""

    message_id: int
    inbox_id: int
    kind: str
    holder: str  # this attempt's name; whatever it writes down later must carry it
    sealed_config: bytes
    recipients: tuple[str, ...]
    rendered_sha256: str  # "" when nobody rendered it yet
    external_id: str
    draft: OutboundMessage  # without its files
    files: tuple[FileToSend, ...]


def pack(
    session: Session, keys: Keys, worker: str, message_id: int, link_base: str
) -> Parcel | None:
    """Claim what is due of one message. None when nothing is, or another worker has it.

    `link_base` is empty where no link of ours can be opened: requests are held then.
    """
    message = session.get(Message, message_id)
    if message is None:  # it was taken back before it left
        return None
    resting = rests.of(session, message_id)
    if resting is not None:  # what it does to its ticket when it leaves, nobody does meanwhile
        session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    if message.request and not surveys.may_leave(session, message, reachable=bool(link_base)):
        return None
    holder = f"{worker} {secrets.new_ref()}"
    deliveries = session.exec(
        select(Delivery)
        .where(
            Delivery.message_id == message_id,
            col(Delivery.state).in_(DUE),
            col(Delivery.next_at) <= clock.now(),
        )
        .order_by(col(Delivery.id))
        .with_for_update(skip_locked=True)
    ).all()
    ticket = session.get_one(Ticket, message.ticket_id)
    if not deliveries or not pauses.may_try(session, message):
        return None
    if resting is not None and not rests.leave(session, message, ticket):
        return None
    if ticket.sample:
        for delivery in deliveries:
            _set(delivery, DeliveryState.HELD, "This is a sample inquiry: nothing is sent.")
        return None
    for delivery in deliveries:
        _set(delivery, DeliveryState.SENDING)
        delivery.attempts += 1
        delivery.since = delivery.since or clock.now()
        delivery.phase, delivery.held_by = "", holder
        session.add(delivery)
    inbox = session.get_one(Inbox, message.inbox_id)
    files = session.exec(select(Attachment).where(Attachment.message_id == message_id)).all()
    return Parcel(
        message_id=message_id,
        inbox_id=inbox.id,
        kind=inbox.kind,
        holder=holder,
        sealed_config=inbox.sealed_config,
        recipients=tuple(delivery.recipient for delivery in deliveries),
        rendered_sha256=message.rendered_sha256,
        external_id=message.external_id,
        draft=letters.draft(session, keys, message, link_base),
        files=tuple(FileToSend(file.name, file.content_type, file.sha256) for file in files),
    )


def keep_rendered(session: Session, message_id: int, rendered: Rendered, sha256: str) -> None:
    """From now on every attempt sends just these bytes."""
    message = session.get_one(Message, message_id)
    message.rendered_sha256, message.external_id = sha256, rendered.external_id
    session.add(message)
    _packed()


def mark_phase(session: Session, message_id: int, holder: str, phase: Phase) -> None:
    """Write down how far the attempt is, before it goes further.

    Raises `Conflict` when it was taken for dead meanwhile: somebody else sends it then.
    """
    mine = _mine(session, message_id, holder)
    if not mine:
        raise Conflict("Another worker took this delivery over.")
    for delivery in mine:
        delivery.phase, delivery.changed_at = phase, clock.now()
        session.add(delivery)


def phase_is_durable(phase: Phase) -> None:
    """Where a test kills the worker between the mark and the act."""
    if phase is Phase.TALKING:
        _talking()
    else:
        _ambiguous()


def _mine(session: Session, message_id: int, holder: str) -> list[Delivery]:
    return list(
        session.exec(
            select(Delivery)
            .where(
                Delivery.message_id == message_id,
                Delivery.state == DeliveryState.SENDING,
                Delivery.held_by == holder,
            )
            .with_for_update()
        ).all()
    )


def _set(delivery: Delivery, state: DeliveryState, words: str = "") -> None:
    delivery.state, delivery.words, delivery.changed_at = state, storable(words), clock.now()
    if state not in {DeliveryState.QUEUED, DeliveryState.RETRY}:
        delivery.next_at = None


def settle(
    session: Session,
    message_id: int,
    holder: str,
    outcomes: Mapping[str, Outcome],
    *,
    keep_copy: bool = False,
) -> None:
    """Note what became of each recipient. One without an outcome is in doubt."""
    message = session.get_one(Message, message_id)
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    inbox = session.get_one(Inbox, message.inbox_id)
    unsaid = InDoubt("The channel did not say what became of it.")
    told = [
        (delivery, outcomes.get(delivery.recipient, unsaid))
        for delivery in _mine(session, message_id, holder)
    ]
    for delivery, outcome in told:
        _apply(session, message, delivery, outcome)
    _note(session, inbox, told)
    if keep_copy and any(isinstance(outcome, Sent) for outcome in outcomes.values()):
        sent_copies.want(session, message)
    consequences(session, ticket, message)
    changes.record(session, SYSTEM, ticket, "delivery", message=message_id)
    _settling()


def _note(session: Session, inbox: Inbox, told: Sequence[tuple[Delivery, Outcome]]) -> None:
    """What the answers to one attempt say about the inbox it was sent by."""
    for _, outcome in told:
        match outcome:
            case Sent():
                inbox.last_out_at, inbox.last_out_error = clock.now(), ""
                pauses.lift(session, inbox)
            case Refused() | InDoubt():
                pauses.lift(session, inbox)  # the server spoke with us about this very mail
            case Later(words, away=True):
                inbox.last_out_error = storable(words)
            case Later():  # as of one address that is asked to wait: whatever was wrong is not
                inbox.last_out_error = ""
                pauses.lift(session, inbox)
    paused = [(delivery, outcome) for delivery, outcome in told if isinstance(outcome, Paused)]
    if paused:  # once for all of its recipients: that was one try
        until = pauses.begin(session, inbox, paused[0][1].words)
        for delivery, _ in paused:
            delivery.next_at, delivery.held_by = until, pauses.PARKED
    session.add(inbox)


def consequences(session: Session, ticket: Ticket, message: Message) -> None:
    """What it means for ticket and customer how its deliveries stand now."""
    every = session.exec(
        select(Delivery.state, Delivery.is_copy).where(Delivery.message_id == message.id)
    ).all()
    # A copy to a colleague is no answer to the customer.
    if (DeliveryState.SENT, False) in [(state, is_copy) for state, is_copy in every]:
        followups.answered(session, ticket, message)
    if message.request:
        surveys.delivered(session, message, [state for state, _ in every])


def _apply(session: Session, message: Message, delivery: Delivery, outcome: Outcome) -> None:
    match outcome:
        case Sent(provider_id, other_ids):
            _set(delivery, DeliveryState.SENT)
            dispatched.called(session, message, [storable(one) for one in other_ids])
            delivery.provider_id = storable(provider_id)
        case Refused(words, nobody_there):
            _set(delivery, DeliveryState.FAILED, words)
            if nobody_there:
                customers.nobody_there(session, message.inbox_id, delivery.recipient)
        case InDoubt(words):
            _set(delivery, DeliveryState.IN_DOUBT, words)
        case Held(words):
            _set(delivery, DeliveryState.HELD, words)
        case Paused(words):
            delivery.attempts -= 1  # nothing is wrong with this message
            delivery.since = None
            _set(delivery, DeliveryState.RETRY, words)
        case Later(words, after):
            _postpone(session, message, delivery, words, after)
    session.add(delivery)


def _postpone(
    session: Session, message: Message, delivery: Delivery, words: str, after: float
) -> None:
    if clock.now() - (delivery.since or message.created_at) > GIVE_UP_AFTER:
        _set(delivery, DeliveryState.FAILED, f"Given up after 5 days: {words}")
        return
    _again(session, delivery, words, max(after, _STEPS[min(delivery.attempts, len(_STEPS)) - 1]))


def _again(session: Session, delivery: Delivery, words: str, wait: float) -> None:
    """Nothing left: tried again after `wait` seconds."""
    _set(delivery, DeliveryState.RETRY, words)
    delivery.next_at = clock.now() + timedelta(seconds=wait)
    session.add(delivery)
    jobs.enqueue(session, "deliver", delay=wait, message_id=delivery.message_id)


def give_back(session: Session, message_id: int, holder: str) -> None:
    """What this attempt could not even begin: tried again in a moment, and not counted."""
    message = session.get_one(Message, message_id)
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    mine = _mine(session, message_id, holder)
    for delivery in mine:
        delivery.attempts -= 1
        _again(session, delivery, "Setten failed before handing it over.", MOMENT)
    if mine:
        changes.record(session, SYSTEM, ticket, "delivery", message=message_id)


def recover(session: Session, worker: str | None, before: datetime | None = None) -> int:
    """Deliveries whose worker died: sent again if nothing can have left, else in doubt.

    Those of `worker`, or of any attempt that has got no further since `before`.
    """
    wanted = select(Delivery).where(Delivery.state == DeliveryState.SENDING)
    if worker is not None:
        wanted = wanted.where(col(Delivery.held_by).startswith(f"{worker} ", autoescape=True))
    if before is not None:
        wanted = wanted.where(col(Delivery.changed_at) < before)
    found = session.exec(wanted.with_for_update(skip_locked=True)).all()
    for delivery in found:
        if delivery.phase == Phase.AMBIGUOUS:
            _set(
                delivery,
                DeliveryState.IN_DOUBT,
                "Setten stopped while this was being handed over. It may have arrived.",
            )
            session.add(delivery)
            message = session.get_one(Message, delivery.message_id)
            ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
            consequences(session, ticket, message)
            changes.record(session, SYSTEM, ticket, "delivery", message=message.id)
        else:
            _again(session, delivery, "Setten stopped before anything was handed over.", 0)
    return len(found)


def overdue(session: Session, since: datetime) -> list[int]:
    """Messages whose deliveries have been due since then: their job was lost."""
    return list(
        session.exec(
            select(Delivery.message_id)
            .where(col(Delivery.state).in_(DUE), col(Delivery.next_at) < since)
            .distinct()
        ).all()
    )


def for_a_person(
    session: Session, actor: Actor, delivery_id: int
) -> tuple[Delivery, Message, Ticket]:
    require(actor, Permission.REPLY)
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("There is no such delivery.")
    message = session.get_one(Message, delivery.message_id)
    ticket = session.get_one(Ticket, message.ticket_id, with_for_update={"key_share": True})
    session.refresh(delivery, with_for_update=True)
    return delivery, message, ticket


def send_again(session: Session, actor: Actor, delivery_id: int) -> None:
    """A person decides that it goes out (again), with the same bytes."""
    delivery, message, ticket = for_a_person(session, actor, delivery_id)
    if delivery.state not in {DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.HELD}:
        raise Conflict("This delivery has gone on meanwhile.", state=delivery.state)
    session.refresh(message, with_for_update={"key_share": True})
    if message.raw_deleted_at is not None:  # other bytes under the same id would be another mail
        raise Conflict("The mail as it was sent is deleted by now: write it anew.")
    at = clock.now()
    if message.request:
        # Who is asked, and when, is not for the one who is rated to say.
        require(actor, Permission.LEAD)
        at = held.release(session, ticket, message)
    _set(delivery, DeliveryState.QUEUED)
    delivery.next_at, delivery.attempts, delivery.since = at, 0, None
    session.add(delivery)
    wait = (at - clock.now()).total_seconds()
    jobs.enqueue(session, "deliver", delay=wait, message_id=message.id)
    changes.record(session, actor, ticket, "sent_again", message=message.id)


def cancel(session: Session, actor: Actor, delivery_id: int) -> None:
    """Stop what has not left. Who is asked for feedback is not for the one who is rated to say."""
    delivery, message, ticket = for_a_person(session, actor, delivery_id)
    if delivery.state not in {DeliveryState.QUEUED, DeliveryState.RETRY, DeliveryState.HELD}:
        raise Conflict("This delivery has gone on meanwhile.", state=delivery.state)
    if message.request:
        require(actor, Permission.LEAD)
        withdrawals.of_ticket(session, ticket, "Stopped by a person.")
    _set(delivery, DeliveryState.CANCELLED, "Stopped by a person.")
    session.add(delivery)
    changes.record(session, actor, ticket, "delivery_cancelled", message=message.id)

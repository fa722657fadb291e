"""One message finds its customer and its ticket."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, literal, or_
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.secrets import Keys
from app.domain import lifecycle
from app.domain.lifecycle import Move
from app.domain.subject import normal_subject
from app.domain.text import preview
from app.domain.words import ArrivalState, Cause, MessageKind, Role, Status
from app.services import (
    changes,
    customers,
    dispatched,
    elsewhere,
    forwarding,
    inboxes,
    indexing,
    merging,
    self_tests,
    tagging,
    threads,
    touchpoints,
    withdrawals,
)
from app.services.access import RULE, Actor
from app.services.understood import Outcome as Outcome
from app.services.understood import Place as Place
from app.services.understood import StoredFile as StoredFile
from app.services.understood import Understood as Understood
from app.store import jobs, locking
from app.store.tables import (
    Address,
    Arrival,
    Attachment,
    Customer,
    Inbox,
    Message,
    Organisation,
    Participant,
    Ticket,
)
from channels.contract import FAIL, Direction, InboundMessage

INTAKE = Actor(name="intake", role=Role.ADMIN, cause=Cause.SYSTEM)

# Asked for every message: made once, because making them costs more than running them.
_FILED_AS = (
    select(Message.id)
    .join(Arrival, col(Message.arrival_id) == col(Arrival.id))
    .where(col(Arrival.canonical) == bindparam("canonical"), col(Arrival.id) != bindparam("but"))
    .limit(1)
)
_FILED_FROM = (
    select(Message.id)
    .join(Arrival, col(Message.arrival_id) == col(Arrival.id))
    .where(
        or_(
            col(Arrival.sha256).in_(bindparam("bytes", expanding=True)),
            # So there is an index for it.
            and_(
                col(Arrival.original_sha256) != literal("", literal_execute=True),
                col(Arrival.original_sha256).in_(bindparam("bytes", expanding=True)),
            ),
        ),
        col(Arrival.id) != bindparam("but"),
    )
    .limit(1)
)
_PROMISED = select(Organisation.first_answer_minutes)

SAME_ID = "same id: Another mail with the same id came before this one."
COPY_OF_OURS = "A copy of what was sent from here."
CAME_BEFORE = "The same message arrived before."


def file_one(session: Session, keys: Keys, place: Place, found: Understood) -> Outcome:
    """File one message. A copy of what we have is noted as such and changes nothing.

    What it changes is written at the end and at once; only what gives an id is written before.
    """
    session.flush()  # the message before it in the same arrival
    with session.no_autoflush:
        return _file(session, keys, place, found)


def _file(session: Session, keys: Keys, place: Place, found: Understood) -> Outcome:
    message = found.message
    if elsewhere.concerns(message):
        return _written_elsewhere(session, keys, place, found)
    if reason := self_tests.came_back(session, keys, place.tester, place.inbox.id, message):
        return Outcome(ArrivalState.IGNORED, reason)
    origin = forwarding.origin_of(session, message)
    later = found.tag_later or message.machine == "ourselves"  # which nobody sorts
    message = origin.message
    found = replace(found, message=message, tag_later=later)
    # A copy, or what it answers, may be filed by somebody else at this very moment.
    locking.names(session, (message.canonical, message.external_id, *message.answered_ids))
    original = _already_filed(session, place, message.canonical)
    if original:
        _believe(session, keys, place, message, original)
        return Outcome(ArrivalState.COPY, CAME_BEFORE, original)
    if not place.arrival.taken and (of_us := _by_one_of_us(session, keys, place, origin, found)):
        return of_us
    customer, address = customers.resolve(
        session, place.inbox.id, message.sender, message.also_known_as, language=found.language
    )
    if not message.automatic and not threads.doubtful(message):
        address.undeliverable_at = None  # whoever writes from there can be reached there
    there = threads.place(session, keys, place.inbox, address, message)
    if there.ticket and there.unverified:
        return _for_an_agent(session, there.ticket, address, place, found)
    ticket, is_new = there.ticket, there.ticket is None
    if ticket is None:
        ticket = _open(session, place.inbox, customer, found, there)
        # Who wrote a call down has read it; and a form on a website writes for everybody.
        if address.spam_at is not None and not message.is_call and message.reply_to is None:
            ticket.status = Status.SPAM
            changes.record(session, RULE, ticket, "filed_as_spam")
    if is_new or not threads.speaks(session, ticket, address):
        _let_speak(session, ticket, address)
    row = _write(session, ticket, address, place, found)
    threads.wait_for(session, place.inbox, ticket, message)
    _touch(session, ticket, row, found)
    if not message.automatic and message.direction is Direction.INBOUND:
        # Only what a customer says first decides by itself; a later “thanks!” says nothing about
        # the inquiry. What a machine or we said before it does not count.
        if is_new:
            _tag(session, ticket, row, found)
        elif tagging.first_words(session, ticket.id) is None:
            _tag(session, ticket, row, found)
            touchpoints.restage(session, ticket)
    changes.record(session, INTAKE, ticket, "filed" if is_new else "customer_wrote", message=row.id)
    if origin.agent:
        who = origin.agent.name
        changes.record(session, INTAKE, ticket, "forwarded", agent=who, message=row.id)
    elif is_new:
        row.passes_on = forwarding.claim(session, message)
    if not message.automatic:
        touchpoints.record(session, ticket, row, incoming=message.direction is Direction.INBOUND)
    if ticket.status is Status.SPAM:
        return Outcome(ArrivalState.FILED, f"On ticket {ticket.ref}, as spam like the one before.")
    return Outcome(ArrivalState.FILED, f"On ticket {ticket.ref}.")


def _by_one_of_us(
    session: Session, keys: Keys, place: Place, origin: forwarding.Origin, found: Understood
) -> Outcome | None:
    """None for what is a customer's."""
    message = found.message
    if origin.by_us and (own := dispatched.own(session, message.external_id)):
        return Outcome(ArrivalState.COPY, COPY_OF_OURS, own.id)
    if origin.colleague:
        ticket = _answered(session, keys, place, message)
        writer = customers.find(session, place.inbox.id, [message.sender])
        asks = isinstance(ticket, Ticket) and writer and writer.customer_id == ticket.customer_id
        if isinstance(ticket, Ticket) and not asks:  # from a mail program, with a copy to us
            ours = replace(found, message=replace(message, direction=Direction.OUTBOUND))
            return _as_ours(session, ticket, place, ours)
    return Outcome(ArrivalState.SET_ASIDE, forwarding.FROM_US) if origin.by_us else None


def _written_elsewhere(session: Session, keys: Keys, place: Place, found: Understood) -> Outcome:
    """It lay among what was sent: a copy of ours, or a colleague's answer from a mail program."""
    message = found.message
    locking.names(session, (message.canonical, message.external_id, *message.answered_ids))
    if own := dispatched.own(session, message.external_id):
        return Outcome(ArrivalState.COPY, COPY_OF_OURS, own.id)
    if original := _already_filed(session, place, message.canonical):
        return Outcome(ArrivalState.COPY, CAME_BEFORE, original)
    ticket = _answered(session, keys, place, message)
    if isinstance(ticket, str):
        threads.answers_too_early(session, place.inbox, place.arrival, message)
        return Outcome(ArrivalState.IGNORED, ticket)
    return _as_ours(session, ticket, place, found)


def _answered(session: Session, keys: Keys, place: Place, message: InboundMessage) -> Ticket | str:
    readers = elsewhere.readers(session, place.inbox, message)
    return threads.answered_by_us(session, keys, place.inbox, readers, message)


def _as_ours(session: Session, ticket: Ticket, place: Place, found: Understood) -> Outcome:
    if known := elsewhere.filed(session, ticket, found.message):
        return Outcome(ArrivalState.COPY, CAME_BEFORE, known)
    row = _write(session, ticket, None, place, found)
    elsewhere.take_effect(session, ticket, row, found.message)
    return Outcome(ArrivalState.FILED, f"On ticket {ticket.ref}, as an answer of ours.")


def _for_an_agent(
    session: Session, ticket: Ticket, address: Address, place: Place, found: Understood
) -> Outcome:
    """They hold our signed address and take no part: shown on the ticket, and changes nothing."""
    row = _write(session, ticket, address, place, found)
    row.unverified = True
    ticket.message_count += 1
    ticket.unverified += 1
    changes.record(session, INTAKE, ticket, "third_party_wrote", message=row.id)
    return Outcome(ArrivalState.FILED, f"On ticket {ticket.ref}, as of a third party.")


def _already_filed(session: Session, place: Place, canonical: str) -> int | None:
    """The message that an equal arrival became, whichever inbox it came through."""
    arrival = place.arrival
    named = {"canonical": canonical, "but": arrival.id}
    if canonical and (found := session.exec(_FILED_AS, params=named).first()):
        return found
    if not arrival.read_by:
        return None
    # It was set aside before: others may have mended the same bytes meanwhile, or read them whole.
    came = [one for one in (arrival.original_sha256 or arrival.sha256,) if one]
    return session.exec(_FILED_FROM, params={"bytes": came, "but": arrival.id}).first()


def _believe(
    session: Session, keys: Keys, place: Place, message: InboundMessage, original: int
) -> None:
    """A mail that failed DMARC on a roundabout way comes straight as well: now it is believed,
    and goes to the ticket that it answers."""
    row = session.get_one(Message, original)
    address = session.get(Address, row.address_id) if row.address_id else None
    doubted = row.verdicts is not None and row.verdicts["dmarc"] == FAIL
    if not doubted or threads.doubtful(message) or address is None:
        return
    row.verdicts = asdict(message.verdicts) if message.verdicts else None
    alone = session.get_one(Ticket, row.ticket_id, with_for_update={"key_share": True})
    there = threads.place(session, keys, place.inbox, address, message)
    if there.ticket is None or there.unverified or there.ticket.id == alone.id:
        return
    if alone.message_count == 1 and alone.customer_id == there.ticket.customer_id:
        merging.join(session, RULE, alone, there.ticket)
        customer_wrote(session, there.ticket, row)


def _open(
    session: Session, inbox: Inbox, customer: Customer, found: Understood, there: threads.Place
) -> Ticket:
    message = found.message
    promised = session.exec(_PROMISED).first()
    waits = timedelta(minutes=promised) if promised and not message.automatic else None
    return open_ticket(
        session,
        inbox,
        message,
        customer_id=customer.id,
        team_id=inbox.team_id,
        language=found.language,
        due_at=clock.now() + waits if waits else None,
        automatic=message.automatic,
        claims_ref=there.claimed,
        follows_ref=there.follows,
    )


def open_ticket(
    session: Session, inbox: Inbox, first: InboundMessage | Message, **given: Any
) -> Ticket:
    """A new one, called after what is said first on it."""
    now = clock.now()
    ticket = Ticket(
        ref=secrets.new_ref(),
        inbox_id=inbox.id,
        channel=inbox.kind,
        subject=normal_subject(first.subject) or preview(first.text, 80),
        created_at=now,
        last_activity_at=now,
        **given,
    )
    session.add(ticket)
    session.flush()
    return ticket


def _let_speak(session: Session, ticket: Ticket, address: Address) -> None:
    # Only the customer's own addresses: whom a stranger puts in Cc gains nothing by it.
    if address.customer_id == ticket.customer_id:
        session.add(Participant(ticket_id=ticket.id, address_id=address.id, role="customer"))


def _write(
    session: Session, ticket: Ticket, address: Address | None, place: Place, found: Understood
) -> Message:
    message = found.message
    warned = [SAME_ID] if threads.is_named_already(session, place.inbox, message) else []
    wrote = message.sender.value if address is None else message.logged_by
    agent = forwarding.agent_at(session, wrote) if wrote else None
    row = Message(
        ticket_id=ticket.id,
        inbox_id=place.inbox.id,
        arrival_id=place.arrival.id,
        kind=_kind(message),
        author=agent.name
        if agent and address is None
        else message.sender.name or message.sender.value,
        agent_id=agent.id if agent else None,
        address_id=address.id if address else None,
        reply_to=inboxes.reply_to(session, place.inbox, message) if address else "",
        external_id=message.external_id,
        conversation=message.conversation,
        subject=message.subject,
        text=message.text,
        reply_text=message.reply_text,
        quoted_text=message.quoted_text,
        signature=message.signature,
        html=message.html,
        to=[party.value for party in message.to],
        cc=[party.value for party in message.cc],
        language=found.language,
        sent_at=message.sent_at,
        created_at=clock.now(),
        automatic=message.automatic,
        machine=message.machine,
        charset_suspect=message.charset_suspect,
        warnings=[*message.warnings, *warned],
        verdicts=asdict(message.verdicts) if message.verdicts else None,
        seconds=message.seconds,
        references=message.answered_ids[:20],
    )
    session.add(row)
    session.flush()
    # Not earlier: then it is written with what else becomes of the arrival.
    place.arrival.canonical = message.canonical
    _attach(session, ticket, row, found)
    threads.arrived_at_last(session, place.inbox, message)
    return row


def _kind(message: InboundMessage) -> MessageKind:
    if message.is_call:
        return MessageKind.CALL
    return MessageKind.OUTBOUND if elsewhere.concerns(message) else MessageKind.INBOUND


def _attach(session: Session, ticket: Ticket, row: Message, found: Understood) -> None:
    """Its files, and what it can be found by."""
    message = found.message
    for file in found.files:
        session.add(
            Attachment(
                ref=secrets.new_ref(20),
                message_id=row.id,
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
                content_id=file.content_id,
                inline=file.inline,
                words=file.words,
            )
        )
    files = [words for file in found.files for words in (file.name, file.words) if words]
    indexing.arrived(session, row, ticket.ref, message, files)


def _touch(session: Session, ticket: Ticket, row: Message, found: Understood) -> None:
    message, now = found.message, row.created_at
    ticket.message_count += 1
    ticket.last_activity_at = now
    ticket.has_files = ticket.has_files or bool(found.files)
    if message.direction is Direction.OUTBOUND:  # a call we made
        ticket.first_responded_at = ticket.first_responded_at or now
        ticket.waiting_since = None
    elif not message.automatic:
        customer_wrote(session, ticket, row)
    elif not ticket.preview:
        ticket.preview = preview(message.text)
        ticket.last_inbound_at = now
    session.add(ticket)


def customer_wrote(session: Session, ticket: Ticket, row: Message) -> None:
    """What a person said makes the ticket wait for us."""
    was = ticket.status
    ticket.status = lifecycle.after(was, Move.CUSTOMER_WROTE)
    ticket.preview = preview(row.reply_text or row.text)
    ticket.last_inbound_at = row.created_at
    if ticket.status is not Status.SPAM:
        ticket.waiting_since = ticket.waiting_since or row.created_at
    ticket.snoozed_until = None
    ticket.automatic = False
    if was is Status.RESOLVED:
        ticket.resolved_at = None
        withdrawals.of_ticket(session, ticket, "The customer wrote again before it was sent.")


def _tag(session: Session, ticket: Ticket, row: Message, found: Understood) -> None:
    if found.prediction:
        tagging.apply(session, ticket, row.id, found.prediction, found.beside)
    elif found.tag_later:
        jobs.enqueue(session, "tag", ticket_id=ticket.id)

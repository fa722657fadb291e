"""What an agent does with a ticket: answer it, note on it, hand it on, close it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid
from app.domain import address, lifecycle
from app.domain.lifecycle import Move
from app.domain.storable import storable
from app.domain.words import DeliveryState, MessageKind, Status
from app.services import (
    access,
    changes,
    customers,
    senders,
    surveys,
    touchpoints,
    withdrawals,
)
from app.services.access import Actor, Permission
from app.store import jobs, search
from app.store.tables import (
    Address,
    Agent,
    Attachment,
    Delivery,
    Inbox,
    Message,
    Participant,
    Seen,
    Team,
    Ticket,
)
from app.store.tables import Draft as DraftRow
from channels.contract import Party

TEXT_LIMIT = 200_000  # characters
RECIPIENT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class NewFile:
    """An attachment whose bytes the edge has already stored."""

    name: str
    content_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as the agent sends it. No `to` means the customer.

    `last_seen` is the newest message id the agent had on the screen. Two drafts with the same
    `act` are one: whoever got no answer may send again.
    """

    text: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    last_seen: int | None = None
    act: str = ""


def _move(ticket: Ticket, move: Move) -> None:
    ticket.status = lifecycle.after(ticket.status, move)
    ticket.last_activity_at = clock.now()


def _words(text: str) -> str:
    text = storable(text)
    if not text.strip():
        raise Invalid("There is no text yet.")
    if len(text) > TEXT_LIMIT:
        raise Invalid(f"The text is longer than {TEXT_LIMIT} characters.")
    return text


def _nothing_newer(session: Session, ticket: Ticket, last_seen: int | None) -> None:
    """Two people must not answer one inquiry without knowing of each other."""
    if last_seen is None:
        return
    newer = session.exec(
        select(Message.id).where(Message.ticket_id == ticket.id, Message.id > last_seen)
    ).all()
    if newer:
        raise Conflict("There are newer messages than the ones you saw.", newer=list(newer))


def _done(
    session: Session, ticket: Ticket, act: str, kind: MessageKind, text: str
) -> Message | None:
    """What this act wrote before, when its answer got lost on the way to whoever did it.

    The lock on the ticket makes a second try wait until the first has ended.
    """
    if not act:
        return None
    done = session.exec(
        select(Message).where(Message.ticket_id == ticket.id, Message.act == act)
    ).one_or_none()
    if done and (done.kind is not kind or done.text != storable(text)):
        raise Conflict("Something else was written under this key before. Use a new one.")
    return done


def reply(session: Session, actor: Actor, ref: str, draft: Draft) -> Message:
    """Answer the customer on the channel they wrote on.

    The deliveries are queued in the transaction that records the message, so neither can
    exist without the other. Raises `Conflict` on a ticket that takes no replies and when
    something newer than `draft.last_seen` was said.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if done := _done(session, ticket, draft.act, MessageKind.OUTBOUND, draft.text):
        return done
    inbox = session.get_one(Inbox, ticket.inbox_id)
    if not inbox.writes_to:
        raise Conflict("This channel cannot be answered in writing. Write a note, or call.")
    _nothing_newer(session, ticket, draft.last_seen)
    recipients = _recipients(session, ticket, inbox, draft)
    _move(ticket, Move.AGENT_REPLIED)
    message = _say(session, actor, ticket, MessageKind.OUTBOUND, _words(draft.text))
    message.act = draft.act or None
    message.to = [value for value, is_copy in recipients if not is_copy]
    message.cc = [value for value, is_copy in recipients if is_copy]
    _attach(session, ticket, message, draft.files)
    queue(session, message, recipients)
    ticket.first_responded_at = ticket.first_responded_at or message.created_at
    ticket.waiting_since, ticket.snoozed_until = None, None
    ticket.assignee_id = ticket.assignee_id or actor.agent_id
    if ticket.resolved_at is not None:
        withdrawals.of_ticket(session, ticket, "The ticket was answered again.")
        ticket.resolved_at = None
    touchpoints.record(session, ticket, message, incoming=False)
    _forget_draft(session, actor, ticket)
    changes.record(session, actor, ticket, "replied", message=message.id)
    return message


def _recipients(
    session: Session, ticket: Ticket, inbox: Inbox, draft: Draft
) -> list[tuple[str, bool]]:
    """(address, in Cc), each once. Whom an agent writes to may speak on the ticket."""
    to = [one.strip() for one in draft.to if one.strip()]
    cc = [one.strip() for one in draft.cc if one.strip()]
    if not to:
        to = [_last_inbound(session, ticket, inbox)]
    if len(to) + len(cc) > RECIPIENT_LIMIT:
        raise Invalid(f"A message goes to {RECIPIENT_LIMIT} recipients at most.")
    kind = inbox.writes_to
    chosen: dict[str, tuple[str, bool]] = {}
    for value, is_copy in [(one, False) for one in to] + [(one, True) for one in cc]:
        if kind == address.EMAIL and not address.is_email(value):
            raise Invalid(f"“{value[:80]}” is not one e-mail address.", field="to")
        chosen.setdefault(address.normal(kind, value, inbox.id), (value, is_copy))
    for value, is_copy in chosen.values():
        _let_speak(session, ticket, Party(kind, value), "cc" if is_copy else "customer")
    return list(chosen.values())


def _last_inbound(session: Session, ticket: Ticket, inbox: Inbox) -> str:
    """Where the customer, when they wrote last, wants the answer: there, or where they wrote from.

    It is of the kind this inbox can write to.
    """
    found = session.exec(
        select(Message.reply_to, Address.value)
        .join(Message, col(Message.address_id) == col(Address.id))
        .where(
            Message.ticket_id == ticket.id,
            Address.customer_id == ticket.customer_id,
            Address.kind == inbox.writes_to,
            col(Message.unverified).is_(False),
        )
        .order_by(col(Message.automatic), col(Message.id).desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise Conflict("Nobody wrote on this ticket, so there is no address to answer to.")
    wanted, wrote_from = found
    return wanted or wrote_from


def _let_speak(session: Session, ticket: Ticket, party: Party, role: str) -> None:
    known = customers.find(session, ticket.inbox_id, [party])
    if known is not None:
        known.spam_at = None  # whoever we write to may answer
    speaks = (
        known is not None
        and session.exec(
            select(Participant.id).where(
                Participant.ticket_id == ticket.id, Participant.address_id == known.id
            )
        ).one_or_none()
    )
    if speaks:
        return
    if party.kind not in address.EVERYWHERE:
        # A name some other system gave: nobody can type one and mean somebody by it.
        raise Invalid("On this channel only those who take part can be written to.", field="to")
    if known is None:
        _, known = customers.resolve(session, ticket.inbox_id, party, sample=ticket.sample)
    session.add(Participant(ticket_id=ticket.id, address_id=known.id, role=role))


def _say(session: Session, actor: Actor, ticket: Ticket, kind: MessageKind, text: str) -> Message:
    now = clock.now()
    message = Message(
        ticket_id=ticket.id,
        inbox_id=ticket.inbox_id,
        kind=kind,
        author=actor.name,
        agent_id=actor.agent_id,
        subject=ticket.subject,
        text=text,
        language=ticket.language,
        sent_at=now,
        created_at=now,
    )
    session.add(message)
    session.flush()  # files, deliveries and the index name the message by its id
    ticket.message_count += 1
    ticket.last_activity_at = now
    search.index(session, search.Entry(message.id, ticket.id, (text,)))
    return message


def _attach(session: Session, ticket: Ticket, message: Message, files: tuple[NewFile, ...]) -> None:
    for file in files:
        session.add(
            Attachment(
                ref=secrets.new_ref(20),
                message_id=message.id,
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
            )
        )
        ticket.has_files = True


def queue(session: Session, message: Message, recipients: list[tuple[str, bool]]) -> None:
    """One delivery for each recipient, and the job that sends them, in this transaction."""
    for value, is_copy in recipients:
        session.add(
            Delivery(
                message_id=message.id,
                recipient=value,
                is_copy=is_copy,
                state=DeliveryState.QUEUED,
                next_at=message.created_at,
                changed_at=message.created_at,
            )
        )
    jobs.enqueue(session, "deliver", message_id=message.id)


def note(session: Session, actor: Actor, ref: str, text: str, act: str = "") -> Message:
    """Write something only the team sees; twice under the same `act` is once."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if done := _done(session, ticket, act, MessageKind.NOTE, text):
        return done
    message = _say(session, actor, ticket, MessageKind.NOTE, _words(text))
    message.act = act or None
    _forget_draft(session, actor, ticket)
    changes.record(session, actor, ticket, "noted", message=message.id)
    return message


def resolve(session: Session, actor: Actor, ref: str) -> Ticket:
    """Close it. Whether and when the customer is asked about it is decided here as well."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    _move(ticket, Move.RESOLVE)
    ticket.resolved_at = clock.now()
    ticket.resolutions += 1
    ticket.waiting_since, ticket.snoozed_until = None, None
    survey = surveys.schedule(session, ticket)
    changes.record(session, actor, ticket, "resolved", feedback=survey.state, reason=survey.reason)
    return ticket


def reopen(session: Session, actor: Actor, ref: str) -> Ticket:
    """Back to those that wait for us. One that was spam also ends that for who wrote it."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if ticket.status is Status.SPAM:
        senders.believe(session, ticket)
    _move(ticket, Move.REOPEN)
    ticket.resolved_at, ticket.snoozed_until = None, None
    ticket.waiting_since = clock.now()  # for us, so it stands among what waits
    withdrawals.of_ticket(session, ticket, "The ticket was reopened.")
    changes.record(session, actor, ticket, "reopened")
    return ticket


def snooze(session: Session, actor: Actor, ref: str, until: datetime) -> Ticket:
    """Out of sight until then, or until the customer writes."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if until <= clock.now():
        raise Invalid("That moment has passed.", field="until")
    _move(ticket, Move.SNOOZE)
    ticket.snoozed_until = until
    changes.record(session, actor, ticket, "snoozed", until=until.isoformat())
    return ticket


def wake_due(session: Session) -> int:
    """Bring back what was snoozed until now; how many."""
    due = session.exec(
        select(Ticket)
        .where(Ticket.status == Status.SNOOZED, col(Ticket.snoozed_until) <= clock.now())
        .with_for_update(skip_locked=True)
    ).all()
    for ticket in due:
        _move(ticket, Move.WAKE)
        ticket.snoozed_until = None
        changes.record(session, access.SYSTEM, ticket, "woken")
    return len(due)


def mark_spam(session: Session, actor: Actor, ref: str) -> Ticket:
    """Out of the way, and so is what its senders write from now on, until somebody reopens it."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    _move(ticket, Move.MARK_SPAM)
    ticket.waiting_since = None
    withdrawals.of_ticket(session, ticket, "The ticket was marked as spam.")
    changes.record(session, actor, ticket, "marked_spam", senders=senders.distrust(session, ticket))
    return ticket


def assign(session: Session, actor: Actor, ref: str, agent_id: int | None) -> Ticket:
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    agent = session.get(Agent, agent_id) if agent_id is not None else None
    if agent_id is not None and (agent is None or not agent.active):
        raise Invalid("There is no such agent.", field="agent")
    ticket.assignee_id = agent_id
    changes.record(session, actor, ticket, "assigned", to=agent.name if agent else "")
    return ticket


def hand_to_team(session: Session, actor: Actor, ref: str, team_id: int | None) -> Ticket:
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    team = session.get(Team, team_id) if team_id is not None else None
    if team_id is not None and team is None:
        raise Invalid("There is no such team.", field="team")
    ticket.team_id = team_id
    changes.record(session, actor, ticket, "handed_on", to=team.name if team else "")
    return ticket


def mark_seen(session: Session, actor: Actor, ref: str) -> None:
    """Remember that the agent has read it up to now."""
    ticket = access.ticket(session, actor, ref, Permission.READ)
    if actor.agent_id is None:
        return
    row = session.exec(
        select(Seen).where(Seen.agent_id == actor.agent_id, Seen.ticket_id == ticket.id)
    ).one_or_none() or Seen(agent_id=actor.agent_id, ticket_id=ticket.id, at=clock.now())
    row.at = clock.now()
    session.add(row)


def save_draft(session: Session, actor: Actor, ref: str, text: str) -> None:
    """Keep an answer that is not sent yet; an empty one is forgotten."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if actor.agent_id is None:
        return
    _forget_draft(session, actor, ticket)
    if text.strip():
        session.add(
            DraftRow(
                ticket_id=ticket.id,
                agent_id=actor.agent_id,
                text=storable(text)[:TEXT_LIMIT],
                changed_at=clock.now(),
            )
        )


def _forget_draft(session: Session, actor: Actor, ticket: Ticket) -> None:
    session.exec(
        delete(DraftRow).where(
            col(DraftRow.ticket_id) == ticket.id, col(DraftRow.agent_id) == actor.agent_id
        )
    )

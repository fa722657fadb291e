"""What an agent does with a ticket: answer it, note on it, hand it on, close it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, not_
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid
from app.domain import lifecycle
from app.domain.lifecycle import Move
from app.domain.storable import storable
from app.domain.words import DeliveryState, MessageKind, Status
from app.services import (
    access,
    answering,
    changes,
    drafts,
    recipients,
    resting,
    senders,
    surveys,
    verdicts,
    withdrawals,
)
from app.services.access import Actor, Permission
from app.services.drafts import TEXT_LIMIT
from app.services.drafts import NewFile as NewFile
from app.services.resting import AT_ONCE, When
from app.store import jobs, search
from app.store.tables import (
    Agent,
    Attachment,
    Delivery,
    Inbox,
    Message,
    Resting,
    Seen,
    Team,
    Ticket,
)


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
    when: When = AT_ONCE


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
        select(Message.id).where(
            Message.ticket_id == ticket.id,
            Message.id > last_seen,
            # What Setten says by itself is nothing to read before one answers.
            not_(and_(col(Message.kind) == MessageKind.OUTBOUND, col(Message.automatic))),
        )
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
    exist without the other. Until `draft.when` it can be taken back. Raises `Conflict` on a
    ticket that takes no replies and when something newer than `draft.last_seen` was said.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if done := _done(session, ticket, draft.act, MessageKind.OUTBOUND, draft.text):
        return done
    inbox = session.get_one(Inbox, ticket.inbox_id)
    if not inbox.writes_to:
        raise Conflict("This channel cannot be answered in writing. Write a note, or call.")
    _nothing_newer(session, ticket, draft.last_seen)
    when = draft.when.checked()
    lifecycle.after(ticket.status, Move.AGENT_REPLIED)  # raises where none is taken
    was = resting.picture(session, ticket) if when.rests else {}
    addressed = recipients.chosen(session, ticket, inbox, draft.to, draft.cc)
    message = _say(session, actor, ticket, MessageKind.OUTBOUND, _words(draft.text))
    message.act = draft.act or None
    message.to = [value for value, is_copy in addressed if not is_copy]
    message.cc = [value for value, is_copy in addressed if is_copy]
    _attach(session, ticket, message, draft.files)
    queue(session, message, addressed, when.leaves())
    ticket.assignee_id = ticket.assignee_id or actor.agent_id
    if when.at is not None:
        answering.planned(ticket, when.at)
    else:
        answering.answered(session, ticket, message)
    if when.rests:
        resting.rest(session, ticket, message, when, was)
    drafts.forget(session, actor, ticket)
    what = "replied" if when.at is None else "reply_planned"
    changes.record(session, actor, ticket, what, message=message.id)
    return message


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


def queue(
    session: Session, message: Message, addressed: list[tuple[str, bool]], at: datetime
) -> None:
    """One delivery for each recipient, and the job that sends them, in this transaction."""
    for value, is_copy in addressed:
        session.add(
            Delivery(
                message_id=message.id,
                recipient=value,
                is_copy=is_copy,
                state=DeliveryState.QUEUED,
                next_at=at,
                changed_at=message.created_at,
            )
        )
    wait = (at - message.created_at).total_seconds()
    jobs.enqueue(session, "deliver", delay=wait, message_id=message.id)


def note(session: Session, actor: Actor, ref: str, text: str, act: str = "") -> Message:
    """Write something only the team sees; twice under the same `act` is once."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if done := _done(session, ticket, act, MessageKind.NOTE, text):
        return done
    message = _say(session, actor, ticket, MessageKind.NOTE, _words(text))
    message.act = act or None
    drafts.forget(session, actor, ticket)
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
    """Back to those that wait for us. What was said of it ends with that, too."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if ticket.status is Status.SPAM:
        senders.believe(session, ticket)
    if ticket.status is Status.DISMISSED:
        verdicts.withdraw_dismissal(session, ticket)
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
    """Bring back what was snoozed until now; how many. Not what is answered at this moment."""
    planned = exists().where(
        col(Resting.message_id) == col(Message.id),
        col(Message.ticket_id) == col(Ticket.id),
        col(Resting.scheduled).is_(True),
        col(Resting.until) >= col(Ticket.snoozed_until),
        col(Delivery.message_id) == col(Message.id),
        col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.RETRY, DeliveryState.SENDING]),
    )
    due = session.exec(
        select(Ticket)
        .where(Ticket.status == Status.SNOOZED, col(Ticket.snoozed_until) <= clock.now(), ~planned)
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

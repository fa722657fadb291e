"""What people say of an inquiry: its stage, its topic, or that it is none; and taking it back."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid
from app.domain import lifecycle
from app.domain.lifecycle import Move
from app.domain.words import ANCHORS, FLAGS, LANGUAGES, NO, TAGS, YES, Head, Status, Verdict
from app.services import access, changes, tagging, touchpoints, withdrawals
from app.services.access import Actor, Permission
from app.store.tables import Correction, Customer, PredictionRow, Ticket, Topic

_OF = {
    Head.STAGE: ("stage", "stage_by", "stage_probability"),
    Head.TOPIC: ("topic_id", "topic_by", "topic_probability"),
    Head.URGENT: ("urgent", "urgent_by"),
    Head.COMPLAINT: ("complaint", "complaint_by"),
    Head.LANGUAGE: ("language",),
}
_OF_CUSTOMER = {Head.STAGE: ("stage", "stage_at"), Head.LANGUAGE: ("language",)}
_OF_STATUS = ("status", "waiting_since", "snoozed_until", "resolved_at")


def choose(
    session: Session, actor: Actor, ref: str, head: Head, label: str, act: str = ""
) -> Ticket:
    """A person says what it is. Agreeing is kept as well as correcting: both are learned from.

    What is said under one `act` is taken back together.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    before = _before(session, ticket, _OF[head])
    was = _set(session, ticket, head, label)
    if head is Head.STAGE:
        touchpoints.restage(session, ticket)
        tagging.remember_stage(session, ticket)
    if head in _OF_CUSTOMER:
        before["customer_left"] = _of_customer(session, ticket, head)
    if actor.agent_id:
        said = Correction(
            ticket_id=ticket.id, agent_id=actor.agent_id, head=head, verdict=Verdict.CORRECTED,
            was=was, label=label, act=act or secrets.new_ref(), before=before, at=clock.now(),
        )  # fmt: skip
        _keep(session, said)
    changes.record(session, actor, ticket, "tagged", head=head, label=label, was=was)
    return ticket


def _keep(session: Session, said: Correction) -> None:
    """With the guess and the words that it was said of; saying what was guessed is agreeing."""
    guess = tagging.newest(session, said.ticket_id, said.head)
    if guess is None:
        words = tagging.first_words(session, said.ticket_id)
        said.message_id = words.id if words else None
    else:
        said.prediction_id, said.message_id = guess.id, guess.message_id
        if guess.top and guess.top[0][0] == said.label:
            said.verdict = Verdict.ACCEPTED
    session.add(said)


def _set(session: Session, ticket: Ticket, head: Head, label: str) -> str:
    """What it was before."""
    if head is Head.STAGE:
        return _set_stage(ticket, label)
    if head is Head.TOPIC:
        return _set_topic(session, ticket, label)
    if head is Head.LANGUAGE:
        return _set_language(session, ticket, label)
    return _set_flag(ticket, head, label)


def _set_flag(ticket: Ticket, head: Head, label: str) -> str:
    if label not in {YES, NO}:
        raise Invalid(f"“{label}” is neither yes nor no.", label=label)
    was = YES if getattr(ticket, head) else NO
    setattr(ticket, head, label == YES)
    setattr(ticket, f"{head}_by", "person")
    return was


def _set_language(session: Session, ticket: Ticket, label: str) -> str:
    if label not in LANGUAGES:
        raise Invalid(f"“{label}” is not a language Setten writes in.", label=label)
    was, ticket.language = ticket.language, label
    customer = session.get_one(Customer, ticket.customer_id)
    if customer.language == was:  # which was found out from the same words
        customer.language = label
        session.add(customer)
    return was


def _set_stage(ticket: Ticket, label: str) -> str:
    if label not in ANCHORS:
        raise Invalid(f"“{label}” is not a stage.", label=label)
    was = ticket.stage
    ticket.stage, ticket.stage_by, ticket.stage_probability = label, "person", None
    return was


def _set_topic(session: Session, ticket: Ticket, label: str) -> str:
    topic = tagging.topic_of(session, label)
    if topic is None:
        raise Invalid(f"“{label}” is not a topic in use.", label=label)
    old = session.get(Topic, ticket.topic_id) if ticket.topic_id else None
    ticket.topic_id, ticket.topic_by, ticket.topic_probability = topic.id, "person", None
    return old.key if old else ""


def accept(session: Session, actor: Actor, ref: str, act: str = "") -> Ticket:
    """Agree with the model's best guess of what no person has said yet."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    act = act or secrets.new_ref()
    for head, label in open_guesses(session, ticket).items():
        choose(session, actor, ref, head, label, act)
    return ticket


def open_heads(ticket: Ticket) -> tuple[Head, ...]:
    """What no person has said of it yet."""
    said_by = {Head.STAGE: ticket.stage_by, Head.TOPIC: ticket.topic_by}
    return tuple(head for head in TAGS if said_by[head] != "person")


def touched(ticket: Ticket) -> bool:
    """Whether a person has said anything of it."""
    return "person" in {ticket.stage_by, ticket.topic_by, ticket.urgent_by, ticket.complaint_by}


def open_guesses(session: Session, ticket: Ticket) -> dict[Head, str]:
    """What the model would say of that, however sure it is. Raises `Conflict` for nothing."""
    left = open_heads(ticket)
    if not left:
        raise Conflict("Somebody has labelled this inquiry meanwhile.")
    found = {head: tagging.newest(session, ticket.id, head) for head in left}
    likeliest = {head: _likeliest(session, head, row) for head, row in found.items() if row}
    guesses = {head: label for head, label in likeliest.items() if label}
    if not guesses:
        raise Conflict("There is no guess of the model to agree with.")
    return guesses


def _likeliest(session: Session, head: Head, row: PredictionRow) -> str:
    """As the screen shows it: a topic may have been put out of use since."""
    labels = (str(label) for label, _ in row.top)
    usable = (one for one in labels if head is not Head.TOPIC or tagging.topic_of(session, one))
    return next(usable, "")


def dismiss(session: Session, actor: Actor, ref: str, act: str = "") -> Ticket:
    """It is no inquiry: out of the way like what is done, and nobody is asked about it.

    Its senders are believed as before: what they write next is looked at.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    before = _before(session, ticket, _OF_STATUS)
    ticket.status = lifecycle.after(ticket.status, Move.DISMISS)
    ticket.last_activity_at = clock.now()
    ticket.waiting_since, ticket.snoozed_until = None, None
    withdrawals.of_ticket(session, ticket, "The ticket is no inquiry.")
    if actor.agent_id:
        act = act or secrets.new_ref()
        for head in TAGS:
            said = Correction(
                ticket_id=ticket.id, agent_id=actor.agent_id, head=head, label="",
                verdict=Verdict.NO_INQUIRY, act=act, before=before, at=clock.now(),
            )  # fmt: skip
            _keep(session, said)
    changes.record(session, actor, ticket, "dismissed")
    return ticket


def take_back(session: Session, actor: Actor, ref: str) -> Ticket:
    """Undo the last verdict on a ticket, if it was this person's: nothing is learned from it.

    What was changed since stays. Feedback requests that were withdrawn stay so as well.
    """
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    newest = last_word(session, ticket)
    if newest is None or newest.agent_id != actor.agent_id:
        raise Conflict("There is nothing of yours to take back on this ticket.")
    undo(session, actor, ticket, newest)
    return ticket


def take_back_act(session: Session, actor: Actor, act: str) -> list[Ticket]:
    """Undo what this person said in one go, wherever nobody has spoken since; where that was."""
    refs = session.exec(
        select(Ticket.ref)
        .join(Correction, col(Correction.ticket_id) == col(Ticket.id))
        .where(
            Correction.act == act,
            Correction.agent_id == actor.agent_id,
            col(Correction.joined).is_(False),
        )
        .distinct()
        .order_by(col(Ticket.ref))
    ).all()
    found = [access.ticket(session, actor, ref, Permission.REPLY) for ref in refs]
    words = [(last_word(session, ticket), ticket) for ticket in found]
    mine = [(word, ticket) for word, ticket in words if word is not None and word.act == act]
    # The last first: two of one customer find the stage again that was before both.
    for word, ticket in sorted(mine, key=lambda one: -one[0].id):
        undo(session, actor, ticket, word)
    return [ticket for _, ticket in mine]


def last_word(session: Session, ticket: Ticket) -> Correction | None:
    """On the ticket itself, not on one that was joined with it."""
    return session.exec(
        select(Correction)
        .where(Correction.ticket_id == ticket.id, col(Correction.joined).is_(False))
        .order_by(col(Correction.id).desc())
        .limit(1)
    ).one_or_none()


def undo(session: Session, actor: Actor, ticket: Ticket, newest: Correction) -> None:
    """Everything that was said of this ticket in one go with its newest verdict."""
    said = session.exec(
        select(Correction)
        .where(
            Correction.ticket_id == ticket.id,
            Correction.act == newest.act,
            col(Correction.joined).is_(False),
        )
        .order_by(col(Correction.id).desc())
    ).all()
    for row in said:
        if _stands(session, ticket, row):
            _put_back(session, ticket, row)
        if row.head in _OF_CUSTOMER and row.verdict is not Verdict.NO_INQUIRY:
            _put_customer_back(session, ticket, row)
        session.delete(row)
    touchpoints.restage(session, ticket)
    changes.record(session, actor, ticket, "verdict_taken_back", verdict=newest.verdict)


def withdraw_dismissal(session: Session, ticket: Ticket) -> None:
    """It is an inquiry after all, so nothing else is to be learned from it."""
    for row in session.exec(
        select(Correction).where(
            Correction.ticket_id == ticket.id, Correction.verdict == Verdict.NO_INQUIRY
        )
    ):
        session.delete(row)


def _before(session: Session, ticket: Ticket, names: tuple[str, ...]) -> dict[str, Any]:
    """What the verdict may change, as plain values."""
    found = {name: _plain(getattr(ticket, name)) for name in names}
    for head in _OF_CUSTOMER:
        if names is _OF[head]:
            found["customer"] = _of_customer(session, ticket, head)
    return found


def _of_customer(session: Session, ticket: Ticket, head: Head) -> list[object]:
    customer = session.get_one(Customer, ticket.customer_id)
    return [_plain(getattr(customer, name)) for name in _OF_CUSTOMER[head]]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _stands(session: Session, ticket: Ticket, row: Correction) -> bool:
    """Whether the ticket still is as this verdict left it."""
    if row.verdict is Verdict.NO_INQUIRY:
        return ticket.status is Status.DISMISSED
    if row.head is Head.STAGE:
        return (ticket.stage_by, ticket.stage) == ("person", row.label)
    if row.head is Head.LANGUAGE:
        return ticket.language == row.label
    if row.head in FLAGS:
        said = ("person", row.label == YES)
        return (getattr(ticket, f"{row.head}_by"), getattr(ticket, row.head)) == said
    topic = tagging.topic_meant(session, row.label)  # in use or not: it can be taken back
    return topic is not None and (ticket.topic_by, ticket.topic_id) == ("person", topic.id)


def _put_back(session: Session, ticket: Ticket, row: Correction) -> None:
    for name, value in row.before.items():
        if name == "status":
            ticket.status = Status(value)
        elif name == "topic_id":
            merged = session.get_one(Topic, value).merged_into if value else None
            ticket.topic_id = merged or value
        elif not name.startswith("customer"):
            moment = value and name in _OF_STATUS
            setattr(ticket, name, _moment(value) if moment else value)


def _put_customer_back(session: Session, ticket: Ticket, row: Correction) -> None:
    """Unless something was found out of them since; then it is forgotten beneath that."""
    was, left = row.before["customer"], row.before["customer_left"]
    if _of_customer(session, ticket, row.head) == left:
        customer = session.get_one(Customer, ticket.customer_id)
        for name, value in zip(_OF_CUSTOMER[row.head], was, strict=True):
            setattr(customer, name, _moment(value) if name == "stage_at" else value)
        session.add(customer)
        return
    for later in session.exec(
        select(Correction)
        .join(Ticket, col(Ticket.id) == col(Correction.ticket_id))
        .where(
            Ticket.customer_id == ticket.customer_id,
            Correction.head == row.head,
            Correction.id > row.id,
        )
        .order_by(col(Correction.id))
    ):
        if later.before.get("customer") == left:
            later.before = {**later.before, "customer": was}
            session.add(later)
            return


def _moment(plain: str | None) -> datetime | None:
    return datetime.fromisoformat(plain) if plain else None

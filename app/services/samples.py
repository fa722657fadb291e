"""Sample inquiries to look around with: never counted, asked about or trained on."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, SQLModel, col, select

from app.core import clock, secrets
from app.domain import survey as rules
from app.domain.address import EMAIL
from app.domain.subject import normal_subject
from app.domain.text import preview
from app.domain.words import (
    YES,
    ArrivalState,
    Decision,
    FollowUpState,
    Head,
    MessageKind,
    Status,
    SurveyState,
)
from app.services import access, changes, customers, tagging, touchpoints
from app.services.access import Actor, Permission
from app.services.sample_texts import (
    AGENT,
    CUSTOMER,
    INQUIRIES,
    NOTE,
    Guess,
    Inquiry,
    Line,
    Sign,
)
from app.store import search
from app.store.tables import (
    Address,
    Answer,
    Arrival,
    Attachment,
    Change,
    Correction,
    Customer,
    Delivery,
    Draft,
    DraftFile,
    FollowUp,
    Inbox,
    Meaning,
    Message,
    Neighbour,
    Organisation,
    Participant,
    PredictionRow,
    Resting,
    Seen,
    Survey,
    Ticket,
    Topic,
    Touchpoint,
)
from channels.contract import Party

_KINDS = {CUSTOMER: MessageKind.INBOUND, AGENT: MessageKind.OUTBOUND, NOTE: MessageKind.NOTE}
_MODEL = "sample"  # no model said it, and nothing learns from it


def add(session: Session, actor: Actor) -> int:
    """Make the samples, once; how many there are. Inboxes that do not exist get none."""
    access.require(actor, Permission.ADMIN)
    organisation = session.exec(select(Organisation)).first()
    if session.exec(select(Ticket.id).where(col(Ticket.sample).is_(True)).limit(1)).first():
        return 0
    found = {
        inquiry.kind: session.exec(
            select(Inbox)
            .where(Inbox.kind == inquiry.kind)
            .order_by(col(Inbox.built_in).desc(), col(Inbox.id))
            .limit(1)
        ).first()
        for inquiry in INQUIRIES
    }
    made: dict[str, Ticket] = {}
    # The oldest first, so that ids grow with time as they do with real inquiries.
    for inquiry in sorted(INQUIRIES, key=lambda one: -one.days_ago):
        inbox = found[inquiry.kind]
        if inbox:
            made[inquiry.address] = _make(session, actor, inbox, inquiry)
    _liken(session, made)
    if organisation and made:
        organisation.samples_at = clock.now()
        session.add(organisation)
        changes.record(session, actor, None, "samples_added", tickets=len(made))
    return len(made)


def _make(session: Session, actor: Actor, inbox: Inbox, inquiry: Inquiry) -> Ticket:
    began = clock.now() - timedelta(days=inquiry.days_ago)
    kind = EMAIL if "@" in inquiry.address else inbox.kind
    party = Party(kind, inquiry.address, inquiry.name)
    customer, address = customers.resolve(session, inbox.id, party, sample=True)
    customer.company, customer.language = inquiry.company, inquiry.language
    customer.created_at = began
    ticket = Ticket(
        ref=secrets.new_ref(),
        inbox_id=inbox.id,
        channel=inbox.kind,
        customer_id=customer.id,
        subject=normal_subject(inquiry.subject) or preview(inquiry.lines[0].text, 80),
        preview=preview(inquiry.lines[0].text),
        language=inquiry.language,
        status=inquiry.status,
        created_at=began,
        last_activity_at=began,
        sample=True,
    )
    _label(session, ticket, inquiry)
    session.add_all([customer, ticket])
    session.flush()
    session.add(Participant(ticket_id=ticket.id, address_id=address.id, role="customer"))
    messages = [_say(session, actor, (ticket, address), inquiry, line) for line in inquiry.lines]
    for head, guess in ((Head.STAGE, inquiry.stage), (Head.TOPIC, inquiry.topic)):
        session.add(_prediction(messages[0], head, guess))
    for sign in inquiry.signs:
        _raise(session, ticket, messages[0], sign)
    session.add(_meaning(messages[0]))
    if inquiry.status is Status.RESOLVED:
        _resolve(session, ticket, inquiry)
    session.add(ticket)
    session.flush()
    return ticket


def _liken(session: Session, made: Mapping[str, Ticket]) -> None:
    """Lay those beside each other that mean nearly the same."""
    for inquiry in INQUIRIES:
        for address, likeness in inquiry.like:
            mine, other = made.get(inquiry.address), made.get(address)
            if mine and other:
                row = Neighbour(ticket_id=mine.id, other_id=other.id, likeness=likeness)
                session.add(row)
    session.flush()


def _label(session: Session, ticket: Ticket, inquiry: Inquiry) -> None:
    if inquiry.stage.label:
        ticket.stage, ticket.stage_by = inquiry.stage.label, tagging.SUGGESTION
        guesses = dict(_top(inquiry.stage))
        ticket.stage_probability = tagging.stage_share(session, ticket.stage, guesses)
    topic = session.exec(select(Topic).where(Topic.key == inquiry.topic.label)).one_or_none()
    if topic:
        ticket.topic_id, ticket.topic_by = topic.id, tagging.SUGGESTION
        ticket.topic_probability = inquiry.topic.probability


def _say(
    session: Session, actor: Actor, whose: tuple[Ticket, Address], inquiry: Inquiry, line: Line
) -> Message:
    ticket, address = whose
    at = min(ticket.created_at + timedelta(hours=line.hours), clock.now())
    ours = line.who != CUSTOMER
    called = inquiry.seconds is not None and not ours
    row = Message(
        ticket_id=ticket.id,
        inbox_id=ticket.inbox_id,
        kind=MessageKind.CALL if called else _KINDS[line.who],
        author=actor.name if ours else inquiry.name,
        agent_id=actor.agent_id if ours else None,
        address_id=None if ours else address.id,
        subject=inquiry.subject,
        text=line.text,
        reply_text=line.text if called else "",
        language=inquiry.language,
        to=[address.value] if line.who == AGENT else [],
        sent_at=at,
        created_at=at,
        seconds=inquiry.seconds if called else None,
    )
    session.add(row)
    session.flush()
    parts = (inquiry.subject, line.text, row.author, address.value, ticket.ref)
    search.index(session, search.Entry(row.id, ticket.id, parts))
    ticket.message_count += 1
    ticket.last_activity_at = max(ticket.last_activity_at, at)
    if line.who == CUSTOMER:
        ticket.last_inbound_at, ticket.preview = at, preview(line.text)
        ticket.waiting_since = ticket.waiting_since or at
    if line.who == AGENT:
        ticket.first_responded_at = ticket.first_responded_at or at
        ticket.waiting_since, ticket.assignee_id = None, actor.agent_id
    if line.who != NOTE:
        touchpoints.record(session, ticket, row, incoming=not ours)
    return row


def _top(guess: Guess) -> list[tuple[str, float]]:
    second = (guess.runner_up, round((1 - guess.probability) * 0.6, 2))
    return [(guess.label, guess.probability), second] if guess.label else [second]


def _prediction(message: Message, head: Head, guess: Guess) -> PredictionRow:
    return PredictionRow(
        ticket_id=message.ticket_id,
        message_id=message.id,
        head=head,
        label=guess.label,
        probability=guess.probability,
        decision=Decision.SUGGEST if guess.label else Decision.ABSTAIN,
        top=[[label, probability] for label, probability in _top(guess)],
        reasons=list(guess.reasons),
        model=_MODEL,
        basis="",  # written by hand: it rests on nothing
        at=message.created_at,
    )


def _raise(session: Session, ticket: Ticket, message: Message, sign: Sign) -> None:
    """As the model would: dashed, until a person says so too."""
    setattr(ticket, sign.head, True)
    setattr(ticket, f"{sign.head}_by", "model")
    row = _prediction(message, sign.head, Guess(YES, sign.probability, "", sign.reasons))
    row.top = [[YES, sign.probability]]
    session.add(row)


def _meaning(message: Message) -> Meaning:
    """Compared with all it will ever be: it has no vector, and a space of its own."""
    return Meaning(
        ticket_id=message.ticket_id,
        message_id=message.id,
        space=_MODEL,
        vector=b"",
        compared_at=message.created_at,
    )


def _resolve(session: Session, ticket: Ticket, inquiry: Inquiry) -> None:
    """Resolved an hour later, and rated the day after that where there is a score."""
    resolved = min(ticket.last_activity_at + timedelta(hours=1), clock.now())
    asked = min(resolved + timedelta(days=1), clock.now())
    ticket.resolved_at, ticket.resolutions = resolved, 1
    ticket.waiting_since, ticket.last_activity_at = None, resolved
    survey = Survey(
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        resolution=1,
        state=SurveyState.ANSWERED if inquiry.score else SurveyState.SUPPRESSED,
        reason="" if inquiry.score else "This is a sample inquiry.",
        language=inquiry.language,
        nonce=secrets.new_token(),
        resolved_at=resolved,
        due_at=asked,
        sent_at=asked if inquiry.score else None,
        expires_at=asked + rules.LASTS if inquiry.score else None,
    )
    session.add(survey)
    session.flush()
    if inquiry.score:
        _rate(session, ticket, survey, inquiry, asked)


def _rate(session: Session, ticket: Ticket, survey: Survey, inquiry: Inquiry, at: datetime) -> None:
    answer = Answer(survey_id=survey.id, score=inquiry.score or 0, comment=inquiry.comment, at=at)
    session.add(answer)
    session.flush()
    touchpoints.record_answer(session, ticket, answer)
    if answer.score <= rules.LOW:
        ticket.status, ticket.resolved_at = Status.OPEN, None
        ticket.waiting_since = ticket.last_activity_at = at
        session.add(
            FollowUp(
                ticket_id=ticket.id,
                answer_id=answer.id,
                owner_id=ticket.assignee_id,
                state=FollowUpState.OPEN,
                due_at=at + timedelta(days=1),
                created_at=at,
            )
        )


def remove(session: Session, actor: Actor) -> int:
    """Take the samples away with everything that was done on them; how many there were."""
    access.require(actor, Permission.ADMIN)
    tickets = list(session.exec(select(Ticket.id).where(col(Ticket.sample).is_(True))).all())
    messages = list(
        session.exec(select(Message.id).where(col(Message.ticket_id).in_(tickets))).all()
    )
    _let_arrivals_go(session, messages)
    _delete_on(session, tickets, messages)
    _delete_people(session)
    organisation = session.exec(select(Organisation)).first()
    if organisation:
        organisation.samples_at = None
        session.add(organisation)
    if tickets:
        changes.record(session, actor, None, "samples_removed", tickets=len(tickets))
    return len(tickets)


def _let_arrivals_go(session: Session, messages: list[int]) -> None:
    """What somebody really sent in answer to a sample stays received, with a reason."""
    filed = select(Message.arrival_id).where(
        col(Message.id).in_(messages), col(Message.arrival_id).is_not(None)
    )
    session.execute(
        update(Arrival)
        .where(col(Arrival.id).in_(filed) | col(Arrival.copy_of_id).in_(messages))
        .values(
            state=ArrivalState.DISCARDED,
            reason="It belonged to a sample inquiry, which was removed.",
            copy_of_id=None,
        )
    )


def _delete_on(session: Session, tickets: list[int], messages: list[int]) -> None:
    surveys = select(Survey.id).where(col(Survey.ticket_id).in_(tickets))
    drafts = select(Draft.id).where(col(Draft.ticket_id).in_(tickets))
    search.remove(session, messages)
    # What points to a row goes before it.
    steps: tuple[tuple[type[SQLModel], ColumnElement[bool]], ...] = (
        (Touchpoint, col(Touchpoint.ticket_id).in_(tickets)),
        (FollowUp, col(FollowUp.ticket_id).in_(tickets)),
        (Answer, col(Answer.survey_id).in_(surveys)),
        (Survey, col(Survey.ticket_id).in_(tickets)),
        (Correction, col(Correction.ticket_id).in_(tickets)),
        (PredictionRow, col(PredictionRow.ticket_id).in_(tickets)),
        (Neighbour, col(Neighbour.ticket_id).in_(tickets) | col(Neighbour.other_id).in_(tickets)),
        (Meaning, col(Meaning.ticket_id).in_(tickets)),
        (Delivery, col(Delivery.message_id).in_(messages)),
        (Attachment, col(Attachment.message_id).in_(messages)),
        (Resting, col(Resting.message_id).in_(messages)),
        (DraftFile, col(DraftFile.draft_id).in_(drafts)),
        (Draft, col(Draft.ticket_id).in_(tickets)),
        (Seen, col(Seen.ticket_id).in_(tickets)),
        (Participant, col(Participant.ticket_id).in_(tickets)),
        (Change, col(Change.ticket_id).in_(tickets)),
        (Message, col(Message.ticket_id).in_(tickets)),
        (Ticket, col(Ticket.id).in_(tickets)),
    )
    for table, chosen in steps:
        session.execute(delete(table).where(chosen))


def _delete_people(session: Session) -> None:
    """Sample customers; one who turned up on a real ticket became a real one."""
    sampled = col(Customer.sample).is_(True)
    addresses = select(Address.id, Address.customer_id)
    speaking = addresses.join(Participant, col(Participant.address_id) == col(Address.id))
    writing = addresses.join(Message, col(Message.address_id) == col(Address.id))
    kept = set(session.exec(select(Ticket.customer_id).distinct()))
    for used in (speaking, writing):
        kept |= {customer_id for _, customer_id in session.exec(used.distinct())}
    gone = set(session.exec(select(Customer.id).where(sampled))) - kept
    session.execute(delete(Address).where(col(Address.customer_id).in_(gone)))
    session.execute(delete(Customer).where(col(Customer.id).in_(gone)))
    session.execute(update(Customer).where(sampled).values(sample=False))

"""Asks the customer once after a resolution, and takes the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.core import clock, crashpoints, secrets
from app.core.errors import Invalid, NotFound
from app.core.secrets import Keys
from app.domain import survey as rules
from app.domain.words import Cause, DeliveryState, MessageKind, Role, Status, SurveyState
from app.services import changes, followups, requests, touchpoints
from app.services.access import SYSTEM, Actor
from app.store import jobs
from app.store.tables import (
    Address,
    Answer,
    Customer,
    Delivery,
    Inbox,
    Message,
    Organisation,
    Survey,
    Ticket,
)

CUSTOMER = Actor(name="customer", role=Role.AGENT, cause=Cause.PERSON)
COMMENT_LIMIT = 4000  # characters
CORRECTION = timedelta(minutes=30)
PENDING = (SurveyState.SCHEDULED, SurveyState.HELD, SurveyState.QUEUED)

_asking = crashpoints.declare("survey.ask_open", "request and delivery written, not committed")
_answering = crashpoints.declare("survey.answer_open", "answer written, not committed")


def _circumstances(session: Session, ticket: Ticket) -> rules.Circumstances:
    organisation = session.exec(select(Organisation)).first()
    customer = session.get_one(Customer, ticket.customer_id)
    person_answered = session.exec(
        select(Message.id)
        .where(
            Message.ticket_id == ticket.id,
            col(Message.agent_id).is_not(None),
            col(Message.kind).in_([MessageKind.OUTBOUND, MessageKind.CALL]),
        )
        .limit(1)
    ).first()
    return rules.Circumstances(
        wanted=organisation is not None and organisation.ask_feedback,
        policy=organisation.feedback_policy if organisation else "de-strict",
        agreed=customer.may_ask,
        notice=organisation is not None and organisation.feedback_notice,
        objected=customer.no_feedback_at is not None,
        automatic=ticket.automatic,
        sample=ticket.sample,
        answered_by_person=person_answered is not None,
        has_address=_way_out(session, ticket) is not None,
        last_asked=customer.asked_at,
        cooling=timedelta(days=organisation.feedback_cooling_days if organisation else 30),
    )


@dataclass(frozen=True, slots=True)
class WayOut:
    inbox: Inbox
    recipient: str


def _way_out(session: Session, ticket: Ticket) -> WayOut | None:
    """The inbox and address to ask on: where they wrote, else by mail if we know how."""
    own = session.get_one(Inbox, ticket.inbox_id)
    inboxes = [own] if own.sends else []
    inboxes += session.exec(
        select(Inbox)
        .where(Inbox.kind == "email", col(Inbox.sends).is_(True), col(Inbox.enabled).is_(True))
        .order_by(col(Inbox.built_in), col(Inbox.id))
    ).all()
    for inbox in inboxes:
        address = session.exec(
            select(Address)
            .where(
                Address.customer_id == ticket.customer_id,
                Address.kind == inbox.kind,
                col(Address.undeliverable_at).is_(None),
            )
            .order_by(col(Address.id))
        ).first()
        if address:
            return WayOut(inbox, address.value)
    return None


def schedule(session: Session, ticket: Ticket) -> Survey:
    """Decide, in the transaction of the resolution, whether and when to ask."""
    now = clock.now()
    facts = _circumstances(session, ticket)
    reason = rules.why_not(facts, now)
    organisation = session.exec(select(Organisation)).first()
    customer = session.get_one(Customer, ticket.customer_id)
    delay = timedelta(minutes=organisation.feedback_delay_minutes if organisation else 0)
    home = organisation.time_zone if organisation else "UTC"
    row = Survey(
        ticket_id=ticket.id,
        customer_id=customer.id,
        resolution=ticket.resolutions,
        state=SurveyState.SUPPRESSED if reason else SurveyState.SCHEDULED,
        reason=reason,
        language=ticket.language
        or customer.language
        or (organisation.language if organisation else "en"),
        nonce=secrets.new_token(),
        resolved_at=now,
        due_at=rules.when(now, delay, customer.time_zone or home),
    )
    session.add(row)
    session.flush()
    if not reason:
        wait = max(0.0, (row.due_at - now).total_seconds())
        jobs.enqueue(session, "ask", delay=wait, survey_id=row.id)
    return row


def revoke(session: Session, ticket: Ticket, reason: str) -> None:
    """Take back what has not left yet."""
    for row in session.exec(
        select(Survey)
        .where(Survey.ticket_id == ticket.id, col(Survey.state).in_(PENDING))
        .with_for_update()
    ):
        row.state, row.reason = SurveyState.REVOKED, reason
        session.add(row)
        if row.message_id is None:
            continue
        for delivery in session.exec(
            select(Delivery).where(
                Delivery.message_id == row.message_id,
                col(Delivery.state).in_(
                    [DeliveryState.QUEUED, DeliveryState.RETRY, DeliveryState.HELD]
                ),
            )
        ):
            delivery.state, delivery.words = DeliveryState.CANCELLED, reason
            delivery.next_at = None
            session.add(delivery)


def due(session: Session) -> list[int]:
    """Scheduled requests whose moment has come."""
    return list(
        session.exec(
            select(Survey.id).where(
                Survey.state == SurveyState.SCHEDULED, col(Survey.due_at) <= clock.now()
            )
        ).all()
    )


def ask(session: Session, keys: Keys, survey_id: int, *, reachable: bool) -> None:
    """Write the request and its delivery together, if it may still be asked.

    Without a public address of ours no link would work: the request is written and held.
    """
    row = session.exec(select(Survey).where(Survey.id == survey_id).with_for_update()).one_or_none()
    if row is None or row.state is not SurveyState.SCHEDULED or row.due_at > clock.now():
        return
    ticket = session.get_one(Ticket, row.ticket_id, with_for_update=True)
    customer = session.get_one(Customer, row.customer_id, with_for_update=True)
    reason = rules.why_not(_circumstances(session, ticket), clock.now())
    if ticket.status is not Status.RESOLVED or ticket.resolutions != row.resolution:
        reason = "The ticket is not resolved any more."
    way = _way_out(session, ticket)
    if reason or way is None:
        row.state, row.reason = SurveyState.SUPPRESSED, reason
        session.add(row)
        changes.record(session, SYSTEM, ticket, "feedback_not_asked", reason=reason)
        return
    row.digest = secrets.digest(keys.survey_token(row.nonce))
    row.expires_at = clock.now() + rules.LASTS
    message = requests.write(session, ticket, way.inbox, row)
    row.message_id = message.id
    delivery = Delivery(
        message_id=message.id,
        recipient=way.recipient,
        state=DeliveryState.QUEUED,
        next_at=clock.now(),
        changed_at=clock.now(),
    )
    message.to = [way.recipient]
    row.state = SurveyState.QUEUED
    customer.asked_at = clock.now()
    if reachable:
        jobs.enqueue(session, "deliver", message_id=message.id)
    else:
        row.state = SurveyState.HELD
        row.reason = "SETTEN_PUBLIC_URL is not set, so the customer could not open the link."
        delivery.state, delivery.words, delivery.next_at = DeliveryState.HELD, row.reason, None
    session.add_all([row, message, delivery, customer])
    changes.record(session, SYSTEM, ticket, "feedback_asked", state=row.state, reason=row.reason)
    _asking()


def delivered(session: Session, message: Message, states: Sequence[str]) -> None:
    """Note what became of a request's delivery."""
    if not message.request:
        return
    row = session.exec(select(Survey).where(Survey.message_id == message.id)).one_or_none()
    if row is None or row.state not in PENDING:
        return
    if DeliveryState.SENT in states:
        row.state, row.sent_at, row.reason = SurveyState.SENT, clock.now(), ""
    elif DeliveryState.HELD in states:
        row.state, row.reason = SurveyState.HELD, "It waits in the outbox."
    elif DeliveryState.FAILED in states:
        row.state, row.reason = SurveyState.SUPPRESSED, "It could not be delivered."
    session.add(row)


@dataclass(frozen=True, slots=True)
class Rating:
    """An answer as the form sends it."""

    score: int | None
    comment: str = ""
    wants_contact: bool = False
    suspect: str = ""  # why the edge doubts that a person sent it; "" when it does not


@dataclass(frozen=True, slots=True)
class SurveyPage:
    state: str  # open, thanks, over
    language: str
    organisation: str
    subject: str = ""
    score: int | None = None
    comment: str = ""
    may_correct: bool = False
    may_ask: bool = True


_NOWHERE = SurveyPage("over", "", "")


def _by_token(session: Session, token: str, *, lock: bool = False) -> Survey | None:
    wanted = select(Survey).where(Survey.digest == secrets.digest(token))
    return session.exec(wanted.with_for_update() if lock else wanted).one_or_none()


def find(session: Session, token: str) -> SurveyPage:
    """What the page behind a link shows. Writes nothing, whoever opens it.

    An unknown, an expired and a revoked link look the same: over.
    """
    row = _by_token(session, token)
    organisation = session.exec(select(Organisation)).first()
    if row is None or organisation is None:
        return _NOWHERE
    return _page(session, row, organisation)


def _page(session: Session, row: Survey, organisation: Organisation) -> SurveyPage:
    customer = session.get_one(Customer, row.customer_id)
    ticket = session.get_one(Ticket, row.ticket_id)
    base = SurveyPage(
        "over", row.language, organisation.name, may_ask=customer.no_feedback_at is None
    )
    last = _last_answer(session, row)
    if last is not None:
        fresh = clock.now() - _first_answer_at(session, row) < CORRECTION
        return replace(
            base, state="thanks", score=last.score, comment=last.comment, may_correct=fresh,
            subject=ticket.subject,
        )  # fmt: skip
    alive = row.state in {SurveyState.SENT, SurveyState.QUEUED, SurveyState.HELD}
    if not alive or row.expires_at is None or row.expires_at < clock.now():
        return base
    return replace(base, state="open", subject=ticket.subject)


def _last_answer(session: Session, row: Survey) -> Answer | None:
    return session.exec(
        select(Answer)
        .where(Answer.survey_id == row.id)
        .order_by(col(Answer.revision).desc())
        .limit(1)
    ).one_or_none()


def _first_answer_at(session: Session, row: Survey):  # type: ignore[no-untyped-def] # datetime
    return session.exec(select(func.min(Answer.at)).where(Answer.survey_id == row.id)).one()


def answer(session: Session, token: str, rating: Rating) -> SurveyPage:
    """Record a deliberate answer, once; within half an hour it can be corrected."""
    row = _by_token(session, token, lock=True)
    organisation = session.exec(select(Organisation)).first()
    if row is None or organisation is None:
        return _NOWHERE
    page = _page(session, row, organisation)
    if page.state == "over" or (page.state == "thanks" and not page.may_correct):
        return page
    if rating.score is None or rating.score not in rules.SCORES:
        raise Invalid("Choose a number from 1 to 5.", field="score")
    last = _last_answer(session, row)
    if last and (last.score, last.comment) == (rating.score, rating.comment.strip()):
        return page
    made = Answer(
        survey_id=row.id,
        revision=last.revision + 1 if last else 1,
        score=rating.score,
        comment=rating.comment.strip()[:COMMENT_LIMIT],
        wants_contact=rating.wants_contact,
        suspect=rating.suspect,
        at=clock.now(),
    )
    session.add(made)
    row.state = SurveyState.ANSWERED
    session.add(row)
    session.flush()
    _take_note(session, row, made, first=last is None)
    _answering()
    return _page(session, row, organisation)


def _take_note(session: Session, row: Survey, made: Answer, *, first: bool) -> None:
    ticket = session.get_one(Ticket, row.ticket_id, with_for_update=True)
    if first:
        touchpoints.record_answer(session, ticket, made)
    if (made.score <= rules.LOW or made.wants_contact) and not made.suspect:
        followups.open_for(session, ticket, made)
    else:
        followups.withdraw(session, ticket, made)
    changes.record(session, CUSTOMER, ticket, "rated", score=made.score, suspect=made.suspect)


def opt_out(session: Session, token: str) -> SurveyPage:
    """Never ask this customer again. Works with any link that was ever sent to them."""
    row = _by_token(session, token, lock=True)
    organisation = session.exec(select(Organisation)).first()
    if row is None or organisation is None:
        return _NOWHERE
    customer = session.get_one(Customer, row.customer_id, with_for_update=True)
    if customer.no_feedback_at is None:
        customer.no_feedback_at, customer.may_ask = clock.now(), False
        session.add(customer)
        ticket = session.get_one(Ticket, row.ticket_id)
        changes.record(session, CUSTOMER, ticket, "feedback_refused", customer=customer.ref)
        for other in session.exec(
            select(Ticket)
            .join(Survey, col(Survey.ticket_id) == col(Ticket.id))
            .where(Survey.customer_id == customer.id, col(Survey.state).in_(PENDING))
        ).all():
            revoke(session, other, "The customer does not want to be asked.")
    return _page(session, row, organisation)


def by_ticket(session: Session, ticket_id: int) -> list[Survey]:
    return list(
        session.exec(
            select(Survey).where(Survey.ticket_id == ticket_id).order_by(col(Survey.resolution))
        ).all()
    )


def release_held(session: Session, survey_id: int) -> None:
    """A held request may go now that links work."""
    row = session.get(Survey, survey_id)
    if row is None:
        raise NotFound("There is no such request.")
    row.state = SurveyState.QUEUED
    session.add(row)

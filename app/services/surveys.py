"""Asks the customer once after a resolution, and takes the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import and_, exists
from sqlmodel import Session, col, select

from app.core import clock, crashpoints, secrets
from app.core.errors import Invalid
from app.core.secrets import Keys
from app.domain import survey as rules
from app.domain.storable import storable
from app.domain.words import Cause, DeliveryState, MessageKind, Role, SurveyState
from app.services import (
    changes,
    eligibility,
    followups,
    held,
    requests,
    touchpoints,
    withdrawals,
)
from app.services.access import SYSTEM, Actor
from app.services.withdrawals import OBJECTED, PENDING
from app.store import jobs
from app.store.tables import (
    Answer,
    Customer,
    Delivery,
    Message,
    Organisation,
    Survey,
    Ticket,
)

CUSTOMER = Actor(name="customer", role=Role.AGENT, cause=Cause.PERSON)
COMMENT_LIMIT = 4000  # characters
CORRECTION = timedelta(minutes=30)
UNREACHABLE = held.UNREACHABLE

_asking = crashpoints.declare("survey.ask_open", "request and delivery written, not committed")
_answering = crashpoints.declare("survey.answer_open", "answer written, not committed")


def schedule(session: Session, ticket: Ticket) -> Survey:
    """Decide, in the transaction of the resolution, whether and when to ask."""
    now = clock.now()
    facts = eligibility.circumstances(session, ticket)
    reason = rules.why_not(facts, now)
    organisation = session.exec(select(Organisation)).first()
    customer = session.get_one(Customer, ticket.customer_id)
    delay, time_zone = eligibility.pace(session, ticket, customer)
    row = Survey(
        ticket_id=ticket.id,
        customer_id=customer.id,
        resolution=ticket.resolutions,
        state=SurveyState.SUPPRESSED if reason else SurveyState.SCHEDULED,
        reason=reason,
        language=_language(session, ticket, customer)
        or (organisation.language if organisation else "en"),
        nonce=secrets.new_token(),
        resolved_at=now,
        due_at=rules.when(now, delay, time_zone),
    )
    session.add(row)
    session.flush()
    if not reason:
        wait = max(0.0, (row.due_at - now).total_seconds())
        jobs.enqueue(session, "ask", delay=wait, survey_id=row.id)
    return row


def _language(session: Session, ticket: Ticket, customer: Customer) -> str:
    """What the customer writes in. The notes of a call are in the language of who took it."""
    wrote = session.exec(
        select(Message.id)
        .where(Message.ticket_id == ticket.id, Message.kind == MessageKind.INBOUND)
        .limit(1)
    ).first()
    first, second = ticket.language, customer.language
    return (first or second) if wrote else (second or first)


def due(session: Session, *, reachable: bool = False) -> list[int]:
    """Requests whose moment has come: to be asked, to be let go, or to be given up."""
    now = clock.now()
    kept = col(Survey.state) == SurveyState.HELD
    wanted = (col(Survey.state) == SurveyState.SCHEDULED) & (col(Survey.due_at) <= now)
    wanted |= kept & (col(Survey.expires_at) < now)
    if reachable:
        wanted |= kept & (col(Survey.reason) == UNREACHABLE)
    return list(session.exec(select(Survey.id).where(wanted)).all())


def expire(session: Session) -> int:
    """Close what left and was not answered in time; how many. What may still leave is not late."""
    may_leave = exists().where(
        col(Delivery.message_id) == col(Survey.message_id),
        col(Delivery.state).in_(eligibility.ON_ITS_WAY),
    )
    is_late = and_(
        col(Survey.state).in_([SurveyState.SENT, SurveyState.QUEUED]),
        col(Survey.expires_at) < clock.now(),
        ~may_leave,
    )
    # Tickets are locked before what hangs on them, as everywhere.
    tickets = session.exec(
        select(Ticket)
        .where(col(Ticket.id).in_(select(Survey.ticket_id).where(is_late)))
        .order_by(col(Ticket.id))
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    late = session.exec(
        select(Survey)
        .where(is_late, col(Survey.ticket_id).in_([ticket.id for ticket in tickets]))
        .with_for_update()
    ).all()
    for row in late:
        row.state = SurveyState.EXPIRED
        session.add(row)
        changes.record(session, SYSTEM, session.get_one(Ticket, row.ticket_id), "feedback_expired")
    return len(late)


def ask(session: Session, keys: Keys, survey_id: int, *, reachable: bool) -> None:
    """Write the request and its delivery together, if it may still be asked.

    Without a public address of ours no link would work: the request is written and held.
    """
    row = session.get(Survey, survey_id)
    if row is None:
        return
    # Everybody locks in this order: ticket, customer, request, delivery.
    ticket = session.get_one(Ticket, row.ticket_id, with_for_update={"key_share": True})
    session.get_one(Customer, row.customer_id, with_for_update={"key_share": True})
    session.refresh(row, with_for_update={"key_share": True})
    if row.state is SurveyState.HELD:
        held.look_at(session, ticket, row, reachable=reachable)
        return
    if row.state is not SurveyState.SCHEDULED or row.due_at > clock.now():
        return
    reason = eligibility.why_not_now(session, ticket, row)
    if not reason and not eligibility.answer_reached(session, ticket):
        _wait_for_answer(session, ticket, row)
        return
    way = eligibility.way_out(session, ticket)
    if reason or way is None:
        row.state, row.reason = SurveyState.SUPPRESSED, reason
        session.add(row)
        changes.record(session, SYSTEM, ticket, "feedback_not_asked", reason=reason)
        return
    row.digest = secrets.digest(keys.survey_token(row.nonce))
    row.expires_at = clock.now() + rules.LASTS
    message = requests.write(session, ticket, way.inbox, row)
    message.to = [way.recipient]
    row.message_id, row.state, row.reason = message.id, SurveyState.QUEUED, ""
    delivery = Delivery(
        message_id=message.id,
        recipient=way.recipient,
        state=DeliveryState.QUEUED,
        next_at=clock.now(),
        changed_at=clock.now(),
    )
    if reachable:
        jobs.enqueue(session, "deliver", message_id=message.id)
    else:
        row.state, row.reason = SurveyState.HELD, UNREACHABLE
        delivery.state, delivery.words, delivery.next_at = DeliveryState.HELD, UNREACHABLE, None
    session.add_all([row, message, delivery])
    changes.record(session, SYSTEM, ticket, "feedback_asked", state=row.state, reason=row.reason)
    _asking()


def _wait_for_answer(session: Session, ticket: Ticket, row: Survey) -> None:
    """The answer is still in the outbox: look again, less often the longer it takes."""
    now = clock.now()
    wait = max(timedelta(seconds=2), (now - row.resolved_at) / 4)
    delay, time_zone = eligibility.pace(session, ticket, session.get_one(Customer, row.customer_id))
    row.due_at = rules.open_at(now + wait, time_zone) if delay else now + wait
    session.add(row)
    jobs.enqueue(session, "ask", delay=(row.due_at - now).total_seconds(), survey_id=row.id)


def may_leave(session: Session, message: Message, *, reachable: bool) -> bool:
    """The last look before a request is handed over: an objection wins until then."""
    row = session.exec(select(Survey).where(Survey.message_id == message.id)).one()
    customer = session.get_one(Customer, row.customer_id, with_for_update={"key_share": True})
    session.refresh(row, with_for_update={"key_share": True})
    too_late = OBJECTED if customer.no_feedback_at else _asked_meanwhile(session, row)
    if row.state in PENDING and too_late:
        row.state, row.reason = SurveyState.REVOKED, too_late
        session.add(row)
    if row.state not in PENDING:
        withdrawals.stop_deliveries(session, row, DeliveryState.CANCELLED, row.reason)
        return False
    if not reachable:
        row.state, row.reason = SurveyState.HELD, UNREACHABLE
        session.add(row)
        withdrawals.stop_deliveries(session, row, DeliveryState.HELD, UNREACHABLE)
        return False
    return True


def _asked_meanwhile(session: Session, row: Survey) -> str:
    """A request may wait for weeks until it is released, and another one overtake it."""
    days = session.exec(select(Organisation.feedback_cooling_days)).first() or 0
    other = session.exec(
        select(Delivery.id)
        .join(Survey, col(Survey.message_id) == col(Delivery.message_id))
        .where(
            Survey.customer_id == row.customer_id,
            Survey.id != row.id,
            col(Delivery.state).in_(
                [DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.IN_DOUBT]
            ),
            col(Delivery.changed_at) > clock.now() - timedelta(days=days),
        )
        .limit(1)
    ).first()
    return f"The customer was asked less than {days} days ago." if other else ""


def delivered(session: Session, message: Message, states: Sequence[str]) -> None:
    """Note what became of a request's delivery."""
    row = session.exec(select(Survey).where(Survey.message_id == message.id)).one()
    if DeliveryState.SENT in states or DeliveryState.IN_DOUBT in states:
        # What they may have received counts for the cooling time, from now on.
        customer = session.get_one(Customer, row.customer_id)
        customer.asked_at = clock.now()
        session.add(customer)
    if row.state not in PENDING:
        return
    if DeliveryState.SENT in states:
        row.state, row.sent_at, row.reason = SurveyState.SENT, clock.now(), ""
        row.expires_at = clock.now() + rules.LASTS  # it may have waited for days
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
    state: str  # open, thanks, expired, over
    language: str
    organisation: str
    subject: str = ""
    score: int | None = None
    comment: str = ""
    may_correct: bool = False
    may_ask: bool = True


_NOWHERE = SurveyPage("over", "", "")


def _by_token(session: Session, token: str) -> Survey | None:
    return session.exec(select(Survey).where(Survey.digest == secrets.digest(token))).one_or_none()


def find(session: Session, token: str) -> SurveyPage:
    """What the page behind a link shows. Writes nothing, whoever opens it.

    An unknown and a revoked link look the same: over. That one has expired learns only who was
    asked, and even they see nothing of their inquiry any more.
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
    last, fresh = _standing(session, row)
    if last is not None and (fresh or not last.suspect):
        return replace(
            base, state="thanks", score=last.score, comment=last.comment, may_correct=fresh,
            subject=ticket.subject,
        )  # fmt: skip
    if row.state in {SurveyState.REVOKED, SurveyState.SUPPRESSED} or row.expires_at is None:
        return base
    if row.state is SurveyState.EXPIRED or row.expires_at < clock.now():
        return replace(base, state="expired")
    return replace(base, state="open", subject=ticket.subject)


def _answers(session: Session, row: Survey) -> Sequence[Answer]:
    return session.exec(
        select(Answer).where(Answer.survey_id == row.id).order_by(col(Answer.revision))
    ).all()


def _standing(session: Session, row: Survey) -> tuple[Answer | None, bool]:
    """The answer that holds, and whether it can still be corrected.

    What a program may have sent holds only as long as no person answers, and not for ever:
    a mail scanner that presses Send must not take the customer's turn.
    """
    found = _answers(session, row)
    counted = [one for one in found if not one.suspect] or list(found)
    if not counted:
        return None, False
    return counted[-1], clock.now() - counted[0].at < CORRECTION


def answer(session: Session, token: str, rating: Rating) -> SurveyPage:
    """Record a deliberate answer, once; within half an hour it can be corrected."""
    row = _by_token(session, token)
    organisation = session.exec(select(Organisation)).first()
    if row is None or organisation is None:
        return _NOWHERE
    ticket = session.get_one(Ticket, row.ticket_id, with_for_update={"key_share": True})
    session.refresh(row, with_for_update={"key_share": True})
    page = _page(session, row, organisation)
    if page.state in {"over", "expired"} or (page.state == "thanks" and not page.may_correct):
        return page
    if rating.score is None or rating.score not in rules.SCORES:
        raise Invalid("Choose a number from 1 to 5.", field="score")
    last, _ = _standing(session, row)
    comment = storable(rating.comment).strip()[:COMMENT_LIMIT]
    given = (rating.score, comment, rating.wants_contact)
    same = last is not None and given == (last.score, last.comment, last.wants_contact)
    if last and (rating.suspect or (same and not last.suspect)):
        # Sent twice changes nothing, and what may be a program's corrects nobody's answer.
        return page
    made = Answer(
        survey_id=row.id,
        revision=len(_answers(session, row)) + 1,
        score=rating.score,
        comment=comment,
        wants_contact=rating.wants_contact,
        suspect=rating.suspect,
        at=clock.now(),
    )
    session.add(made)
    row.state = SurveyState.ANSWERED
    session.add(row)
    session.flush()
    if not made.suspect:
        _take_note(session, ticket, made, first=last is None or bool(last.suspect))
    changes.record(session, CUSTOMER, ticket, "rated", score=made.score, suspect=made.suspect)
    _answering()
    return _page(session, row, organisation)


def _take_note(session: Session, ticket: Ticket, made: Answer, *, first: bool) -> None:
    if first:
        touchpoints.record_answer(session, ticket, made)
    if made.score <= rules.LOW or made.wants_contact:
        followups.open_for(session, ticket, made)
    else:
        followups.withdraw(session, ticket, made)


def opt_out(session: Session, token: str) -> SurveyPage:
    """Never ask this customer again. Works with any link that was ever sent to them."""
    row = _by_token(session, token)
    organisation = session.exec(select(Organisation)).first()
    if row is None or organisation is None:
        return _NOWHERE
    customer = session.get_one(Customer, row.customer_id)
    if customer.no_feedback_at is None:
        ticket = session.get_one(Ticket, row.ticket_id, with_for_update={"key_share": True})
        withdrawals.of_customer(session, customer)
        changes.record(session, CUSTOMER, ticket, "feedback_refused", customer=customer.ref)
    return _page(session, row, organisation)


def by_ticket(session: Session, ticket_id: int) -> list[Survey]:
    return list(
        session.exec(
            select(Survey).where(Survey.ticket_id == ticket_id).order_by(col(Survey.resolution))
        ).all()
    )

"""Whether a customer may be asked about a ticket, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, func, select

from app.core import clock
from app.domain import survey as rules
from app.domain.address import EMAIL, EVERYWHERE
from app.domain.words import DeliveryState, MessageKind, Status, SurveyState
from app.store.tables import (
    Address,
    Customer,
    Delivery,
    Inbox,
    Message,
    Organisation,
    Survey,
    Ticket,
)

ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True)
class WayOut:
    inbox: Inbox
    recipient: str


def circumstances(
    session: Session, ticket: Ticket, survey: Survey | None = None
) -> rules.Circumstances:
    """What speaks for and against asking: at the resolution, or when `survey` is to be asked."""
    organisation = session.exec(select(Organisation)).first()
    customer = session.get_one(Customer, ticket.customer_id)
    return rules.Circumstances(
        wanted=organisation is not None and organisation.ask_feedback,
        policy=organisation.feedback_policy if organisation else "de-strict",
        agreed=customer.may_ask,
        notice=organisation is not None and organisation.feedback_notice,
        objected=customer.no_feedback_at is not None,
        automatic=ticket.automatic,
        sample=ticket.sample,
        answer_reached=answer_reached(session, ticket)
        or answer_on_its_way(session, ticket)
        or _only_looking(session, ticket),
        has_address=way_out(session, ticket) is not None,
        waiting=_another_waits(session, ticket, survey),
        last_asked=customer.asked_at,
        cooling=timedelta(days=organisation.feedback_cooling_days if organisation else 30),
    )


def answer_reached(session: Session, ticket: Ticket) -> bool:
    """Whether a person spoke with the customer, or wrote and it was delivered."""
    call = select(Message.id).where(
        Message.ticket_id == ticket.id,
        col(Message.agent_id).is_not(None),
        Message.kind == MessageKind.CALL,
    )
    return session.exec(call.limit(1)).first() is not None or _has_answer(
        session, ticket, (DeliveryState.SENT,)
    )


def answer_on_its_way(session: Session, ticket: Ticket) -> bool:
    return _has_answer(session, ticket, ON_ITS_WAY)


def _only_looking(session: Session, ticket: Ticket) -> bool:
    """Whether an answer waits in the outbox because there is no real inbox yet. Whoever looks
    around sees the request there as well; both are held."""
    inbox = session.get_one(Inbox, ticket.inbox_id)
    return inbox.built_in and _has_answer(session, ticket, (DeliveryState.HELD,))


def _has_answer(session: Session, ticket: Ticket, states: tuple[DeliveryState, ...]) -> bool:
    found = session.exec(
        select(Delivery.id)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(
            Message.ticket_id == ticket.id,
            col(Message.agent_id).is_not(None),
            Message.kind == MessageKind.OUTBOUND,
            col(Delivery.is_copy).is_(False),
            # Not plainly: SQLite would look through all that were ever sent.
            func.coalesce(col(Delivery.state), "").in_(states),
        )
        .limit(1)
    ).first()
    return found is not None


def _another_waits(session: Session, ticket: Ticket, survey: Survey | None) -> bool:
    """Whether a request about something else may still leave.

    Of two that are only scheduled, the first to be asked goes: neither stops the other.
    """
    others = select(Survey.id).where(Survey.customer_id == ticket.customer_id)
    if survey is not None:
        others = others.where(Survey.id != survey.id)
    written = others.join(Delivery, col(Delivery.message_id) == col(Survey.message_id)).where(
        col(Delivery.state).in_([*ON_ITS_WAY, DeliveryState.HELD])
    )
    if session.exec(written.limit(1)).first() is not None:
        return True
    scheduled = others.where(Survey.state == SurveyState.SCHEDULED)
    return survey is None and session.exec(scheduled.limit(1)).first() is not None


def pace(session: Session, ticket: Ticket, customer: Customer) -> tuple[timedelta, str]:
    """How long after the resolution, and in whose zone the hours are counted."""
    found = session.exec(select(Organisation)).first()
    if found is None:
        return timedelta(0), "UTC"
    by_mail = session.get_one(Inbox, ticket.inbox_id).writes_to == EMAIL
    delay = rules.delay_for(timedelta(minutes=found.feedback_delay_minutes), by_mail=by_mail)
    return delay, customer.time_zone or found.time_zone


def why_not_now(session: Session, ticket: Ticket, row: Survey) -> str:
    """As `rules.why_not`, when the request is to be asked or let go."""
    if ticket.status is not Status.RESOLVED or ticket.resolutions != row.resolution:
        return "The ticket is not resolved any more."
    return rules.why_not(circumstances(session, ticket, row), clock.now())


def way_out(session: Session, ticket: Ticket) -> WayOut | None:
    """The inbox and address to ask on: where they wrote, else any other that reaches them."""
    used = session.exec(
        select(Message.address_id)
        .where(Message.ticket_id == ticket.id, col(Message.address_id).is_not(None))
        .order_by(col(Message.id).desc())
    ).all()
    for inbox in _inboxes(session, ticket):
        addresses = session.exec(
            select(Address)
            .where(
                Address.customer_id == ticket.customer_id,
                Address.kind == inbox.writes_to,
                col(Address.undeliverable_at).is_(None),
            )
            .order_by(col(Address.id))
        ).all()
        if inbox.writes_to not in EVERYWHERE:
            addresses = [address for address in addresses if address.id in used]
        if addresses:
            # The one they wrote from last on this ticket: somebody's work is no topic at home.
            best = min(addresses, key=lambda one: _rank(used, one.id))
            return WayOut(inbox, _wanted(session, ticket, inbox, best) or best.value)
    return None


def _wanted(session: Session, ticket: Ticket, inbox: Inbox, address: Address) -> str:
    """Where the customer wants to be written to, if they said so when they wrote from `address`."""
    newest = session.exec(
        select(Message.reply_to)
        .where(
            Message.ticket_id == ticket.id,
            Message.inbox_id == inbox.id,
            Message.address_id == address.id,
            col(Message.automatic).is_(False),
            col(Message.unverified).is_(False),
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    ).one_or_none()
    return newest or ""


def _rank(used: Sequence[int | None], address_id: int) -> int:
    return used.index(address_id) if address_id in used else len(used)


def _inboxes(session: Session, ticket: Ticket) -> list[Inbox]:
    own = session.get_one(Inbox, ticket.inbox_id)
    others = session.exec(
        select(Inbox)
        .where(
            Inbox.id != own.id,
            col(Inbox.writes_to).in_(EVERYWHERE),
            col(Inbox.enabled).is_(True),
        )
        .order_by(col(Inbox.built_in), col(Inbox.id))
    ).all()
    return [*([own] if own.writes_to and own.enabled else []), *others]

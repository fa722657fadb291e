"""Whether a customer may be asked about a ticket, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, select

from app.domain import survey as rules
from app.domain.address import EVERYWHERE
from app.domain.words import DeliveryState, MessageKind, SurveyState
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
        has_address=way_out(session, ticket) is not None,
        waiting=_another_waits(session, ticket, survey),
        last_asked=customer.asked_at,
        cooling=timedelta(days=organisation.feedback_cooling_days if organisation else 30),
    )


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
            return WayOut(inbox, best.value)
    return None


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

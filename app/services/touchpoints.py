"""Records moments of contact, from which the touchpoint map is computed."""

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.domain.segment import Facts, first_match
from app.store.tables import Answer, Customer, Message, Segment, Ticket, Touchpoint

_BEFORE = (
    select(func.count())
    .select_from(Ticket)
    .where(col(Ticket.customer_id) == bindparam("customer"), col(Ticket.id) < bindparam("ticket"))
    .scalar_subquery()
)
_RULES = select(Segment.id, Segment.rule, _BEFORE).order_by(col(Segment.position))


def segment_of(session: Session, customer: Customer, ticket: Ticket) -> int:
    found = session.exec(_RULES, params={"customer": customer.id, "ticket": ticket.id}).all()
    rules = [(segment, rule) for segment, rule, _ in found]
    return first_match(rules, Facts(found[0][2], customer.company, ticket.language))


def record(session: Session, ticket: Ticket, message: Message, *, incoming: bool) -> None:
    """One contact both sides saw. Notes and machines' mail are not contacts."""
    customer = session.get_one(Customer, ticket.customer_id)
    session.add(
        Touchpoint(
            ticket_id=ticket.id,
            message_id=message.id,
            customer_id=customer.id,
            segment_id=segment_of(session, customer, ticket),
            stage=ticket.stage,
            channel=ticket.channel,
            direction="in" if incoming else "out",
            automatic=message.automatic,
            at=message.created_at,
            sample=ticket.sample,
        )
    )


def record_answer(session: Session, ticket: Ticket, answer: Answer) -> None:
    """A rating is a contact too: it stands in the cell of the inquiry it rates."""
    customer = session.get_one(Customer, ticket.customer_id)
    session.add(
        Touchpoint(
            ticket_id=ticket.id,
            answer_id=answer.id,
            customer_id=customer.id,
            segment_id=segment_of(session, customer, ticket),
            stage=ticket.stage,
            channel=ticket.channel,
            direction="in",
            at=answer.at,
            sample=ticket.sample,
        )
    )


def restage(session: Session, ticket: Ticket) -> None:
    """A stage that was corrected holds for every contact of the inquiry."""
    for touchpoint in session.exec(select(Touchpoint).where(Touchpoint.ticket_id == ticket.id)):
        touchpoint.stage = ticket.stage
        session.add(touchpoint)


def of_another(session: Session, ticket: Ticket) -> None:
    """The inquiry is of somebody else than it seemed, and so is every contact of it."""
    customer = session.get_one(Customer, ticket.customer_id)
    segment = segment_of(session, customer, ticket)
    for touchpoint in session.exec(select(Touchpoint).where(Touchpoint.ticket_id == ticket.id)):
        touchpoint.customer_id, touchpoint.segment_id = customer.id, segment
        session.add(touchpoint)

"""Rows for tests: plain functions with defaults and no surprises."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from app.core import secrets
from app.domain.words import Head, MessageKind, Role, Status
from app.services.access import Actor
from app.store.tables import (
    Address,
    Agent,
    Customer,
    Inbox,
    Message,
    Organisation,
    PredictionRow,
    Segment,
    Ticket,
    Topic,
    Touchpoint,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_organisation(session: Session, **given: object) -> Organisation:
    fields = {"name": "金田うつわ店", "time_zone": "Asia/Tokyo", "language": "en"} | given
    row = Organisation(created_at=NOON, **fields)  # type: ignore[arg-type]
    session.add(row)
    session.flush()
    return row


def make_agent(
    session: Session, name: str = "Ann Bell", role: Role = Role.AGENT, language: str = ""
) -> Actor:
    email = f"{secrets.new_ref(6)}@agents.test"
    row = Agent(name=name, email=email, role=role, language=language, created_at=NOON)
    session.add(row)
    session.flush()
    return Actor(name=name, role=role, agent_id=row.id, language=language)


def make_inbox(session: Session, kind: str = "email", **given: object) -> Inbox:
    fields = {
        "name": "Support",
        "address": f"{secrets.new_ref(6)}@shop.test",
        "writes_to": "" if kind == "phone" else kind,
    }
    row = Inbox(
        kind=kind,
        token=secrets.new_token(),
        sealed_config=b"",
        created_at=NOON,
        **(fields | given),  # type: ignore[arg-type]
    )
    session.add(row)
    session.flush()
    return row


def make_customer(
    session: Session, name: str = "Yumi Takahashi", address: str = "", **given: object
) -> Customer:
    row = Customer(ref=secrets.new_ref(), name=name, created_at=NOON, **given)  # type: ignore[arg-type]
    session.add(row)
    session.flush()
    value = address or f"{row.ref}@customers.test"
    session.add(
        Address(customer_id=row.id, kind="email", value=value, normal=value, created_at=NOON)
    )
    session.flush()
    return row


def make_ticket(
    session: Session, inbox: Inbox | None = None, customer: Customer | None = None, **given: object
) -> Ticket:
    """An open ticket without messages; see `make_message`."""
    inbox = inbox or make_inbox(session)
    customer = customer or make_customer(session)
    at = given.pop("at", NOON)
    fields: dict[str, object] = {
        "subject": "The lid does not close",
        "preview": "It arrived last week.",
        "status": Status.OPEN,
        "language": "en",
        "waiting_since": at,
        "last_activity_at": at,
        "last_inbound_at": at,
        "created_at": at,
    } | given
    row = Ticket(
        ref=secrets.new_ref(),
        inbox_id=inbox.id,
        channel=inbox.kind,
        customer_id=customer.id,
        **fields,  # type: ignore[arg-type]
    )
    session.add(row)
    session.flush()
    return row


def make_message(
    session: Session,
    ticket: Ticket,
    text: str = "Hello",
    kind: MessageKind = MessageKind.INBOUND,
    **given: object,
) -> Message:
    at = given.pop("at", ticket.created_at)
    if kind is MessageKind.INBOUND and "address_id" not in given:
        given["address_id"] = session.exec(
            select(Address.id).where(Address.customer_id == ticket.customer_id)
        ).first()
    fields: dict[str, object] = {"sent_at": at, "created_at": at, "language": ticket.language}
    row = Message(
        ticket_id=ticket.id,
        inbox_id=ticket.inbox_id,
        kind=kind,
        text=text,
        **(fields | given),  # type: ignore[arg-type]
    )
    session.add(row)
    session.flush()
    return row


def make_guess(
    session: Session, message: Message, head: Head, top: list[tuple[str, float]], **given: object
) -> PredictionRow:
    """What the model said; unsure when its best guess is under a half."""
    best, probability = top[0]
    fields: dict[str, object] = {
        "label": best if probability >= 0.5 else "",
        "decision": "suggest" if probability >= 0.5 else "abstain",
        "basis": "samples",
    } | given
    row = PredictionRow(
        ticket_id=message.ticket_id,
        message_id=message.id,
        head=head,
        probability=probability,
        top=[[label, share] for label, share in top],
        model="test",
        at=message.created_at,
        **fields,  # type: ignore[arg-type]
    )
    session.add(row)
    session.flush()
    return row


def make_touchpoint(
    session: Session, ticket: Ticket, stage: str, segment: str = "returning", **given: object
) -> Touchpoint:
    fields: dict[str, object] = {"channel": ticket.channel, "direction": "in", "at": NOON} | given
    row = Touchpoint(
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        segment_id=session.exec(select(Segment.id).where(Segment.key == segment)).one(),
        stage=stage,
        **fields,  # type: ignore[arg-type]
    )
    session.add(row)
    session.flush()
    return row


def topic_id(session: Session, key: str) -> int:
    return session.exec(select(Topic.id).where(Topic.key == key)).one()


def ago(**span: int) -> datetime:
    return NOON - timedelta(**span)

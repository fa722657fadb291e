"""Inquiries made by the real verbs, each step in a transaction of its own, as at the edges."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlmodel import Session, SQLModel, select

from app.core import secrets
from app.core.secrets import Keys
from app.domain.words import Role
from app.services import intake, outbox, tickets
from app.services.access import Actor
from app.services.filing import Understood
from app.services.intake import Stored
from app.store import jobs
from app.store.database import Database
from app.store.tables import Arrival, Delivery, Inbox, Message, Organisation, Survey, Ticket
from channels.contract import Ignored, InboundMessage, Outcome, Party, Raw, Sent
from classifier.contract import Decision, Guess, HeadPrediction, Prediction
from tests.factories import make_agent, make_inbox

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday
LINKS = "https://support.example.com"
_numbers = count(1)


class _PowerCut(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Desk:
    """An organisation with one inbox, one agent and one lead."""

    db: Database
    keys: Keys
    inbox: Inbox
    ann: Actor
    lead: Actor

    def do(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
        with self.db.transaction() as session:
            return verb(session, *args, **kwargs)

    def in_vain(self, verb: Any, *args: Any, **kwargs: Any) -> None:
        """The verb succeeds, and then its transaction does not."""
        with suppress(_PowerCut), self.db.transaction() as session:
            verb(session, *args, **kwargs)
            session.flush()
            raise _PowerCut

    def arrive(self, message: InboundMessage, inbox: Inbox | None = None, **given: Any) -> Arrival:
        """Kept and filed; the arrival as it is afterwards."""
        arrival = self.kept(inbox)
        self.do(intake.file, self.keys, arrival.id, [Understood(message, **given)])
        filed: Arrival = self.one(Arrival, arrival.id)
        return filed

    def kept(self, inbox: Inbox | None = None, external_id: str = "") -> Arrival:
        raw = Raw(external_id or f"arrival {next(_numbers)}", b"{}")
        stored = Stored(secrets.digest(raw.external_id), 2)
        kept: Arrival | None = self.do(intake.keep, (inbox or self.inbox).id, raw, stored)
        assert kept is not None
        return kept

    def ignored(self, reason: str) -> Arrival:
        arrival = self.kept()
        self.do(intake.file, self.keys, arrival.id, [Ignored(reason)])
        filed: Arrival = self.one(Arrival, arrival.id)
        return filed

    def ticket(self, message: InboundMessage | None = None, **given: Any) -> Ticket:
        """The ticket a new inquiry was filed on."""
        arrival = self.arrive(message or inquiry(), **given)
        with self.db.reading() as session:
            return session.exec(
                select(Ticket)
                .join(Message, Message.ticket_id == Ticket.id)  # type: ignore[arg-type]
                .where(Message.arrival_id == arrival.id)
            ).one()

    def answered(self, ticket: Ticket, text: str = "Turn it to the left.") -> Message:
        """A reply that reached the customer."""
        message: Message = self.do(tickets.reply, self.ann, ticket.ref, tickets.Draft(text))
        self.send(message.id)
        return message

    def send(self, message_id: int, *outcomes: Outcome) -> None:
        """One attempt at everything due of the message: `Sent`, or the outcomes in order."""
        parcel = self.do(outbox.pack, self.keys, "worker", message_id, LINKS)
        assert parcel is not None
        said = outcomes or (Sent(),) * len(parcel.recipients)
        found = dict(zip(parcel.recipients, said, strict=True))
        self.do(outbox.settle, message_id, parcel.holder, found)

    def one(self, table: type[Any], number: int) -> Any:
        with self.db.reading() as session:
            return session.get_one(table, number)

    def all(self, table: type[SQLModel], **wanted: Any) -> list[Any]:
        """Every row, oldest first."""
        with self.db.reading() as session:
            rows = session.exec(select(table).filter_by(**wanted)).all()
        return sorted(rows, key=lambda row: row.id)

    def again(self, ticket: Ticket) -> Ticket:
        found: Ticket = self.one(Ticket, ticket.id)
        return found

    def deliveries(self, message_id: int) -> list[Delivery]:
        return self.all(Delivery, message_id=message_id)

    def surveys(self) -> list[Survey]:
        return self.all(Survey)

    def jobs(self) -> int:
        with self.db.reading() as session:
            return jobs.waiting(session)


def make_desk(db: Database, keys: Keys) -> Desk:
    with db.transaction() as session:
        _organisation(session)
        inbox = make_inbox(session)
        ann = make_agent(session, "Ann Bell")
        lead = make_agent(session, "Leo Field", Role.LEAD)
    return Desk(db, keys, inbox, ann, lead)


def _organisation(session: Session) -> None:
    session.add(
        Organisation(
            id=1,
            name="金田うつわ店",
            time_zone="UTC",
            language="en",
            feedback_notice=True,
            created_at=NOON,
        )
    )


def inquiry(
    sender: str = "yumi@customers.test", text: str = "The lid does not close.", **given: Any
) -> InboundMessage:
    """A mail of a person."""
    number = next(_numbers)
    made = InboundMessage(
        external_id=f"m{number}@customers.test",
        sender=Party("email", sender, "Yumi"),
        sent_at=NOON,
        text=text,
        subject="A question",
        canonical=f"canonical {number}",
    )
    return replace(made, **given)


def guess(stage: str | None, topic: str | None) -> Prediction:
    """What a model says; None where it would rather not."""
    return Prediction(_head(stage, "C"), _head(topic, "delivery"), "m1")


def sure(stage: str) -> Prediction:
    """What a model is so sure of that it would act."""
    said = guess(stage, "delivery")
    return replace(
        said,
        stage=replace(said.stage, decision=Decision.AUTO),
        topic=replace(said.topic, decision=Decision.AUTO),
    )


def _head(label: str | None, best: str) -> HeadPrediction:
    share = 0.9 if label else 0.2
    decision = Decision.SUGGEST if label else Decision.ABSTAIN
    return HeadPrediction(label, share, (Guess(label or best, share),), (), decision)

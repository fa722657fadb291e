"""The inbox tells who reported our mail as spam, and the customer's address is marked."""

import re

import pytest
from sqlmodel import select

from app.cli import diagnosis
from app.core import clock
from app.core.settings import Settings
from app.domain.words import DeliveryState, MessageKind
from app.services import complaints
from app.store.database import Database
from app.store.tables import Customer, Delivery, Message, Ticket
from tests.factories import make_customer, make_message, make_ticket
from tests.web.conftest import Person

BAR = re.compile(r'alarm"[^>]*>.*?<p>(\S+) reported.*? <a href="([^"]*)"', re.DOTALL)


@pytest.fixture
def ticket(db: Database) -> Ticket:
    """An answer went to eve@x.test, and she called it spam."""
    with db.transaction() as session:
        customer = make_customer(session, "Eve", "eve@x.test")
        made = make_ticket(session, None, customer)
        message: Message = make_message(session, made, kind=MessageKind.OUTBOUND)
        sent = Delivery(
            message_id=message.id,
            recipient="eve@x.test",
            state=DeliveryState.SENT,
            changed_at=clock.now(),
        )
        session.add(sent)
        session.flush()
        complaints.heard(session, made, message, sent)
    return made


def told(person: Person, path: str) -> list[tuple[str, str]]:
    return BAR.findall(person.client.get(path).text)


def test_everybody_is_told_until_one_has_noted_it(ann: Person, lea: Person, ticket: Ticket) -> None:
    page = f"/tickets/{ticket.ref}"
    pages = [told(lea, path) for path in ("/inbox", page)]
    [listed] = lea.client.get("/api/complaints").json()

    answer = ann.client.post(f"/complaints/{listed['id']}/noted", data={"view": "mine"})

    bar = ("eve@x.test", f"{page}#m{listed['message_id']}")
    assert pages == [[bar], [bar]]
    assert answer.headers["location"] == "/inbox?view=mine"
    assert [told(lea, path) for path in ("/inbox", page)] == [[], []]
    [after] = lea.client.get("/api/complaints").json()
    assert (listed["noted_at"], after["noted_at"] is None) == (None, False)
    assert lea.client.post(f"/api/complaints/{listed['id']}/noted").status_code == 204


def test_ticket_and_customer_say_who_complained(ann: Person, db: Database, ticket: Ticket) -> None:
    with db.reading() as session:
        ref = session.exec(select(Customer.ref).where(Customer.id == ticket.customer_id)).one()
    thread = ann.client.get(f"/tickets/{ticket.ref}").text
    page = ann.client.get(f"/customers/{ref}").text

    assert "<span>eve@x.test reported our mail as spam</span>" in thread
    assert "eve@x.test reported our mail as spam; they get no first answers" in thread
    assert "eve@x.test reported our mail as spam: what agents write still goes there" in page
    known = ann.client.get(f"/api/customers/{ref}").json()["known"]
    assert [(one["value"], one["complained"]) for one in known] == [("eve@x.test", True)]


@pytest.mark.usefixtures("ticket")
def test_doctor_counts_them(settings: Settings) -> None:
    said = [one.words for one in diagnosis.of(settings) if "reported as spam" in one.words]

    assert said == [
        (
            "Mails of ours reported as spam in the last 30 days: 1, not noted by anybody: 1. "
            "Providers stop taking mail from whoever is reported often."
        )
    ]

"""The outbox page: what a person decides about a doubt, and an inbox that cannot send."""

from datetime import timedelta

import pytest
from sqlmodel import select

from app.core import clock
from app.domain.words import DeliveryState
from app.store.database import Database
from app.store.tables import Delivery, Inbox
from tests.factories import make_customer, make_inbox, make_message, make_ticket
from tests.web.conftest import Person


@pytest.fixture
def ref(db: Database, ann: Person) -> str:
    """A ticket whose answer is in doubt."""
    with db.transaction() as session:
        customer = make_customer(session, "Yumi", "yumi@customers.test")
        ticket = make_ticket(session, make_inbox(session, name="Support"), customer)
        make_message(session, ticket, "It does not close.")
        ref = ticket.ref
    ann.client.post(f"/api/tickets/{ref}/replies", json={"text": "Turn it."})
    with db.transaction() as session:
        delivery = session.exec(select(Delivery)).one()
        delivery.state, delivery.words = DeliveryState.IN_DOUBT, "It went away."
        delivery.next_at = None
    return ref


def delivery(db: Database) -> Delivery:
    with db.reading() as session:
        return session.exec(select(Delivery)).one()


@pytest.mark.parametrize("page", ["/outbox", "/tickets/"])
def test_a_doubt_is_ended_with_one_press(db: Database, ann: Person, ref: str, page: str) -> None:
    where = page + ref if page.endswith("s/") else page
    path = f"/outbox/{delivery(db).id}/arrived"
    assert f'action="{path}"' in ann.client.get(where).text

    answer = ann.client.post(path, data={"ref": ref if where != page else ""})

    assert answer.headers["location"] == (f"{where}?on={ref}" if where != page else "/outbox")
    assert delivery(db).state is DeliveryState.SENT
    page_text = ann.client.get(f"/tickets/{ref}").text
    assert "It is known now that a message arrived" in page_text


def test_the_api_ends_a_doubt(db: Database, ann: Person, ref: str) -> None:
    assert ref

    answer = ann.client.post(f"/api/outbox/{delivery(db).id}/arrived")

    assert (answer.json()["state"], answer.json()["words"]) == (
        "sent",
        "A person says that it arrived.",
    )


def test_an_administrator_finds_it_in_the_log_of_the_mail_server(
    db: Database, ann: Person, boss: Person, ref: str
) -> None:
    with db.transaction() as session:
        one = session.exec(select(Delivery)).one()
        one.state, one.provider_id = DeliveryState.SENT, "4bG2Xk1TzQz9sTW"
    words = "Name in the log of the mail server: 4bG2Xk1TzQz9sTW"

    pages = [f"/tickets/{ref}", "/outbox?show=sent"]

    assert [words in boss.client.get(page).text for page in pages] == [True, True]
    assert [words in ann.client.get(page).text for page in pages] == [False, False]
    [told] = boss.client.get(f"/api/tickets/{ref}").json()["said"][-1]["sendings"]
    [listed] = boss.client.get("/api/outbox").json()
    assert (told["provider_id"], listed["provider_id"]) == ("4bG2Xk1TzQz9sTW",) * 2


def test_an_inbox_that_cannot_send_is_seen_by_all_and_tried_by_administrators(
    db: Database, ann: Person, boss: Person, ref: str
) -> None:
    assert ref
    with db.transaction() as session:
        inbox = session.exec(select(Inbox).where(Inbox.name == "Support")).one()
        inbox.out_paused_until = clock.now() + timedelta(minutes=5)
        inbox.last_out_error = "The password is wrong."
        path = f"/outbox/inboxes/{inbox.id}/try"

    page = ann.client.get("/outbox").text

    assert "Nothing is sent by Support at the moment" in page
    assert "The password is wrong." in page
    assert path not in page
    assert f'action="{path}"' in boss.client.get("/outbox").text
    assert ann.client.post(path).status_code == 403
    assert boss.client.post(path).status_code == 303
    assert "Nothing is sent by" not in ann.client.get("/outbox").text


def test_what_waits_for_a_paused_inbox_says_so(db: Database, ann: Person, ref: str) -> None:
    with db.transaction() as session:
        waiting = session.exec(select(Delivery)).one()
        waiting.state, waiting.words = DeliveryState.QUEUED, ""
        waiting.held_by, waiting.next_at = "paused", clock.now() + timedelta(minutes=5)

    in_outbox = ann.client.get("/outbox?show=waiting").text
    on_ticket = ann.client.get(f"/tickets/{ref}").text

    assert "Waits until the inbox can send again" in in_outbox
    assert "Waits for yumi@customers.test until the inbox can send again" in on_ticket
    assert "On its way" not in in_outbox + on_ticket

"""Follow-ups, what was set aside, the outbox, customers and the map."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.core import clock
from app.domain.words import (
    ArrivalState,
    DeliveryState,
    FollowUpState,
    MessageKind,
    SurveyState,
)
from app.services.forwarding import FROM_US
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Address, Answer, Arrival, Customer, Delivery, FollowUp, Survey
from app.web.pages import arrivals
from channels.contract import LARGEST_FILE
from tests.factories import make_customer, make_inbox, make_message, make_ticket, make_touchpoint
from tests.web.conftest import Person

HTML = {"accept": "text/html"}


@dataclass(frozen=True)
class Case:
    """A dissatisfied customer, a message that was kept back, an arrival nobody could read."""

    ticket: str
    customer: str
    follow_up: int
    delivery: int
    message: int
    arrival: int


@pytest.fixture
def case(db: Database, blobs: Blobs) -> Case:
    now = clock.now()
    with db.transaction() as session:
        inbox, customer = make_inbox(session), make_customer(session, "Karin Weiß")
        ticket = make_ticket(session, inbox, customer, subject="Der Deckel klemmt")
        make_touchpoint(session, ticket, "F", at=now)
        survey = Survey(
            ticket_id=ticket.id, customer_id=customer.id, resolution=1, language="de",
            state=SurveyState.ANSWERED, nonce="n", resolved_at=now, due_at=now,
        )  # fmt: skip
        session.add(survey)
        session.flush()
        answer = Answer(survey_id=survey.id, score=2, comment="<i>Langsam</i>", at=now)
        session.add(answer)
        session.flush()
        make_touchpoint(session, ticket, "F", answer_id=answer.id, at=now)
        follow_up = FollowUp(
            ticket_id=ticket.id, answer_id=answer.id, due_at=now - timedelta(hours=2),
            created_at=now,
        )  # fmt: skip
        message = make_message(
            session, ticket, "Entschuldigung", MessageKind.OUTBOUND,
            author="Ann", rendered_sha256=blobs.put(b"From: us\r\n\r\nSorry"),
        )  # fmt: skip
        delivery = Delivery(
            message_id=message.id, recipient="karin@customers.test", changed_at=now,
            state=DeliveryState.HELD, words="This inbox has no way out yet.",
        )  # fmt: skip
        arrival = Arrival(
            inbox_id=inbox.id, external_id="x", sha256=blobs.put(b"<html>raw"), size=9,
            received_at=now, state=ArrivalState.SET_ASIDE, reason="No sender <at all>",
        )  # fmt: skip
        session.add_all([follow_up, delivery, arrival])
        session.flush()
        return Case(ticket.ref, customer.ref, follow_up.id, delivery.id, message.id, arrival.id)


@pytest.mark.usefixtures("case")
def test_follow_up_shows_what_was_said_and_how_late_we_are(ann: Person) -> None:
    page = ann.client.get("/follow-ups").text

    assert "Karin Weiß" in page
    assert "&lt;i&gt;Langsam&lt;/i&gt;" in page
    assert "late 2 h 00 min" in page


def test_follow_up_is_taken_but_not_closed_before_the_customer_was_answered(
    db: Database, lea: Person, case: Case
) -> None:
    taken = lea.client.post(f"/follow-ups/{case.follow_up}/take")
    closed = lea.client.post(
        f"/follow-ups/{case.follow_up}/close", data={"outcome": "fine"}, headers=HTML
    )

    assert (taken.headers["location"], closed.status_code) == ("/follow-ups", 409)
    assert "no reply has reached them since the rating" in closed.text
    with db.reading() as session:
        found = session.exec(select(FollowUp)).one()
    assert (found.owner_id, found.state) == (lea.id, FollowUpState.OPEN)


def test_raw_source_is_for_who_decides_and_only_saved(
    ann: Person, boss: Person, case: Case
) -> None:
    for path, body, agents in (
        (f"/set-aside/{case.arrival}/source", b"<html>raw", 200),
        (f"/outbox/messages/{case.message}/source", b"From: us\r\n\r\nSorry", 403),
    ):
        asked = ann.client.get(path, headers=HTML)
        given = boss.client.get(path)

        assert asked.status_code == agents
        assert given.content == body
        assert given.headers["content-type"] == "application/octet-stream"
        assert given.headers["content-disposition"].startswith("attachment;")
        assert given.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_all_that_is_set_aside_is_tried_again(db: Database, ann: Person, case: Case) -> None:
    alone = ann.client.get("/set-aside").text
    with db.transaction() as session:
        first = session.get_one(Arrival, case.arrival)
        another = {"external_id": "another", "state": ArrivalState.SET_ASIDE}
        session.add(Arrival(**first.model_dump(exclude={"id"}) | another))
    both = ann.client.get("/set-aside").text

    answer = ann.client.post("/set-aside/again")

    assert ['action="/set-aside/again"' in page for page in (alone, both)] == [False, True]
    assert answer.headers["location"] == "/set-aside?did=again"
    with db.reading() as session:
        assert set(session.exec(select(Arrival.state))) == {ArrivalState.WAITING}


def test_what_is_set_aside_is_looked_at_and_mended_in_its_page(
    db: Database, ann: Person, blobs: Blobs, case: Case
) -> None:
    path = f"/set-aside/{case.arrival}"
    page = ann.client.get(path).text
    mended = ann.client.post(f"{path}/mend", data={"text": "From: a@b.test\r\n\r\nHello"})
    empty = ann.client.post(f"{path}/mend", data={"text": ""}, headers=HTML)

    assert "&lt;html&gt;raw</textarea>" in page
    assert '<pre class="source" tabindex="0" lang="">&lt;html&gt;raw</pre>' in page
    assert mended.headers["location"] == "/set-aside?did=again"
    with db.reading() as session:
        found = session.exec(select(Arrival)).one()
    assert found.state is ArrivalState.WAITING
    assert blobs.get(found.sha256) == b"From: a@b.test\r\n\r\nHello"
    assert empty.status_code == 422
    assert ann.client.get(path, headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"From: a\r\n\r\nH\xc3\xa9", "From: a\r\n\r\nHé"),
        (b"From: a\r\n\r\nH\xe9", ""),
        (b"a\0b", ""),
        (b"a" * 200_001, ""),
    ],
)
def test_only_plain_text_is_mended_in_the_page(body: bytes, text: str) -> None:
    assert arrivals.editable(body) == text


def test_what_is_from_our_own_addresses_is_discarded_at_once(
    db: Database, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        first = session.get_one(Arrival, case.arrival)
        for name in ("a copy", "a loop"):
            another = {"external_id": name, "reason": FROM_US}
            session.add(Arrival(**first.model_dump(exclude={"id"}) | another))
    page = ann.client.get("/set-aside").text
    [through] = re.findall(r'name="through" value="(\d+)"', page)

    form = {"through": through, "reason": "Copies"}
    answer = ann.client.post("/set-aside/discard-ours", data=form)
    more = ann.client.post("/api/arrivals/discard-ours", json=form | {"through": int(through)})

    assert "Discard all 2 from our own addresses" in page
    assert (answer.headers["location"], more.json()) == (
        "/set-aside?did=discarded",
        {"discarded": 0},
    )
    assert "from our own addresses" not in ann.client.get("/set-aside").text
    with db.reading() as session:
        found = session.exec(select(Arrival.reason).order_by(col(Arrival.id))).all()
    assert found == [first.reason, "Copies", "Copies"]


def test_set_aside_shows_the_reason_and_lets_a_person_decide(
    db: Database, boss: Person, case: Case
) -> None:
    page = boss.client.get("/set-aside").text
    boss.client.post(f"/set-aside/{case.arrival}/discard", data={"reason": "Junk"})

    assert "No sender &lt;at all&gt;" in page
    assert 'data-refresh="10"' in page
    with db.reading() as session:
        found = session.exec(select(Arrival)).one()
    assert (found.state, found.reason) == (ArrivalState.DISCARDED, "Junk")
    assert "Everything that came in was read" in boss.client.get("/set-aside").text


def test_what_is_set_aside_says_who_sent_it_what_about_and_when(
    db: Database, ann: Person, case: Case
) -> None:
    said = {
        "name": "山田 <b>花子</b>",
        "address": "hanako@customers.test",
        "subject": "ご注文の<i>ふた</i>",
        "sent_at": "2026-11-20T09:30:00+00:00",
    }
    with db.transaction() as session:
        session.get_one(Arrival, case.arrival).glance = said
    pages = [ann.client.get(f"/set-aside{one}").text for one in ("", f"/{case.arrival}")]

    for page in pages:
        assert '<bdi lang="">ご注文の&lt;i&gt;ふた&lt;/i&gt;</bdi>' in page
        assert "山田 &lt;b&gt;花子&lt;/b&gt; &lt;hanako@customers.test&gt;</bdi>" in page
        assert '<time datetime="2026-11-20T09:30:00' in page
        assert "No sender &lt;at all&gt;" in page
    [row] = ann.client.get("/api/arrivals?state=set_aside").json()
    assert [row[name] for name in ("sender", "subject")] == [
        "山田 <b>花子</b> <hanako@customers.test>",
        said["subject"],
    ]
    assert row["sent_at"].startswith("2026-11-20T09:30:00")
    with db.transaction() as session:
        session.get_one(Arrival, case.arrival).glance = said | {"name": "", "subject": ""}
    page = ann.client.get("/set-aside").text
    assert "No subject</bdi>" in page
    assert '<bdi lang="">hanako@customers.test</bdi>' in page


def test_what_our_own_address_sent_is_taken_as_an_inquiry(
    db: Database, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        session.get_one(Arrival, case.arrival).reason = FROM_US
    pages = [ann.client.get(f"/set-aside{one}").text for one in ("", f"/{case.arrival}")]

    where = ann.client.post(f"/set-aside/{case.arrival}/take").headers["location"]

    assert ["Take it as an inquiry" in page for page in pages] == [True, True]
    assert where == "/set-aside?did=again"
    with db.reading() as session:
        found = session.exec(select(Arrival)).one()
    assert (found.state, found.taken) == (ArrivalState.WAITING, True)
    assert ann.client.post(f"/api/arrivals/{case.arrival}/take").status_code == 409


def test_outbox_shows_what_was_kept_back_and_sends_it_on_demand(
    db: Database, boss: Person, case: Case
) -> None:
    page = boss.client.get("/outbox").text
    where = boss.client.post(f"/outbox/{case.delivery}/again").headers["location"]

    assert "This inbox has no way out yet." in page
    assert 'data-refresh="10"' in page
    assert where == "/outbox?show=waiting"
    assert "karin@customers.test" in boss.client.get(where).text
    with db.reading() as session:
        assert session.exec(select(Delivery.state)).one() is DeliveryState.QUEUED


def test_outbox_withdraws_what_has_not_left(db: Database, boss: Person, case: Case) -> None:
    boss.client.post(f"/outbox/{case.delivery}/cancel")

    with db.reading() as session:
        assert session.exec(select(Delivery.state)).one() is DeliveryState.CANCELLED


def test_customer_page_shows_the_way_so_far(ann: Person, case: Case) -> None:
    page = ann.client.get(f"/customers/{case.customer}").text

    assert "Karin Weiß" in page
    assert "Der Deckel klemmt" in page
    assert "2 of 5, dissatisfied" in page


@pytest.mark.parametrize(("by", "said"), [("model", True), ("person", False)])
def test_a_stage_the_model_set_by_itself_is_said_to_be_so(
    db: Database, ann: Person, by: str, said: bool
) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session, stage="F", stage_by=by)
        customer = session.get_one(Customer, ticket.customer_id)
        customer.stage, customer.stage_at = "F", clock.now()
        session.add(customer)
        ref, whose = ticket.ref, customer.ref

    panel = ann.client.get(f"/tickets/{ref}").text
    page = ann.client.get(f"/customers/{whose}").text

    for shown in (panel, page):
        assert ("set by the model" in shown, "now guessed" in shown) == (said, said)


def test_an_address_mail_came_back_from_is_good_again(
    db: Database, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        address = session.exec(select(Address)).first()
        assert address is not None
        address.undeliverable_at = clock.now()
        session.add(address)
        value = address.value
    page = f"/customers/{case.customer}"
    assert f"<s>{value}</s>" in ann.client.get(page).text

    ann.client.post(f"{page}/reachable", data={"address": value})

    shown = ann.client.get(page).text
    assert value in shown
    assert "<s>" not in shown


def test_customer_is_renamed_and_says_whether_to_be_asked(
    db: Database, ann: Person, case: Case
) -> None:
    ann.client.post(f"/customers/{case.customer}/rename", data={"name": "K. Weiß"})
    ann.client.post(f"/customers/{case.customer}/feedback", data={"allowed": "yes"})
    ann.client.post(f"/customers/{case.customer}/time-zone", data={"time_zone": "Asia/Tokyo"})

    page = ann.client.get(f"/customers/{case.customer}").text
    assert "<option selected>Asia/Tokyo</option>" in page
    with db.reading() as session:
        found = session.exec(select(Customer)).one()
    assert (found.name, found.may_ask, found.no_feedback_at) == ("K. Weiß", True, None)


def test_a_customer_is_forgotten_by_triage_and_learned_from_again(
    boss: Person, ann: Person, case: Case
) -> None:
    address = f"/customers/{case.customer}"

    before, may_not = boss.client.get(address).text, ann.client.get(address).text
    boss.client.post(f"{address}/learning")
    after = boss.client.get(address).text
    boss.client.post(f"{address}/learning", data={"allowed": "yes"})

    assert ("Forget their inquiries" in before, "Forget their" in may_not) == (True, False)
    assert "It learns nothing from their inquiries" in after
    assert boss.client.get(address).text == before


def test_map_says_what_it_saw_and_each_cell_opens_its_tickets(ann: Person, case: Case) -> None:
    whole = ann.client.get("/map").text
    cell = ann.client.get("/map/cell?stage=satisfaction&segment=returning").text

    assert "0 of 1" in whole
    assert "too few to judge" in whole
    assert whole.count("Not visible from inquiries") > 1
    assert f'href="/tickets/{case.ticket}"' not in whole
    assert f'href="/tickets/{case.ticket}"' in cell
    assert "&lt;i&gt;Langsam&lt;/i&gt;" in cell


@pytest.mark.parametrize("query", ["stage=x&segment=returning", "stage=satisfaction&segment=x"])
def test_cell_the_map_does_not_have_is_not_found(ann: Person, query: str) -> None:
    assert ann.client.get(f"/map/cell?{query}", headers=HTML).status_code == 404


def test_a_file_that_is_too_large_to_import_is_refused(ann: Person) -> None:
    files = {"file": ("calls.csv", b"x" * (LARGEST_FILE + 1), "text/csv")}

    page = ann.client.post("/log/phone/import", files=files, headers=HTML)

    assert page.status_code == 422
    assert f"The file is larger than {LARGEST_FILE // 1024 // 1024} MB." in page.text

"""Intake, outbox, feedback, map and customers over JSON."""

import pytest
from sqlmodel import select

from app.core import clock
from app.domain.words import (
    ArrivalState,
    DeliveryState,
    FollowUpState,
    MessageKind,
    SurveyState,
)
from app.store import jobs
from app.store.database import Database
from app.store.tables import Answer, Arrival, Customer, Delivery, FollowUp, Survey, Ticket
from app.web.deps import House
from tests.factories import make_inbox, make_message, make_ticket, make_touchpoint
from tests.web.conftest import Person


@pytest.fixture
def arrivals(db: Database, house: House) -> list[int]:
    """One of every state, the last set aside."""
    states = [*ArrivalState]
    states.sort(key=lambda state: state is ArrivalState.SET_ASIDE)
    with db.transaction() as session:
        inbox = make_inbox(session)
        rows = [
            Arrival(
                inbox_id=inbox.id,
                external_id=f"INBOX/1/{n}",
                sha256=house.blobs.put(f"raw {n}".encode()),
                size=5,
                state=state,
                reason="it is broken" if state is ArrivalState.SET_ASIDE else "",
                received_at=clock.now(),
            )
            for n, state in enumerate(states)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


@pytest.mark.usefixtures("arrivals")
def test_balance_adds_up(ann: Person) -> None:
    found = ann.client.get("/api/balance").json()

    assert found == {"received": 7, **{state.value: 1 for state in ArrivalState}}


def test_balance_of_nothing(ann: Person) -> None:
    found = ann.client.get("/api/balance").json()

    assert found == {"received": 0, **{state.value: 0 for state in ArrivalState}}


def test_arrivals_newest_first_and_by_state(ann: Person, arrivals: list[int]) -> None:
    first = ann.client.get("/api/arrivals?limit=4").json()
    second = ann.client.get(f"/api/arrivals?before={first[-1]['id']}").json()
    aside = ann.client.get("/api/arrivals?state=set_aside").json()

    assert [row["id"] for row in [*first, *second]] == arrivals[::-1]
    assert [(row["id"], row["reason"], row["channel"]) for row in aside] == [
        (arrivals[-1], "it is broken", "email")
    ]


def test_set_aside_arrival_is_tried_again(ann: Person, arrivals: list[int], db: Database) -> None:
    found = ann.client.post(f"/api/arrivals/{arrivals[-1]}/try-again")

    with db.reading() as session:
        waiting = jobs.waiting(session)
    assert (found.status_code, found.json()["state"], waiting) == (200, "waiting", 1)
    assert ann.client.post(f"/api/arrivals/{arrivals[-1]}/try-again").status_code == 409


@pytest.mark.usefixtures("arrivals")
def test_everything_set_aside_is_tried_again(ann: Person, db: Database) -> None:
    found = [ann.client.post("/api/arrivals/try-again").json() for _ in range(2)]

    with db.reading() as session:
        waiting = jobs.waiting(session)
    assert (found, waiting) == ([{"tried_again": 1}, {"tried_again": 0}], 1)
    assert ann.client.get("/api/arrivals?state=set_aside").json() == []


def test_set_aside_arrival_is_discarded_with_a_reason(ann: Person, arrivals: list[int]) -> None:
    address = f"/api/arrivals/{arrivals[-1]}/discard"

    found = ann.client.post(address, json={"reason": "spam"}).json()

    assert (found["state"], found["reason"]) == ("discarded", "spam")
    assert ann.client.post("/api/arrivals/999/discard", json={}).status_code == 404


def test_raw_source_is_saved_never_shown_and_for_administrators(
    ann: Person, boss: Person, arrivals: list[int]
) -> None:
    address = f"/api/arrivals/{arrivals[0]}/raw"

    raw = boss.client.get(address)

    assert (raw.content, raw.headers["content-type"]) == (b"raw 0", "application/octet-stream")
    assert raw.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in raw.headers["content-security-policy"]
    assert ann.client.get(address).status_code == 403


@pytest.fixture
def deliveries(db: Database) -> list[int]:
    with db.transaction() as session:
        ticket = make_ticket(session, make_inbox(session, writes_to="email"))
        message = make_message(session, ticket, "Hello", MessageKind.OUTBOUND)
        rows = [
            Delivery(
                message_id=message.id,
                recipient=f"{state}@x.example",
                state=state,
                changed_at=clock.now(),
            )
            for state in DeliveryState
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def test_outbox_by_state_newest_first(ann: Person, deliveries: list[int]) -> None:
    everything = ann.client.get("/api/outbox").json()
    trouble = ann.client.get("/api/outbox?state=failed&state=in_doubt").json()

    assert [row["id"] for row in everything] == deliveries[::-1]
    assert sorted(row["recipient"] for row in trouble) == ["failed@x.example", "in_doubt@x.example"]


def test_person_sends_again_what_is_in_doubt(ann: Person, deliveries: list[int]) -> None:
    number = deliveries[[*DeliveryState].index(DeliveryState.IN_DOUBT)]

    first = ann.client.post(f"/api/outbox/{number}/send-again")
    second = ann.client.post(f"/api/outbox/{number}/send-again")

    assert (first.status_code, first.json()["state"]) == (200, "queued")
    assert (second.status_code, second.json()["details"]) == (409, {"state": "queued"})


def test_person_stops_what_has_not_left(ann: Person, deliveries: list[int]) -> None:
    states = [*DeliveryState]
    queued, sent = (deliveries[states.index(s)] for s in (DeliveryState.QUEUED, DeliveryState.SENT))

    assert ann.client.post(f"/api/outbox/{queued}/cancel").json()["state"] == "cancelled"
    assert ann.client.post(f"/api/outbox/{sent}/cancel").status_code == 409


@pytest.fixture
def follow_up(db: Database) -> int:
    """Somebody gave a 1 and corrected it to a 2."""
    with db.transaction() as session:
        ticket = make_ticket(session)
        now = clock.now()
        survey = Survey(
            ticket_id=ticket.id,
            customer_id=ticket.customer_id,
            resolution=1,
            state=SurveyState.ANSWERED,
            nonce="n",
            digest="the digest of the link",
            resolved_at=now,
            due_at=now,
        )
        session.add(survey)
        session.flush()
        answers = [
            Answer(survey_id=survey.id, revision=n, score=n, comment="Slow", at=now) for n in (1, 2)
        ]
        session.add_all(answers)
        session.flush()
        made = FollowUp(ticket_id=ticket.id, answer_id=answers[0].id, due_at=now, created_at=now)
        session.add(made)
        make_touchpoint(session, ticket, "E", at=now, answer_id=answers[0].id)
        make_touchpoint(session, ticket, "E", at=now)
        session.flush()
        return made.id


@pytest.mark.usefixtures("follow_up")
def test_requests_show_the_newest_answer_and_never_the_link(ann: Person) -> None:
    answer = ann.client.get("/api/surveys?state=answered")

    assert [(row["state"], row["score"], row["comment"]) for row in answer.json()] == [
        ("answered", 2, "Slow")
    ]
    assert "digest" not in answer.text
    assert ann.client.get("/api/surveys?state=scheduled").json() == []


def test_follow_up_is_taken_and_closed_only_after_an_answer(
    lea: Person, follow_up: int, db: Database
) -> None:
    taken = lea.client.post(f"/api/follow-ups/{follow_up}/take").json()
    early = lea.client.post(f"/api/follow-ups/{follow_up}/close", json={"outcome": "Called"})
    with db.transaction() as session:
        session.get_one(FollowUp, follow_up).state = FollowUpState.CONTACTED
    late = lea.client.post(f"/api/follow-ups/{follow_up}/close", json={"outcome": "Called"})

    assert (taken["state"], taken["owner_id"]) == ("open", lea.id)
    assert early.status_code == 409
    assert (late.json()["state"], late.json()["outcome"]) == ("resolved", "Called")
    assert [row["id"] for row in lea.client.get("/api/follow-ups").json()["closed"]] == [follow_up]


@pytest.mark.usefixtures("follow_up")
def test_map_counts_and_its_cell_opens(ann: Person, db: Database) -> None:
    with db.reading() as session:
        ref = session.exec(select(Ticket.ref)).one()

    found = ann.client.get("/api/map").json()
    cells = [
        (line["key"], cell["stage"], cell["contacts"], cell["csat"])
        for line in found["segments"]
        for cell in line["cells"]
        if cell["contacts"] or cell["csat"]
    ]
    behind = ann.client.get("/api/map/satisfaction/returning").json()

    csat = {"percent": 0.0, "n": 1, "low": 0.0, "high": 79.3, "few": True}
    assert cells == [("returning", "satisfaction", 1, csat)]
    assert (found["contacts"], found["answers"], found["unplaced"]) == (1, 1, 0)
    assert behind["tickets"] == [ref]
    assert ann.client.get("/api/map/weather/returning").status_code == 404


def test_customer_is_renamed_and_objects(ann: Person, db: Database) -> None:
    with db.transaction() as session:
        ref = session.get_one(Customer, make_ticket(session).customer_id).ref
    address = f"/api/customers/{ref}"

    named = ann.client.put(f"{address}/name", json={"name": "高橋 ゆみ"}).json()
    lives = ann.client.put(f"{address}/time-zone", json={"time_zone": "Asia/Tokyo"}).json()
    assert lives["time_zone"] == "Asia/Tokyo"
    agreed = ann.client.put(f"{address}/feedback", json={"allowed": True}).json()
    objected = ann.client.put(f"{address}/feedback", json={"allowed": False}).json()
    shown = ann.client.get(address).json()

    assert (named["name"], agreed["may_ask"], objected["may_ask"]) == ("高橋 ゆみ", True, False)
    assert (shown["name"], shown["no_feedback"], shown["tickets"]) == ("高橋 ゆみ", True, 1)
    assert ann.client.get("/api/customers/000000000").status_code == 404


def test_what_a_customer_wrote_is_forgotten_by_triage(
    ann: Person, boss: Person, db: Database
) -> None:
    with db.transaction() as session:
        ref = session.get_one(Customer, make_ticket(session).customer_id).ref
    address = f"/api/customers/{ref}"

    refused = ann.client.put(f"{address}/learning", json={"allowed": False}).status_code
    forgotten = boss.client.put(f"{address}/learning", json={"allowed": False}).json()

    assert (refused, forgotten["may_learn"]) == (403, False)
    assert ann.client.get(address).json()["may_learn"] is False

"""Tickets over JSON: lists, one of them, and every act on it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from app.core import clock
from app.domain.words import Head, MessageKind
from app.store.database import Database
from app.store.tables import Delivery, Message, Ticket
from tests.factories import make_customer, make_guess, make_inbox, make_message, make_ticket
from tests.web.conftest import Person


@pytest.fixture
def ticket(db: Database) -> Ticket:
    """A mail of Yumi's that a model has looked at."""
    with db.transaction() as session:
        inbox = make_inbox(session, writes_to="email")
        customer = make_customer(session, "Yumi Takahashi", "yumi@kunde.example")
        made = make_ticket(session, inbox, customer)
        message = make_message(session, made, "The lid does not close.")
        make_guess(session, message, Head.STAGE, [("E", 0.9), ("F", 0.05)])
        make_guess(session, message, Head.TOPIC, [("fault_repair", 0.8)])
        return made


def act(
    person: Person, ticket: Ticket, what: str, body: object = None, method: str = "POST"
) -> tuple[int, dict[str, object]]:
    answer = person.client.request(method, f"/api/tickets/{ticket.ref}/{what}", json=body)
    return answer.status_code, answer.json()


def test_list_goes_on_where_it_ended(ann: Person, db: Database) -> None:
    now = clock.now()
    with db.transaction() as session:
        refs = [
            make_ticket(session, at=now - timedelta(minutes=10 - n), subject=f"No. {n}").ref
            for n in range(5)
        ]

    seen, after = [], ""
    for _ in range(3):
        page = ann.client.get(f"/api/tickets?view=open&limit=2&after={after}").json()
        seen.append([row["ref"] for row in page["rows"]])
        after = page["next"]

    assert seen == [refs[:2], refs[2:4], refs[4:]]
    assert after == ""


def test_row_says_what_the_screen_shows(ann: Person, ticket: Ticket) -> None:
    row = ann.client.get("/api/tickets").json()["rows"][0]

    assert {name: row[name] for name in ("ref", "subject", "customer", "status", "channel")} == {
        "ref": ticket.ref,
        "subject": "The lid does not close",
        "customer": "Yumi Takahashi",
        "status": "open",
        "channel": "email",
    }


@pytest.mark.parametrize(
    "query", ["view=none", "limit=0", "limit=201", "limit=1e9", "after=" + "9" * 61, "sort=id"]
)
def test_list_asked_for_wrongly_is_refused(ann: Person, query: str) -> None:
    assert ann.client.get(f"/api/tickets?{query}").status_code == 422


@pytest.mark.parametrize("after", ["x", "1-", "-", "1e400-1", "nan-1"])
def test_cursor_that_is_none_is_refused(ann: Person, after: str) -> None:
    assert ann.client.get(f"/api/tickets?after={after}").status_code == 422


def test_one_ticket_is_the_whole_conversation(ann: Person, ticket: Ticket) -> None:
    found = ann.client.get(f"/api/tickets/{ticket.ref}").json()

    assert [(one["kind"], one["text"]) for one in found["said"]] == [
        ("inbound", "The lid does not close.")
    ]
    assert found["to"] == "yumi@kunde.example"
    assert found["triage"]["topic"]["guesses"][0]["label"] == "fault_repair"


@pytest.mark.parametrize("ref", ["000000000", "A" * 9, "..", "1" * 41, "1;drop"])
def test_ticket_that_is_none_is_not_there(ann: Person, ref: str) -> None:
    assert ann.client.get(f"/api/tickets/{ref}").status_code in {404, 422}


def test_reply_goes_to_the_customer_and_waits_to_be_sent(
    ann: Person, ticket: Ticket, db: Database
) -> None:
    status, written = act(ann, ticket, "replies", {"text": "We send a new lid."})

    with db.reading() as session:
        delivery = session.exec(select(Delivery)).one()
    assert (status, written["kind"], written["to"]) == (201, "outbound", ["yumi@kunde.example"])
    assert (delivery.message_id, delivery.recipient, delivery.state) == (
        written["id"], "yumi@kunde.example", "queued",
    )  # fmt: skip


def test_reply_says_who_of_its_recipients_is_new_on_the_ticket(
    ann: Person, ticket: Ticket, db: Database
) -> None:
    with db.transaction() as session:
        there = session.get_one(Ticket, ticket.id)
        make_message(session, there, "Please repeat it.", reply_to="eve@elsewhere.example")
    before = ann.client.get(f"/api/tickets/{ticket.ref}").json()

    told = [
        act(ann, ticket, "replies", body)[1]
        for body in (
            {"text": "To you.", "to": ["yumi@kunde.example"]},
            {"text": "Once more."},
            {"text": "And again.", "cc": ["bob@kunde.example"]},
        )
    ]

    assert (before["to"], before["wrote_from"]) == ("eve@elsewhere.example", "yumi@kunde.example")
    assert [(one["to"], one["newcomers"]) for one in told] == [
        (["yumi@kunde.example"], []),
        (["eve@elsewhere.example"], ["eve@elsewhere.example"]),
        (["eve@elsewhere.example"], ["bob@kunde.example"]),
    ]


def test_reply_over_something_newer_is_a_conflict_that_names_it(
    ann: Person, ticket: Ticket, db: Database
) -> None:
    with db.transaction() as session:
        seen = session.exec(select(Message.id)).one()
        newer = make_message(session, session.get_one(Ticket, ticket.id), "Never mind!").id

    status, answer = act(ann, ticket, "replies", {"text": "We send it.", "last_seen": seen})

    assert (status, answer["error"], answer["details"]) == (409, "conflict", {"newer": [newer]})
    with db.reading() as session:
        assert session.exec(select(Delivery)).all() == []


def test_whoever_gets_no_answer_replies_again_under_the_same_key(
    ann: Person, ticket: Ticket, db: Database
) -> None:
    answers = [
        ann.client.post(
            f"/api/tickets/{ticket.ref}/{what}",
            json={"text": text},
            headers={"Idempotency-Key": "once"},
        )
        for what, text in (
            ("replies", "We send it."),
            ("replies", "We send it."),
            ("replies", "We keep it."),
            ("notes", "We send it."),
        )
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 409, 409]
    assert answers[0].json() == answers[1].json()
    with db.reading() as session:
        assert len(session.exec(select(Delivery)).all()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "   "},
        {"text": "x" * 200_001},
        {"text": "a\x00b"},
        {"text": "Hello", "to": "yumi@kunde.example"},
        {"text": "Hello", "to": ["a@x.example\r\nBcc: eve@evil.example"]},
        {"text": "Hello", "to": ["a@x.example, eve@evil.example"]},
        {"text": "Hello", "cc": ["not an address"]},
        {"text": "Hello", "cc": [f"a{n}@x.example" for n in range(51)]},
        {"text": "Hello", "last_seen": 0},
        {"text": "Hello", "last_seen": 2**63},
        {"text": "Hello", "author": "Boss"},
    ],
)
def test_reply_that_is_wrong_leaves_nothing_behind(
    ann: Person, ticket: Ticket, db: Database, body: dict[str, object]
) -> None:
    status, _ = act(ann, ticket, "replies", body)

    with db.reading() as session:
        kinds = session.exec(select(Message.kind)).all()
    assert (status, kinds) == (422, [MessageKind.INBOUND])


def test_note_is_for_the_team(ann: Person, ticket: Ticket, db: Database) -> None:
    status, written = act(ann, ticket, "notes", {"text": "Ask the workshop."})

    assert (status, written["kind"], written["to"]) == (201, "note", [])
    with db.reading() as session:
        assert session.exec(select(Delivery)).all() == []


def test_walk_of_a_ticket(ann: Person, lea: Person, ticket: Ticket) -> None:
    until = (clock.now() + timedelta(days=1)).isoformat()
    steps = [
        act(ann, ticket, "assignee", {"agent": lea.id}, "PUT"),
        act(ann, ticket, "snooze", {"until": until}),
        act(ann, ticket, "reopen"),
        act(ann, ticket, "resolve"),
        act(ann, ticket, "reopen"),
        act(ann, ticket, "assignee", {"agent": None}, "PUT"),
        act(ann, ticket, "spam"),
    ]

    assert [(status, found["status"], found["assignee_id"]) for status, found in steps] == [
        (200, "open", lea.id),
        (200, "snoozed", lea.id),
        (200, "open", lea.id),
        (200, "resolved", lea.id),
        (200, "open", lea.id),
        (200, "open", None),
        (200, "spam", None),
    ]
    versions = [found["version"] for _, found in steps]
    assert versions == sorted(set(versions))  # type: ignore[type-var]


def test_move_its_state_does_not_allow_is_a_conflict(ann: Person, ticket: Ticket) -> None:
    act(ann, ticket, "resolve")

    status, answer = act(ann, ticket, "resolve")

    assert (status, answer["error"]) == (409, "conflict")


@pytest.mark.parametrize(
    "until", ["2020-01-01T00:00:00Z", "2026-01-01T00:00:00", "x", "9999-12-31T23:59:59Z"]
)
def test_moment_nobody_can_wait_for_is_refused(ann: Person, ticket: Ticket, until: str) -> None:
    assert act(ann, ticket, "snooze", {"until": until})[0] == 422


def test_person_decides_what_it_is(ann: Person, ticket: Ticket) -> None:
    stage = act(ann, ticket, "stage", {"label": "F"}, "PUT")
    topic = act(ann, ticket, "topic", {"label": "return_refund"}, "PUT")
    wrong = [
        act(ann, ticket, "stage", {"label": "Z"}, "PUT")[0],
        act(ann, ticket, "topic", {"label": "weather"}, "PUT")[0],
        act(ann, ticket, "mood", {"label": "F"}, "PUT")[0],
    ]

    assert (stage[1]["stage"], stage[1]["stage_by"]) == ("F", "person")
    assert topic[1]["topic_by"] == "person"
    assert wrong == [422, 422, 422]


def test_person_sets_a_flag_and_the_language(ann: Person, ticket: Ticket) -> None:
    urgent = act(ann, ticket, "urgent", {"label": "yes"}, "PUT")[1]
    language = act(ann, ticket, "language", {"label": "ja"}, "PUT")[1]
    listed = [
        [row["ref"] for row in ann.client.get(f"/api/tickets?{query}").json()["rows"]]
        for query in ("flag=urgent", "flag=complaint", "flag=urgent&language=ja", "language=de")
    ]
    [flag, _] = ann.client.get(f"/api/tickets/{ticket.ref}").json()["triage"]["flags"]
    wrong = [
        act(ann, ticket, "urgent", {"label": "maybe"}, "PUT")[0],
        act(ann, ticket, "language", {"label": "fr"}, "PUT")[0],
        ann.client.get("/api/tickets?flag=stage").status_code,
    ]

    assert (urgent["urgent"], urgent["urgent_by"], language["language"]) == (True, "person", "ja")
    assert listed == [[ticket.ref], [], [ticket.ref], []]
    assert (flag["name"], flag["raised"], flag["by"]) == ("urgent", True, "person")
    assert wrong == [422, 422, 422]


def test_person_agrees_with_the_model(ann: Person, ticket: Ticket) -> None:
    status, found = act(ann, ticket, "accept")

    assert (status, found["stage"], found["stage_by"]) == (200, "E", "person")


def test_no_inquiry_and_taking_it_back(ann: Person, ticket: Ticket) -> None:
    out = act(ann, ticket, "dismiss")[1]
    listed = ann.client.get("/api/tickets?view=dismissed").json()["rows"]
    back = act(ann, ticket, "take-back-verdict")[1]
    again = act(ann, ticket, "take-back-verdict")[0]

    assert (out["status"], [row["ref"] for row in listed]) == ("dismissed", [ticket.ref])
    assert (back["status"], again) == ("open", 409)


def test_team_that_is_none_is_refused(ann: Person, ticket: Ticket) -> None:
    assert act(ann, ticket, "team", {"team": 99}, "PUT")[0] == 422


def test_search_finds_what_a_note_says(ann: Person, ticket: Ticket) -> None:
    act(ann, ticket, "notes", {"text": "Die Werkstatt meldet sich."})

    found = [
        [row["ref"] for row in ann.client.get("/api/tickets", params={"q": words}).json()["rows"]]
        for words in ("Werkstatt", "nothing like it")
    ]

    assert found == [[ticket.ref], []]

"""The page on which people teach the model: rows, keys, progress, and the same over the API."""

import re

import pytest
from sqlmodel import select

from app.domain.words import Head, Status
from app.store.database import Database
from app.store.tables import Ticket
from tests.factories import make_customer, make_guess, make_message, make_ticket
from tests.web.conftest import Person

TEXTS = ("Where is my order 4711? Anna", "Where is my order 5822? Bert", "It <b>leaks</b> again")


@pytest.fixture
def refs(db: Database) -> list[str]:
    """The first two are nearly the same; the third is more certain."""
    made = []
    with db.transaction() as session:
        for place, text in enumerate(TEXTS):
            customer = make_customer(session, f"Customer {place}")
            ticket = make_ticket(session, customer=customer, subject=f"Inquiry {place}")
            message = make_message(session, ticket, text)
            shares = [("D", 0.5 + place / 10), ("F", 0.3)]
            make_guess(session, message, Head.STAGE, shares, reasons=["leaks"], against=["again"])
            make_guess(session, message, Head.TOPIC, [("delivery", 0.9), ("fault_repair", 0.05)])
            made.append(ticket.ref)
    return made


def said(db: Database, ref: str) -> tuple[str, str, str, Status]:
    with db.reading() as session:
        found = session.exec(select(Ticket).where(Ticket.ref == ref)).one()
    return found.stage, found.stage_by, found.topic_by, found.status


def post(ann: Person, path: str = "", **fields: str) -> str:
    answer = ann.client.post(f"/teach{path}", data=fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_rows_say_why_they_are_there(ann: Person, refs: list[str]) -> None:
    page = ann.client.get("/teach").text

    assert re.findall(r'<li class="card-row" data-ref="(\w+)"', page) == [refs[0], refs[2]]
    assert f'name="twins" value="{refs[1]}"' in page
    assert re.findall('name="at" value="(.)"', page) == ["0", "1"]
    assert "and 1 more, nearly the same: an answer holds for both" in page
    assert "It &lt;b&gt;<mark>leaks</mark>&lt;/b&gt; <mark " in page
    assert '<mark class="against">again</mark>' in page
    assert page.count("least certain</span>") == 2
    assert "0 of 100 labelled" in page
    assert " autofocus" not in page


def test_one_answer_holds_for_both_and_is_taken_back(
    ann: Person, db: Database, refs: list[str]
) -> None:
    went = post(ann, ref=refs[0], twins=refs[1], stage="F")
    act = re.search("act=([0-9a-z]+)", went)
    assert act is not None
    page = ann.client.get(went).text
    half = [said(db, ref)[:3] for ref in refs]
    left = post(ann, ref=refs[0], twins=refs[1], at="1")
    whole = [said(db, ref)[:3] for ref in refs]
    again = re.search("act=([0-9a-z]+)", left)
    assert again is not None
    back = post(ann, "/take-back", act=again[1])
    first = post(ann, "/take-back", act=act[1])

    # One key is not the whole answer: the row keeps the keyboard until both are said.
    assert went == f"/teach?did=tagged&act={act[1]}&on={refs[0]}"
    assert f'href="/tickets/{refs[0]}" lang="en" autofocus>' in page
    assert f'name="act" value="{act[1]}"' in page
    assert half == [("F", "person", ""), ("F", "person", ""), ("", "", "")]
    assert left == f"/teach?did=tagged&act={again[1]}&at=1"
    assert whole == [("F", "person", "person"), ("F", "person", "person"), ("", "", "")]
    assert {back.split("&")[0], first.split("&")[0]} == {"/teach?did=taken_back"}
    assert [said(db, ref)[:3] for ref in refs] == [("", "", "")] * 3


def test_no_inquiry_goes_on_with_what_came_in_its_place(
    ann: Person, db: Database, refs: list[str]
) -> None:
    went = post(ann, ref=refs[0], twins=refs[1], at="1", none="1")

    page = ann.client.get(went).text
    assert [said(db, ref)[3] for ref in refs] == [Status.DISMISSED, Status.DISMISSED, Status.OPEN]
    assert f'href="/tickets/{refs[2]}" lang="en" autofocus>' in page
    assert re.findall(r'<li class="card-row" data-ref="(\w+)"', page) == [refs[2]]


def test_what_a_person_said_of_one_stays_and_the_page_says_so(
    ann: Person, db: Database, refs: list[str]
) -> None:
    ann.client.post(f"/tickets/{refs[1]}/tag", data={"stage": "F"})

    went = post(ann, ref=refs[0], twins=refs[1], none="1")

    assert [said(db, ref)[3] for ref in refs[:2]] == [Status.DISMISSED, Status.OPEN]
    assert went.endswith("&left=1")
    assert "1 left as it is: somebody had said what it is" in ann.client.get(went).text


def test_when_there_is_nothing_left(ann: Person) -> None:
    page = ann.client.get("/teach").text

    assert "Everything has been labelled" in page
    assert 'href="/teach" aria-current="page" data-key="g l"' in ann.client.get("/teach").text


def test_the_same_over_the_api(ann: Person, db: Database, refs: list[str]) -> None:
    found = ann.client.get("/api/lessons/next?limit=1").json()
    body = {"refs": refs[:2], "topic": "fault_repair"}
    made = ann.client.post("/api/lessons", json=body).json()
    after = [said(db, ref)[2] for ref in refs]
    back = ann.client.delete(f"/api/lessons/{made['act']}").json()
    refused = ann.client.delete(f"/api/lessons/{made['act']}").status_code

    assert [(row["ref"], row["because"]) for row in found["rows"]] == [(refs[0], "uncertain")]
    assert found["rows"][0]["twins"] == [{"ref": refs[1], "subject": "Inquiry 1"}]
    assert (found["labelled"], found["enough"]) == ({"stage": 0, "topic": 0}, 100)
    assert made["refs"] == refs[:2]
    assert after == ["person", "person", ""]
    assert (sorted(back["refs"]), refused) == (sorted(refs[:2]), 409)

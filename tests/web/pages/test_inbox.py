"""The inbox page: rows, search, languages, and what a phone or a live screen asks for."""

import re

import pytest
from sqlmodel import select

from app.core import clock
from app.services import agents
from app.store import search
from app.store.database import Database
from app.store.search import Entry
from app.store.tables import Organisation, Ticket
from tests.factories import make_customer, make_inbox, make_message, make_ticket
from tests.web.conftest import Person


def make(db: Database, subject: str, assignee_id: int | None = None) -> Ticket:
    with db.transaction() as session:
        ticket = make_ticket(session, subject=subject, assignee_id=assignee_id)
        message = make_message(session, ticket, "Where is my parcel?")
        search.index(session, Entry(message.id, ticket.id, (subject, message.text)))
        return ticket


def subjects(page: str) -> list[str]:
    return re.findall(r'<span class="line".*?<b>([^<]*)</b>', page)


def test_start_leads_to_the_inbox(ann: Person) -> None:
    assert ann.client.get("/").headers["location"] == "/inbox"


def test_view_shows_its_rows_and_counts(db: Database, ann: Person) -> None:
    make(db, "Unassigned one")
    make(db, "My own", assignee_id=ann.id)

    mine = ann.client.get("/inbox").text
    unassigned = ann.client.get("/inbox?view=unassigned").text

    assert subjects(mine) == ["My own"]
    assert subjects(unassigned) == ["Unassigned one"]
    assert "<title>Mine (1) · Hoshi Tools</title>" in mine


def test_samples_are_not_counted_but_led_to(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        session.exec(select(Organisation)).one().samples_at = clock.now()
        make_ticket(session, subject="made up", sample=True)

    mine = ann.client.get("/inbox").text

    assert "Show the sample inquiries</a>" in mine
    assert "unassigned, show it" not in mine
    assert subjects(ann.client.get("/inbox?view=unassigned").text) == ["made up"]


def test_nobody_is_said_to_have_set_what_is_on_a_sample(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        for by, sample, basis in (
            ("suggestion", True, ""),
            ("suggestion", False, "samples"),
            ("suggestion", False, "own"),
            ("model", False, "own"),
        ):
            ticket = make_ticket(session, subject=f"{by} {sample} {basis}", assignee_id=ann.id)
            ticket.stage, ticket.stage_by, ticket.sample = "G", by, sample
            ticket.stage_basis, ticket.stage_probability = basis, 0.84

    page = ann.client.get("/inbox").text

    rows = {
        name: re.findall(r'class="chip (?:model|suggestion)" title="([^"]*)"', row)
        for row in page.split("<li data-ref")
        for name in subjects(row)
    }
    assert rows == {
        "suggestion True ": ["Experience: Sample"],
        "suggestion False samples": [
            "Experience: suggested by the model, 84%, estimated on sample texts"
        ],
        "suggestion False own": ["Experience: suggested by the model, 84%"],
        "model False own": ["Experience: set by the model"],
    }


def test_search_finds_by_words_of_the_text(db: Database, ann: Person) -> None:
    make(db, "注文の返品をお願いします")
    make(db, "Something else")

    assert subjects(ann.client.get("/inbox", params={"q": "返品"}).text) == [
        "注文の返品をお願いします"
    ]
    nothing = ann.client.get("/inbox", params={"q": "<b>unheard</b>"}).text
    assert "Nothing contains “&lt;b&gt;unheard&lt;/b&gt;”." in nothing


def test_long_view_goes_on_behind_a_link(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        box, who = make_inbox(session), make_customer(session)
        for number in range(51):
            make_ticket(session, box, who, subject=f"n{number}")

    first = ann.client.get("/inbox?view=open").text
    found = re.search(r'class="more"><a class="btn" href="([^"]+)"', first)
    assert found is not None
    second = ann.client.get(found[1].replace("&amp;", "&")).text

    assert (len(subjects(first)), subjects(second)) == (50, ["n50"])


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "Mine"), ("ja", "自分の担当"), ("de", "Meine")]
)
def test_page_speaks_the_language_of_the_agent(
    db: Database, ann: Person, language: str, heading: str
) -> None:
    with db.transaction() as session:
        agents.set_preferences(session, ann.actor, language=language, theme="dark")

    page = ann.client.get("/inbox").text

    assert f'<html lang="{language}" data-theme="dark">' in page
    assert f"<h1>{heading} " in page


def test_rows_alone_are_a_fragment_with_their_count(db: Database, ann: Person) -> None:
    ticket = make(db, "Fresh")

    answer = ann.client.get("/inbox/rows?view=open")

    assert answer.text.count("<li ") == 1
    assert f'data-ref="{ticket.ref}" data-version="1"' in answer.text
    assert "<html" not in answer.text
    assert answer.headers["x-count"] == "1"


@pytest.mark.parametrize(
    "query", ["view=nonsense", "sort=x", "view=open&after=x", "q=" + "a" * 500]
)
def test_junk_in_the_address_is_refused_as_a_page(ann: Person, query: str) -> None:
    answer = ann.client.get(f"/inbox?{query}", headers={"accept": "text/html"})

    assert answer.status_code == 422
    assert "Something is not right yet" in answer.text


def test_a_view_can_be_narrowed_and_stays_so_wherever_one_goes(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        for name, urgent, language in (("A", True, "de"), ("B", True, "ja"), ("C", False, "de")):
            ticket = make_ticket(session, subject=name, language=language)
            ticket.urgent, ticket.urgent_by = urgent, "model"

    pressing = ann.client.get("/inbox?view=open.urgent").text
    german = ann.client.get("/inbox?view=open.urgent.de").text
    complaints = ann.client.get("/inbox?view=open.complaint").text

    assert (sorted(subjects(pressing)), subjects(german)) == (["A", "B"], ["A"])
    assert 'title="Urgent: estimated by the model"' in german
    assert re.findall(r'class="row" href="/tickets/\w+([^"]*)"', german) == ["?view=open.urgent.de"]
    assert 'data-fragment="/inbox/rows?view=open.urgent.de&amp;sort=longest"' in german
    assert 'href="?view=open.de&amp;sort=longest"' in german  # without the flag again
    assert "Nothing here is like that" in complaints


@pytest.mark.parametrize("view", ["open.", "open.angry", "open.de.urgent", "open.de.de", "urgent"])
def test_a_list_nobody_made_is_refused(ann: Person, view: str) -> None:
    assert ann.client.get(f"/inbox?view={view}").status_code == 422

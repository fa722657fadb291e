"""Proposed topics in the settings of triage and over the API."""

import re
from collections.abc import Callable

import pytest

from app.services import proposals
from app.services.proposals import Group
from app.store.database import Database
from app.store.tables import Ticket, Topic, TopicProposal
from tests.factories import make_customer, make_inbox, make_ticket
from tests.web.conftest import Person

PAGE = "/settings/triage"
Propose = Callable[..., int]


@pytest.fixture
def tickets(db: Database) -> list[Ticket]:
    with db.transaction() as session:
        box, who = make_inbox(session), make_customer(session)
        return [make_ticket(session, box, who, subject=f"Gift <{n}>") for n in range(8)]


@pytest.fixture
def propose(db: Database, tickets: list[Ticket]) -> Propose:
    """A look that found these to be one group."""

    def make(names: dict[str, str]) -> int:
        refs = [ticket.ref for ticket in tickets]
        with db.transaction() as session:
            proposals.keep(session, 12, 8, [Group(refs, refs[:5], 3, names)])
        with db.reading() as session:
            return session.get_one(TopicProposal, 1).id

    return make


def section(person: Person) -> str:
    page = person.client.get(PAGE).text
    return page[page.index('<section id="proposals"') : page.index('<section id="surges"')]


def post(person: Person, act: str, **form: str) -> tuple[int, str]:
    answer = person.client.post(f"{PAGE}/proposals/{act}", data=form)
    return answer.status_code, answer.headers.get("location", "")


def test_page_says_that_there_is_not_enough(boss: Person, db: Database) -> None:
    before = section(boss)
    with db.transaction() as session:
        proposals.keep(session, 12, 5, [])
    after = section(boss)
    asked = post(boss, "look")

    assert "Nobody has looked yet." in before
    assert "12 inquiries without a topic, no group of 8 or more yet. The largest has 5." in after
    assert asked == (303, f"{PAGE}?did=looking")
    assert "It begins in a moment." in section(boss)


def test_proposal_becomes_a_topic_and_is_given_to_its_inquiries(
    boss: Person, propose: Propose, tickets: list[Ticket]
) -> None:
    number = propose({"en": "Gift"})
    shown = section(boss)
    unnamed = post(boss, f"{number}/make")
    answers = [
        post(boss, f"{number}/make", en="Gifts"),
        post(boss, f"{number}/give"),
        post(boss, f"{number}/take-back"),
    ]

    assert re.findall(r'<li lang="en"><a href="/tickets/(\w+)">Gift &lt;\d&gt;', shown) == [
        ticket.ref for ticket in tickets[:5]
    ]
    assert re.findall(r'name="(\w\w)" lang="\w\w" value="(\w*)"', shown) == [
        ("ja", ""), ("de", ""), ("en", "Gift"),
    ]  # fmt: skip
    assert unnamed == (422, "")
    assert answers == [
        (303, f"{PAGE}?did=saved"),
        (303, f"{PAGE}?did=given&on={number}"),
        (303, f"{PAGE}?did=saved"),
    ]
    assert "Give it to the 8 inquiries of the group" in section(boss)


def test_refusing_offers_to_undo(boss: Person, propose: Propose) -> None:
    number = propose({})
    shown = section(boss)
    status, path = post(boss, f"{number}/refuse")
    toast = boss.client.get(path).text

    assert "A group without a name" in shown
    assert (status, f'action="{PAGE}/proposals/{number}/take-up"' in toast) == (303, True)
    assert post(boss, f"{number}/take-up") == (303, f"{PAGE}?did=saved")


def test_the_same_over_the_api(boss: Person, propose: Propose, db: Database) -> None:
    number = propose({"en": "Gift"})
    path = f"/api/topic-proposals/{number}"
    listed = boss.client.get("/api/topic-proposals").json()
    statuses = [
        boss.client.post(f"/api/topic-proposals/{act}").status_code
        for act in ("look", f"{number}/refuse", f"{number}/take-up")
    ]
    made = boss.client.post(f"{path}/make", json={"labels": {"en": "Gifts"}})
    given = boss.client.post(f"{path}/give").json()
    taken = boss.client.post(f"{path}/take-back").json()

    assert [(one["names"], one["tickets"]) for one in listed["proposals"]] == [({"en": "Gift"}, 8)]
    assert (statuses, made.status_code) == ([202, 204, 204], 201)
    assert made.json()["labels"] == {"ja": "Gifts", "de": "Gifts", "en": "Gifts"}
    assert (given, taken) == ({"tickets": 8}, {"tickets": 8})
    with db.reading() as session:
        assert session.get_one(Topic, session.get_one(TopicProposal, 1).topic_id).active


@pytest.mark.parametrize("act", ["look", "1/make", "1/refuse", "1/give"])
def test_agents_may_not(ann: Person, act: str) -> None:
    assert post(ann, act, en="Gifts") == (403, "")
    assert ann.client.get("/api/topic-proposals").status_code == 403

"""What stands beside a ticket: similar ones, their answers in the composer, and copies."""

from dataclasses import dataclass

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.domain.words import DeliveryState, MessageKind
from app.store.database import Database
from app.store.tables import Delivery, Draft, Meaning, Neighbour, Ticket
from tests.factories import make_customer, make_inbox, make_message, make_ticket
from tests.web.conftest import Person

ANSWER = "Hello Mr Hill,\n\nclear the cookies and <b>start</b> again, Bob."
LEFT = "clear the cookies and &lt;b&gt;start&lt;/b&gt; again, …."


@dataclass(frozen=True)
class Pair:
    asked: Ticket
    earlier: Ticket


def means(session: Session, ticket: Ticket, alike: int | None = None) -> None:
    message = make_message(session, ticket, "The page is blank.")
    row = Meaning(
        ticket_id=ticket.id,
        message_id=message.id,
        space="x",
        vector=b"x",
        alike=alike,
        compared_at=clock.now(),
    )
    session.add(row)


@pytest.fixture
def pair(db: Database) -> Pair:
    """An open inquiry, and one like it that was answered."""
    with db.transaction() as session:
        inbox = make_inbox(session, writes_to="email")
        earlier = make_ticket(session, inbox, make_customer(session, "Bob Hill"), subject="Blank")
        asked = make_ticket(session, inbox, subject="White page")
        means(session, earlier)
        means(session, asked)
        reply = make_message(session, earlier, ANSWER, MessageKind.OUTBOUND, author="Lea")
        session.add(
            Delivery(
                message_id=reply.id,
                recipient="bob@hill.test",
                state=DeliveryState.SENT,
                changed_at=clock.now(),
            )
        )
        session.add(Neighbour(ticket_id=asked.id, other_id=earlier.id, likeness=0.9))
    return Pair(asked, earlier)


def test_the_panel_shows_the_answer_and_puts_it_into_the_text(pair: Pair, ann: Person) -> None:
    page = ann.client.get(f"/tickets/{pair.asked.ref}").text
    assert f'<blockquote lang="en">{LEFT}</blockquote>' in page
    link = f"/tickets/{pair.asked.ref}?view=open&amp;insert={pair.earlier.ref}#draft"
    assert f'href="{link}"' in page
    assert "which another customer wrote" not in page

    page = ann.client.get(link.replace("&amp;", "&")).text

    assert f"{LEFT}</textarea>" in page
    assert "which another customer wrote" in page
    assert "Not saved yet" in page


def test_the_answer_stands_below_what_was_written_and_nothing_is_kept(
    pair: Pair, ann: Person, db: Database
) -> None:
    ann.client.post(f"/tickets/{pair.asked.ref}/draft", data={"text": "Good morning,"})

    page = ann.client.get(f"/tickets/{pair.asked.ref}?insert={pair.earlier.ref}").text

    assert f"Good morning,\n\n{LEFT}</textarea>" in page
    with db.reading() as session:
        assert session.exec(select(Draft.text)).all() == ["Good morning,"]
    again = {"text": "Good morning,\n\nclear the cookies and <b>start</b> again, …."}
    ann.client.post(f"/tickets/{pair.asked.ref}/draft", data=again)
    page = ann.client.get(f"/tickets/{pair.asked.ref}?insert={pair.earlier.ref}").text
    assert page.count(LEFT) == 2  # in the panel and in the text


def test_what_stands_not_beside_it_is_not_put_in(pair: Pair, ann: Person) -> None:
    page = ann.client.get(f"/tickets/{pair.earlier.ref}?insert={pair.asked.ref}").text

    assert "which another customer wrote" not in page
    assert "Not answered yet" in page


def test_copies_are_shown_with_the_way_to_join_them(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        one = make_ticket(session, subject="Blank page", preview="")
        customer = make_customer(session)
        mine, again = (make_ticket(session, customer=customer, subject="Blank") for _ in range(2))
        for ticket in (one, mine, again):
            means(session, ticket, alike=1)
    page = ann.client.get(f"/tickets/{again.ref}").text

    assert f'Nearly the same text as <a href="/tickets/{mine.ref}">' in page
    assert page.count(f'name="other" value="{mine.ref}"') == 1  # the subject alone is said no more
    assert "1 other customer writes nearly the same:" in page
    assert "Nothing else means nearly the same." in page


def test_the_same_over_json(pair: Pair, ann: Person) -> None:
    found = ann.client.get(f"/api/tickets/{pair.asked.ref}/similar").json()

    [one] = found.pop("similar")
    assert found == {"state": "done", "copies": [], "others": [], "others_count": 0}
    assert (one["ref"], one["own"], one["answer"], one["answered_by"], one["score"]) == (
        pair.earlier.ref,
        False,
        "clear the cookies and <b>start</b> again, ….",
        "Lea",
        None,
    )
    assert ann.client.get("/api/tickets/000000000/similar").status_code == 404

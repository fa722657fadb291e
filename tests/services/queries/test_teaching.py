"""What people are asked about next: who is in it, why, and at what cost."""

from typing import Any

import pytest
from sqlmodel import Session

from app.domain.lesson_order import Because
from app.domain.words import Head, Status
from app.services import verdicts
from app.services.access import Actor
from app.services.queries import teaching, vocabulary
from app.services.queries.teaching import Lessons, Twin
from app.store.database import Database
from app.store.tables import Ticket
from tests.counting import statements
from tests.factories import make_agent, make_guess, make_message, make_ticket

TEXTS = (
    "The kettle leaks at the bottom since yesterday.",
    "何時まで営業していますか。年末年始のお休みも教えてください。",
    "Bitte senden Sie mir eine Rechnung mit der richtigen Adresse.",
)


@pytest.fixture
def ann(db: Database) -> Actor:
    with db.transaction() as session:
        return make_agent(session)


def asked(
    session: Session,
    text: str,
    shares: tuple[float, float],
    novelty: float = 1.0,
    why: str = "",
    **given: Any,
) -> Ticket:
    ticket = make_ticket(session, subject="", **given)
    message = make_message(session, ticket, text)
    seen: dict[str, Any] = {"novelty": novelty, "why": why}
    make_guess(session, message, Head.STAGE, [("F", shares[0]), ("D", shares[1])], **seen)
    make_guess(session, message, Head.TOPIC, [("fault_repair", 0.9)], **seen)
    return ticket


def view(db: Database, actor: Actor) -> Lessons:
    with db.reading() as session:
        return teaching.view(session, actor, vocabulary.current(session))


@pytest.mark.parametrize("n", [1, 3])
def test_the_least_certain_first_in_four_statements(db: Database, ann: Actor, n: int) -> None:
    with db.transaction() as session:
        made = [
            asked(session, text, (0.5 + place / 10, 0.3)).ref
            for place, text in enumerate(TEXTS[:n])
        ]

    with db.reading() as session:
        words = vocabulary.current(session)
        with statements(db) as seen:
            found = teaching.view(session, ann, words)

    assert [(row.ref, row.text) for row in found.rows][:2] == list(zip(made, TEXTS, strict=False))[
        :2
    ]
    assert sorted(row.ref for row in found.rows) == sorted(made)
    assert len(seen) == 4


def test_who_is_left_out(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        asked(session, TEXTS[0], (0.5, 0.4), status=Status.SPAM)
        asked(session, TEXTS[0], (0.5, 0.4), status=Status.DISMISSED)
        asked(session, TEXTS[0], (0.5, 0.4), sample=True)
        asked(session, "Missed call.", (0.5, 0.4), why="empty")
        asked(session, TEXTS[0], (0.5, 0.4), stage_by="person", topic_by="person")
        half = asked(session, TEXTS[1], (0.5, 0.4), stage="F", stage_by="person")
        done = asked(session, TEXTS[2], (0.6, 0.2), status=Status.RESOLVED)

    found = view(db, ann)

    assert [(row.ref, row.stage.by) for row in found.rows] == [(half.ref, "person"), (done.ref, "")]


def test_one_stands_for_those_nearly_the_same(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        older = asked(session, "Where is my order 4711? Anna", (0.5, 0.4))
        newer = asked(session, "Where is my order 5822? Bert", (0.8, 0.1))
        other = asked(session, TEXTS[0], (0.6, 0.2))

    found = view(db, ann)

    assert [(row.ref, row.twins) for row in found.rows] == [
        (older.ref, (Twin(newer.ref, ""),)),
        (other.ref, ()),
    ]


def test_a_stranger_and_one_no_model_saw(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        for place, text in enumerate(TEXTS):
            asked(session, text, (0.5, 0.4 - place / 10), novelty=3.0 - place)
        unseen = make_ticket(session, subject="Hallo", preview="Ist da jemand?")

    found = view(db, ann)

    last = found.rows[-1]
    reasons = [row.because for row in found.rows if row.because is not Because.DRAWN]
    assert reasons[:3] == [Because.UNCERTAIN, Because.UNCERTAIN, Because.UNFAMILIAR]
    assert (last.ref, last.text, last.stage.guesses) == (unseen.ref, "Ist da jemand?", ())


def test_how_much_people_have_labelled(db: Database, ann: Actor) -> None:
    with db.transaction() as session:
        tickets = [asked(session, text, (0.5, 0.4)) for text in TEXTS]
        for ticket in tickets[:2]:
            verdicts.choose(session, ann, ticket.ref, Head.STAGE, "F")
        verdicts.choose(session, ann, tickets[0].ref, Head.STAGE, "D")
        verdicts.choose(session, ann, tickets[0].ref, Head.TOPIC, "delivery")
        verdicts.dismiss(session, ann, tickets[2].ref)

    found = view(db, ann)

    assert (found.labelled, found.enough) == ({Head.STAGE: 2, Head.TOPIC: 1}, 100)

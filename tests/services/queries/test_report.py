"""The report card from what is stored: which guesses count, and what people said of them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import NotAllowed
from app.domain import findings
from app.domain.drawing import drawn
from app.domain.score import share
from app.domain.words import Head, Role, Status
from app.services import topics, verdicts
from app.services.access import SYSTEM, Actor
from app.services.queries import labelled, report, vocabulary
from app.services.queries.report import Report
from app.store.database import Database
from app.store.tables import Correction, Ticket, Topic
from classifier.fitting import ACTED_PRECISION
from tests.counting import statements
from tests.factories import (
    NOON,
    ago,
    make_agent,
    make_customer,
    make_guess,
    make_message,
    make_ticket,
    make_touchpoint,
)

ANN = Actor("Ann", Role.AGENT)


def view(db: Database, days: int = 90) -> Report:
    with clock.at(NOON), db.reading() as session:
        return report.view(session, SYSTEM, vocabulary.current(session), days)


def inquiry(session: Session, text: str = "Hello", **given: object) -> Ticket:
    """About an order in stage D, as the model has it."""
    top = given.pop("top", [("D", 0.8), ("E", 0.1)])
    ticket = make_ticket(session, **({"at": ago(days=1)} | given))  # type: ignore[arg-type]
    message = make_message(session, ticket, text)
    make_touchpoint(session, ticket, "D", message_id=message.id)
    make_guess(session, message, Head.STAGE, top)  # type: ignore[arg-type]
    make_guess(session, message, Head.TOPIC, [("delivery", 0.7)])
    return ticket


def test_each_ticket_counts_once_with_the_last_word_on_it(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        ann = make_agent(session)
        for said in (["D"], ["E", "D"], ["G"], []):
            ticket = inquiry(session)
            for stage in said:
                verdicts.choose(session, ann, ticket.ref, Head.STAGE, stage)
        verdicts.dismiss(session, ann, inquiry(session).ref)

    found = view(db).stage.card

    assert (found.seen, found.judged) == (5, 4)
    assert found.silent == share(0, 1)
    assert found.languages[0].right == share(2, 3)
    examples = {line.label: (line.examples, line.n) for line in found.labels if line.n}
    assert examples == {"conversion": (2, 2), "experience": (1, 1)}


def test_what_nobody_saw_or_nobody_asked_does_not_count(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        inquiry(session, sample=True)
        inquiry(session, status=Status.SPAM)
        inquiry(session, at=ago(days=100))
        spoken_before = make_ticket(session)
        verdicts.choose(session, make_agent(session), spoken_before.ref, Head.STAGE, "D")
        make_guess(session, make_message(session, spoken_before), Head.STAGE, [("C", 0.9)])
        shadowed = inquiry(session)
        silent = make_message(session, shadowed)
        make_guess(session, silent, Head.STAGE, [("A", 0.9)], shadow=True)

    assert (view(db).stage.card.seen, view(db, 0).stage.card.seen) == (1, 2)


@pytest.fixture
def merged(db: Database) -> Iterator[None]:
    """Order status became delivery. The PostgreSQL database is shared, and keeps its topics."""
    with db.transaction() as session:
        topics.merge(session, SYSTEM, "order_status", "delivery")
    yield
    with db.transaction() as session:
        session.execute(
            update(Topic).where(col(Topic.key) == "order_status").values(
                active=True, merged_into=None
            )
        )  # fmt: skip


@pytest.mark.usefixtures("merged")
def test_anchors_of_one_stage_and_merged_topics_are_the_same(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        ann = make_agent(session)
        ticket = inquiry(session, top=[("E", 0.5), ("C", 0.2), ("F", 0.3)])
        verdicts.choose(session, ann, ticket.ref, Head.STAGE, "F")
        verdicts.choose(session, ann, ticket.ref, Head.TOPIC, "delivery")
        said = session.exec(select(Correction).where(Correction.head == Head.TOPIC)).one()
        said.label = "order_status"
        session.add(said)

    found = view(db)

    assert found.stage.card.languages[0].right == share(1, 1)
    assert found.topic.card.languages[0].right == share(1, 1)
    assert "order_status" not in [line.label for line in found.topic.card.labels]


def test_the_random_part_is_what_was_drawn(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        ann = make_agent(session)
        for number in (24, 25, 28):
            ticket = inquiry(session)
            ticket.ref = f"t{number}"
            session.add(ticket)
            session.flush()
            if number < 28:
                verdicts.choose(session, ann, ticket.ref, Head.STAGE, "D")

    found = view(db).stage.card

    assert [drawn(f"t{number}") for number in (24, 25, 28)] == [False, True, True]
    assert (found.seen, found.judged, found.drawn, found.drawn_judged) == (3, 2, 2, 1)


@pytest.mark.parametrize("n", [1, 3])
def test_the_report_asks_a_fixed_number_of_times(sqlite_db: Database, n: int) -> None:
    with clock.at(NOON), sqlite_db.transaction() as session:
        for _ in range(n):
            inquiry(session)

    with statements(sqlite_db) as seen:
        view(sqlite_db)

    assert len(seen) == 7


def test_agents_may_not(sqlite_db: Database) -> None:
    with sqlite_db.reading() as session, pytest.raises(NotAllowed):
        report.view(session, ANN, vocabulary.current(session))
    with sqlite_db.reading() as session, pytest.raises(NotAllowed):
        labelled.collect(session, ANN, Head.STAGE)


def test_what_is_exported_comes_with_the_names_to_leave_out(db: Database) -> None:
    with clock.at(NOON), db.transaction() as session:
        ann = make_agent(session)
        yumi = make_customer(session, "Yumi Takahashi", company="Takahashi Pottery")
        ticket = inquiry(session, "The lid I got last week does not close any more.", customer=yumi)
        message = make_message(session, ticket, "Me too", author="Kenji")
        verdicts.choose(session, ann, ticket.ref, Head.STAGE, "G")
        verdicts.dismiss(
            session, ann, inquiry(session, "Buy our lists of addresses now!!!!!!!").ref
        )

    with db.reading() as session:
        found = labelled.collect(session, SYSTEM, Head.STAGE)

    assert message.author == "Kenji"
    assert [(row.text, row.label, row.language) for row in found.rows] == [
        ("The lid I got last week does not close any more.", "G", "en"),
        ("Buy our lists of addresses now!!!!!!!", "", "en"),
    ]
    assert found.rows[0].names == {"Yumi Takahashi", "Kenji"}
    assert found.rows[0].firms == {"Takahashi Pottery"}
    assert found.agents == {"Ann Bell"}


def test_the_card_wants_what_the_model_acts_from() -> None:
    assert findings.WANTED == ACTED_PRECISION * 100

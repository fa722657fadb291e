"""The touchpoint map from recorded contacts and answers."""

from datetime import timedelta

from sqlmodel import Session

from app.core import clock, secrets
from app.domain.score import share
from app.domain.words import Role, Status, SurveyState
from app.services.access import Actor
from app.services.queries import journey, vocabulary
from app.services.queries.journey import Scope
from app.store.database import Database
from app.store.tables import Answer, Survey, Ticket
from tests.counting import statements
from tests.factories import NOON, make_ticket, make_touchpoint

ANN = Actor("Ann", Role.AGENT)


def rate(session: Session, ticket: Ticket, stage: str, *scores: int, suspect: str = "") -> None:
    """A request that was answered, and corrected once for each further score."""
    survey = Survey(
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        resolution=1,
        state=SurveyState.ANSWERED,
        language="en",
        nonce=secrets.new_token(),
        resolved_at=NOON,
        due_at=NOON,
    )
    session.add(survey)
    session.flush()
    for revision, score in enumerate(scores, 1):
        answer = Answer(
            survey_id=survey.id,
            revision=revision,
            score=score,
            comment=f"said {score}",
            suspect=suspect,
            at=NOON,
        )
        session.add(answer)
        session.flush()
        if revision == 1:
            make_touchpoint(session, ticket, stage, answer_id=answer.id)


def cells(db: Database, scope: Scope) -> dict[tuple[str, str], tuple[int, object]]:
    with clock.at(NOON + timedelta(days=1)), db.reading() as session:
        found = journey.map(session, ANN, vocabulary.current(session), scope)
    return {
        (cell.column.key, line.key): (cell.contacts, cell.share)
        for line, row in found.rows
        for cell in row
        if cell.contacts or cell.share
    }


def test_map_counts_contacts_and_the_newest_answer_of_each_request(db: Database) -> None:
    with db.transaction() as session:
        for stage, scores in (("F", (5,)), ("E", (2, 4)), ("F", (1,))):
            ticket = make_ticket(session)
            make_touchpoint(session, ticket, stage)
            rate(session, ticket, stage, *scores)
        doubted = make_ticket(session)
        rate(session, doubted, "F", 1, suspect="too fast")
        make_touchpoint(session, doubted, "C", "business", automatic=True)
        make_touchpoint(session, doubted, "C", "business", channel="chat")
        make_touchpoint(session, doubted, "D", sample=True)

    assert cells(db, Scope()) == {
        ("satisfaction", "returning"): (3, share(2, 3)),
        ("engagement", "business"): (1, None),
    }
    assert cells(db, Scope(channel="chat")) == {("engagement", "business"): (1, None)}


def test_map_leaves_out_what_is_older_than_asked_for(db: Database) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session)
        make_touchpoint(session, ticket, "D", at=NOON - timedelta(days=40))

    assert cells(db, Scope(days=30)) == {}
    assert cells(db, Scope(days=0)) == {("conversion", "returning"): (1, None)}


def test_map_costs_one_statement_for_the_figures(db: Database) -> None:
    with db.transaction() as session:
        for stage in "CDF":
            make_touchpoint(session, make_ticket(session), stage)

    with db.reading() as session:
        words = vocabulary.current(session)
        with statements(db) as seen:
            journey.map(session, ANN, words, Scope(days=0))

    assert len(seen) == 3  # the figures, what is only suggested, and the names of the segments


def test_the_map_says_of_how_many_nobody_confirmed_the_stage(db: Database) -> None:
    with db.transaction() as session:
        for by in ("person", "model", "suggestion", "suggestion"):
            ticket = make_ticket(session, stage="F", stage_by=by)
            make_touchpoint(session, ticket, "F")
            make_touchpoint(session, ticket, "F")
        make_touchpoint(session, make_ticket(session), "")

    with db.reading() as session:
        found = journey.map(session, ANN, vocabulary.current(session), Scope(days=0))

    assert (found.inquiries, found.suggested) == (4, 2)


def test_cell_opens_its_tickets_and_what_was_said(db: Database) -> None:
    with db.transaction() as session:
        ticket, other = make_ticket(session), make_ticket(session)
        make_touchpoint(session, ticket, "F")
        make_touchpoint(session, other, "D")
        rate(session, ticket, "F", 2)

    with db.reading() as session:
        words = vocabulary.current(session)
        found = journey.cell(session, ANN, words, Scope(0), ("satisfaction", "returning"))

    assert found.ticket_ids == (ticket.id,)
    assert [(quote.score, quote.comment, quote.ref) for quote in found.quotes] == [
        (2, "said 2", ticket.ref)
    ]


def test_spam_is_no_contact_of_a_customer(db: Database) -> None:
    with db.transaction() as session:
        kept, spam = make_ticket(session), make_ticket(session, status=Status.SPAM)
        for ticket in (kept, spam):
            make_touchpoint(session, ticket, "C")
        rate(session, spam, "C", 1)
        kept_id = kept.id

    with clock.at(NOON + timedelta(days=1)), db.reading() as session:
        words = vocabulary.current(session)
        found = journey.map(session, ANN, words, Scope())
        where = next(
            (cell.column.key, line.key) for line, row in found.rows for cell in row if cell.contacts
        )
        behind = journey.cell(session, ANN, words, Scope(), where)

    assert [cell.contacts for _, row in found.rows for cell in row if cell.contacts] == [1]
    assert (behind.ticket_ids, behind.quotes) == ((kept_id,), ())

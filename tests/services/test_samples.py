"""Sample inquiries: what they show, what never counts them, and that they leave nothing behind."""

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from app.core.errors import NotAllowed
from app.domain.words import FLAGS, ArrivalState, FollowUpState, Role, Status, SurveyState
from app.services import drafts, integrity, samples, tickets
from app.services.access import SYSTEM, Actor
from app.services.queries import frame, inbox, journey, neighbours, vocabulary
from app.services.queries import ticket as queries_ticket
from app.services.queries.inbox import Selection
from app.services.queries.journey import Scope
from app.services.queries.neighbours import State
from app.services.sample_texts import INQUIRIES
from app.store import search
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import (
    Arrival,
    Change,
    Customer,
    FollowUp,
    Organisation,
    PredictionRow,
    Survey,
    Ticket,
    Touchpoint,
    metadata,
)
from tests.factories import make_inbox
from tests.inquiries import Desk, inquiry

KINDS = ("chat", "phone")  # beside the desk's own mail inbox
ADMIN = Actor(name="Ann Bell", role=Role.ADMIN)
NOT_OURS = {"change", "organisation"}  # who did what stays; the organisation forgets its mark


@pytest.fixture
def shop(desk: Desk) -> Desk:
    with desk.db.transaction() as session:
        for kind in KINDS:
            make_inbox(session, kind, address="", built_in=True)
    return desk


def _counts(db: Database) -> dict[str, int]:
    with db.reading() as session:
        names = [name for name in metadata.tables if name not in NOT_OURS]
        return {
            name: int(
                session.execute(
                    select(func.count()).select_from(metadata.tables[name])
                ).scalar_one()
            )
            for name in names
        } | {
            "search": session.connection().execute(text("SELECT count(*) FROM search")).scalar_one()
        }


def test_add_makes_every_inquiry_once(shop: Desk) -> None:
    made = shop.do(samples.add, ADMIN)
    again = shop.do(samples.add, ADMIN)

    rows = shop.all(Ticket)
    assert (made, again) == (len(INQUIRIES), 0)
    assert all(row.sample for row in rows)
    assert {row.language for row in rows} == {"ja", "de", "en"}
    assert {row.channel for row in rows} == {"email", "chat", "phone"}
    assert {row.status for row in rows} >= {Status.OPEN, Status.WAITING, Status.RESOLVED}
    assert all(row.sample for row in shop.all(Customer))
    assert shop.all(Organisation)[0].samples_at is not None


def test_add_leaves_out_what_has_no_inbox(desk: Desk) -> None:
    made = desk.do(samples.add, ADMIN)

    assert made == sum(one.kind == "email" for one in INQUIRIES)
    assert {row.channel for row in desk.all(Ticket)} == {"email"}


def test_every_language_shows_flags_and_an_answer_to_something_similar(shop: Desk) -> None:
    shop.do(samples.add, ADMIN)

    rows = shop.all(Ticket)
    with shop.db.reading() as session:
        beside = {row.id: neighbours.view(session, shop.ann, row.ref) for row in rows}
    answered = {row.language for row in rows if any(one.answer for one in beside[row.id].similar)}
    assert answered == {"ja", "de", "en"}
    assert {one.state for one in beside.values()} == {State.DONE}
    flags = {(row.language, head) for row in rows for head in FLAGS if getattr(row, head)}
    assert {language for language, _ in flags} == {"ja", "de", "en"}
    assert {head for _, head in flags} == set(FLAGS)


def test_nobody_is_said_to_have_learned_what_is_written_on_samples(shop: Desk) -> None:
    shop.do(samples.add, ADMIN)

    assert {(row.model, row.basis) for row in shop.all(PredictionRow)} == {("sample", "")}


def test_add_needs_an_administrator(shop: Desk) -> None:
    with pytest.raises(NotAllowed):
        shop.do(samples.add, shop.ann)

    assert shop.all(Ticket) == []


def test_samples_are_found_and_sound(shop: Desk, blobs: Blobs) -> None:
    shop.do(samples.add, ADMIN)

    with shop.db.reading() as session:
        assert integrity.problems(session, blobs) == []
        found = [session.get_one(Ticket, number).subject for number in search.find(session, "返品")]
    assert set(found) == {"注文番号 K-20418 の返品について", "ライトの色味が合わず、返品したいです"}


def test_samples_are_not_on_the_map_and_nobody_is_asked(shop: Desk) -> None:
    shop.do(samples.add, ADMIN)

    with shop.db.reading() as session:
        words = vocabulary.current(session)
        counted = journey.map(session, SYSTEM, words, Scope(days=0))
    assert (counted.contacts, counted.answers) == (0, 0)
    assert all(point.sample for point in shop.all(Touchpoint))
    assert {row.state for row in shop.all(Survey)} == {SurveyState.ANSWERED}
    ticket = next(row for row in shop.all(Ticket) if row.status is Status.OPEN)
    shop.do(tickets.resolve, shop.ann, ticket.ref)
    assert shop.all(Survey)[-1].reason == "This is a sample inquiry."


def test_a_bad_sample_rating_is_followed_up(shop: Desk) -> None:
    shop.do(samples.add, ADMIN)

    with shop.db.reading() as session:
        around = frame.view(session, shop.ann)

    assert [row.state for row in shop.all(FollowUp)] == [FollowUpState.OPEN]
    assert around is not None
    assert around.counts.follow_ups == 0


def test_remove_leaves_no_row_behind(shop: Desk) -> None:
    shop.ticket()
    before = _counts(shop.db)
    shop.do(samples.add, ADMIN)
    ticket = next(row for row in shop.all(Ticket, channel="email") if row.sample)
    shop.do(tickets.reply, shop.ann, ticket.ref, tickets.Draft("Thank you for writing."))
    shop.do(tickets.note, shop.ann, ticket.ref, "Only to try it.")
    shop.do(drafts.save, shop.ann, ticket.ref, "A beginning")
    shop.do(tickets.mark_seen, shop.ann, ticket.ref)

    removed = shop.do(samples.remove, ADMIN)

    assert removed == len(INQUIRIES)
    assert _counts(shop.db) == before
    assert shop.all(Organisation)[0].samples_at is None
    assert shop.do(samples.remove, ADMIN) == 0


def test_remove_keeps_what_really_came(shop: Desk, blobs: Blobs) -> None:
    shop.do(samples.add, ADMIN)
    sample = next(one for one in INQUIRIES if one.kind == "email")
    arrival = shop.arrive(inquiry(sender=sample.address))
    blobs.put(arrival.external_id.encode())

    shop.do(samples.remove, ADMIN)

    [ticket] = shop.all(Ticket)
    [customer] = shop.all(Customer)
    assert (ticket.sample, customer.sample, customer.name) == (False, False, sample.name)
    assert shop.all(Arrival)[0].state is ArrivalState.FILED
    with shop.db.reading() as session:
        assert integrity.problems(session, blobs) == []


def test_remove_says_what_became_of_an_answer_to_a_sample(shop: Desk, blobs: Blobs) -> None:
    shop.do(samples.add, ADMIN)
    ticket = next(row for row in shop.all(Ticket, channel="email"))
    draft = tickets.Draft("Try it.", to=("colleague@shop.test",))
    message = shop.do(tickets.reply, shop.ann, ticket.ref, draft)
    arrival = shop.kept()
    blobs.put(arrival.external_id.encode())
    with shop.db.transaction() as session:
        row = session.get_one(Arrival, arrival.id)
        row.state, row.reason, row.copy_of_id = ArrivalState.COPY, "Again.", message.id
        session.add(row)

    shop.do(samples.remove, ADMIN)

    [left] = shop.all(Arrival)
    assert (left.state, left.copy_of_id, left.reason) == (
        ArrivalState.DISCARDED,
        None,
        "It belonged to a sample inquiry, which was removed.",
    )
    assert [change.what for change in shop.all(Change)][-1] == "samples_removed"
    with shop.db.reading() as session:
        assert integrity.problems(session, blobs) == []


def test_the_list_and_the_ticket_say_the_same_probability(shop: Desk) -> None:
    shop.do(samples.add, ADMIN)

    with shop.db.reading() as session:
        words = vocabulary.current(session)
        for ticket in shop.all(Ticket, stage_by="suggestion"):
            shown = queries_ticket.view(session, shop.ann, ticket.ref, words).triage.stage
            listed = inbox.rows(session, shop.ann, Selection(refs=(ticket.ref,))).rows[0]
            assert shown.guesses[0].probability == listed.stage_probability

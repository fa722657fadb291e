"""A sound database has no problem, and each thing that can go wrong is found and named."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from app.core import secrets
from app.domain.words import ArrivalState
from app.services import intake, integrity, outbox, surveys, tickets
from app.services.integrity import InboxBalance, Problem
from app.services.tickets import Draft, NewFile
from app.store import search
from app.store.blobs import Blobs
from app.store.tables import Arrival, Attachment, Customer, Message, Survey
from channels.contract import Phase, Rendered, Sent
from tests.inquiries import LINKS, Desk, inquiry
from tests.services.conftest import Forward


@pytest.fixture
def sound(desk: Desk, blobs: Blobs, forward: Forward) -> Desk:
    """One inquiry all the way round with a bad rating, a copy, and one each that was ignored, set
    aside and refused."""
    ticket = desk.ticket(inquiry(canonical="the same"))
    file = NewFile("note.txt", "text/plain", blobs.put(b"Turn left."), 10)
    reply = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("See the note.", files=(file,)))
    _send(desk, blobs, reply.id)
    desk.do(tickets.note, desk.ann, ticket.ref, "She was friendly.")
    with desk.db.transaction() as session:
        customer = session.get_one(Customer, ticket.customer_id)
        customer.may_ask = True
        session.add(customer)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    survey = desk.surveys()[0]
    forward(timedelta(days=4))
    desk.do(surveys.ask, desk.keys, survey.id, reachable=True)
    [request] = desk.all(Message, request=True)
    _send(desk, blobs, request.id)
    token = desk.keys.survey_token(survey.nonce)
    desk.do(surveys.answer, token, surveys.Rating(1, "Too late."))
    desk.arrive(inquiry(canonical="the same"))
    desk.ignored("A receipt.")
    desk.do(intake.set_aside, desk.kept().id, "It is empty.")
    desk.do(intake.refuse, desk.inbox.id, "too large", 99, "Larger than 50 MB.")
    for arrival in desk.all(Arrival):
        if arrival.sha256:
            blobs.put(arrival.external_id.encode())  # what `kept` says it stored
    return desk


def _send(desk: Desk, blobs: Blobs, message_id: int) -> None:
    parcel = desk.do(outbox.pack, desk.keys, "worker", message_id, LINKS)
    body = f"message {message_id}".encode()
    rendered = Rendered(f"{message_id}@shop.test", body)
    desk.do(outbox.keep_rendered, message_id, rendered, blobs.put(body))
    desk.do(outbox.mark_phase, message_id, parcel.holder, Phase.AMBIGUOUS)
    done = dict.fromkeys(parcel.recipients, Sent("250 queued"))
    desk.do(outbox.settle, message_id, parcel.holder, done)


def _problems(desk: Desk, blobs: Blobs) -> list[Problem]:
    with desk.db.reading() as session:
        return integrity.problems(session, blobs)


def test_problems_finds_none_where_everything_is_right(sound: Desk, blobs: Blobs) -> None:
    assert _problems(sound, blobs) == []


def test_balance_counts_every_state_of_an_inbox(sound: Desk) -> None:
    with sound.db.reading() as session:
        found = integrity.balance(session)

    counts = {"filed": 1, "copy": 1, "ignored": 1, "set_aside": 1, "refused": 1}
    by_state = {state: counts.get(state, 0) for state in ArrivalState}
    assert found == [InboxBalance(sound.inbox.id, "Support", 5, by_state)]


BREAKS: list[tuple[str, str, str]] = [
    # what somebody or something did, the kind of row, and what is said of it
    (
        "UPDATE arrival SET reason = '' WHERE state = 'ignored'",
        "arrival",
        "is not waiting any more and has no reason",
    ),
    (
        "UPDATE arrival SET state = 'filed' WHERE state = 'set_aside'",
        "arrival",
        "is filed and names no message",
    ),
    (
        "UPDATE arrival SET state = 'ignored' WHERE state = 'filed'",
        "arrival",
        "became a message and is not filed",
    ),
    (
        "UPDATE arrival SET copy_of_id = NULL WHERE state = 'copy'",
        "arrival",
        "is a copy and does not name the message it repeats",
    ),
    (
        "UPDATE arrival SET sha256 = '' WHERE state = 'ignored'",
        "arrival",
        "was not refused and has no raw bytes",
    ),
    (
        "UPDATE delivery SET state = 'sending', held_by = 'w', changed_at = '2026-11-01 00:00'",
        "delivery",
        "has been under way for longer than any attempt takes",
    ),
    (
        "UPDATE delivery SET state = 'retry', next_at = NULL",
        "delivery",
        "is due and has no time",
    ),
    (
        "UPDATE delivery SET next_at = '2026-11-01 00:00'",
        "delivery",
        "is over and has a time when it is tried",
    ),
    (
        "UPDATE delivery SET state = 'in_doubt', words = 'why', phase = 'talking'",
        "delivery",
        "is in doubt, though nothing had been handed over",
    ),
    (
        "UPDATE delivery SET state = 'held', words = ''",
        "delivery",
        "did not get there and does not say why",
    ),
    (
        "UPDATE message SET rendered_sha256 = ''",
        "delivery",
        "was sent and what was sent is not kept",
    ),
    ("UPDATE delivery SET attempts = 0", "delivery", "was sent without an attempt"),
    ("DELETE FROM delivery", "message", "goes out and has no delivery"),
    (
        "UPDATE ticket SET resolutions = 2",
        "ticket",
        "was resolved without a feedback request or a reason why none",
    ),
    (
        "UPDATE survey SET message_id = NULL",
        "survey",
        "was written and names no message",
    ),
    (
        "UPDATE survey SET state = 'sent'",
        "survey",
        "was answered and does not count as answered",
    ),
    ("UPDATE answer SET score = 6", "answer", "is no rating from 1 to 5"),
    (
        "DELETE FROM follow_up",
        "answer",
        "is bad or asks to be called, and nobody follows up",
    ),
    (
        "UPDATE follow_up SET state = 'resolved'",
        "follow-up",
        "is closed though nobody answered the customer",
    ),
    ("UPDATE ticket SET message_count = 9", "ticket", "counts other messages than it has"),
    (
        "DELETE FROM touchpoint WHERE message_id IS NOT NULL",
        "message",
        "is a contact and not exactly one touchpoint",
    ),
    (
        "DELETE FROM touchpoint WHERE answer_id IS NOT NULL",
        "survey",
        "was rated and that is not exactly one touchpoint",
    ),
    (
        "UPDATE touchpoint SET message_id = (SELECT id FROM message WHERE kind = 'note')",
        "message",
        "is no contact and has a touchpoint",
    ),
    ("DELETE FROM search", "message", "cannot be found: run setten reindex"),
]


@pytest.mark.parametrize(("statement", "kind_of_row", "words"), BREAKS)
def test_problems_finds_what_was_broken(
    sound: Desk, blobs: Blobs, statement: str, kind_of_row: str, words: str
) -> None:
    with sound.db.transaction() as session:
        session.connection().execute(text(statement))

    found = {(one.kind, one.words) for one in _problems(sound, blobs)}

    assert (kind_of_row, words) in found
    assert all(one.ids for one in _problems(sound, blobs))


def test_problems_names_a_mail_that_became_two_messages(sound: Desk, blobs: Blobs) -> None:
    [arrival] = sound.all(Arrival, state=ArrivalState.FILED)
    with sound.db.transaction() as session:
        note = session.exec(select(Message).where(Message.text == "She was friendly.")).one()
        note.arrival_id = arrival.id
        session.add(note)

    found = _problems(sound, blobs)

    assert found == [Problem("arrival", "is one mail and became several messages", (arrival.id,))]


def test_problems_names_a_file_that_is_gone(sound: Desk, blobs: Blobs) -> None:
    [attachment] = sound.all(Attachment)
    blobs.path(attachment.sha256).unlink()

    assert _problems(sound, blobs) == [
        Problem("attachment", "has lost its file, or the file is damaged", (attachment.id,))
    ]


def test_problems_names_a_file_that_changed(sound: Desk, blobs: Blobs) -> None:
    message = next(one for one in sound.all(Message) if one.rendered_sha256)
    blobs.path(message.rendered_sha256).write_bytes(b"something else")

    assert _problems(sound, blobs) == [
        Problem("message", "has lost its file, or the file is damaged", (message.id,))
    ]


def test_problems_names_an_attachment_of_another_size(sound: Desk, blobs: Blobs) -> None:
    [attachment] = sound.all(Attachment)
    _change(sound, "UPDATE attachment SET size = 11")

    assert _problems(sound, blobs) == [
        Problem("attachment", "has another size than it says", (attachment.id,))
    ]


def test_problems_names_what_search_finds_in_vain(sound: Desk, blobs: Blobs) -> None:
    with sound.db.transaction() as session:
        _index_nothing(session)

    assert _problems(sound, blobs) == [
        Problem("search", "finds messages that are not there", (99_999,))
    ]


def _index_nothing(session: Session) -> None:
    search.index(session, search.Entry(99_999, 1, ("nothing",)))


def _change(desk: Desk, statement: str, **values: Any) -> None:
    with desk.db.transaction() as session:
        session.connection().execute(text(statement), values)


def test_problems_accepts_a_resolution_that_asked_nobody(desk: Desk, blobs: Blobs) -> None:
    ticket = desk.ticket()
    for arrival in desk.all(Arrival):
        blobs.put(arrival.external_id.encode())

    desk.do(tickets.resolve, desk.ann, ticket.ref)

    assert [survey.reason for survey in desk.all(Survey)] == [
        "No answer of a person has reached the customer."
    ]
    assert _problems(desk, blobs) == []


def test_problems_reads_files_by_what_they_hold(desk: Desk, blobs: Blobs) -> None:
    arrival = desk.kept()

    assert arrival.sha256 == secrets.digest(arrival.external_id)
    assert _problems(desk, blobs) == [
        Problem("arrival", "has lost its file, or the file is damaged", (arrival.id,))
    ]

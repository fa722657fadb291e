"""What was tagged is compared with what came before; screens read what was found, both ways."""

import asyncio
import struct
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlmodel import select

from app.services import merging, neighbours, tickets
from app.services.queries import neighbours as query
from app.services.queries.neighbours import Beside, State
from app.store.tables import Meaning, Neighbour, Ticket
from app.worker.compare import compare
from app.worker.file import file
from tests.fakes import raw
from tests.inquiries import guess, inquiry
from tests.worker.conftest import Plant

PORTAL = "Since this morning the portal shows a blank page after I enter my password."
PORTAL_AGAIN = "since this morning the Portal shows a blank page after I entered my password!!"
BLANK = "I cannot log in any more, there is nothing but white on the screen."
CHAIRS = "The driver has called and then did not come with our new chairs at all."
LOGIN, NEAR_LOGIN, DELIVERY = (1.0, 0.0, 0.1), (0.9, 0.2, 0.1), (0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Office:
    """Where customers write what means something, and a worker compares it."""

    plant: Plant

    def ticket(
        self, text: str, meaning: tuple[float, ...], who: str = "yumi", space: str = "test"
    ) -> Ticket:
        vector = struct.pack(f"<{len(meaning)}e", *meaning)
        said = replace(guess("F", "fault_repair"), vector=vector, space=space)
        message = inquiry(f"{who}@customers.test", text, subject=text[:20])
        return self.plant.desk.ticket(message, prediction=said)

    def compared(self) -> None:
        asyncio.run(compare(self.plant.works))

    def beside(self, ticket: Ticket) -> Beside:
        with self.plant.desk.db.reading() as session:
            return query.view(session, self.plant.desk.ann, ticket.ref)

    def similar(self, ticket: Ticket) -> list[tuple[str, str]]:
        return [(one.ref, one.answer) for one in self.beside(ticket).similar]


@pytest.fixture
def office(plant: Plant) -> Office:
    return Office(plant)


def test_the_meaning_is_kept_and_waits_to_be_compared(office: Office) -> None:
    ticket = office.ticket(PORTAL, LOGIN)
    office.plant.desk.ticket(inquiry(), prediction=guess("F", None))  # says nothing

    [kept] = office.plant.desk.all(Meaning)
    assert (kept.ticket_id, kept.space, len(kept.vector)) == (ticket.id, "test", 6)
    assert office.beside(ticket) == Beside(State.SOON)
    with office.plant.desk.db.reading() as session:
        assert neighbours.waiting(session)

    office.compared()

    assert office.beside(ticket) == Beside(State.DONE)
    with office.plant.desk.db.reading() as session:
        assert not neighbours.waiting(session)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_nothing_is_compared_while_much_waits_to_be_filed(office: Office) -> None:
    ticket = office.ticket(PORTAL, LOGIN)
    office.plant.kept(*(raw(f"one of many, {number}") for number in range(neighbours.MANY + 1)))

    office.compared()
    assert office.beside(ticket) == Beside(State.SOON)

    asyncio.run(file(office.plant.works, office.plant.inbox_id))
    office.compared()
    assert office.beside(ticket) == Beside(State.DONE)


def test_an_answered_ticket_stands_first_without_whom_it_was_written_to(office: Office) -> None:
    desk = office.plant.desk
    answered = office.ticket(BLANK, NEAR_LOGIN, "bob")
    desk.answered(answered, "Dear Yumi,\n\nclear the cookies, Yumi.\n\nAnn Bell")
    waiting = office.ticket("It is all white here, what am I to do now?", LOGIN, "eve")
    office.ticket(CHAIRS, DELIVERY, "joe")
    asked = office.ticket(PORTAL, LOGIN)

    office.compared()

    assert office.similar(asked) == [
        (answered.ref, "clear the cookies, …."),
        (waiting.ref, ""),
    ]
    [first, _] = office.beside(asked).similar
    assert (first.answered_by, first.own, first.score) == ("Ann Bell", False, None)
    assert first.topic is not None
    assert first.topic["en"] == "Fault & repair"
    # What was found by the later one is seen from the earlier one as well.
    assert office.similar(waiting)[0] == (answered.ref, "clear the cookies, ….")
    assert {ref for ref, _ in office.similar(answered)} == {waiting.ref, asked.ref}


def test_what_was_not_sent_is_no_answer_and_no_inquiry_is_not_similar(office: Office) -> None:
    desk = office.plant.desk
    unsent = office.ticket(BLANK, NEAR_LOGIN, "bob")
    desk.do(tickets.reply, desk.ann, unsent.ref, tickets.Draft("Clear the cookies."))
    spam = office.ticket("White, all of it is white today.", LOGIN, "eve")
    asked = office.ticket(PORTAL, LOGIN)
    office.compared()
    assert {ref for ref, _ in office.similar(asked)} == {unsent.ref, spam.ref}

    desk.do(tickets.mark_spam, desk.ann, spam.ref)

    assert office.similar(asked) == [(unsent.ref, "")]
    assert office.beside(spam) == Beside(State.IMPOSSIBLE)


def test_vectors_of_different_spaces_are_never_compared(office: Office) -> None:
    office.ticket(BLANK, LOGIN, "bob", space="another model's")
    office.ticket(BLANK, (*LOGIN, 0.0), "eve")
    asked = office.ticket(PORTAL, LOGIN)

    office.compared()

    assert office.beside(asked) == Beside(State.DONE)


def test_copies_by_the_same_customer_and_by_others_are_told_apart(office: Office) -> None:
    desk = office.plant.desk
    first = office.ticket(PORTAL, LOGIN)
    other = office.ticket(PORTAL_AGAIN, LOGIN, "bob")
    done = office.ticket(PORTAL, LOGIN, "eve")
    desk.do(tickets.resolve, desk.ann, done.ref)
    again = office.ticket(PORTAL_AGAIN, LOGIN)

    office.compared()

    beside = office.beside(again)
    assert [one.ref for one in beside.copies] == [first.ref]
    assert [one.ref for one in beside.others] == [other.ref]
    assert beside.others_count == 1
    assert [one.ref for one in office.beside(first).copies] == [again.ref]
    assert len({row.alike for row in desk.all(Meaning)}) == 1

    desk.do(merging.keep_apart, desk.ann, first.ref, again.ref)

    assert office.beside(again).copies == office.beside(first).copies == ()


def test_the_same_text_weeks_later_is_another_inquiry(office: Office) -> None:
    first = office.ticket(PORTAL, LOGIN)
    office.plant.forward(timedelta(days=15))
    again = office.ticket(PORTAL, LOGIN)

    office.compared()

    assert office.beside(again).copies == ()
    assert [ref for ref, _ in office.similar(again)] == [first.ref]


def test_two_sorts_of_copies_become_one(office: Office) -> None:
    desk = office.plant.desk
    found = [office.ticket(text, LOGIN, who) for text, who in ((PORTAL, "a"), (PORTAL, "b"))]
    for number, ticket in enumerate(found, 7):
        with desk.db.transaction() as session:
            row = session.exec(select(Meaning).where(Meaning.ticket_id == ticket.id)).one()
            row.alike, row.compared_at = number, ticket.created_at
    office.ticket(PORTAL, LOGIN, "c")

    office.compared()

    assert [row.alike for row in desk.all(Meaning)] == [7, 7, 7]


def test_joined_tickets_keep_one_meaning_and_are_nobodys_neighbour(office: Office) -> None:
    desk = office.plant.desk
    older, newer = office.ticket(BLANK, LOGIN), office.ticket(PORTAL, NEAR_LOGIN)
    office.compared()
    assert len(desk.all(Neighbour)) == 1

    desk.do(merging.merge, desk.ann, older.ref, newer.ref)

    assert [row.ticket_id for row in desk.all(Meaning)] == [older.id]
    assert desk.all(Neighbour) == []
    with desk.db.reading() as session:  # under its former name
        assert query.view(session, desk.ann, newer.ref) == Beside(State.DONE)


def test_what_another_worker_found_first_stays(office: Office) -> None:
    desk = office.plant.desk
    first, second = office.ticket(BLANK, LOGIN, "bob"), office.ticket(PORTAL, LOGIN)
    found = [neighbours.Found(second.id, {first.id: 0.9, 12345: 0.9}, [first.id, 12345])]

    desk.do(neighbours.keep, found)
    desk.do(neighbours.keep, [neighbours.Found(second.id, {first.id: 0.1})])

    assert [(row.other_id, row.likeness) for row in desk.all(Neighbour)] == [(first.id, 0.9)]

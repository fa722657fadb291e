"""The composer: an answer that can be taken back, one for later, and what comes back of them."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlmodel import select

from app.core import clock
from app.domain.words import MessageKind, Status
from app.store.database import Database
from app.store.tables import Attachment, Inbox, Message, Resting, Ticket
from tests.factories import make_customer, make_inbox, make_message, make_ticket
from tests.web.conftest import Person


@pytest.fixture
def ref(db: Database) -> str:
    with db.transaction() as session:
        customer = make_customer(session, "Yumi", "yumi@customers.test")
        ticket = make_ticket(session, make_inbox(session), customer, subject="Lid")
        make_message(session, ticket, "It does not close.", author="Yumi")
        return ticket.ref


def sent(db: Database) -> list[Message]:
    with db.reading() as session:
        return list(session.exec(select(Message).where(Message.kind == MessageKind.OUTBOUND)))


def status(db: Database, ref: str) -> Status:
    with db.reading() as session:
        return session.exec(select(Ticket).where(Ticket.ref == ref)).one().status


def test_an_answer_is_taken_back_with_everything_in_it(db: Database, ann: Person, ref: str) -> None:
    form = {"text": "We send **one**.", "to": "yumi@customers.test", "cc": "boss@customers.test"}
    files = {"files": ("proof.txt", b"as promised", "text/plain")}
    answer = ann.client.post(f"/tickets/{ref}/reply", data=form, files=files)
    [message] = sent(db)
    page = ann.client.get(answer.headers["location"]).text
    path = f"/tickets/{ref}/replies/{message.id}/take-back"
    assert page.count(f'action="{path}"') == 2  # in the toast and below the answer
    assert "Leaves in a moment" in page

    answer = ann.client.post(path)

    assert answer.headers["location"] == f"/tickets/{ref}?view=open&did=taken_back&on={ref}"
    assert (sent(db), status(db, ref)) == ([], Status.OPEN)
    page = ann.client.get(answer.headers["location"]).text
    assert ">We send **one**.</textarea>" in page
    assert 'name="to" value="yumi@customers.test"' in page
    assert 'name="cc" value="boss@customers.test"' in page
    assert "Taken back, nothing was sent" in page
    assert "Ann took an answer back before it left" in page
    kept = re.search(r'name="kept" value="(\d+)" checked', page)
    assert kept is not None

    ann.client.post(f"/tickets/{ref}/reply", data={**form, "kept": kept.group(1)})

    with db.reading() as session:
        attached = session.exec(select(Attachment.name, Attachment.size)).all()
    assert list(attached) == [("proof.txt", 11)]


def test_what_has_left_is_not_taken_back(db: Database, ann: Person, ref: str) -> None:
    with db.transaction() as session:
        session.exec(select(Inbox)).one().undo_seconds = 0
    answer = ann.client.post(f"/tickets/{ref}/reply", data={"text": "Gone."})
    [message] = sent(db)
    assert answer.headers["location"] == f"/tickets/{ref}?view=open&did=sent&on={ref}"
    assert "take-back" not in ann.client.get(f"/tickets/{ref}").text

    answer = ann.client.post(f"/tickets/{ref}/replies/{message.id}/take-back")

    assert answer.status_code == 409
    assert "It has left already." in answer.text


def test_an_answer_is_planned_for_a_moment_of_the_organisation(
    db: Database, ann: Person, ref: str
) -> None:
    day = datetime.combine(clock.now().date() + timedelta(days=3), time(), UTC)
    # Nine in the morning where the organisation is.
    form = {"text": "Good morning.", "later": "at", "later_at": f"{day:%Y-%m-%d}T09:00"}
    answer = ann.client.post(f"/tickets/{ref}/reply", data=form)
    [message] = sent(db)
    with db.reading() as session:
        [row] = session.exec(select(Resting)).all()

    assert (row.until, row.scheduled) == (day, True)
    assert status(db, ref) is Status.SNOOZED
    page = ann.client.get(answer.headers["location"]).text
    assert "Planned for later" in page
    assert "Planned for yumi@customers.test, leaves" in page
    outbox = ann.client.get("/outbox?show=waiting").text
    assert "Planned for later" in outbox
    assert f'action="/tickets/{ref}/replies/{message.id}/take-back"' in outbox


def test_presets_plan_an_answer_with_one_button(db: Database, ann: Person, ref: str) -> None:
    page = ann.client.get(f"/tickets/{ref}").text
    preset = re.search(r'name="later" value="(20[^"]+)"', page)
    assert preset is not None

    ann.client.post(f"/tickets/{ref}/reply", data={"text": "Soon.", "later": preset.group(1)})

    with db.reading() as session:
        [row] = session.exec(select(Resting)).all()
    assert row.until == datetime.fromisoformat(preset.group(1))


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (21, ["In three hours", "Tomorrow morning", "Monday", "In a week"]),
        (22, ["In three hours", "Tomorrow morning", "In a week"]),  # a Sunday
        (23, ["In three hours", "Tomorrow morning", "In a week"]),
    ],
)
def test_no_moment_is_offered_twice(ann: Person, ref: str, day: int, names: list[str]) -> None:
    with clock.at(datetime(2026, 11, day, 3, tzinfo=UTC)):
        page = ann.client.get(f"/tickets/{ref}").text

    offered = re.findall(r'name="later" value="(20[^"]+)"><span>([^<]+)', page)
    assert [name for _, name in offered] == names
    assert len({moment for moment, _ in offered}) == len(names)


@pytest.mark.parametrize("at", ["", "soon", "2001-01-01T09:00"])
def test_an_answer_for_no_moment_is_kept_and_not_sent(
    db: Database, ann: Person, ref: str, at: str
) -> None:
    form = {"text": "My answer", "later": "at", "later_at": at}
    answer = ann.client.post(f"/tickets/{ref}/reply", data=form)

    assert answer.status_code == 422
    assert ">My answer</textarea>" in answer.text
    assert sent(db) == []


def test_the_api_sends_at_once_unless_it_is_asked_to_wait(
    db: Database, ann: Person, ref: str
) -> None:
    url = f"/api/tickets/{ref}/replies"
    ann.client.post(url, json={"text": "Now."})
    slow = ann.client.post(url, json={"text": "Soon.", "undo_seconds": 30}).json()
    later = (clock.now() + timedelta(days=1)).isoformat()
    planned = ann.client.post(url, json={"text": "Later.", "send_at": later}).json()
    wrong = ann.client.post(url, json={"text": "Later.", "send_at": "2001-01-01T00:00:00Z"})
    with db.reading() as session:
        rows = session.exec(select(Resting.message_id, Resting.scheduled)).all()
    assert sorted(rows) == [(slow["id"], False), (planned["id"], True)]
    assert wrong.status_code == 422

    answer = ann.client.post(f"{url}/{planned['id']}/take-back")

    assert (answer.status_code, answer.json()["ref"]) == (200, ref)
    assert [message.text for message in sent(db)] == ["Now.", "Soon."]

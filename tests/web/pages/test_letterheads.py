"""Signatures and first answers: written by an administrator, seen by whoever answers."""

import re

from sqlmodel import select

from app.store.database import Database
from app.store.tables import Letterhead, Organisation
from tests.factories import make_customer, make_inbox, make_message, make_ticket
from tests.web.conftest import Person

FORM = {
    "signature_en": "Best wishes, {agent}",
    "receipt_en": "We have it.",
    "closed_de": "Wir sind ab neun wieder da.",
    "opens": "08:30",
    "closes": "17:00",
    "days": ["1", "3"],
    "undo_seconds": "25",
}


def test_texts_and_hours_are_kept(db: Database, boss: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id
    path = f"/settings/inboxes/{inbox}/texts"

    answer = boss.client.post(path, data=FORM)

    assert answer.headers["location"] == f"{path}?did=saved"
    with db.reading() as session:
        rows = session.exec(select(Letterhead).order_by("language")).all()
        house = session.exec(select(Organisation)).one()
    assert [(row.language, row.signature, row.receipt, row.receipt_closed) for row in rows] == [
        ("de", "", "", "Wir sind ab neun wieder da."),
        ("en", "Best wishes, {agent}", "We have it.", ""),
        ("ja", "", "", ""),
    ]
    assert (house.open_days, house.opens_minute, house.closes_minute) == ("13", 510, 1020)
    page = boss.client.get(path).text
    assert 'name="undo_seconds" type="number" min="0" max="30" value="25"' in page
    assert ">Best wishes, {agent}</textarea>" in page
    assert 'value="08:30"' in page
    assert page.count('name="days" value="1" checked') == 1
    assert f'href="{path}"' in boss.client.get("/settings").text


def test_hours_that_end_before_they_begin_keep_what_was_typed(db: Database, boss: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id

    answer = boss.client.post(f"/settings/inboxes/{inbox}/texts", data={**FORM, "opens": "19:00"})

    assert answer.status_code == 422
    assert ">Best wishes, {agent}</textarea>" in answer.text


def test_a_preview_shows_what_a_customer_would_see_and_saves_nothing(
    db: Database, boss: Person
) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id
    path = f"/settings/inboxes/{inbox}/texts"
    form = {**FORM, "preview": "on", "receipt_en": "We have **{ticket}**.", "opens": "07:45"}

    page = boss.client.post(path, data=form)

    assert page.status_code == 200
    assert "<strong>#2k7w9x4m</strong>" in page.text
    assert f"Best wishes, {boss.actor.name}" in page.text
    assert "Nothing is saved yet." in page.text
    assert 'value="07:45"' in page.text
    with db.reading() as session:
        assert session.exec(select(Letterhead)).all() == []


def test_languages_are_open_where_something_is_written(db: Database, boss: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id
    path = f"/settings/inboxes/{inbox}/texts"

    def opened() -> list[str]:
        found = boss.client.get(path).text
        return re.findall(r'<details class="drawer" open>.*?<b lang="(\w+)">', found)

    before = opened()
    boss.client.post(path, data=FORM)

    assert (before, opened()) == (["en"], ["de", "en"])


def test_only_an_administrator_writes_them(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id
    path = f"/settings/inboxes/{inbox}/texts"

    assert ann.client.get(path).status_code == 403
    assert ann.client.post(path, data=FORM).status_code == 403
    with db.reading() as session:
        assert session.exec(select(Letterhead)).all() == []


def test_who_answers_sees_what_will_stand_below(db: Database, boss: Person, ann: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session)
        ticket = make_ticket(session, inbox, make_customer(session, "Yumi", "y@x.test"))
        make_message(session, ticket, "It does not close.")
        ref, number = ticket.ref, inbox.id
    boss.client.post(f"/settings/inboxes/{number}/texts", data=FORM)

    assert "<p>Best wishes, Ann</p>" in ann.client.get(f"/tickets/{ref}").text


def test_a_program_reads_and_writes_them_as_well(db: Database, boss: Person, ann: Person) -> None:
    with db.transaction() as session:
        inbox = make_inbox(session).id
    url = f"/api/inboxes/{inbox}/texts"
    none = {"signature": "", "receipt": "", "receipt_closed": ""}
    english = {"signature": "Best wishes, {agent}", "receipt": "We have it.", "receipt_closed": ""}
    assert boss.client.get(url).json() == {
        "undo_seconds": 10,
        "texts": {"ja": none, "de": none, "en": none},
    }

    written = boss.client.put(url, json={"undo_seconds": 0, "texts": {"en": english}})

    now = {"undo_seconds": 0, "texts": {"ja": none, "de": none, "en": english}}
    assert (written.status_code, written.json()) == (200, now)
    assert boss.client.get(url).json() == now
    refused = [
        boss.client.put(url, json={"undo_seconds": 31}).status_code,
        boss.client.put(url, json={"texts": {"fr": english}}).status_code,
        boss.client.put(url, json={"texts": {"en": {"receipt": "x" * 10_001}}}).status_code,
        ann.client.put(url, json={}).status_code,
        ann.client.get(url).status_code,
    ]
    assert refused == [422, 422, 422, 403, 403]
    assert boss.client.get(url).json() == now

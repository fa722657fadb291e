"""The inbox tells of topics about which unusually many write, and lists their inquiries."""

import re
from datetime import timedelta

import pytest

from app.core import clock
from app.store.database import Database
from app.store.tables import Surge
from tests.factories import make_ticket, topic_id
from tests.web.conftest import Person

BAR = re.compile(r'class="strip [^"]*alarm"[^>]*>.*?<p>(.*?) <a href="([^"]*)"')


@pytest.fixture
def surge(db: Database) -> Surge:
    """Nine wrote about deliveries within the last hour."""
    since = clock.now() - timedelta(hours=1)
    with db.transaction() as session:
        about = topic_id(session, "delivery")
        for n in range(9):
            make_ticket(session, subject=f"n{n}", topic_id=about, at=since)
        make_ticket(session, subject="another")
        made = Surge(topic_id=about, since=since, found_at=since, count=9, expected=2.4)
        session.add(made)
    return made


def told(person: Person, path: str = "/inbox") -> list[str]:
    return [words for words, _ in BAR.findall(person.client.get(path).text)]


def test_inbox_says_what_is_unusual_until_one_knows(ann: Person, lea: Person, surge: Surge) -> None:
    first = told(ann)
    answer = ann.client.post(f"/surges/{surge.id}/seen", data={"view": "triage"})

    assert [re.sub(r"since .*,", "since …,", one) for one in first] == [
        "Delivery: 9 inquiries since …, usually about 2."
    ]
    assert answer.headers["location"] == "/inbox?view=triage"
    assert (told(ann), told(lea)) == ([], first)


@pytest.mark.usefixtures("surge")
def test_alarm_leads_to_its_inquiries(ann: Person) -> None:
    [(_, path)] = BAR.findall(ann.client.get("/inbox").text)
    page = ann.client.get(path).text

    assert sorted(re.findall(r'<span class="line"[^>]*><b>([^<]*)</b>', page)) == [
        f"n{n}" for n in range(9)
    ]
    assert re.findall(r"<title>(.*?) · ", page) == ["Delivery (9)"]
    assert ann.client.get("/surges/7").status_code == 404


def test_the_same_over_the_api_and_for_monitoring(ann: Person, surge: Surge) -> None:
    listed = ann.client.get("/api/surges").json()
    rows = ann.client.get(f"/api/surges/{surge.id}/tickets?limit=5").json()
    seen = ann.client.post(f"/api/surges/{surge.id}/seen").status_code
    after = ann.client.get("/api/surges").json()

    assert [(one["topic"], one["count"], one["seen"]) for one in listed["alarms"]] == [
        ("delivery", 9, False)
    ]
    assert (len(rows["rows"]), bool(rows["next"]), seen) == (5, True, 204)
    assert [one["seen"] for one in after["alarms"]] == [True]
    assert 'setten_surge_tickets{topic="delivery"} 9.0' in ann.client.get("/metrics").text
    assert ann.client.post("/api/surges/7/seen").status_code == 404


def test_settings_tell_what_was_unusual(boss: Person, surge: Surge) -> None:
    page = boss.client.get("/settings/triage").text

    assert f'<a href="/surges/{surge.id}">Delivery</a>' in page
    assert "Three weeks must pass before it is known what is usual" in page

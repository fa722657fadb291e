"""The feedback page: only a person's Send records, and saying no is always possible."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.core import clock, secrets
from app.core.secrets import Keys
from app.domain.words import SurveyState
from app.services import upkeep
from app.store.database import Database
from app.store.tables import Answer, Customer, Survey
from tests.factories import make_customer, make_ticket

SPEAKS = {"accept-language": "de"}


@pytest.fixture
def link(db: Database, keys: Keys) -> str:
    nonce = secrets.new_token()
    token = keys.survey_token(nonce)
    now = clock.now()
    with db.transaction() as session:
        customer = make_customer(session, "Karin Weiß")
        ticket = make_ticket(session, customer=customer, subject="Der Deckel klemmt")
        session.add(
            Survey(
                ticket_id=ticket.id,
                customer_id=customer.id,
                resolution=1,
                state=SurveyState.SENT,
                language="de",
                nonce=nonce,
                digest=secrets.digest(token),
                resolved_at=now,
                due_at=now,
                sent_at=now - timedelta(hours=1),
                expires_at=now + timedelta(days=14),
            )
        )
    return f"/f/{token}"


def answers(db: Database) -> list[tuple[int, str, bool, str]]:
    with db.reading() as session:
        found = session.exec(select(Answer).order_by(Answer.id)).all()  # type: ignore[arg-type]
    return [(one.score, one.comment, one.wants_contact, one.suspect) for one in found]


def nonce_in(page: str) -> str:
    found = re.search(r'name="nonce" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def send(client: TestClient, link: str, wait: float = 5, **fields: str) -> int:
    """Open the page, read for `wait` seconds, send."""
    with clock.at(clock.now()) as forward:
        nonce = nonce_in(client.get(link).text)
        forward(timedelta(seconds=wait))
        answer = client.post(link, data={"nonce": nonce} | fields, headers=SPEAKS)
    return answer.status_code


def test_opening_the_page_records_nothing_whatever_the_address_says(
    db: Database, client: TestClient, link: str
) -> None:
    for query in ("", "?s=5", "?score=1&nonce=x", "?again=1"):
        page = client.get(link + query)
        client.head(link + query)

        assert page.status_code == 200
        assert page.text.count('type="radio" name="score"') == 5
        assert " checked" not in page.text

    assert answers(db) == []


def test_page_is_in_the_customers_language_and_names_nobody(client: TestClient, link: str) -> None:
    page = client.get(link)

    assert '<html lang="de"' in page.text
    assert "Wie zufrieden sind Sie mit der Bearbeitung?" in page.text
    assert "Der Deckel klemmt" in page.text
    assert "Karin" not in page.text
    assert page.headers["referrer-policy"] == "same-origin"


def test_send_records_and_thanks(db: Database, client: TestClient, link: str) -> None:
    status = send(client, link, score="4", comment="Schnell", contact="on")

    assert (status, answers(db)) == (303, [(4, "Schnell", True, "")])
    assert "Vielen Dank" in client.get(link).text


def test_answer_can_be_corrected_for_a_while(db: Database, client: TestClient, link: str) -> None:
    send(client, link, score="2")

    send(client, f"{link}?again=1", score="5")

    assert [score for score, *_ in answers(db)] == [2, 5]


@pytest.mark.parametrize("score", ["", "0", "6", "five", "4.5"])
def test_send_without_a_score_says_so_and_keeps_the_comment(
    db: Database, client: TestClient, link: str, score: str
) -> None:
    with clock.at(clock.now()) as forward:
        nonce = nonce_in(client.get(link).text)
        forward(timedelta(seconds=5))
        answer = client.post(
            link, data={"nonce": nonce, "score": score, "comment": "Nun ja"}, headers=SPEAKS
        )

    assert answer.status_code == 422
    assert ">Nun ja</textarea>" in answer.text
    assert answers(db) == []


@pytest.mark.parametrize("nonce", ["", "x", "1.abc", "99999999999.abc"])
def test_form_that_was_not_made_here_records_nothing(
    db: Database, client: TestClient, link: str, nonce: str
) -> None:
    answer = client.post(link, data={"nonce": nonce, "score": "1"}, headers=SPEAKS)

    assert (answer.status_code, answers(db)) == (422, [])


def test_form_that_lay_open_too_long_asks_to_send_once_more(
    db: Database, client: TestClient, link: str
) -> None:
    assert send(client, link, wait=3700, score="3") == 422
    assert answers(db) == []


@pytest.mark.parametrize(
    ("wait", "fields", "why"),
    [
        (1, {}, "sent within two seconds"),
        (9, {"website": "http://spam"}, "a field that people cannot see was filled in"),
    ],
)
def test_answer_that_looks_like_a_programs_is_kept_and_marked(
    db: Database, client: TestClient, link: str, wait: float, fields: dict[str, str], why: str
) -> None:
    send(client, link, wait, score="1", **fields)

    assert answers(db) == [(1, "", False, why)]


def refused(db: Database) -> list[bool]:
    with db.reading() as session:
        return [one.no_feedback_at is not None for one in session.exec(select(Customer))]


def test_stopping_needs_a_press_and_lasts(db: Database, client: TestClient, link: str) -> None:
    page = client.get(f"{link}/stop").text
    before = refused(db)

    # As a mail program sends it on its own: one field, no page, no cookie (RFC 8058).
    answer = client.post(f"{link}/stop", data={"List-Unsubscribe": "One-Click"})

    assert "Bitten beenden" in page
    assert (before, refused(db), answer.status_code) == ([False], [True], 303)
    assert "Sie werden nicht mehr gefragt" in client.get(f"{link}/stop").text


def test_expired_link_says_so_and_takes_nothing(
    db: Database, client: TestClient, link: str
) -> None:
    with clock.at(clock.now()) as forward:
        nonce = nonce_in(client.get(link).text)
        forward(timedelta(days=14, seconds=1))
        page = client.get(link)
        late = client.post(link, data={"nonce": nonce, "score": "5"}, headers=SPEAKS)
        with db.transaction() as session:
            upkeep.tick(session)
        after = client.get(link)

    assert (page.status_code, late.status_code, after.status_code) == (410, 410, 410)
    assert page.text == after.text
    assert "Die Zeit für eine Antwort ist vorbei" in page.text
    assert ("Der Deckel klemmt" in page.text, "Karin" in page.text) == (False, False)
    assert answers(db) == []


def test_unknown_link_is_over(client: TestClient) -> None:
    speaks = {"accept-language": "ja", "accept": "text/html"}
    pages = [
        client.get("/f/unknown", headers=speaks),
        client.get("/f/unknown/stop", headers=speaks),
        client.post("/f/unknown/stop", headers=speaks),
    ]

    assert [page.status_code for page in pages] == [404] * 3
    assert ["このリンクは受付を終了しました" in page.text for page in pages] == [True] * 3

"""What goes wrong is answered in the caller's format, says what to do, and gives nothing away."""

import json
import logging
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Form
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlmodel import select

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound, SettenError, TooMany
from app.store.database import Database
from app.store.tables import Organisation
from app.web.deps import CurrentActor, Db
from tests.web.conftest import Person

ERRORS: dict[str, SettenError] = {
    "invalid": Invalid("This is not a mail address.", field="email"),
    "not_found": NotFound("There is no such ticket."),
    "not_allowed": NotAllowed("Ask an administrator."),
    "conflict": Conflict("There are newer messages.", newer=[4, 5]),
    "too_many": TooMany("Wait a moment.", seconds=17),
}
SECRET = "do-not-repeat-me"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """With a few addresses at which things go wrong."""
    for prefix in ("/api", ""):
        app.include_router(_broken(), prefix=prefix)
    return app


def _broken() -> APIRouter:
    router = APIRouter()

    @router.get("/broken/{kind}")
    def broken(kind: str, db: Db) -> None:
        if kind == "database":
            with db.reading() as session:
                session.execute(text("SELECT * FROM a_table_that_is_not_there"))
        raise ERRORS[kind] if kind in ERRORS else RuntimeError(SECRET)

    @router.post("/form")
    def form(password: Annotated[str, Form(min_length=50)]) -> None: ...

    @router.get("/private")
    @router.post("/private")
    def private(_: CurrentActor) -> None: ...

    return router


@pytest.mark.parametrize(
    ("kind", "status", "more"),
    [
        ("invalid", 422, {"details": {"field": "email"}}),
        ("not_found", 404, {}),
        ("not_allowed", 403, {}),
        ("conflict", 409, {"details": {"newer": [4, 5]}}),
        ("too_many", 429, {"details": {"seconds": 17}}),
    ],
)
def test_each_kind_has_its_status_and_its_words(
    client: TestClient, kind: str, status: int, more: dict[str, object]
) -> None:
    answer = client.get(f"/api/broken/{kind}")

    number = answer.headers["x-request-id"]
    expected = {"error": kind, "message": ERRORS[kind].message, "request": number, **more}
    assert (answer.status_code, answer.json()) == (status, expected)
    assert answer.headers.get("retry-after") == ("17" if kind == "too_many" else None)


# A page that is not there says so in words of its own.
@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind != "not_found"])
def test_browser_gets_the_words_as_a_page(client: TestClient, kind: str) -> None:
    answer = client.get(f"/broken/{kind}", headers={"accept": "text/html"})

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert ERRORS[kind].message in answer.text


@pytest.mark.parametrize("path", ["/api/broken/bug", "/broken/bug"])
def test_bug_is_logged_once_and_told_by_its_number_only(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get(path)

    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "request failed")
    ]


def test_database_that_does_not_answer_is_503_and_worth_another_try(client: TestClient) -> None:
    answer = client.get("/api/broken/database")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["error"] == "busy"
    assert "a_table" not in answer.text


def test_locked_database_is_503(client: TestClient, db: Database) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    other = Database("", Path(str(db.engine.url.database)))
    with other.transaction() as session:
        session.exec(select(Organisation)).one()  # now it holds the lock
        german = {"accept": "text/html", "accept-language": "de"}
        answer = client.post("/sign-in", data={"email": "a", "password": "b"}, headers=german)
    other.close()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "Die Datenbank antwortet im Moment nicht." in answer.text


def test_form_that_is_wrong_is_not_repeated(client: TestClient) -> None:
    asked = client.post("/api/form", data={"password": SECRET})

    assert asked.status_code == 422
    assert asked.json()["fields"] == [
        {"field": "password", "message": "String should have at least 50 characters"}
    ]
    assert SECRET not in asked.text
    assert SECRET not in client.post("/form", data={"password": SECRET}).text


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", "/private", "/sign-in?next=/private"),
        ("GET", "/private?view=mine&after=1", "/sign-in?next=/private%3Fview%3Dmine%26after%3D1"),
        ("POST", "/private", "/sign-in"),
    ],
)
def test_page_leads_a_stranger_to_sign_in(
    client: TestClient, method: str, path: str, location: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.headers["location"]) == (303, location)


def test_program_without_a_key_is_told_so(client: TestClient) -> None:
    answer = client.get("/api/private", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"] == "sign_in"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nowhere", 404, "not_found"),
        ("DELETE", "/api/me", 405, "method"),
        ("TRACE", "/api/me", 405, "method"),
        ("GET", "/hooks/chat/token", 405, "method"),
        ("GET", "/api/tickets?q=%00", 400, "unreadable"),
        ("GET", "/api/tickets/a%00b", 400, "unreadable"),
    ],
)
def test_what_is_not_there(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_page_that_is_not_there_is_a_page(client: TestClient) -> None:
    answer = client.get("/nowhere/<script>", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<script>" not in answer.text


NOT_JSON = [
    b"", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"name": 1e999999}x',
    b'{"name": ' + b"9" * 5000 + b"}", b"\x00", b"nul", '{"name": "x"}'.encode("utf-16")[:7],
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:12]))
def test_body_that_is_no_json_is_never_our_fault(boss: Person, body: bytes) -> None:
    answer = boss.client.post(
        "/api/keys", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code in {400, 422}
    assert answer.json()["error"] in {"unreadable", "invalid"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\r\nb"}, "name"),
        ({"name": "x" * 501}, "name"),
        ({"name": "a", "agent_id": 1}, "agent_id"),
        ({"name": "a", "id": 1}, "id"),
        ([], "body"),
    ],
)
def test_field_that_is_wrong_is_named(boss: Person, given: object, field: str) -> None:
    answer = boss.client.post("/api/keys", json=given)

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["fields"]] == [field]


def test_half_a_character_is_refused(boss: Person) -> None:
    answer = boss.client.post(
        "/api/keys",
        content=rb'{"name": "\ud800"}',
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    assert json.loads(answer.text)["fields"][0]["field"] == "name"


@pytest.mark.parametrize(
    "number", ["-1", "0", "9223372036854775808", str(2**70), "1e3", "1;", "\u0661"]
)
def test_number_no_row_has_is_refused(boss: Person, number: str) -> None:
    answer = boss.client.delete(f"/api/keys/{number}")

    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_must_say_it_is_json(boss: Person, kind: str) -> None:
    answer = boss.client.post("/api/keys", content=b'{"name": "x"}', headers={"content-type": kind})

    assert answer.status_code == 422

"""Who is recognised by what, and what another site cannot have a browser do."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from app.core import clock, passwords
from app.core.settings import Settings
from app.domain.words import Role
from app.services import agents, api_keys, sessions
from app.store.database import Database
from app.store.tables import Agent, Login, Ticket
from app.web.deps import House
from tests.factories import make_ticket
from tests.web.conftest import HERE, Hire, Person

PASSWORD = "korrekt pferd 9"


@pytest.fixture
def known(hire: Hire, db: Database) -> Person:
    """Somebody with a real password."""
    person = hire("Ann")
    with db.transaction() as session:
        agent = session.get_one(Agent, person.id)
        agent.password_hash = passwords.make_hash(PASSWORD, agent.email)
    return person


def sign_in(client: TestClient, password: str = PASSWORD, **headers: str) -> tuple[int, str, str]:
    answer = client.post(
        "/sign-in",
        data={"email": "ann@hoshi.example", "password": password, "next": "/map"},
        headers={"sec-fetch-site": "same-origin", **headers},
    )
    return (
        answer.status_code,
        answer.headers.get("location", ""),
        answer.headers.get("set-cookie", ""),
    )


@pytest.mark.usefixtures("known")
def test_right_password_signs_this_browser_in(client: TestClient) -> None:
    status, location, cookie = sign_in(client)

    assert (status, location) == (303, "/map")
    name, _, rest = cookie.partition("=")
    assert (name, rest.partition("; ")[2]) == (
        "setten", "HttpOnly; Max-Age=7776000; Path=/; SameSite=lax",
    )  # fmt: skip
    assert client.get("/api/me").json()["name"] == "Ann"


@pytest.mark.usefixtures("known")
def test_cookie_on_https_belongs_to_this_host_alone(app: FastAPI) -> None:
    with TestClient(
        app, base_url="https://support.hoshi.example", follow_redirects=False
    ) as client:
        _, _, cookie = sign_in(client)

        name, _, rest = cookie.partition("=")
        assert (name, rest.partition("; ")[2]) == (
            "__Host-setten", "HttpOnly; Max-Age=7776000; Path=/; SameSite=lax; Secure",
        )  # fmt: skip
        assert client.get("/api/me").json()["name"] == "Ann"


def test_cookie_of_plain_http_is_nothing_on_https(app: FastAPI, known: Person) -> None:
    with TestClient(app, base_url="https://support.hoshi.example") as client:
        client.cookies.set("setten", known.token)

        assert client.get("/api/me").status_code == 401


@pytest.mark.usefixtures("known")
def test_wrong_password_and_unknown_address_get_the_same_answer(client: TestClient) -> None:
    wrong = client.post("/sign-in", data={"email": "ann@hoshi.example", "password": "x" * 12})
    unknown = client.post("/sign-in", data={"email": "eve@hoshi.example", "password": "x" * 12})

    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert wrong.text == unknown.text.replace("eve@hoshi.example", "ann@hoshi.example")
    assert "set-cookie" not in wrong.headers


@pytest.mark.usefixtures("known")
def test_guessing_is_answered_with_how_long_to_wait(client: TestClient) -> None:
    statuses = [sign_in(client, "wrong password")[0] for _ in range(8)]

    assert statuses == [422] * 6 + [429] * 2
    assert sign_in(client)[0] == 429


@pytest.mark.usefixtures("known")
def test_signing_in_gives_a_new_session_whatever_the_browser_brought(
    client: TestClient, db: Database
) -> None:
    client.cookies.set("setten", "chosen-by-somebody-else")

    _, _, cookie = sign_in(client)

    assert not cookie.startswith("setten=chosen-by-somebody-else")
    with db.reading() as session:
        assert len(session.exec(select(Login)).all()) == 2


def test_signed_out_session_is_dead_at_once(ann: Person) -> None:
    answer = ann.client.post("/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    ann.client.cookies.set("setten", ann.token)
    assert ann.client.get("/api/me").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "*", "%", "x" * 5000, "\u00e4\u00f6"])
def test_session_that_is_none_is_a_stranger(client: TestClient, token: str) -> None:
    answer = client.get("/api/me", headers={b"cookie": f"setten={token}".encode("latin-1")})

    assert answer.status_code == 401


def test_session_is_noted_as_seen_once_an_hour(ann: Person, db: Database) -> None:
    def seen() -> str:
        ann.client.get("/api/me")
        with db.reading() as session:
            return session.exec(select(Login.seen_at)).one().isoformat()

    now = clock.now()
    with clock.at(now) as forward:
        times = [seen()]
        for minutes in (30, 31, 59):
            forward(timedelta(minutes=minutes))
            times.append(seen())

    assert times[0] == times[1] != times[2] == times[3]


def test_api_key_speaks_for_its_agent(client: TestClient, boss: Person, db: Database) -> None:
    with db.transaction() as session:
        number, key = api_keys.create(session, boss.actor, "exporter")
    signed = {"authorization": f"Bearer {key}"}

    first = client.get("/api/me", headers=signed).json()
    with db.transaction() as session:
        api_keys.revoke(session, boss.actor, number)
    second = client.get("/api/me", headers=signed)

    assert first == {"name": "Boss", "role": "admin", "agent_id": boss.id, "language": ""}
    assert second.status_code == 401
    assert second.headers["www-authenticate"] == "Bearer"


def test_role_is_read_anew_with_every_request(lea: Person, db: Database) -> None:
    before = lea.client.get("/api/invitations").status_code
    with db.transaction() as session:
        session.get_one(Agent, lea.id).role = Role.ADMIN
    after = lea.client.get("/api/invitations").status_code

    assert (before, after) == (403, 200)


def test_deactivated_agent_is_out_at_once(boss: Person, ann: Person, db: Database) -> None:
    with db.transaction() as session:
        agents.deactivate(session, boss.actor, ann.id)

    assert ann.client.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"origin": HERE}, 200),
        ({"origin": "https://support.hoshi.example"}, 200),  # the public address
        ({"origin": "https://support.hoshi.example:444"}, 403),
        ({"origin": "http://support.hoshi.example"}, 403),
        ({"origin": "https://support.hoshi.example.evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8001"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({}, 403),  # every browser says one of the two
    ],
)
def test_only_our_own_pages_change_things_with_a_cookie(
    house: House, app: FastAPI, ann: Person, db: Database, headers: dict[str, str], status: int
) -> None:
    public = Settings(
        _env_file=None, data_dir=house.settings.data_dir, public_url="https://support.hoshi.example"
    )
    app.state.house = House(public, house.database, house.blobs, house.keys)
    with db.transaction() as session:
        ref = make_ticket(session).ref

    with TestClient(app, base_url=HERE, cookies={"setten": ann.token}) as browser:
        answer = browser.post(f"/api/tickets/{ref}/spam", headers=headers)

    with db.reading() as session:
        spam = session.exec(select(Ticket.status)).one() == "spam"
    assert (answer.status_code, spam) == (status, status == 200)


@pytest.mark.parametrize("path", ["/sign-in", "/f/some-token", "/invitation/some-token"])
def test_another_site_cannot_send_our_public_forms(client: TestClient, path: str) -> None:
    answer = client.post(path, data={"email": "x"}, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


def test_api_key_needs_no_page_of_ours(client: TestClient, boss: Person, db: Database) -> None:
    with db.transaction() as session:
        _, key = api_keys.create(session, boss.actor, "exporter")

    answer = client.post(
        "/api/keys",
        json={"name": "another"},
        headers={"authorization": f"Bearer {key}", "origin": "https://tool.example"},
    )

    assert answer.status_code == 201


def test_no_other_origin_may_read_answers(ann: Person) -> None:
    answer = ann.client.get("/api/me", headers={"origin": "https://evil.example"})
    asked = ann.client.options(
        "/api/me",
        headers={"origin": "https://evil.example", "access-control-request-method": "GET"},
    )

    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert asked.status_code == 405


def test_first_link_makes_an_administrator_who_is_signed_in(
    client: TestClient, db: Database
) -> None:
    with db.transaction() as session:
        token = agents.first_link(session)

    answer = client.post(
        f"/invitation/{token}",
        data={"name": "Ann", "email": "ann@hoshi.example", "password": PASSWORD},
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = client.get("/api/me").json()
    assert (me["name"], me["role"]) == ("Ann", "admin")


def test_revoked_session_is_out_while_the_others_stay(ann: Person, db: Database) -> None:
    with db.transaction() as session:
        sessions.open_for(session, ann.id, "Safari")
    shown = ann.client.get("/api/me/sessions").json()

    other = next(one["id"] for one in shown if not one["current"])
    answer = ann.client.delete(f"/api/me/sessions/{other}")

    assert [one["browser"] for one in shown] == ["Safari", "Firefox"]
    assert answer.status_code == 204
    assert [one["current"] for one in ann.client.get("/api/me/sessions").json()] == [True]

"""Inboxes, people and keys over JSON: for administrators, and without a secret in any answer."""

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.domain.words import Role
from app.services import inboxes
from app.store.database import Database
from app.store.tables import Inbox
from app.web.deps import House
from channels.chat.config import ChatConfig
from tests.web.conftest import Hire, Person

SECRET = "whsec_" + "c2V0dGVu" * 4
CHAT = {"kind": "chat", "name": "Shop chat", "config": {"secret": SECRET}}


def test_new_inbox_says_where_its_hook_is_and_not_its_secret(
    boss: Person, house: House, db: Database
) -> None:
    answer = boss.client.post("/api/inboxes", json=CHAT)

    with db.reading() as session:
        row = session.exec(select(Inbox).where(Inbox.kind == "chat")).one()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": row.id,
            "kind": "chat",
            "name": "Shop chat",
            "address": "",
            "enabled": True,
            "built_in": False,
            "hook": f"/hooks/chat/{row.token}",
            "trouble": "",
            "self_test": "never",
            "self_test_at": None,
            "self_test_error": "",
            "reopen_days": None,
        },
    )
    assert SECRET.encode() not in row.sealed_config
    config = inboxes.config_of(row, house.keys, ChatConfig)
    assert config.secret.get_secret_value() == SECRET


def test_self_test_of_an_inbox_begins_where_its_channel_has_one(boss: Person, ann: Person) -> None:
    mail = {"kind": "email", "config": {"address": "hi@shop.test", "reply_tokens": True}}
    number = boss.client.post("/api/inboxes", json=mail).json()["id"]
    chat = boss.client.post("/api/inboxes", json=CHAT).json()["id"]

    refused = ann.client.post(f"/api/inboxes/{number}/self-test")
    unable = boss.client.post(f"/api/inboxes/{chat}/self-test")
    begun = boss.client.post(f"/api/inboxes/{number}/self-test")

    assert (refused.status_code, unable.status_code, begun.status_code) == (403, 409, 202)
    assert begun.json()["self_test"] == "running"
    states = {one["id"]: one["self_test"] for one in ann.client.get("/api/inboxes").json()}
    assert states == {number: "running", chat: "never"}


def test_changing_an_inbox_keeps_the_secret_that_was_not_sent(
    boss: Person, house: House, db: Database
) -> None:
    number = boss.client.post("/api/inboxes", json=CHAT).json()["id"]
    callback = {"callback_url": "https://shop.example/answers"}

    changed = boss.client.put(
        f"/api/inboxes/{number}", json=CHAT | {"name": "Chat", "config": callback}
    )

    with db.reading() as session:
        config = inboxes.config_of(session.get_one(Inbox, number), house.keys, ChatConfig)
    assert (changed.status_code, changed.json()["name"]) == (200, "Chat")
    assert (config.secret.get_secret_value(), config.callback_url) == (
        SECRET, "https://shop.example/answers",
    )  # fmt: skip


def test_for_how_long_answers_reopen_stays_when_it_is_left_out(boss: Person) -> None:
    number = boss.client.post("/api/inboxes", json=CHAT | {"reopen_days": 14}).json()["id"]
    zero, nonsense, ever = {"reopen_days": 0}, {"reopen_days": -1}, {"reopen_days": None}

    answers = [
        boss.client.put(f"/api/inboxes/{number}", json=CHAT | one)
        for one in ({}, zero, nonsense, {}, ever)
    ]

    found = [(one.status_code, one.json().get("reopen_days", "")) for one in answers]
    assert found == [(200, 14), (200, 0), (422, ""), (200, 0), (200, None)]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"kind": "telegram"}, None),
        ({"kind": "chat", "config": {"secret": "do-not-repeat-me"}}, ["config.secret"]),
        ({"kind": "chat", "config": {"callback_url": "ftp://x"}}, ["config"]),
        ({"kind": "chat", "config": "x"}, ["config"]),
        ({"kind": "chat", "token": "x"}, ["token"]),
    ],
)
def test_inbox_that_is_wrong_names_the_field_and_repeats_nothing(
    boss: Person, body: dict[str, object], fields: list[str] | None
) -> None:
    answer = boss.client.post("/api/inboxes", json=body)

    found = answer.json()
    named = found.get("fields") or found["details"].get("fields")
    assert answer.status_code == 422
    assert (named and [one["field"] for one in named]) == fields
    assert "do-not-repeat-me" not in answer.text


def test_switched_off_inbox_says_so(boss: Person) -> None:
    number = boss.client.post("/api/inboxes", json=CHAT).json()["id"]

    answer = boss.client.put(f"/api/inboxes/{number}/enabled", json={"enabled": False})

    assert answer.json()["enabled"] is False
    assert [row["enabled"] for row in boss.client.get("/api/inboxes").json()] == [False]


def test_agent_sees_inboxes_without_the_way_in(boss: Person, ann: Person) -> None:
    boss.client.post("/api/inboxes", json=CHAT)

    assert [row["hook"] for row in ann.client.get("/api/inboxes").json()] == [""]


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD])
def test_only_administrators_administrate(hire: Hire, boss: Person, role: Role) -> None:
    someone = hire("Someone", role)
    number = boss.client.post("/api/inboxes", json=CHAT).json()["id"]
    attempts = [
        ("POST", "/api/inboxes", CHAT),
        ("PUT", f"/api/inboxes/{number}", CHAT),
        ("PUT", f"/api/inboxes/{number}/enabled", {"enabled": False}),
        ("GET", "/api/invitations", None),
        ("POST", "/api/invitations", {"email": "x@hoshi.example"}),
        ("DELETE", "/api/invitations/1", None),
        ("PUT", f"/api/agents/{someone.id}/role", {"role": "admin"}),
        ("POST", f"/api/agents/{boss.id}/deactivate", None),
        ("POST", f"/api/agents/{boss.id}/activate", None),
        ("GET", "/api/keys", None),
        ("POST", "/api/keys", {"name": "mine"}),
        ("DELETE", "/api/keys/1", None),
    ]

    statuses = [
        someone.client.request(method, path, json=body).status_code
        for method, path, body in attempts
    ]

    assert statuses == [403] * len(attempts)


def test_invitation_link_leads_to_an_account(boss: Person, client: TestClient) -> None:
    made = boss.client.post("/api/invitations", json={"email": "lea@hoshi.example", "role": "lead"})
    link = made.json()["link"]
    pending = boss.client.get("/api/invitations").json()

    path = link.removeprefix("http://127.0.0.1:8000")
    form = {"name": "Lea", "email": "", "password": "korrekt pferd 9"}
    client.post(path, data=form)

    assert made.status_code == 201
    assert [(one["email"], one["role"]) for one in pending] == [("lea@hoshi.example", "lead")]
    assert client.get("/api/me").json()["role"] == "lead"
    assert boss.client.get("/api/invitations").json() == []


def test_invitation_is_withdrawn(boss: Person) -> None:
    boss.client.post("/api/invitations", json={"email": "lea@hoshi.example"})
    number = boss.client.get("/api/invitations").json()[0]["id"]

    statuses = [boss.client.delete(f"/api/invitations/{number}").status_code for _ in range(2)]

    assert statuses == [204, 404]


def test_roles_and_the_last_administrator(boss: Person, ann: Person) -> None:
    promoted = boss.client.put(f"/api/agents/{ann.id}/role", json={"role": "lead"}).json()
    last = boss.client.put(f"/api/agents/{boss.id}/role", json={"role": "agent"})
    gone = boss.client.post(f"/api/agents/{ann.id}/deactivate").json()

    assert promoted == {"id": ann.id, "name": "Ann", "role": "lead", "active": True}
    assert (last.status_code, last.json()["error"]) == (409, "conflict")
    assert gone["active"] is False
    assert [(one["name"], one["active"]) for one in boss.client.get("/api/agents").json()] == [
        ("Ann", False), ("Boss", True),
    ]  # fmt: skip


def test_colleagues_are_listed_without_their_password(ann: Person) -> None:
    answer = ann.client.get("/api/agents")

    assert set(answer.json()[0]) == {
        "id", "name", "email", "role", "language", "active", "created_at",
    }  # fmt: skip


def test_key_is_shown_once(boss: Person) -> None:
    made = boss.client.post("/api/keys", json={"name": "exporter"}).json()
    listed = boss.client.get("/api/keys")

    assert made["key"].startswith("setten_")
    assert [one["name"] for one in listed.json()] == ["exporter"]
    assert made["key"] not in listed.text
    assert boss.client.delete(f"/api/keys/{made['id']}").status_code == 204


def test_description_is_for_those_who_may_use_it(ann: Person, client: TestClient) -> None:
    found = ann.client.get("/api/openapi.json").json()

    assert "/api/tickets/{ref}/replies" in found["paths"]
    assert [path for path in found["paths"] if path.startswith("/sign-in")] == []
    assert client.get("/api/openapi.json").status_code == 401


def test_topics_are_listed_made_renamed_and_merged(boss: Person) -> None:
    made = boss.client.post("/api/topics", json={"labels": {"en": "Spare parts"}}).json()
    renamed = boss.client.put(
        f"/api/topics/{made['key']}", json={"labels": {"en": "Parts", "de": "Teile"}}
    ).json()
    merged = boss.client.post(f"/api/topics/{made['key']}/merge", json={"into": "delivery"}).json()
    keys = [one["key"] for one in boss.client.get("/api/topics").json()]

    assert renamed["labels"] == {"ja": "Parts", "de": "Teile", "en": "Parts"}
    assert (merged["key"], made["key"] in keys, "delivery" in keys) == ("delivery", False, True)

    seen = []
    for act in ("put-out-of-use", "use-again"):
        assert boss.client.post(f"/api/topics/delivery/{act}").status_code == 200
        seen.append([one["key"] for one in boss.client.get("/api/topics/out-of-use").json()])
    assert seen == [["delivery"], []]

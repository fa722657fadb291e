"""Settings, first page, one's own account, and writing a call down."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.core import clock
from app.domain.words import ArrivalState, Role, SelfTest
from app.services import agents
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Agent, Arrival, Inbox, Organisation
from tests.web.conftest import Hire, Person

HTML = {"accept": "text/html"}
MAILBOX = {
    "inbox_name": "Support",
    "address": "support@shop.test",
    "sender_name": "Shop",
    "imap_host": "imap.shop.test",
    "imap_port": "993",
    "imap_security": "tls",
    "imap_username": "support",
    "imap_password": "open sesame",
    "folder": "INBOX",
    "after_filing": "leave",
    "import_since": "now",
    "smtp_port": "465",
    "smtp_security": "tls",
}


@pytest.mark.parametrize("path", ["/settings", "/settings/inboxes/new/email", "/welcome"])
def test_settings_are_for_administrators(ann: Person, path: str) -> None:
    assert ann.client.get(path, headers=HTML).status_code == 403


def test_inbox_form_never_shows_a_secret_and_keeps_it_when_left_empty(
    db: Database, boss: Person
) -> None:
    made = boss.client.post("/settings/inboxes/new/email", data=MAILBOX)
    with db.reading() as session:
        before = session.exec(select(Inbox).where(Inbox.kind == "email")).one()
    form = boss.client.get(f"/settings/inboxes/{before.id}").text
    changed = boss.client.post(
        f"/settings/inboxes/{before.id}",
        data=MAILBOX | {"inbox_name": "Help", "imap_password": ""},
    )

    assert (made.headers["location"], changed.headers["location"]) == (
        "/settings?did=saved",
        "/settings?did=saved",
    )
    assert 'value="imap.shop.test"' in form
    assert "open sesame" not in form
    assert "kept as it is" in form
    assert "Help" in boss.client.get("/settings").text


def test_inbox_form_says_what_is_wrong_at_the_field(db: Database, boss: Person) -> None:
    answer = boss.client.post(
        "/settings/inboxes/new/email", data=MAILBOX | {"imap_port": "99999999"}
    )

    assert answer.status_code == 422
    assert re.search(r'name="imap_port"[^>]*value="99999999"', answer.text)
    assert 'class="help wrong" role="alert"' in answer.text
    assert "open sesame" not in answer.text
    with db.reading() as session:
        assert session.exec(select(Inbox)).all() == []


def test_secret_made_here_is_shown_once(db: Database, boss: Person) -> None:
    first = boss.client.post(
        "/settings/inboxes/new/chat", data={"inbox_name": "Widget", "verify_tls": "on"}
    )
    with db.reading() as session:
        inbox = session.exec(select(Inbox).where(Inbox.kind == "chat")).one()
    again = boss.client.get(f"/settings/inboxes/{inbox.id}").text

    secret = re.search(r'<input value="(whsec_[^"]+)" readonly', first.text)
    assert secret is not None
    assert secret[1] not in again
    assert f"/hooks/chat/{inbox.token}" in again


def test_inbox_page_says_how_its_self_test_went(db: Database, boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/email", data=MAILBOX)
    with db.reading() as session:
        path = f"/settings/inboxes/{session.exec(select(Inbox.id)).one()}"
    never = boss.client.get(path).text
    begun = boss.client.post(f"{path}/self-test")
    running = boss.client.get(path).text
    with db.transaction() as session:
        inbox = session.exec(select(Inbox)).one()
        inbox.self_test, inbox.self_test_error = SelfTest.FAILED, "550 <no> such user"
        session.add(inbox)
    failed = boss.client.get(path).text

    assert begun.headers["location"] == f"{path}#self-test"
    assert "Not tested yet." in never
    assert "Running since " in running
    assert "550 &lt;no&gt; such user" in failed
    assert 'id="self-test"' not in boss.client.get("/settings/inboxes/new/email").text


def test_inbox_form_names_the_self_test_it_was_drawn_with(db: Database, boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/email", data=MAILBOX)
    with db.transaction() as session:
        inbox = session.exec(select(Inbox)).one()
        path = f"/settings/inboxes/{inbox.id}"
        drawn = boss.client.get(path).text
        inbox.self_test, inbox.self_test_at = SelfTest.PASSED, clock.now()
        session.add(inbox)
    refused = boss.client.post(
        path, data=MAILBOX | {"imap_port": "99999999", "seen_test": "never "}
    ).text
    again = boss.client.get(path).text

    stamps = [re.findall(r'name="seen_test" value="([^"]*)"', page) for page in (drawn, refused)]
    assert stamps == [["never "]] * 2
    assert f'name="seen_test" value="passed {inbox.self_test_at.isoformat()}"' in again


def test_channel_without_a_self_test_offers_none(db: Database, boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/chat", data={"inbox_name": "Widget"})
    with db.reading() as session:
        path = f"/settings/inboxes/{session.exec(select(Inbox.id)).one()}"

    assert 'id="self-test"' not in boss.client.get(path).text
    assert boss.client.post(f"{path}/self-test").status_code == 409


def test_inbox_is_switched_off_and_on(db: Database, boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/email", data=MAILBOX)
    states = []
    for on in ("", "on"):
        with db.reading() as session:
            inbox = session.exec(select(Inbox)).one()
        boss.client.post(f"/settings/inboxes/{inbox.id}/enabled", data={"on": on})
        with db.reading() as session:
            states.append(session.exec(select(Inbox.enabled)).one())

    assert states == [False, True]


def test_rules_for_asking_are_saved_in_minutes(db: Database, boss: Person) -> None:
    boss.client.post(
        "/settings/feedback",
        data={"policy": "opt-out", "delay_hours": "2", "cooling_days": "60", "answer_hours": "4"},
    )

    with db.reading() as session:
        found = session.exec(select(Organisation)).one()
    assert (
        found.ask_feedback,
        found.feedback_policy,
        found.feedback_delay_minutes,
        found.feedback_cooling_days,
        found.first_answer_minutes,
    ) == (False, "opt-out", 120, 60, 240)


def test_invitation_link_is_shown_once_and_makes_an_account(
    db: Database, boss: Person, client: TestClient
) -> None:
    page = boss.client.post("/settings/invite", data={"email": "new@shop.test", "role": "lead"})
    link = re.search(r'value="http://[^/]+(/invitation/[^"]+)"', page.text)
    assert link is not None

    form = client.get(link[1]).text
    joined = client.post(
        link[1], data={"name": "Nora", "password": "a quiet green bowl"},
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip

    assert 'value="new@shop.test"' in form
    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    with db.reading() as session:
        found = session.exec(select(Agent).where(Agent.email == "new@shop.test")).one()
    assert (found.name, found.role) == ("Nora", Role.LEAD)
    assert client.get(link[1], headers=HTML).status_code == 404


def test_weak_password_is_refused_with_the_form_kept(boss: Person, client: TestClient) -> None:
    page = boss.client.post("/settings/invite", data={"email": "n@shop.test", "role": "agent"})
    link = re.search(r'value="http://[^/]+(/invitation/[^"]+)"', page.text)
    assert link is not None

    answer = client.post(
        link[1], data={"name": "Nora", "password": "short"},
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip

    assert answer.status_code == 422
    assert 'value="Nora"' in answer.text


def test_role_and_account_of_a_colleague(db: Database, boss: Person, hire: Hire) -> None:
    noah = hire("Noah")

    boss.client.post(f"/settings/agents/{noah.id}/role", data={"role": "lead"})
    boss.client.post(f"/settings/agents/{noah.id}/active", data={})
    last = boss.client.post(
        f"/settings/agents/{boss.id}/role", data={"role": "agent"}, headers=HTML
    )

    with db.reading() as session:
        found = session.get_one(Agent, noah.id)
    assert (found.role, found.active, last.status_code) == (Role.LEAD, False, 409)
    assert "This is the last administrator" in last.text


def test_profile_changes_look_and_ends_other_sessions(db: Database, ann: Person) -> None:
    ann.client.post("/profile/look", data={"language": "ja", "theme": "dark"})

    page = ann.client.get("/profile").text
    assert '<html lang="ja" data-theme="dark">' in page
    assert "サインイン中のブラウザー" in page
    with db.reading() as session:
        assert agents.own(session, ann.actor).theme == "dark"


def test_sign_in_leads_back_and_a_wrong_password_says_so(boss: Person, client: TestClient) -> None:
    page = boss.client.post("/settings/invite", data={"email": "n@shop.test", "role": "agent"})
    link = re.search(r'value="http://[^/]+(/invitation/[^"]+)"', page.text)
    assert link is not None
    same = {"sec-fetch-site": "same-origin"}
    client.post(link[1], data={"name": "N", "password": "a quiet green bowl"}, headers=same)
    client.post("/sign-out", headers=same)

    wrong = client.post("/sign-in", data={"email": "n@shop.test", "password": "x"}, headers=same)
    right = client.post(
        "/sign-in",
        data={"email": "n@shop.test", "password": "a quiet green bowl", "next": "/map"},
        headers=same,
    )

    assert wrong.status_code == 422
    assert "The address or the password is not right." in wrong.text
    assert 'value="n@shop.test"' in wrong.text
    assert (right.status_code, right.headers["location"]) == (303, "/map")


def test_call_is_written_down_and_kept_like_any_arrival(
    db: Database, blobs: Blobs, boss: Person
) -> None:
    boss.client.post("/settings/inboxes/new/phone", data={"inbox_name": "Desk"})

    form = boss.client.get("/log/phone").text
    answer = boss.client.post(
        "/log/phone",
        data={
            "number": "+81 90 5550 0142",
            "name": "高橋",
            "notes": "蓋が閉まらない",
            "direction": "in",
        },
    )

    assert 'name="notes"' in form
    assert answer.headers["location"] == "/log/phone?did=logged"
    with db.reading() as session:
        kept = session.exec(select(Arrival)).one()
    assert kept.state is ArrivalState.WAITING
    assert "蓋が閉まらない" in blobs.get(kept.sha256).decode()


def test_call_without_notes_keeps_what_was_typed(db: Database, boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/phone", data={"inbox_name": "Desk"})

    answer = boss.client.post("/log/phone", data={"name": "高橋", "notes": " ", "direction": "in"})

    assert answer.status_code == 422
    assert 'value="高橋"' in answer.text
    with db.reading() as session:
        assert session.exec(select(Arrival)).all() == []


def test_import_tells_new_rows_known_rows_and_bad_ones(boss: Person) -> None:
    boss.client.post("/settings/inboxes/new/phone", data={"inbox_name": "Desk"})
    log = (
        b"call_id,started_at,direction,number,seconds,notes\n"
        b"a1,2026-11-20T10:00:00+09:00,in,+81905550142,60,Lid\n"
        b"a2,not a time,in,+81905550142,60,Lid\n"
    )

    pages = [
        boss.client.post("/log/phone/import", files={"file": ("log.csv", log)}).text
        for _ in range(2)
    ]

    assert "1 row is new." in pages[0]
    assert "0 rows are new." in pages[1]
    assert "1 was known already." in pages[1]
    assert "Line 3" in pages[0]


@pytest.mark.parametrize("path", ["/log/email", "/log/nothing", "/settings/inboxes/new/nothing"])
def test_way_that_does_not_exist(boss: Person, path: str) -> None:
    answer = boss.client.get(path, headers=HTML)

    assert answer.status_code in {200, 404}
    assert 'name="notes"' not in answer.text


def keys_on(page: str) -> list[str]:
    return re.findall(r'action="/settings/keys/(\d+)/revoke"', page)


def test_key_is_made_shown_once_used_and_revoked(boss: Person, client: TestClient) -> None:
    empty = boss.client.get("/settings/keys").text
    made = boss.client.post("/settings/keys", data={"name": "Reports <b>"})
    found = re.search(r'id="key" value="(setten_[^"]+)"', made.text)
    assert found is not None
    before = boss.client.get("/settings/keys").text
    bearer = {"authorization": f"Bearer {found[1]}", "accept": "application/json"}
    used = client.get("/api/me", headers=bearer)
    after = boss.client.get("/settings/keys").text
    [number] = keys_on(after)

    ended = boss.client.post(f"/settings/keys/{number}/revoke")

    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert "There is no key yet." in empty
    assert ("Reports &lt;b&gt;" in before, found[1] in before) == (True, False)
    assert (">never<" in before, used.json()["name"], ">never<" in after) == (True, "Boss", False)
    assert ended.headers["location"] == "/settings/keys?did=revoked"
    assert "The key is revoked" in boss.client.get("/settings/keys?did=revoked").text
    assert keys_on(boss.client.get("/settings/keys").text) == []
    assert client.get("/api/me", headers=bearer).status_code == 401


def test_loading_the_page_of_a_new_key_again_makes_no_other(boss: Person) -> None:
    boss.client.post("/settings/keys", data={"name": "Reports"})

    again = boss.client.post("/settings/keys", data={"name": " Reports "})

    assert again.status_code == 422
    assert "There is a key of that name already." in again.text
    assert len(keys_on(boss.client.get("/settings/keys").text)) == 1


def test_key_needs_a_name(boss: Person) -> None:
    for name in ("", "  ", "x" * 101):
        answer = boss.client.post("/settings/keys", data={"name": name})

        assert answer.status_code == 422
        assert "A key needs a name of at most 100 characters." in answer.text
        assert keys_on(answer.text) == []


def test_only_administrators_have_to_do_with_keys(boss: Person, lea: Person) -> None:
    boss.client.post("/settings/keys", data={"name": "Reports"})
    [number] = keys_on(boss.client.get("/settings/keys").text)

    refused = [
        lea.client.get("/settings/keys"),
        lea.client.post("/settings/keys", data={"name": "Mine"}),
        lea.client.post(f"/settings/keys/{number}/revoke"),
    ]

    assert [answer.status_code for answer in refused] == [403] * 3
    assert keys_on(boss.client.get("/settings/keys").text) == [number]
    assert boss.client.post("/settings/keys/999/revoke").status_code == 404


def test_settings_lead_to_the_keys(boss: Person) -> None:
    assert 'href="/settings/keys"' in boss.client.get("/settings").text

"""Access granted at a provider: there with a proof, and back only with it."""

import asyncio
import re
import threading
from collections.abc import Iterator

import pytest
from sqlmodel import select

from app.core.secrets import Keys
from app.services import inboxes
from app.store.database import Database
from app.store.tables import Inbox
from channels.email.config import EmailConfig
from tests.servers.token_server import TokenServer, token_server
from tests.web.conftest import Person

BACK = "/settings/inboxes/consent/back"
NOT_ASKED = "This browser did not ask for access, or too long ago. Start again."


@pytest.fixture
def provider() -> Iterator[TokenServer]:
    """On a thread of its own, because the test is not asynchronous."""
    listening, over = threading.Event(), asyncio.Event()
    loop, made = asyncio.new_event_loop(), list[TokenServer]()

    async def live() -> None:
        async with token_server() as server:
            made.append(server)
            listening.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    assert listening.wait(10)
    yield made[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def path(db: Database, boss: Person, provider: TokenServer) -> str:
    """An inbox that signs in with OAuth and has no access yet."""
    form = {
        "address": "support@shop.test",
        "imap_host": "imap.shop.test",
        "auth": "oauth",
        "oauth_client_id": "setten",
        "oauth_consent_url": provider.url.replace("/token", "/consent"),
        "oauth_token_url": provider.url,
    }
    boss.client.post("/settings/inboxes/new/email", data=form)
    with db.reading() as session:
        return f"/settings/inboxes/{session.exec(select(Inbox.id)).one()}"


def token_of(db: Database, keys: Keys) -> str:
    with db.reading() as session:
        inbox = session.exec(select(Inbox)).one()
    return inboxes.config_of(inbox, keys, EmailConfig).oauth_refresh_token.get_secret_value()


def test_access_is_granted_there_and_stored_here(
    db: Database, keys: Keys, boss: Person, provider: TokenServer, path: str
) -> None:
    page = boss.client.get(path).text
    away = boss.client.get(f"{path}/consent")
    brought = provider.consent(away.headers["location"])
    home = boss.client.get(BACK, params=brought)
    again = boss.client.get(BACK, params=brought)

    assert f'href="{path}/consent"' in page
    assert 'value="http://127.0.0.1:8000/settings/inboxes/consent/back" readonly' in page
    assert away.status_code == 303
    assert "httponly" in away.headers["set-cookie"].lower()
    assert home.headers["location"] == f"{path}?did=saved"
    assert token_of(db, keys) == "refresh-1"
    assert (again.status_code, NOT_ASKED in again.text) == (409, True)
    assert "refresh-1" not in boss.client.get(path).text


def test_what_the_provider_refuses_is_said_on_the_page_of_the_inbox(
    db: Database, keys: Keys, boss: Person, provider: TokenServer, path: str
) -> None:
    away = boss.client.get(f"{path}/consent").headers["location"]
    state = provider.consent(away)["state"]
    answer = boss.client.get(BACK, params={"state": state, "error": "access_denied"})

    assert answer.status_code == 422
    assert "127.0.0.1 did not grant access: access_denied" in answer.text
    assert token_of(db, keys) == ""


@pytest.mark.parametrize("given", ["nothing", "another state", "another's cookie"])
def test_nobody_brings_an_answer_that_was_not_asked_for_here(
    db: Database, keys: Keys, boss: Person, provider: TokenServer, path: str, given: str
) -> None:
    away = boss.client.get(f"{path}/consent").headers["location"]
    brought = provider.consent(away)
    if given == "another state":
        brought["state"] = "x" * 22
    else:
        boss.client.cookies.delete("setten-consent")
    if given == "another's cookie":
        boss.client.cookies.set("setten-consent", "AAAA" * 20, path="/settings/inboxes/consent")

    answer = boss.client.get(BACK, params=brought)

    assert answer.status_code in {409, 422}
    assert (token_of(db, keys), provider.asked) == ("", [])


def test_only_administrators_and_only_with_the_fields_filled_in(
    boss: Person, ann: Person, path: str
) -> None:
    boss.client.post(path, data={"address": "support@shop.test", "auth": "password"})
    page = boss.client.get(path).text

    assert re.findall(r'href="[^"]*/consent"', page) == []
    assert boss.client.get(f"{path}/consent").status_code == 409
    assert ann.client.get(f"{path}/consent").status_code == 403
    assert ann.client.get(BACK).status_code == 403

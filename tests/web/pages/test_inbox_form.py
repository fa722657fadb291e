"""The form of an inbox: what is folded away, what a provider fills in, and when folds are open."""

import re
from collections.abc import Mapping

import pytest
from sqlmodel import select

from app.store.database import Database
from app.store.tables import Inbox
from app.web.forms import defaults_of
from channels.contract import preset_of
from channels.email.config import EmailConfig
from channels.email.presets import PRESETS
from tests.web.conftest import Person

NEW = "/settings/inboxes/new/email"
GMAIL = (
    defaults_of(EmailConfig)
    | dict(next(one.values for one in PRESETS if one.key == "gmail"))
    | {"address": "a@gmail.com"}
)


def drawers(page: str) -> dict[str, bool]:
    """Each fold of the form and whether it is open."""
    inside = page.partition('id="folds"')[2].partition("</form>")[0]
    found = re.findall(r'<details class="drawer"( open)?><summary>.*?<b>(.*?)</b>', inside)
    return {title: bool(is_open) for is_open, title in found}


def opened(page: str) -> list[str]:
    return [title for title, is_open in drawers(page).items() if is_open]


def field(page: str, name: str) -> str:
    found = re.search(rf'<input id="f-{name}"[^>]* value="([^"]*)"', page)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("preset", "folds", "host"),
    [
        ("", ["Servers"], ""),
        ("other", ["Servers"], ""),
        ("nobody", ["Servers"], ""),
        ("gmail", [], "imap.gmail.com"),
        ("yahoo-jp", [], "imap.mail.yahoo.co.jp"),
        ("sakura", ["Servers"], ""),
        ("microsoft", ["Sign-in by OAuth"], "outlook.office365.com"),
        ("proton", ["Servers"], "127.0.0.1"),
    ],
)
def test_a_provider_fills_in_its_servers_and_leaves_open_what_only_you_know(
    boss: Person, preset: str, folds: list[str], host: str
) -> None:
    page = boss.client.get(NEW, params={"preset": preset}).text

    assert (opened(page), field(page, "imap_host")) == (folds, host)


def test_a_provider_says_what_it_wants_and_where_that_is_from(boss: Person) -> None:
    page = boss.client.get(NEW, params={"preset": "microsoft"}).text

    assert "Microsoft takes no password from programs." in page
    assert "Not tried by us." in page
    assert 'href="https://autoconfig.thunderbird.net/v1.1/outlook.com"' in page
    assert 'id="f-imap_password"' not in page
    assert 'id="f-imap_password"' in boss.client.get(NEW).text


@pytest.mark.parametrize(
    ("changed", "folds"),
    [
        ({}, []),
        ({"imap_port": "99999999"}, ["Servers"]),
        ({"smtp_username": "else"}, ["Servers"]),
        ({"smtp_sign_in": ""}, ["Servers"]),
        ({"folder": "Sales"}, ["Folder and first import"]),
        ({"after_filing": "move"}, ["Filed mails on the server"]),
        ({"auth": "oauth"}, ["Sign-in by OAuth"]),
    ],
)
def test_what_is_wrong_or_unusual_is_in_sight(
    boss: Person, changed: Mapping[str, str], folds: list[str]
) -> None:
    form = GMAIL | {"preset": "gmail", "address": "no address"} | dict(changed)

    page = boss.client.post(NEW, data=form).text

    assert opened(page) == folds


def test_a_stored_inbox_hides_what_is_as_usual_and_shows_a_stored_secret(
    db: Database, boss: Person
) -> None:
    boss.client.post(NEW, data=GMAIL | {"imap_password": "app password"})
    boss.client.post(NEW, data=GMAIL | {"address": "b@gmail.com", "smtp_password": "another"})
    with db.reading() as session:
        plain, own = session.exec(select(Inbox.id).order_by(Inbox.id)).all()  # type: ignore[arg-type]
    pages = [boss.client.get(f"/settings/inboxes/{one}").text for one in (plain, own)]

    assert [opened(page) for page in pages] == [[], ["Servers"]]
    assert "imap.gmail.com, smtp.gmail.com" in pages[0]
    assert "data-preset" not in pages[0]


def test_what_an_answer_to_a_resolved_ticket_does_is_said_in_the_form(
    db: Database, boss: Person
) -> None:
    def stored() -> list[int | None]:
        with db.reading() as session:
            return list(session.exec(select(Inbox.reopen_days).order_by(Inbox.id)).all())  # type: ignore[arg-type]

    boss.client.post(NEW, data=GMAIL)
    choices = {"reopening": "days", "reopen_days": "30"}
    boss.client.post(NEW, data=GMAIL | {"address": "b@gmail.com"} | choices)
    assert stored() == [None, 30]
    with db.reading() as session:
        first, second = session.exec(select(Inbox.id).order_by(Inbox.id)).all()  # type: ignore[arg-type]
    path = f"/settings/inboxes/{second}"
    again = GMAIL | {"address": "b@gmail.com"}

    pages = [boss.client.get(f"/settings/inboxes/{one}").text for one in (first, second)]
    refused = boss.client.post(path, data=again | choices | {"reopen_days": "0"})
    boss.client.post(path, data=again)  # drawn before there was such a field
    kept = stored()
    boss.client.post(path, data=again | {"reopening": "never", "reopen_days": ""})

    assert opened(pages[0]) == []
    assert opened(pages[1]) == ["A reply to a resolved ticket"]
    assert 'max="3650" value="30"' in pages[1]
    assert (refused.status_code, "This must be between 1 and 3650." in refused.text) == (422, True)
    assert (kept, stored()) == ([None, 30], [None, 0])
    assert 'name="reopening"' not in boss.client.get("/settings/inboxes/new/phone").text


def test_a_channel_without_folds_and_providers_has_none(boss: Person) -> None:
    page = boss.client.get("/settings/inboxes/new/chat").text

    assert (drawers(page), "data-preset" in page) == ({}, False)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("a@gmail.com", "gmail"),
        ("A@GMAIL.COM ", "gmail"),
        ("a@sky.ocn.ne.jp", "ocn"),
        ("a@notgmail.com", "other"),
        ("a@example.com", "other"),
        ("a", "other"),
        ("", "other"),
    ],
)
def test_an_address_tells_its_provider(address: str, key: str) -> None:
    assert preset_of(PRESETS, address).key == key

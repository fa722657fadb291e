"""Keys to sign mail with: made on the page or over the API, and never shown again."""

from html import unescape

from sqlmodel import select

from app.core.secrets import Keys
from app.services import inboxes
from app.store.database import Database
from app.store.tables import Change, Inbox
from channels.email.config import EmailConfig
from tests.web.conftest import Person


def stored(db: Database, keys: Keys, address: str) -> tuple[Inbox, EmailConfig]:
    with db.reading() as session:
        inbox = session.exec(select(Inbox).where(Inbox.address == address)).one()
    return inbox, inboxes.config_of(inbox, keys, EmailConfig)


def test_a_key_is_made_published_and_then_used(db: Database, keys: Keys, boss: Person) -> None:
    form = {"address": "support@shop.test", "imap_host": "imap.shop.test"}
    boss.client.post("/settings/inboxes/new/email", data=form)
    path = f"/settings/inboxes/{stored(db, keys, 'support@shop.test')[0].id}"
    assert "Make a key" in boss.client.get(path).text

    boss.client.post(f"{path}/signing-key?kind=rsa")

    inbox, config = stored(db, keys, "support@shop.test")
    secret = config.dkim_key.get_secret_value()
    assert secret.startswith("-----BEGIN PRIVATE KEY-----")
    assert secret.encode() not in inbox.sealed_config
    assert not config.dkim_sign
    page = boss.client.get(path).text
    name = f"{config.dkim_selector}._domainkey.shop.test"
    assert f'value="{name}"' in page
    assert secret.split("\n")[1] not in page
    with db.reading() as session:
        kinds = session.exec(select(Change.what).where(Change.what == "signing_key_made")).all()
    assert kinds == ["signing_key_made"]

    # The key itself is not on the form: what is left empty stays.
    boss.client.post(path, data=form | {"dkim_sign": "on", "dkim_selector": config.dkim_selector})
    signs = stored(db, keys, "support@shop.test")[1]
    assert (signs.dkim_sign, signs.dkim_key) == (True, config.dkim_key)

    boss.client.post(f"{path}/signing-key?kind=rsa")
    other = stored(db, keys, "support@shop.test")[1]
    assert not other.dkim_sign
    assert other.dkim_selector != config.dkim_selector


def test_a_second_key_is_shown_beside_the_first(db: Database, keys: Keys, boss: Person) -> None:
    form = {"address": "two@shop.test", "imap_host": "imap.shop.test"}
    boss.client.post("/settings/inboxes/new/email", data=form)
    number = stored(db, keys, "two@shop.test")[0].id
    path, api = f"/settings/inboxes/{number}", f"/api/inboxes/{number}/signing-key"
    assert "kind=ed25519" not in boss.client.get(path).text
    boss.client.post(f"{path}/signing-key?kind=rsa")
    form |= {"dkim_sign": "on", "dkim_selector": stored(db, keys, "two@shop.test")[1].dkim_selector}
    boss.client.post(path, data=form)
    first = stored(db, keys, "two@shop.test")[1]
    assert boss.client.get(f"{api}?kind=ed25519").status_code == 404

    assert "kind=ed25519" in boss.client.get(path).text
    boss.client.post(f"{path}/signing-key?kind=ed25519")

    inbox, config = stored(db, keys, "two@shop.test")
    assert (config.dkim_sign, config.dkim_key) == (True, first.dkim_key)
    assert not config.dkim_second_sign
    secret = config.dkim_second_key.get_secret_value()
    assert secret.encode() not in inbox.sealed_config
    page = boss.client.get(path).text
    assert secret.split("\n")[1] not in page
    names = {"rsa": config.dkim_selector, "ed25519": config.dkim_second_selector}
    for kind, selector in names.items():
        record = boss.client.get(api, params={"kind": kind}).json()
        assert record["name"] == f"{selector}._domainkey.shop.test"
        assert record["value"].startswith(f"v=DKIM1; k={kind}; p=")
        assert [f'value="{one}"' in unescape(page) for one in record.values()] == [True, True]
    assert boss.client.post(f"{path}/signing-key?kind=dsa").status_code == 404

"""A key to sign mail with: made on the page or over the API, and never shown again."""

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

    boss.client.post(f"{path}/signing-key")

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

    boss.client.post(f"{path}/signing-key")
    other = stored(db, keys, "support@shop.test")[1]
    assert not other.dkim_sign
    assert other.dkim_selector != config.dkim_selector

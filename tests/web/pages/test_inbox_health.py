"""How an inbox is doing, on its own page: both directions, and an import while it runs."""

import re
from datetime import timedelta

from sqlmodel import select

from app.core import clock
from app.store.database import Database
from app.store.tables import Inbox
from tests.web.conftest import Person


def told(page: str) -> list[str]:
    section = page.partition('id="health"')[2].partition("</section>")[0]
    lines = re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]


def test_both_directions_say_how_they_are_and_when_they_last_worked(
    db: Database, boss: Person
) -> None:
    form = {"address": "support@shop.test", "imap_host": "imap.shop.test", "imap_password": "x"}
    boss.client.post("/settings/inboxes/new/email", data=form | {"smtp_host": "smtp.shop.test"})
    with db.reading() as session:
        path = f"/settings/inboxes/{session.exec(select(Inbox.id)).one()}"
    new = boss.client.get(path).text
    with db.transaction() as session:
        session.exec(select(Inbox)).one().looked_at = clock.now() - timedelta(minutes=6)
    silent = boss.client.get(path).text
    with db.transaction() as session:
        inbox = session.exec(select(Inbox)).one()
        inbox.looked_at = None
        inbox.last_in_at = inbox.last_out_at = clock.now() - timedelta(hours=30)
        inbox.last_in_error = "imap.shop.test <down>"
        inbox.to_fetch = 4000
    old = boss.client.get(path).text

    assert told(new) == ["Comes in: nothing yet", "Goes out: nothing yet"]
    assert told(silent)[0].startswith("Comes in: The server last answered ")
    comes, goes = told(old)
    assert comes.startswith("Comes in: imap.shop.test &lt;down&gt; Last success ")
    assert goes.startswith("Goes out: last ")
    assert "0 of 4,000 mails are filed" in old
    assert 'data-refresh="5"' in old
    assert "data-refresh" not in new
    assert 'id="health"' not in boss.client.get("/settings/inboxes/new/email").text

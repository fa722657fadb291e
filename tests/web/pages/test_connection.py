"""Testing the connection of an inbox from its form: nothing is stored, and all is said."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from app.store.database import Database
from app.store.tables import Inbox
from tests.servers import free_port
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink, sink_beside
from tests.web.conftest import Person

NEW = "/settings/inboxes/new/email/try"
FORM = {
    "inbox_name": "Help & more",
    "address": "support@shop.test",
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "smtp_sign_in": "on",
    "smtp_username": "support",
}


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with sink_beside() as made:
        yield made


def shown(page: str) -> list[str]:
    """What the section of findings says, line by line."""
    section = page.partition('<section id="connection"')[2].partition("</section>")[0]
    lines = re.findall(r"<(?:h3|li|p)[^>]*>(.*?)</(?:h3|li|p)>", section)
    return [re.sub(r"<[^>]+>", "", line).strip() for line in lines]


def test_each_step_is_said_and_nothing_is_stored(
    db: Database, boss: Person, sink: SmtpSink
) -> None:
    sink.answers["MAIL"] = "553 5.7.1 <not> yours"
    form = FORM | {"smtp_port": str(sink.port), "smtp_sign_in": "", "smtp_password": "sesame"}

    answer = boss.client.post(NEW, data=form)

    assert answer.status_code == 200
    assert shown(answer.text) == [
        "Outgoing mail",
        "127.0.0.1 is a known name.",
        f"127.0.0.1 answers on port {sink.port}.",
        "The connection to 127.0.0.1 is not encrypted, and does not leave this machine.",
        "Not in order: 127.0.0.1 takes no mail from support@shop.test: 553 5.7.1 &lt;not&gt; yours",
    ]
    assert 'value="Help &amp; more"' in answer.text
    assert "sesame" not in answer.text
    with db.reading() as session:
        assert session.exec(select(Inbox)).all() == []


def test_the_findings_are_told_in_the_language_of_the_page(boss: Person) -> None:
    port = free_port()
    form = FORM | {"smtp_port": str(port)}

    boss.client.post("/profile/look", data={"language": "ja", "theme": "dark"})
    page = boss.client.post(NEW, data=form).text

    assert shown(page)[:2] == ["送信", "127.0.0.1は存在する名前です。"]


def test_a_stored_inbox_is_tried_with_its_stored_password(db: Database, boss: Person) -> None:
    with sink_beside(password="sesame") as sink:
        stored = FORM | {"smtp_port": str(sink.port), "smtp_password": "sesame"}
        boss.client.post("/settings/inboxes/new/email", data=stored)
        with db.reading() as session:
            before = session.exec(select(Inbox)).one()
        page = boss.client.post(
            f"/settings/inboxes/{before.id}/try", data=stored | {"smtp_password": "", "folder": "X"}
        ).text

    assert shown(page)[-2:] == [
        "127.0.0.1 lets support in.",
        "127.0.0.1 takes mail from support@shop.test.",
    ]
    with db.reading() as session:
        assert session.exec(select(Inbox)).one().sealed_config == before.sealed_config


def test_a_form_that_is_wrong_is_said_and_nobody_is_asked(boss: Person, sink: SmtpSink) -> None:
    form = FORM | {"smtp_port": str(sink.port), "after_filing": "move"}

    answer = boss.client.post(NEW, data=form)

    assert answer.status_code == 422
    assert shown(answer.text) == [
        "Correct the form first; nothing was tried.",
        "Folder for filed mails: to move filed mails, name the folder they are moved to",
    ]
    assert sink.connections == 0


@pytest.fixture
def dovecot(tmp_path: Path) -> Iterator[Dovecot]:
    server = Dovecot.start(tmp_path)
    yield server
    server.stop()


@pytest.mark.dovecot
def test_the_folders_that_were_found_can_be_picked(boss: Person, dovecot: Dovecot) -> None:
    dovecot.drop("picker", b"Subject: x\r\n\r\n")
    form = {
        "address": "support@shop.test",
        "imap_host": "localhost",
        "imap_port": str(dovecot.port_tls),
        "imap_username": "picker",
        "imap_password": "secret",
        "catch_tls_ca": str(dovecot.ca),
    }

    page = boss.client.post(NEW, data=form).text

    assert '<datalist id="folders"><option value="INBOX"></option></datalist>' in page
    assert shown(page)[-1] == "The folder INBOX can be opened. Mails in it: 1."
    assert len(re.findall(r'<input id="f-(?:after_)?folder"[^>]* list="folders"', page)) == 2


def test_only_channels_that_can_and_administrators_that_may_try(boss: Person, ann: Person) -> None:
    assert "data-try" in boss.client.get("/settings/inboxes/new/email").text
    assert "data-try" not in boss.client.get("/settings/inboxes/new/chat").text
    assert boss.client.post("/settings/inboxes/new/chat/try", data={}).status_code == 409
    assert ann.client.post(NEW, data=FORM).status_code == 403

"""A message on the ticket page: what is new in it, and the rest of it one click away."""

import re
from contextvars import copy_context

import pytest

from app.core.secrets import Keys
from app.store.database import Database
from app.store.tables import Message
from app.web import speech
from app.web.speech import Voice
from app.web.stored_words import say_stored
from app.worker import oversized
from channels.contract import InboundMessage, Raw
from channels.email import body, channel, ladder, mime, secured
from channels.email.config import EmailConfig
from tests.factories import make_inbox
from tests.inquiries import Desk, inquiry
from tests.web.conftest import Person

QUOTED = (
    "2026年11月19日(木) 14:07 サポート <support@example.org>:\n\n> 電球は <b>いかが</b>ですか。"
)
SIGNATURE = "━━━━━━━━━━\n株式会社見本\nTEL 03-1234-5678\n━━━━━━━━━━"
ANSWER = (
    "From: Yumi <yumi@customers.example>\r\n"
    "Subject: Lamp\r\n"
    "Message-ID: <1@customers.example>\r\n"
    "Date: Thu, 19 Nov 2026 15:00:00 +0900\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    f"まだ点きません。\n\n{SIGNATURE}\n\n{QUOTED}\n"
)


def test_signature_and_quotation_are_folded_below_what_is_new(
    db: Database, keys: Keys, ann: Person
) -> None:
    with db.transaction() as session:
        desk = Desk(db, keys, make_inbox(session), ann.actor, ann.actor)
    config = EmailConfig(address="support@example.org")
    (read,) = channel.parse(config, Raw(external_id="1", body=ANSWER.encode()))
    assert isinstance(read, InboundMessage)

    ticket = desk.ticket(read)

    (kept,) = desk.all(Message)
    assert (kept.reply_text, kept.signature, kept.quoted_text) == (
        "まだ点きません。",
        SIGNATURE,
        QUOTED,
    )
    assert kept.text.strip() == f"まだ点きません。\n\n{SIGNATURE}\n\n{QUOTED}"
    page = ann.client.get(f"/tickets/{ticket.ref}").text
    assert "<p>まだ点きません。</p>" in page
    assert folds(page) == [
        ("Signature", SIGNATURE),
        ("Quoted text, 3 lines", QUOTED.replace("<", "&lt;").replace(">", "&gt;")),
    ]


def test_the_whole_text_is_one_click_away(db: Database, keys: Keys, ann: Person) -> None:
    with db.transaction() as session:
        desk = Desk(db, keys, make_inbox(session), ann.actor, ann.actor)
    config = EmailConfig(address="support@example.org")
    (read,) = channel.parse(config, Raw(external_id="1", body=ANSWER.encode()))
    assert isinstance(read, InboundMessage)
    ticket = desk.ticket(read)
    (kept,) = desk.all(Message)

    page = ann.client.get(f"/tickets/{ticket.ref}").text
    whole = ann.client.get(f"/messages/{kept.id}/text")
    (said,) = ann.client.get(f"/api/tickets/{ticket.ref}").json()["said"]

    assert f'href="/messages/{kept.id}/text"' in page
    assert (whole.text, whole.headers["content-type"]) == (kept.text, "text/plain; charset=utf-8")
    names = ("text", "reply_text", "quoted_text", "signature", "warnings", "charset_suspect")
    assert {name: said[name] for name in names} == {
        "text": kept.text,
        "reply_text": "まだ点きません。",
        "quoted_text": QUOTED,
        "signature": SIGNATURE,
        "warnings": [],
        "charset_suspect": False,
    }
    assert ann.client.get(f"/messages/{kept.id + 1}/text").status_code == 404


WARNINGS = (
    body.TEXT_CUT,
    body.NOT_UNPACKED,
    ladder.BARELY,
    mime.FIELDS_CUT,
    mime.PARTS_CUT,
    mime.STRUCTURE,
    oversized.OVERSIZED,
    secured.ENCRYPTED,
    secured.SIGNED,
)


@pytest.mark.parametrize("language", ["ja", "de"])
@pytest.mark.parametrize("warning", WARNINGS)
def test_a_warning_is_said_in_the_language_of_the_page(warning: str, language: str) -> None:
    sentence = warning.partition(": ")[2]

    def said() -> str:
        speech.speak(Voice(language))
        return say_stored(sentence)

    assert copy_context().run(said) != sentence


def test_what_could_not_be_understood_stands_with_the_message(
    db: Database, keys: Keys, ann: Person
) -> None:
    with db.transaction() as session:
        desk = Desk(db, keys, make_inbox(session), ann.actor, ann.actor)
    ticket = desk.ticket(inquiry("Hello", warnings=(mime.PARTS_CUT, secured.SIGNED)))

    page = ann.client.get(f"/tickets/{ticket.ref}").text
    (said,) = ann.client.get(f"/api/tickets/{ticket.ref}").json()["said"]

    assert said["warnings"] == [mime.PARTS_CUT, secured.SIGNED]
    assert re.findall(r'<p class="(state[^"]*)">(?:<svg.*?</svg>)([^<]+)</p>', page) == [
        ("state warn", mime.PARTS_CUT.partition(": ")[2]),
        ("state", secured.SIGNED.partition(": ")[2]),
    ]


def folds(page: str) -> list[tuple[str, str]]:
    """The control and what it unfolds."""
    return re.findall(
        r'<details class="fold"><summary>([^<]*)</summary><div class="quoted"[^>]*>([^<]*)</div>',
        page,
    )

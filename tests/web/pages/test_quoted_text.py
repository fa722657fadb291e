"""A message on the ticket page: what is new in it, and the rest of it one click away."""

import re

from app.core.secrets import Keys
from app.store.database import Database
from app.store.tables import Message
from channels.contract import InboundMessage, Raw
from channels.email import channel
from channels.email.config import EmailConfig
from tests.factories import make_inbox
from tests.inquiries import Desk
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


def folds(page: str) -> list[tuple[str, str]]:
    """The control and what it unfolds."""
    return re.findall(
        r'<details class="fold"><summary>([^<]*)</summary><div class="quoted"[^>]*>([^<]*)</div>',
        page,
    )

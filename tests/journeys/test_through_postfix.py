"""Answers through a real Postfix: one that arrives and is answered, one that comes back."""

import re
import smtplib
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest

from tests.journeys.mails import mail
from tests.journeys.test_mail_round import ticket_with
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.setten import Setten, until

AMELIA = "amelia@example.co.uk"
GONE = "gone@example.co.uk"  # at a domain of this Postfix, which knows nobody of that name


@pytest.fixture
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    server = Postfix.start(dovecot, {"support@example.com": "support", AMELIA: "amelia"})
    try:
        yield server
    finally:
        server.stop()


def write(postfix: Postfix, sender: str, raw: bytes) -> None:
    """As a mail program hands it in."""
    with smtplib.SMTP("127.0.0.1", postfix.port) as client:
        client.sendmail(sender, ["support@example.com"], raw)


def states(setten: Setten, ref: str) -> list[tuple[str, str]]:
    said = setten.get(f"/api/tickets/{ref}")["said"]
    return [(one["state"], one["words"]) for each in said for one in each["sendings"]]


def test_an_answer_arrives_and_is_answered_and_another_comes_back(
    setten: Setten, dovecot: Dovecot, postfix: Postfix
) -> None:
    setten.serve()
    setten.set_up()
    setten.add_mailbox(dovecot.port, postfix.port)
    write(postfix, AMELIA, mail("p1"))
    write(postfix, GONE, mail("p2", subject="My last day", sender=GONE, name="Gus Onward"))
    ref = ticket_with(setten, "Quote for 240 glasses")["ref"]
    lost = ticket_with(setten, "My last day")["ref"]

    setten.post(f"/api/tickets/{ref}/replies", {"text": "It is **410** pounds."})
    setten.post(f"/api/tickets/{lost}/replies", {"text": "Who takes over from you?"})
    (answer,) = until(lambda: list(dovecot.maildir("amelia").glob("new/*")), "answer in her inbox")
    read = message_from_bytes(answer.read_bytes(), policy=policy.default)
    assert (read["From"], read["To"], read["Subject"]) == (
        "Ann · Kotori <support@example.com>",
        AMELIA,
        "Re: Quote for 240 glasses",
    )
    plain = read.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("It is **410** pounds.\n\nRef: [#")

    thanks = f"In-Reply-To: {read['Message-ID']}\r\nReferences: {read['References']}\r\n"
    write(postfix, AMELIA, mail("p3", "Agreed.", subject="Re: Quote for 240 glasses", more=thanks))
    whole = until(lambda: with_three(setten, ref), "her answer on the ticket")
    assert whole is not None
    assert [one["kind"] for one in whole["said"]] == ["inbound", "outbound", "inbound"]
    assert states(setten, ref) == [("sent", "")]

    came_back(setten, dovecot, lost)
    assert sorted(one["subject"] for one in setten.tickets()) == [
        "My last day",
        "Quote for 240 glasses",
    ]


def came_back(setten: Setten, dovecot: Dovecot, ref: str) -> None:
    """The notice of a real server names the very delivery, and its address is marked."""
    said = until(lambda: with_three(setten, ref), "bounce on the ticket")
    assert said is not None
    assert [one["kind"] for one in said["said"]] == ["inbound", "outbound", "inbound"]
    assert states(setten, ref) == [("failed", f'5.1.1 unknown user: "{GONE}"')]
    (known,) = said["customer"]["known"]
    assert known == {
        "kind": "email",
        "value": GONE,
        "undeliverable": True,
        "complained": False,
    }
    notices = [path.read_text() for path in dovecot.maildir("support").glob("*/*")]
    (notice,) = [one for one in notices if "report-type=delivery-status" in one]
    asked = [line for line in notice.splitlines() if line.startswith("Original-")]
    own = re.search(r"^Message-ID: <(t\..+)>$", notice, re.MULTILINE)
    assert own is not None
    assert asked == [f"Original-Envelope-Id: {own[1]}", f"Original-Recipient: rfc822;{GONE}"]


def with_three(setten: Setten, ref: str) -> dict[str, Any] | None:
    whole: dict[str, Any] = setten.get(f"/api/tickets/{ref}")
    return whole if len(whole["said"]) == 3 else None

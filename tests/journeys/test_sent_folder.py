"""The Sent folder is watched: what a colleague answers in a mail program stands on its ticket.

Its server lets nobody have more than two connections.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.mails import ENGLISH, mail
from tests.journeys.test_mail_round import sent, ticket_with
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import SmtpSink

SENT = "Gesendet"


@pytest.fixture
def dovecot(tmp_path: Path) -> Iterator[Dovecot]:
    server = Dovecot.start(tmp_path / "dovecot", "mail_max_userip_connections = 2\n")
    yield server
    server.stop()


def refused(dovecot: Dovecot) -> int:
    return (dovecot.top / "dovecot.log").read_text().count("Maximum number of connections")


def put(dovecot: Dovecot, folder: str, *mails: bytes) -> None:
    """What a mail program has sent."""
    dovecot.maildir("support")
    for one in mails:
        dovecot.drop(f"support/.{folder}", one)


def answer(number: str, to: str, text: str, *answers: str) -> bytes:
    """What a colleague writes in a mail program, as the provider keeps it."""
    return mail(
        number,
        text,
        subject="Re: Quote for 240 glasses",
        sender="support@example.com",
        name="Bettina",
        to=to,
        more="".join(f"In-Reply-To: <{one}>\r\nReferences: <{one}>\r\n" for one in answers),
    )


def said(setten: Setten, ref: str) -> list[tuple[str, str, str]]:
    there = setten.get(f"/api/tickets/{ref}")["said"]
    return [(one["kind"], one["author"], one["text"].strip()) for one in there]


def balances(setten: Setten) -> dict[str, dict[str, int]]:
    """Of each folder what is not nothing."""
    found = {}
    for row in setten.get("/api/mail-balance")["folders"]:
        counts = {**row["states"], "on_server": row["on_server"], "older": row["older"]}
        counts["unexplained"] = row["unexplained"]
        found[row["folder"]] = {name: count for name, count in counts.items() if count}
    return found


def test_an_answer_from_a_mail_program_and_a_kept_copy_of_ours(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink
) -> None:
    setten.environment["SETTEN_POLL_SECONDS"] = "1"
    setten.serve()
    setten.set_up()
    put(dovecot, SENT, answer("old", "amelia@example.co.uk", "From before.", "q0@example.co.uk"))
    setten.add_mailbox(dovecot.port, sink.port, sent_watch=True, sent_copy=True, sent_folder=SENT)
    dovecot.drop("support", mail("q1"))
    ref = ticket_with(setten, "Quote for 240 glasses")["ref"]
    until(lambda: SENT in balances(setten), "first look at what was sent")

    setten.post(f"/api/tickets/{ref}/replies", {"text": "We are asking our supplier."})
    sent(sink, 1)
    until(lambda: dovecot.count_marked(f"support/.{SENT}") == 1, "copy of what was sent")
    assert refused(dovecot) == 0
    kept = sink.received[0].body
    theirs = answer("b1", "amelia@example.co.uk", "It is 410 pounds.", "q1@example.co.uk")
    private = answer("b2", "carl@elsewhere.test", "Lunch at noon?")
    put(dovecot, SENT, kept, theirs, private)

    until(lambda: len(said(setten, ref)) == 3, "answer from the mail program")
    dovecot.drop("support", mail("q2", "Agreed.", more="In-Reply-To: <b1@example.co.uk>\r\n"))
    until(lambda: len(said(setten, ref)) == 4, "what the customer says to it")

    # After a start all of a folder is looked at: nothing is fetched a second time.
    setten.kill()
    setten.serve()

    looked = {
        "INBOX": {"on_server": 2, "filed": 2},
        SENT: {"on_server": 5, "older": 1, "copy": 2, "filed": 1, "ignored": 1},
    }
    until(lambda: balances(setten) == looked, f"even balance; last: {balances(setten)}")
    assert said(setten, ref) == [
        ("inbound", "Amelia Brook", ENGLISH),
        ("outbound", "Ann", "We are asking our supplier."),
        ("outbound", "Bettina", "It is 410 pounds."),
        ("inbound", "Amelia Brook", "Agreed."),
    ]
    page = setten.client.get(f"/tickets/{ref}").text
    assert ("It is 410 pounds." in page, "Lunch at noon?" in page) == (True, False)
    assert len(setten.tickets()) == 1
    assert (len(sink.received), refused(dovecot)) == (1, 0)

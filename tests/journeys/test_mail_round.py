"""One mail all the way round: in by IMAP, answered by SMTP, threaded, rated, on the map."""

import re
import time
from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

from channels.email.compose import OWN_ID
from tests.journeys.mails import GERMAN, JAPANESE, mail
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import SmtpSink


def ticket_with(setten: Setten, subject: str) -> dict[str, Any]:
    def named() -> list[dict[str, Any]]:
        return [row for row in setten.tickets() if row["subject"] == subject]

    return until(named, f"ticket “{subject}”")[0]


def sent(sink: SmtpSink, count: int) -> list[Mail]:
    until(lambda: len(sink.received) >= count, f"{count} mails sent")
    return [message_from_bytes(one.body) for one in sink.received]


def test_mail_is_filed_answered_threaded_and_rated(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink
) -> None:
    setten.environment["SETTEN_PUBLIC_URL"] = "https://help.example.com"
    setten.serve()
    setten.set_up()
    setten.add_mailbox(dovecot.port, sink.port)
    dovecot.drop(
        "support",
        mail(
            "a1",
            JAPANESE,
            subject="ケトルの蓋",
            sender="yumi@example.jp",
            name="高橋 由美",
            charset="iso-2022-jp",
        ),
    )
    ticket = ticket_with(setten, "ケトルの蓋")
    ref = ticket["ref"]
    whole = setten.get(f"/api/tickets/{ref}")
    assert JAPANESE in whole["said"][0]["text"]
    assert whole["said"][0]["author"] == "高橋 由美"

    setten.post(f"/api/tickets/{ref}/replies", {"text": "交換品を**本日**発送いたします。"})
    answer = sent(sink, 1)[0]
    assert answer["In-Reply-To"] == "<a1@example.co.uk>"
    thread, first = answer["References"].split()
    assert (OWN_ID.fullmatch(thread.strip("<>")) is not None, first) == (True, "<a1@example.co.uk>")
    assert sink.received[0].rcpt_tos == ("yumi@example.jp",)

    again = mail(
        "a2",
        "ありがとうございます。届きました。",
        subject="Re: ケトルの蓋",
        sender="yumi@example.jp",
        name="高橋 由美",
        charset="iso-2022-jp",
        more=f"In-Reply-To: {answer['Message-ID']}\r\nReferences: {answer['Message-ID']}\r\n",
    )
    dovecot.drop("support", again)
    stranger = mail(
        "s1",
        "Tell me more about this order, please.",
        subject="Re: the other one",
        sender="mallory@example.net",
        name="Mallory",
        more=f"In-Reply-To: {answer['Message-ID']}\r\n",
    )
    dovecot.drop("support", stranger)
    until(lambda: len(setten.tickets()) == 2, "ticket of the stranger")
    until(
        lambda: (
            [m["kind"] for m in setten.get(f"/api/tickets/{ref}")["said"]]
            == ["inbound", "outbound", "inbound"]
        ),
        "second mail on the ticket",
    )

    setten.post(f"/api/tickets/{ref}/replies", {"text": "ご確認ありがとうございます。"})
    sent(sink, 2)


def test_customer_is_asked_once_and_a_bad_rating_becomes_work(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink
) -> None:
    setten.environment["SETTEN_PUBLIC_URL"] = "https://help.example.com"
    setten.serve()
    setten.set_up()
    setten.put("/api/organisation/rules", {"feedback_delay_minutes": 0, "feedback_notice": True})
    setten.add_mailbox(dovecot.port, sink.port)
    dovecot.drop(
        "support",
        mail("d1", GERMAN, subject="Rechnung RE-1187", sender="jonas@example.de", charset="cp1252"),
    )
    ref = ticket_with(setten, "Rechnung RE-1187")["ref"]
    setten.put(f"/api/tickets/{ref}/stage", {"label": "F"})
    setten.post(f"/api/tickets/{ref}/replies", {"text": "Erledigt, siehe Anhang."})
    sent(sink, 1)
    setten.post(f"/api/tickets/{ref}/resolve")

    request = sent(sink, 2)[1]
    assert "List-Unsubscribe" in request
    assert request["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert request["Auto-Submitted"] == "auto-generated"
    plain = next(p for p in request.walk() if p.get_content_type() == "text/plain")
    words = plain.get_payload(decode=True)
    assert isinstance(words, bytes)
    text = words.decode()
    assert "Wie zufrieden waren Sie" in text
    path = re.search(r"https://help\.example\.com(/f/[\w-]+)\s", text)
    assert path is not None
    page = setten.client.get(path.group(1))
    assert page.status_code == 200
    assert setten.get(f"/api/tickets/{ref}")["request"]["state"] == "sent"

    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert nonce is not None
    form = {"score": "2", "comment": "Zu langsam.", "nonce": nonce.group(1)}
    opened = time.monotonic()
    # What comes sooner than a person can read is kept, but not counted.
    until(lambda: time.monotonic() - opened > 3, "time to have read the question")
    browser = {"accept-language": "de"}
    thanks = setten.client.post(path.group(1), data=form, headers=browser)
    assert thanks.status_code in {200, 303}

    rated = until(
        lambda: (t := setten.get(f"/api/tickets/{ref}"))["request"]["state"] == "answered" and t,
        "rating on the ticket",
    )
    assert rated["status"] == "open"
    assert [one["state"] for one in setten.get("/api/follow-ups")["live"]] == ["open"]
    seen = setten.get("/api/map")
    assert (seen["contacts"], seen["answers"], seen["unplaced"]) == (2, 1, 0)
    satisfaction = next(i for i, s in enumerate(seen["stages"]) if "F" in s["anchors"])
    first_time = next(s for s in seen["segments"] if s["key"] == "first_time")
    cell = first_time["cells"][satisfaction]
    assert (cell["contacts"], cell["csat"]["n"], cell["csat"]["percent"]) == (2, 1, 0)

"""Which mails are from machines."""

import pytest

from channels.contract import InboundMessage, Raw
from channels.email import channel
from channels.email.config import EmailConfig


def machine(fields: str, body: str = "text") -> tuple[str, bool]:
    raw = f"{fields}\r\nMessage-ID: <1@x.y>\r\n\r\n{body}".encode()
    (message,) = channel.parse(EmailConfig(address="support@example.com"), Raw("x", raw))
    assert isinstance(message, InboundMessage)
    return message.machine, message.automatic


MACHINES = {
    "ours": ("From: support@example.com\r\nX-Setten-Loop: abc-1-xyz", "ourselves"),
    "ours, though automatic": (
        "From: a@b.c\r\nX-Setten-Loop: abc-1-xyz\r\nAuto-Submitted: auto-generated",
        "ourselves",
    ),
    "no proof that it is ours": (
        "From: a@b.c\r\nX-Setten-Loop: support@example.com",
        "auto_reply",
    ),
    "our own id": ("From: a@b.c\r\nMessage-ID: <t.abc.1.0a1b2c3d@example.com>", "ourselves"),
    "report": (
        "From: a@b.c\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
        "",
    ),
    "failed recipients": ("From: a@b.c\r\nX-Failed-Recipients: x@y.z", "bounce_hard"),
    "daemon": (
        "From: MAILER-DAEMON@x.y\r\nSubject: Undelivered Mail Returned to Sender",
        "bounce_hard",
    ),
    "daemon, German": (
        "From: postmaster@x.y\r\nSubject: Unzustellbar: Ihre Anfrage",
        "bounce_hard",
    ),
    "null path": ("Return-Path: <>\r\nFrom: x@y.z\r\nSubject: 配信エラー", "bounce_hard"),
    "auto-submitted": ("From: a@b.c\r\nAuto-Submitted: auto-replied (vacation)", "ooo"),
    "auto-submitted with parameters": (
        "From: a@b.c\r\nAuto-Submitted: auto-generated; x=y",
        "auto_reply",
    ),
    "x-autoreply": ("From: a@b.c\r\nX-Autoreply: yes", "auto_reply"),
    "precedence": ("From: a@b.c\r\nPrecedence: auto_reply", "auto_reply"),
    "out of office": (
        "From: a@b.c\r\nX-Auto-Response-Suppress: All\r\nSubject: Out of Office: x",
        "ooo",
    ),
    "absent, Japanese": (
        "From: a@b.c\r\nX-Auto-Response-Suppress: OOF\r\nSubject: 自動返信: x",
        "auto_reply",
    ),
    "absent, junk as old programs say": (
        "From: a@b.c\r\nPrecedence: junk\r\nSubject: [Automatyczna odpowiedź] x",
        "auto_reply",
    ),
    "absent, Notes": (
        "From: a@b.c\r\nSubject: AUTO: Ann B. is out of the office (returning 01/05/2027)",
        "ooo",
    ),
    "null path, no bounce": ("Return-Path: <>\r\nFrom: a@b.c\r\nSubject: Hello", "auto_reply"),
    "list": ("From: a@b.c\r\nList-Id: <l.example.org>", "list_bulk"),
    "newsletter": ("From: a@b.c\r\nList-Unsubscribe: <https://x.y/u>", "list_bulk"),
    "bulk": ("From: a@b.c\r\nPrecedence: bulk", "list_bulk"),
}


@pytest.mark.parametrize(("fields", "kind"), MACHINES.values(), ids=MACHINES)
def test_a_machine_is_told(fields: str, kind: str) -> None:
    if kind:
        assert machine(fields) == (kind, True)
    else:
        part = "--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--"
        assert machine(fields, part) == ("bounce_hard", True)


PEOPLE = {
    "nothing said": "From: a@b.c\r\nSubject: hello",
    "no": "From: a@b.c\r\nAuto-Submitted: no",
    "asks others to be silent": (
        "From: a@b.c\r\nX-Auto-Response-Suppress: All\r\nSubject: Re: order"
    ),
    "writes about automatic answers": "From: a@b.c\r\nSubject: Automatic reply is wrong",
    "writes about delivery": "From: a@b.c\r\nSubject: Undelivered parcel",
    "their car": "From: a@b.c\r\nSubject: AUTO: the delivery of my car is late",
    "postmaster in person": "From: postmaster@x.y\r\nSubject: Question about an invoice",
    "our own address is a group": (
        "From: a@b.c\r\nPrecedence: list\r\nList-Id: <support.example.com>\r\n"
        "List-Post: <https://groups.example/support>, <mailto:support@example.com>"
    ),
    "an answer from a sales program": (
        "From: a@b.c\r\nIn-Reply-To: <1@example.com>\r\nList-Unsubscribe: <https://x.y/u>"
    ),
    "a mailbox of holidays": "From: a@b.c\r\nSubject: Vacation in Kyoto: which room is free?",
    "an id that only looks like ours": (
        "From: a@b.c\r\nMessage-ID: <t.abc.1.0a1b2c3d@other.example>"
    ),
}


@pytest.mark.parametrize("fields", PEOPLE.values(), ids=PEOPLE)
def test_a_person_is_not_taken_for_a_machine(fields: str) -> None:
    assert machine(fields) == ("", False)


def report(kind: str) -> str:
    return f"From: a@b.c\r\nContent-Type: multipart/report; report-type={kind}; boundary=b"


REPORTS = {
    "read receipt": (report("disposition-notification"), "mdn"),
    "complaint": (report("feedback-report"), "arf"),
}


@pytest.mark.parametrize(("fields", "kind"), REPORTS.values(), ids=REPORTS)
def test_a_report_is_told_by_its_kind(fields: str, kind: str) -> None:
    assert machine(fields, "--b\r\n\r\nSeen.\r\n--b--") == (kind, True)


ABSENCES = {
    "English": ("Auto-Submitted: auto-replied", "I am out of the office until Monday."),
    "German": (
        "Auto-Submitted: auto-replied",
        "Ich bin im Urlaub und ab Montag wieder erreichbar.",
    ),
    "Japanese": ("X-Autoreply: yes", "夏季休暇のため、月曜日まで不在にしております。"),
    "Outlook": (
        (
            "X-Auto-Response-Suppress: All\r\nAuto-Submitted: auto-generated\r\n"
            "Subject: Automatic reply: order"
        ),
        "I am on annual leave.",
    ),
}


@pytest.mark.parametrize(("fields", "body"), ABSENCES.values(), ids=ABSENCES)
def test_an_absence_is_told_from_other_automatic_answers(fields: str, body: str) -> None:
    fields = f"From: a@b.c\r\nContent-Type: text/plain; charset=utf-8\r\n{fields}"

    assert machine(fields, body) == ("ooo", True)
    assert machine(fields.replace("Subject", "X-Was"), "We got your mail.") == ("auto_reply", True)


def test_an_invitation_is_from_a_person() -> None:
    fields = "From: a@b.c\r\nContent-Type: text/calendar; method=REQUEST"

    assert machine(fields, "BEGIN:VCALENDAR") == ("", False)

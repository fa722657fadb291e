"""A mail that passes another one on, as programs of three languages write it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from channels.contract import Forward, InboundMessage, Party, Raw
from channels.email import channel
from channels.email.config import EmailConfig

CONFIG = EmailConfig(address="support@shop.test")
CET = timezone(timedelta(hours=1))
JST = timezone(timedelta(hours=9))
JANE = Party("email", "jane@customers.test", "Jane Doe")
HANAKO = Party("email", "hanako@customers.test", "佐藤 花子")

INLINE: dict[str, tuple[str, str, Forward]] = {
    "Gmail, English": (
        "Fwd: Lid",
        (
            "Please have a look.\n\n---------- Forwarded message ---------\n"
            "From: Jane Doe <jane@customers.test>\nDate: Fri, Nov 20, 2026 at 10:05 AM\n"
            "Subject: Lid\nTo: <ann@shop.test>\n\n\nIt does not close.\n\nJane"
        ),
        Forward(
            JANE, datetime(2026, 11, 20, 10, 5, tzinfo=CET), "Lid", "It does not close.\n\nJane"
        ),
    ),
    "Gmail, German": (
        "Fwd: Deckel",
        (
            "---------- Forwarded message ---------\nVon: Jane Doe <jane@customers.test>\n"
            "Date: Fr., 20. Nov. 2026 um 10:05 Uhr\nSubject: Deckel\nTo: <ann@shop.test>\n\n\n"
            "Er schließt nicht."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, tzinfo=CET), "Deckel", "Er schließt nicht."),
    ),
    "Gmail, Japanese": (
        "Fwd: 蓋",
        (
            "---------- Forwarded message ---------\nFrom: 佐藤 花子 <hanako@customers.test>\n"
            "Date: 2026年11月20日(金) 10:05\nSubject: 蓋\nTo: <ann@shop.test>\n\n\n閉まりません。"
        ),
        Forward(HANAKO, datetime(2026, 11, 20, 10, 5, tzinfo=CET), "蓋", "閉まりません。"),
    ),
    "Outlook, English": (
        "FW: Lid",
        (
            "Ours?\n\n________________________________\nFrom: Jane Doe <jane@customers.test>\n"
            "Sent: Friday, November 20, 2026 2:05 PM\nTo: Ann <ann@shop.test>\nSubject: Lid\n\n"
            "It does not close."
        ),
        Forward(JANE, datetime(2026, 11, 20, 14, 5, tzinfo=CET), "Lid", "It does not close."),
    ),
    "Outlook, German": (
        "WG: Deckel",
        (
            "Von: Jane Doe [mailto:jane@customers.test]\n"
            "Gesendet: Freitag, 20. November 2026 10:05\n"
            "An: Ann\nBetreff: Deckel\n\nEr schließt nicht."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, tzinfo=CET), "Deckel", "Er schließt nicht."),
    ),
    "Outlook, Japanese": (
        "転送: 蓋",
        (
            "お願いします。\n\n差出人: 佐藤 花子 <hanako@customers.test>\n送信日時: "
            "2026年11月20日 午後 2:05\n"
            "宛先: ann@shop.test\n件名: 蓋\n\n閉まりません。"
        ),
        Forward(HANAKO, datetime(2026, 11, 20, 14, 5, tzinfo=CET), "蓋", "閉まりません。"),
    ),
    "Apple Mail, English": (
        "Fwd: Lid",
        (
            "Begin forwarded message:\n\nFrom: Jane Doe <jane@customers.test>\nSubject: Lid\n"
            "Date: 20 November 2026 at 10:05:09 GMT+09:00\nTo: ann@shop.test\n\nIt does not close."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, 9, tzinfo=JST), "Lid", "It does not close."),
    ),
    "Apple Mail, marked": (
        "Fwd: Deckel",
        (
            "> Anfang der weitergeleiteten Nachricht:\n> \n> Von: Jane Doe <jane@customers.test>\n"
            "> Betreff: Deckel\n> Datum: 20. November 2026 um 10:05:09 MEZ\n"
            "> An: ann@shop.test\n> \n"
            "> Er schließt nicht."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, 9, tzinfo=CET), "Deckel", "Er schließt nicht."),
    ),
    "Thunderbird": (
        "Fwd: Lid",
        (
            "Ours?\n\n-------- Forwarded Message --------\nSubject: \tLid\n"
            "Date: \tFri, 20 Nov 2026 10:05:00 +0900\nFrom: \tJane Doe <jane@customers.test>\n"
            "To: \tann@shop.test\n\n\n\nIt does not close."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, tzinfo=JST), "Lid", "It does not close."),
    ),
    "without a mark in the subject": (
        "Lid",
        (
            "-------- Weitergeleitete Nachricht --------\nBetreff: Lid\nDatum: 20.11.2026 10:05\n"
            "Von: Jane Doe <jane@customers.test>\nAn: ann@shop.test\n\nIt does not close."
        ),
        Forward(JANE, datetime(2026, 11, 20, 10, 5, tzinfo=CET), "Lid", "It does not close."),
    ),
    "without an address": (
        "FW: Lid",
        "From: Jane Doe\nSent: Friday, November 20, 2026 2:05 PM\nTo: Ann\nSubject: Lid\n\nIt.",
        Forward(None, datetime(2026, 11, 20, 14, 5, tzinfo=CET), "Lid", "It."),
    ),
    "without a head": ("Fwd: Lid", "Jane says that it does not close.", Forward()),
}


def read(subject: str, body: str, more: str = "") -> InboundMessage:
    mail = (
        f"From: Ann <ann@shop.test>\nSubject: {subject}\nDate: Fri, 20 Nov 2026 12:00:00 +0100\n"
        f"{more}\n{body}"
    )
    (message,) = channel.parse(CONFIG, Raw("x", mail.replace("\n", "\r\n").encode()))
    assert isinstance(message, InboundMessage)
    return message


@pytest.mark.parametrize(("subject", "body", "forward"), INLINE.values(), ids=INLINE)
def test_it_is_told_who_wrote_what_and_when(subject: str, body: str, forward: Forward) -> None:
    assert read(subject, body).forward == forward


ANSWER = (
    "Thanks.\n\nFrom: Ann <ann@shop.test>\nSent: Friday, November 20, 2026 2:05 PM\n"
    "To: Jane\nSubject: Lid\n\nTurn it."
)
NONE = {
    "an answer with a head below it": ("Lid", ANSWER),
    "an answer by its subject": ("Re: Lid", INLINE["Gmail, English"][1]),
    "an answer to one that was passed on": ("AW: Fwd: Lid", INLINE["Gmail, English"][1]),
    "plain words": ("Lid", "From: what I understand it was forwarded: twice."),
}


@pytest.mark.parametrize(("subject", "body"), NONE.values(), ids=NONE)
def test_what_passes_nothing_on_is_none(subject: str, body: str) -> None:
    assert read(subject, body).forward is None


def attached(*mails: str) -> str:
    parts = "".join(f"--b\nContent-Type: message/rfc822\n\n{mail}\n" for mail in mails)
    return f"--b\nContent-Type: text/plain\n\nOurs?\n{parts}--b--\n"


JANES = (
    "From: Jane Doe <jane@customers.test>\nSubject: Lid\nDate: Thu, 19 Nov 2026 08:00:00 +0000\n\n"
    "It does not close."
)
IN_PARTS = "Content-Type: multipart/mixed; boundary=b\n"


def test_a_mail_that_is_attached_is_told_by_its_own_fields() -> None:
    first = Forward(JANE, datetime(2026, 11, 19, 8, tzinfo=UTC), "Lid", "It does not close.")

    assert read("FW: Lid", attached(JANES), IN_PARTS).forward == first
    assert read("Look", attached(JANES), IN_PARTS).forward == first
    # Evidence beside an answer is not passed on, and of several nobody wrote all.
    answers = f"In-Reply-To: <1@x.test>\n{IN_PARTS}"
    assert read("Look", attached(JANES), answers).forward is None
    assert read("Look", attached(JANES, JANES), IN_PARTS).forward is None
    assert read("FW: both", attached(JANES, JANES), IN_PARTS).forward == Forward()


def test_nonsense_above_a_mail_is_no_date() -> None:
    for date in (
        "32. November 2026 10:05",
        "2026-13-01 10:05",
        "Foo 20, 2026 10:05",
        "0000-01-01 1:05",
    ):
        body = INLINE["Outlook, English"][1].replace("Friday, November 20, 2026 2:05 PM", date)
        forward = read("FW: Lid", body).forward
        assert forward is not None
        assert (forward.sender, forward.sent_at) == (JANE, None)

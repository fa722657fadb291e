"""Mails as customers send them, written for these journeys."""

from email.header import Header
from email.utils import formataddr

JAPANESE = (
    "先週届いた電気ケトルの蓋が閉まりません。返品か交換をお願いします。注文番号は K-20418 です。"
)
GERMAN = "Die Rechnungsadresse auf RE-1187 stimmt nicht. Bitte auf die GmbH umschreiben!"
ENGLISH = "Could you send me a quote for 240 glasses, including delivery to Leeds?"


def mail(
    number: int | str,
    text: str = ENGLISH,
    *,
    subject: str = "Quote for 240 glasses",
    sender: str = "amelia@example.co.uk",
    name: str = "Amelia Brook",
    charset: str = "utf-8",
    to: str = "support@example.com",
    more: str = "",
) -> bytes:
    """One plain mail; `more` is further header lines."""
    head = (
        f"From: {formataddr((str(Header(name, charset)), sender))}\r\n"
        f"To: {to}\r\n"
        f"Subject: {Header(subject, charset).encode()}\r\n"
        f"Message-ID: <{number}@example.co.uk>\r\n"
        "Date: Fri, 20 Nov 2026 09:30:00 +0100\r\n"
        f"{more}"
        "MIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset={charset}\r\n\r\n"
    )
    return head.encode("ascii") + text.encode(charset) + b"\r\n"

"""Our own mails: exact bytes that every relay and every program understands."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from channels.contract import InboundMessage, OutboundFile, OutboundMessage, Party, Raw, RefKind
from channels.email import channel
from channels.email.config import EmailConfig

CONFIG = EmailConfig(address="support@example.com", sender_name="Müller & Söhne, Kundendienst")
CUSTOMER = Party("email", "hanako@example.jp", "佐藤 花子")
MESSAGE = OutboundMessage(
    token="k7Qz-9_a",
    number=12,
    sent_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    sender_name="",
    to=(CUSTOMER,),
    text="Guten Tag **Frau Satō**,\n\n- eins\n- zwei\n\n<script>alert(1)</script>\n.\nEnde",
    subject="Re: Rücksendung",
    language="de",
    in_reply_to="lampe-1@example.de",
    references=("erste@example.de", "lampe-1@example.de"),
)
LONG = "x" * 200 + "@relay.example"
THREAD = "t.k7Qz-9_a.0.4b018dfc@example.com"


def sent(**changes: Any) -> bytes:
    return channel.render(CONFIG, replace(MESSAGE, **changes)).body


def read(body: bytes) -> InboundMessage:
    (message,) = channel.parse(EmailConfig(address="other@example.net"), Raw("x", body))
    assert isinstance(message, InboundMessage)
    return message


def field(body: bytes, name: str) -> str | None:
    head = body.partition(b"\r\n\r\n")[0].decode("ascii")
    found = re.search(rf"(?im)^{name}:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", head)
    return re.sub(r"\r\n[ \t]", " ", found.group(1)).strip() if found else None


def test_the_same_message_is_the_same_bytes() -> None:
    files = (OutboundFile("請求書.pdf", "application/pdf", b"%PDF" * 900),)

    assert sent(files=files) == sent(files=files)
    assert channel.render(CONFIG, MESSAGE).external_id == "t.k7Qz-9_a.12.dede0129@example.com"


def test_what_we_write_is_read_back() -> None:
    files = (
        OutboundFile("請求書" * 20 + ".pdf", "application/pdf", bytes(range(256)) * 40),
        OutboundFile("notes.txt", "text/plain", b"x"),
    )

    message = read(sent(files=files, cc=(Party("email", "bob@example.org", 'Bob "B" O\\B'),)))

    assert message.sender == Party("email", "support@example.com", "Müller & Söhne, Kundendienst")
    assert message.to == (CUSTOMER,)
    assert message.cc == (Party("email", "bob@example.org", 'Bob "B" O\\B'),)
    assert message.subject == "Re: Rücksendung"
    assert message.text == MESSAGE.text
    assert message.sent_at == MESSAGE.sent_at
    assert message.external_id == "t.k7Qz-9_a.12.dede0129@example.com"
    assert [(file.name, file.body) for file in message.files] == [
        (file.name, file.body) for file in files
    ]
    assert [(ref.kind, ref.value) for ref in message.refs] == [
        (RefKind.ID_TOKEN, "k7Qz-9_a"),
        (RefKind.MESSAGE_ID, "lampe-1@example.de"),
        (RefKind.MESSAGE_ID, "erste@example.de"),
    ]


def test_a_mail_of_ours_is_known_whatever_id_its_provider_gives_it() -> None:
    own_id = "t.k7Qz-9_a.12.dede0129@example.com"
    changed = sent().replace(b"Message-ID: <%s>" % own_id.encode(), b"Message-ID: <1@relay.test>")

    (kept,) = channel.parse(CONFIG, Raw("x", changed, sent=True))

    assert isinstance(kept, InboundMessage)
    assert (kept.external_id, kept.other_id) == (own_id, "1@relay.test")
    (same,) = channel.parse(CONFIG, Raw("x", sent(), sent=True))
    assert isinstance(same, InboundMessage)
    assert (same.external_id, same.other_id) == (own_id, "")
    came = read(changed)  # anybody can write it there
    assert (came.external_id, came.other_id) == ("1@relay.test", "")


def test_another_reader_understands_it_the_same_way() -> None:
    name = "請求書 (3月分).pdf"
    files = (OutboundFile(name, "application/pdf", b"%PDF" * 99),)

    mail = message_from_bytes(sent(files=files), policy=default)

    assert mail["subject"] == MESSAGE.subject
    assert [address.display_name for address in mail["from"].addresses] == [CONFIG.sender_name]
    assert [address.addr_spec for address in mail["to"].addresses] == [CUSTOMER.value]
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").strip() == MESSAGE.text
    assert [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()] == [
        (name, b"%PDF" * 99)
    ]
    assert mail.defects == []


def test_markdown_becomes_html_and_html_stays_text() -> None:
    html = read(sent()).html

    assert "<strong>Frau Satō</strong>" in html
    assert "<li>eins</li>" in html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


@pytest.mark.parametrize(
    "text", ["short", "ü" * 5000, "返" * 5000, "a" * 5000, ".\n..\n", "", "\r"]
)
def test_every_line_is_short_and_seven_bit(text: str) -> None:
    body = sent(
        text=text,
        subject=" ".join(text[:900].split()),
        files=(OutboundFile("a", "x/y", b"z" * 5000),),
    )

    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 100
    assert body.isascii()
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)
    assert b"\x00" not in body


@pytest.mark.parametrize(
    "subject", ["件名" * 60, "Ü" * 300, "😀" * 80, "=?utf-8?q?x?=", "a  b", "x" * 200]
)
def test_a_subject_is_cut_between_characters_and_comes_back(subject: str) -> None:
    body = sent(subject=subject)

    assert read(body).subject == re.sub(r"\s+", " ", subject)
    for word in re.findall(rb"=\?utf-8\?b\?[^?]*\?=", body):
        assert len(word) <= 75
        read(b"Subject: " + word + b"\r\n\r\n")


def test_ids_are_never_encoded_and_never_cut() -> None:
    ids = tuple(f"{number}.{LONG}" for number in range(30))

    body = sent(references=ids, in_reply_to=ids[-1])

    references = (field(body, "References") or "").split()
    assert references[:2] == [f"<{THREAD}>", f"<{ids[0]}>"]
    assert references[-1] == f"<{ids[-1]}>"
    assert len(" ".join(references)) <= 900
    assert field(body, "In-Reply-To") == f"<{ids[-1]}>"


def test_of_many_references_the_first_and_the_last_stay() -> None:
    ids = tuple(f"{number}@example.jp" for number in range(30))

    references = (
        field(sent(references=ids, in_reply_to="29@example.jp"), "References") or ""
    ).split()

    assert references == [
        f"<{THREAD}>",
        *(f"<{number}@example.jp>" for number in (0, *range(22, 30))),
    ]


def test_one_id_stands_in_every_mail_of_a_ticket_and_is_of_none() -> None:
    before = ("erste@example.de", THREAD, "lampe-1@example.de")
    mails = [sent(), sent(number=13, references=before), sent(references=(), in_reply_to="")]

    references = [(field(mail, "References") or "").split() for mail in mails]

    assert references == [
        [f"<{THREAD}>", "<erste@example.de>", "<lampe-1@example.de>"],
        [f"<{THREAD}>", "<erste@example.de>", "<lampe-1@example.de>"],
        [f"<{THREAD}>"],
    ]
    assert [(ref.kind, ref.value) for ref in read(mails[2]).refs] == [
        (RefKind.ID_TOKEN, "k7Qz-9_a")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "x\r\nBcc: evil@example.org"},
        {"subject": "x\ny"},
        {"subject": "x\x00"},
        {"sender_name": "x\r\ny"},
        {"to": (Party("email", "a@b.c", "x\ny"),)},
        {"to": (Party("email", "a@b.c\r\nBcc: d@e.f"),)},
        {"to": (Party("email", "a@b.c>, <d@e.f"),)},
        {"in_reply_to": "a@b\r\nX: y"},
        {"references": ("a@b\nX: y",)},
        {"token": "a\r\nb"},
        {"token": "a@b"},
        {"unsubscribe_url": "https://x.example/\r\nX: y"},
        {"unsubscribe_url": "https://x.example/ä"},
        {"files": (OutboundFile("a\r\nX: y", "a/b", b""),)},
    ],
)
def test_a_value_that_would_add_a_field_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"line break|address|token|ASCII"):
        sent(**changes)


@pytest.mark.parametrize("kind", ["a/b\r\nX: y", "multipart/mixed", "message/rfc822", "", "text"])
def test_a_strange_type_of_a_file_is_just_bytes(kind: str) -> None:
    body = sent(files=(OutboundFile("a.bin", kind, b"1"),))

    assert b"Content-Type: application/octet-stream" in body
    assert [file.name for file in read(body).files] == ["a.bin"]


def test_only_automatic_mail_says_that_nobody_wrote_it() -> None:
    by_a_person, by_us = sent(), sent(automatic=True)

    names = ("Auto-Submitted", "X-Setten-Loop", "X-Auto-Response-Suppress")
    assert [field(by_a_person, name) for name in names] == [None, None, None]
    assert [field(by_us, name) for name in names] == [
        "auto-generated",
        MESSAGE.token,
        "OOF, AutoReply",
    ]
    # It says whose it is wherever it comes back, even where a relay gave it another id.
    renamed = re.sub(rb"Message-ID: <[^>]+>", b"Message-ID: <1@relay.test>", by_us)
    for body in (by_us, renamed):
        back = read(body)
        assert (back.automatic, back.machine) == (True, "ourselves")
        assert (back.own_token, back.otherwise) == (MESSAGE.token, "auto_reply")


def test_unsubscribing_is_one_click() -> None:
    url = "https://help.example.com/u/" + "x" * 200

    body = sent(unsubscribe_url=url)

    assert field(body, "List-Unsubscribe") == f"<{url}>"
    assert field(body, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"


def test_a_plus_address_is_used_only_after_the_self_test() -> None:
    with_tokens = CONFIG.model_copy(update={"reply_tokens": True})

    plain = sent()
    message = replace(MESSAGE, reply_token="k7Qz-1-reply")
    marked = channel.render(with_tokens, message).body

    assert field(plain, "Reply-To") is None
    assert field(marked, "Reply-To") == "<support+t.k7Qz-1-reply@example.com>"
    assert b"k7Qz-1-reply" not in channel.render(CONFIG, message).body


def test_an_answer_proves_the_ticket_by_what_it_quotes() -> None:
    own = channel.render(CONFIG, MESSAGE).external_id
    answer = (
        f"From: h@example.jp\r\nTo: support+t.k7Qz-9_a@example.com\r\nIn-Reply-To: <{own}>\r\n"
        f"References: <first@x>\r\n <{own}>\r\n\r\nDanke"
    ).encode()

    refs = [(ref.kind, ref.value) for ref in read(answer).refs]

    assert refs == [
        (RefKind.ADDRESS_TOKEN, "k7Qz-9_a"),
        (RefKind.ID_TOKEN, "k7Qz-9_a"),
        (RefKind.MESSAGE_ID, own),
        (RefKind.MESSAGE_ID, "first@x"),
    ]


def test_a_text_with_our_own_boundary_in_it_stays_one_part() -> None:
    boundary = re.search(rb'boundary="([^"]+)"', sent())
    assert boundary is not None

    text = f"--{boundary.group(1).decode()}--\nstill here"

    assert read(sent(text=text)).text == text


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("Hier: https://example.com/f/_abc_.", "https://example.com/f/_abc_"),
        ("評価はこちらhttps://example.com/f/a*b*cです", "https://example.com/f/a*b*c"),
        ("(http://example.com/x?a=1&b=2)", "http://example.com/x?a=1&amp;b=2"),
        ("<https://example.com/_y_>", "https://example.com/_y_"),
        ("[so](https://example.com/_z_)", "https://example.com/_z_"),
    ],
)
def test_an_address_in_the_text_is_a_link_and_none_of_it_is_markdown(
    text: str, linked: str
) -> None:
    mail = message_from_bytes(sent(text=text), policy=default)

    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert re.findall(r'href="([^"]*)"', html) == [linked]


def test_an_address_in_another_script_leaves_the_mail_readable_for_every_server() -> None:
    both = (Party("email", "花子@例え.jp", "佐藤 花子"), Party("email", "bob@例え.jp"))

    body = sent(to=both)

    assert body.isascii()
    read_back = message_from_bytes(body, policy=default)["To"]
    assert str(read_back) == '"佐藤 花子 花子@xn--r8jz45g.jp":;, bob@xn--r8jz45g.jp'
    assert [str(one) for one in read_back.addresses] == ["bob@xn--r8jz45g.jp"]

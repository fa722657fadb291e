"""The reference that people read: written below a mail and into its subject, found in answers."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contract import InboundMessage, OutboundMessage, Party, Raw, Ref, RefKind
from channels.email.channel import channel
from channels.email.config import EmailConfig

CONFIG = EmailConfig(address="support@example.com")
TAGGING = CONFIG.model_copy(update={"subject_tags": True})
PLAIN = CONFIG.model_copy(update={"body_marks": False})
TOKEN = "k7m2qx9ab-1-" + "a2" * 13
OLDER = "k7m2qx9ab-1-" + "b3" * 13
MESSAGE = OutboundMessage(
    token="k7m2qx9ab-1-x",
    tag_token=TOKEN,
    number=12,
    sent_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    sender_name="",
    to=(Party("email", "h@example.jp"),),
    text="Drehen Sie ihn.\n\n-- \nShop",
    subject="Re: 蓋が閉まりません",
)
FOUND = (Ref(RefKind.TAG_TOKEN, TOKEN),)


def sent(config: EmailConfig, **changes: Any) -> InboundMessage:
    return read(channel.render(config, replace(MESSAGE, **changes)).body)


def read(body: bytes) -> InboundMessage:
    (message,) = channel.parse(EmailConfig(address="other@example.net"), Raw("x", body))
    assert isinstance(message, InboundMessage)
    return message


def tags_of(message: InboundMessage) -> tuple[Ref, ...]:
    return tuple(ref for ref in message.refs if ref.kind is RefKind.TAG_TOKEN)


def test_a_mail_ends_with_its_reference_unless_that_is_switched_off() -> None:
    marked, plain, without = sent(CONFIG), sent(PLAIN), sent(CONFIG, tag_token="")

    assert marked.text == f"{MESSAGE.text}\n\nRef: [#{TOKEN}]"
    assert marked.html.count(TOKEN) == 1
    assert (plain.text, without.text) == (MESSAGE.text, MESSAGE.text)
    assert [tags_of(one) for one in (marked, plain, without)] == [FOUND, (), ()]


@pytest.mark.parametrize(
    "subject",
    [
        "Re: 蓋が閉まりません",
        f"Re: 蓋が閉まりません [#{OLDER}]",
        f"Re: [#{OLDER.upper()}] 蓋が閉まりません [#{TOKEN}]",
    ],
)
def test_a_subject_has_one_reference_where_that_is_wanted(subject: str) -> None:
    config = TAGGING.model_copy(update={"body_marks": False})

    message = sent(config, subject=subject)

    assert message.subject == f"Re: 蓋が閉まりません [#{TOKEN}]"
    assert tags_of(message) == FOUND
    assert sent(config, subject="").subject == f"[#{TOKEN}]"
    assert sent(PLAIN, subject=subject).subject == subject


ANSWERS = {
    "quoted": f"Subject: Re: x\r\n\r\nDanke!\r\n\r\n> Drehen Sie.\r\n> Ref: [#{TOKEN}]\r\n",
    "quoted twice": f"Subject: x\r\n\r\n> [#{TOKEN}]\r\n>> [#{TOKEN}]\r\n",
    "in capitals": f"Subject: x\r\n\r\n> REF: [#{TOKEN.upper()}]\r\n",
    "in HTML only": "Subject: x\r\nContent-Type: text/html\r\n\r\n"
    f'<p>Danke<blockquote><p style="x">Ref: [#{TOKEN}]</p></blockquote>',
    "in the subject": f"Subject: AW: x [#{TOKEN}] (2)\r\n\r\nDanke",
    "in a folded subject": f"Subject: AW: a long one\r\n [#{TOKEN}]\r\n\r\nDanke",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_it_is_found_wherever_a_mail_program_leaves_it(answer: str) -> None:
    assert tags_of(read(b"From: h@example.jp\r\n" + answer.encode())) == FOUND


def test_the_text_goes_before_the_subject_and_ids_before_both() -> None:
    answer = (
        f"From: h@example.jp\r\nSubject: [#{OLDER}]\r\nIn-Reply-To: <a@x.test>\r\n\r\n[#{TOKEN}]"
    )

    assert read(answer.encode()).refs == (
        Ref(RefKind.MESSAGE_ID, "a@x.test"),
        Ref(RefKind.TAG_TOKEN, TOKEN),
        Ref(RefKind.TAG_TOKEN, OLDER),
    )


NONE = {
    "a bare number": "[#123]",
    "a reference without its proof": "[#k7m2qx9ab]",
    "half": f"[#{TOKEN[:-1]}]",
    "too much": f"[#{TOKEN}a]",
    "without brackets": TOKEN,
    "blanks": f"[# {TOKEN}]",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_is_no_reference_is_left_alone(text: str) -> None:
    mail = f"From: h@example.jp\r\nSubject: {text}\r\n\r\n{text}".encode()

    assert read(mail).refs == ()


def test_of_very_many_only_a_few_are_looked_at() -> None:
    many = [f"[#k7m2qx9ab-{n}-{'a2' * 13}]" for n in range(2000)]

    found = tags_of(read(("From: h@example.jp\r\n\r\n" + "\r\n".join(many)).encode()))

    assert [ref.value.split("-")[1] for ref in found] == ["0", "1", "2", "3", "4"]

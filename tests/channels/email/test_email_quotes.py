"""What is new in a mail stays on the page: prose is no quotation, and nothing is ever lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from channels.email.quotes import Parts, read

ATTRIBUTION = "On Thu, Nov 19, 2026 at 2:07 PM Ann <ann@example.org> wrote:"
PROSE = {
    "field at the start of a sentence": (
        "From: what I understand, the lamp is broken.\nSent it back.\nTo: be honest, I am angry."
    ),
    "Japanese sentence": "差出人不明の荷物が届きました。\n件名は書いていません。\n宛先は私です。",
    "one date": "2026年11月19日に注文しました。まだ届きません。",
    "On at the start": "On Monday I wrote to you.\nNobody answered.",
    "own words announced": "On Monday I wrote:\nPlease cancel the order.\nNobody answered.",
    "own words announced in German": "Am Montag schrieb ich Ihnen:\nBitte stornieren.\nNichts.",
    "own words with date and time": (
        "Am 19.11.2026 um 14:07 schrieb ich Ihnen:\nBitte stornieren Sie die Bestellung."
    ),
    "own words with date and address": (
        "On 19 Nov 2026 at 14:07 I wrote to Ann <ann@example.org>:\nPlease cancel."
    ),
    "own words in Japanese": "2026年11月19日 14:07に私は次のように書きました:\n返品します。",
    "what a colleague wrote": "Your colleague wrote:\nWe refund it.\nWhen does that happen?",
    "what the colleague wrote in Japanese": "担当の方からのメール:\n返金します。\nとありました。",
    "times as a list": "2026年11月19日 14:07 から次の症状です:\n・光らない\n・熱くなる",
    "an address and a time": "Please call Ann <ann@example.org> by 14:07 about this:\nIt smokes.",
    "one marked line": "The parcel says\n> fragile\nand it was broken.",
    "marked lines of a screen": "The program says:\n> error 12\n> no lamp",
    "numbers": "a > b\nc > d",
    "a list of fields": "Name: Ann\nOrder: 12\nFrom: Kyoto\nWhat now?",
    "the data of an order": (
        "Hallo, hier die Daten meiner Bestellung:\nVon: Anna Meier\nAn: Shop\nDatum: 12.11.2026\n"
        "Betreff: Rücksendung 4711\nBitte melden Sie sich dringend!"
    ),
    "the data of an order, apart from the greeting": (
        "Hallo,\n\nVon: Anna Meier\nAn: Shop\nDatum: 12.11.2026\nBetreff: Rücksendung 4711\n"
        "Bitte melden Sie sich dringend!"
    ),
    "a form on a page": (
        "Hello,\n\nName: Ann\nFrom: a@b.test\nDate: 2026-11-19 10:00\nSubject: Lamp\n\nIt is dark."
    ),
    "a journey": "Please move my things.\n\nFrom: Kyoto\nTo: Osaka\nDate: 19 November\n\nHow much?",
    "a journey in German": "Umzug:\nVon: Berlin\nAn: Ulm\nDatum: 19.11.2026\nWas kostet das?",
    "a form on a website": "届きました。\n\n差出人: 佐藤 <sato@example.jp>\n題名: 返品\n\n本文",
    "rulers of a form": "-----------------\nOrder 12\n-----------------\nPlease check.",
    "rulers of a form at the end": "Please check.\n-----------------\nOrder 12\nMenge: 3\n-------",
    "rulers of a Japanese form": (
        "よろしくお願いします。\n---------------\nお名前：佐藤\n電話番号：03-1234-5678\n"
        "注文番号：12\n---------------"
    ),
    "a new address in a box": (
        "新しい住所です。\n----------\n〒100-0001\n東京都千代田区1-1\nTEL 03-1234-5678\n----------"
    ),
    "a new address below a closing": (
        "下記へお願いいたします。\n\n佐藤 太郎\n〒100-0001 東京都千代田区\nTEL 03-1234-5678"
    ),
    "a new address in German": (
        "Neue Lieferadresse\n\nMit freundlichen Grüßen\nErika Muster\nHauptstr. 1\n10115 Berlin\n"
        "Tel. 030 123456"
    ),
    "rulers around a list": "Parts:\n==========\nbulb\nsocket\n==========",
    "rulers of a table": "bulb   12\n-----------\nsocket 13\n-----------\nsum    25",
    "a table of bars": "My order:\n| bulb | 12 |\n| socket | 13 |",
    "two hyphens between": "First matter.\n--\nThe second matter is worse than that.",
    "two hyphens above a question": "The lamp is dark.\n-- \nWhat should I do?",
    "a telephone number": "Please call me.\nTel. 030 123456",
    "contact below the closing": (
        "Bitte senden.\n\nMit freundlichen Grüßen\nErika\nKundennummer: 12\nTel. 030 123456"
    ),
    "sent from the office": "昨日のメールは会社から送信しました。",
    "sent from a shop": "The lamp was\nsent from Berlin",
    "device in a sentence": "iPhoneから送信できません。どうすればよいですか。",
    "postscript below": "It is broken.\n\nSent from my iPhone\n\nPS: The order is 12.",
    "dashes of a thought": "----\nHello\n----\nI want my money back.",
    "original message in prose": "I never got the original message.\nOriginal Message: see below.",
    "forward asked for": "Begin forwarded message:\nthese words stand above each of your mails.",
}


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_prose_is_never_taken_for_a_quotation_or_a_signature(text: str) -> None:
    assert read(text) == Parts(text)


WHOLE = {
    "answers between the lines": (
        f"See below.\n\n{ATTRIBUTION}\n> Which colour?\nBlue.\n> Which size?\nXL"
    ),
    "answer below": f"{ATTRIBUTION}\n> Which colour?\n\nBlue.",
    "greeting above, answer below": f"Hello,\n\n{ATTRIBUTION}\n> Which colour?\n\nBlue.",
    "answers between Japanese marks": "佐藤です。\n\n\uff1e 色は\n青です。\n\uff1e 形は\n丸です。",
    "only a quotation": "> only\n> quoted",
    "only an attribution and a quotation": f"{ATTRIBUTION}\n\n> only",
    "only a forwarded mail": (
        "---------- Forwarded message ---------\nFrom: Ann <ann@example.org>\n\nIt is broken."
    ),
    "only a signature": "-- \nBob Example",
    "a signature and a quotation": f"Sent from my iPhone\n\n{ATTRIBUTION}\n> It is broken.",
    "nothing": "",
    "blank lines": "\n\n \n",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_cannot_be_told_apart_is_shown_whole(text: str) -> None:
    assert read(text) == Parts(text)


def test_a_signature_below_answers_between_the_lines_is_found() -> None:
    text = f"{ATTRIBUTION}\n> Which colour?\nBlue.\n> Which size?\nXL"

    assert read(f"{text}\n\n-- \nBob") == Parts(text, "", "-- \nBob")


def test_a_box_below_marked_lines_is_no_answer() -> None:
    quoted = f"{ATTRIBUTION}\n> 色は\n\n━━━━━━━━━━\n(株)見本\nTEL 03-1234-5678\n━━━━━━━━━━"

    assert read(f"青です。\n\n{quoted}") == Parts("青です。", quoted)


def test_a_forwarded_inquiry_is_what_is_quoted() -> None:
    quoted = (
        "Von: Ann <ann@example.org>\nGesendet: heute\nAn: Bob\nBetreff: Lampe\n\nSie ist kaputt."
    )

    assert read(f"zur Info\n\n{quoted}") == Parts("zur Info", quoted)


PIECES = some.sampled_from(
    (
        *(
            "",
            " ",
            "Hello",
            "どうも",
            "> quoted",
            ">> twice",
            "\uff1e 引用",
            "--",
            "-- ",
            "----------",
        ),
        *(ATTRIBUTION, "Am 19.11.2026 um 14:07 schrieb Ann <a@b.de>:", "Ann wrote:", "From: a@b.c"),
        *("Sent: today", "To: b", "Subject: c", "差出人: a@b.c", "送信日時: 今日", "件名：c"),
        *(
            "-----Original Message-----",
            "Sent from my iPhone",
            "iPhoneから送信",
            "TEL 03-1234-5678",
        ),
        *(
            "━━━━━━━━━━",
            "株式会社見本",
            "Kind regards",
            "Bob",
            "www.example.org",
            "________________",
        ),
        *("On Thu, Nov 19, 2026 at 2:07 PM Ann <", "ann@example.org> wrote:", "What?", "\u3000"),
    )
)


@given(some.lists(PIECES | some.text(max_size=20), max_size=30).map("\n".join))
def test_the_three_parts_are_the_whole_text_in_order(text: str) -> None:
    parts = read(text)

    assert _words("\n".join((parts.new, parts.signature, parts.quoted))) == _words(text)
    assert bool(parts.new.strip()) == bool(text.strip())


def _words(text: str) -> list[str]:
    return text.split()


MEGABYTE = 1_000_000
HOSTILE = (
    *(
        ">",
        "> ",
        "> \n",
        ">\n",
        " ",
        "\n",
        "-",
        "-\n",
        "-----\n",
        "--\n",
        "-- \n",
        "_",
        "=" * 30 + "\n",
    ),
    *("On a", "On a\n", "On 1 ", "On 1\n", "On 1 wrote:\n", "On 1 <a@b.c> 1:00 2026 wrote:\n"),
    *("From:", "From:\n", "From: a@b.c\n", "From: a@b.c\nSent: b\n", "差出人：", "差出人：\n"),
    *(
        "Am 1 schrieb ",
        "2026年1月1日 ",
        "2026年1月1日 1:00 <a@b.c>:\n",
        ":\n",
        "：",
        "<",
        "<a@",
        "@",
    ),
    *(
        "<!--",
        "<div class=gmail_quote>",
        "<blockquote type=cite>",
        "<blockquote type=cite",
        "&",
        "</",
    ),
    *(
        "Kind regards\n",
        "TEL 1\n",
        "sent from my ",
        "から送信",
        "━━━━━━\nTEL 1\n",
        "a",
        "あ",
        "1",
        "(",
    ),
)


@pytest.mark.parametrize("piece", HOSTILE, ids=[repr(piece)[:40] for piece in HOSTILE])
def test_a_megabyte_of_anything_is_read_at_once(piece: str) -> None:
    """A pattern that looks again and again needs minutes."""
    text = piece * (MEGABYTE // len(piece))
    start = time.process_time()

    read(f"Hello\n{text}", f"<p>Hello</p>{text}")

    assert time.process_time() - start < 30

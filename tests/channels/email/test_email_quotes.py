"""What is new in an answer, and what is only quoted."""

import time

import pytest

from channels.email.quotes import split

NEW = "Thank you.\n\nStill broken."
FORMS = {
    "English": "On Thu, Nov 19, 2026 at 2:07 PM Ann <ann@example.org> wrote:\n> hello\n> you",
    "English, broken line": (
        "On Thu, 19 Nov 2026 at 14:07, Example Support <\nsupport@example.com> wrote:\n\n> hello"
    ),
    "English, unmarked": (
        "On Nov 19, 2026, at 2:07 PM, Ann <ann@example.org> wrote:\n\nhello you\n\nAnn"
    ),
    "German": "Am 19.11.2026 um 14:07 schrieb Ann <ann@example.org>:\n> hallo",
    "German, Gmail": (
        "Am Do., 19. Nov. 2026 um 14:07 Uhr schrieb Ann <\nann@example.org>:\n\n> hallo"
    ),
    "Japanese, Gmail": "2026年11月19日(木) 14:07 サポート <support@example.com>:\n\n> こんにちは",
    "Japanese, Apple": "2026/11/19 14:07、サポート <support@example.com>のメール:\n\n> こんにちは",
    "Japanese, wrote": "2026年11月19日 14:07 サポート <support@example.com> wrote:\n> こんにちは",
    "Japanese, san": "サポートさんは書きました:\n> こんにちは\n> よろしく",
    "Outlook": (
        "From: Ann <ann@example.org>\n"
        "Sent: Thursday, November 19, 2026 2:07 PM\n"
        "To: Bob\n"
        "Subject: x\n"
        "\n"
        "hello"
    ),
    "Outlook with a rule": (
        "________________________________\nFrom: Ann\nSent: today\nTo: Bob\nSubject: x\n\nhello"
    ),
    "Outlook, German": (
        "Von: Ann <ann@example.org>\n"
        "Gesendet: Donnerstag, 19. November 2026 14:07\n"
        "An: Bob\n"
        "Betreff: x\n"
        "\n"
        "hallo"
    ),
    "Outlook, Japanese": (
        "差出人: サポート <support@example.com>\n"
        "送信日時: 2026年11月19日 14:07\n"
        "宛先: 佐藤\n"
        "件名: x\n"
        "\n"
        "こんにちは"
    ),
    "Outlook, full-width colons": (
        "差出人：サポート\n送信日時：2026年11月19日\n宛先：佐藤\n件名：x\n\nこんにちは"
    ),
    "original message": "-----Original Message-----\nFrom: Ann\nhello",
    "original message, German": "-----Ursprüngliche Nachricht-----\nVon: Ann\nhallo",
    "original message, Japanese": "-----元のメッセージ-----\n差出人: サポート\nこんにちは",
    "forwarded": "---------- Forwarded message ---------\nFrom: Ann\nhello",
    "only marks": "> hello\n> you\n>\n> Ann",
    "signature below": (
        "On Thu, Nov 19, 2026 at 2:07 PM Ann <a@example.org> wrote:\n> hi\n\n--\nBob\n* Mobile"
    ),
}


@pytest.mark.parametrize("quoted", FORMS.values(), ids=FORMS)
def test_the_quoted_part_is_told_from_the_new_one(quoted: str) -> None:
    assert split(f"{NEW}\n\n{quoted}") == (NEW, quoted)


PROSE = {
    "field at the start of a sentence": (
        "From: what I understand, the lamp is broken.\nSent it back."
    ),
    "Japanese sentence": "差出人不明の荷物が届きました。\n件名は書いていません。",
    "one date": "2026年11月19日に注文しました。まだ届きません。",
    "On at the start": "On Monday I wrote to you.\nNobody answered.",
    "one marked line": "The parcel says\n> fragile\nand it was broken.",
    "numbers": "a > b\nc > d",
    "a list of fields": "Name: Ann\nOrder: 12\nFrom: Kyoto\nWhat now?",
    "rule of a form": "-----------------\nOrder 12\n-----------------\nPlease check.",
}


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_prose_is_never_taken_for_a_quotation(text: str) -> None:
    assert split(text) == (text, "")


def test_answers_between_the_lines_stay_whole() -> None:
    text = (
        "On Thu, Nov 19, 2026 at 2:07 PM Ann <a@b.c> wrote:\n"
        "> Which colour?\n"
        "Blue.\n"
        "> Which size?\n"
        "XL"
    )

    assert split(f"See below.\n\n{text}") == (f"See below.\n\n{text}", "")


def test_nothing_but_a_quotation_is_shown_whole() -> None:
    text = "> only\n> quoted"

    assert split(text) == (text, "")


def test_any_text_takes_linear_time() -> None:
    lines = "\n".join(["On " + "x " * 150] * 20_000 + ["> y"] * 20_000 + ["From: a"] * 20_000)
    start = time.process_time()

    split(lines)

    assert time.process_time() - start < 10

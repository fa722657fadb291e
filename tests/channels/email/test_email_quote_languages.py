"""The same lines above a quotation in the other languages customers write in, and their prose."""

import pytest

from channels.email.quotes import Parts, read

NEW = "Thank you.\n\nThe lamp still does not work."
HELLO = "> Hello,\n>\n> did the new bulb help?"
PLAIN = "Hello,\n\ndid the new bulb help?\n\nAnn"

LINES = {
    "Italian": "Il giorno gio 19 nov 2026 alle ore 14:07 Ann <ann@example.org> ha scritto:",
    "Dutch": "Op 19 nov. 2026 om 14:07 heeft Ann <ann@example.org> het volgende geschreven:",
    "Dutch, verb first": "Op 19 november 2026 14:07 schreef Ann het volgende:",
    "Portuguese": "Em qui, 19 de nov de 2026 14:07, Ann <ann@example.org> escreveu:",
    "Portuguese, verb first": "Ann <a@example.org> escreveu no dia quinta, 19/11/2026 à(s) 14:07:",
    "Polish": "W dniu 19 listopada 2026 14:07 użytkownik Ann <ann@example.org> napisał:",
    "Polish, old": "Dnia 19 lis 2026 o godz. 14:07 Ann <ann@example.org> napisał(a):",
    "Polish, date first": '19 lis 2026 14:07 "Ann" <ann@example.org> napisał(a):',
    "Swedish": "Den tors 19 nov. 2026 kl 14:07 skrev Ann <ann@example.org>:",
    "Norwegian": "Den 19. nov. 2026 kl. 14.07 skrev Ann <ann@example.org>:",
    "Danish": "tor. 19. nov. 2026 kl. 14.07 skrev Ann <ann@example.org>:",
    "Finnish": "19. marraskuuta 2026 klo 14.07 Ann <ann@example.org> kirjoitti:",
    "Czech": "čt 19. 11. 2026 v 14:07 odesílatel Ann <ann@example.org> napsal:",
    "Hungarian": '2026. nov. 19. 14:07 ezt írta ("Ann" <ann@example.org>):',
    "Russian": "чт, 19 нояб. 2026 \u0433. в 14:07, Ann <ann@example.org>:",
    "Ukrainian": '19 лист. 2026 \u0440. 14:07 "Ann" ann@example.org пише:',
    "Turkish": "Ann <ann@example.org>, 19 Kas 2026 Per, 14:07 tarihinde şunu yazd\u0131:",
    "Hebrew": "ב-19 בנוב 2026, בשעה 14:07, Ann <ann@example.org> כתב/ה:",
    "Vietnamese": "Vào 14:07, 19 tháng 11, 2026, Ann <ann@example.org> đã viết:",
    "Chinese": "在 2026年11月19日，下午2:07，Ann <ann@example.org> 写道：",
    "Chinese, traditional": "於 2026年11月19日 下午2:07，Ann <ann@example.org> 寫道：",
    "Korean": "2026년 11월 19일 (목) 오후 2:07, Ann <ann@example.org>님이 작성:",
    "French, name first": "Ann Example, le jeu. 19 nov. 2026 14:07:11 +0100, a écrit :",
    "English, no hour": "On Thursday, November 19, 2026, Ann Example wrote:",
    "English, Eudora": "At 11/19/2026 02:07 PM, you wrote:",
    "English, by way of a forum": "Ann via Lamp Forum wrote:",
    "English, date behind": "Ann Example wrote on 19.11.26 14:07:",
    "English, Zoho": "---- On Thu, 19 Nov 2026 14:07:11 +0900 Ann <ann@example.org> wrote ----",
    "an old Gmail": "2026-11-19 14:07 GMT+01:00 Ann Example <ann@example.org>",
    "Japanese, Thunderbird": "サポートさんは書きました：",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_of_a_program_begins_the_quotation_with_marks_and_without(line: str) -> None:
    assert read(f"{NEW}\n\n{line}\n{HELLO}") == Parts(NEW, f"{line}\n{HELLO}")
    assert read(f"{NEW}\n\n{line}\n\n{PLAIN}") == Parts(NEW, f"{line}\n\n{PLAIN}")


MARKED_ONLY = {
    "Mutt": "* Ann Example <ann@example.org> [2026-11-19 14:07]:",
    "Horde": "Quoting Ann Example <ann@example.org>:",
    "Horde in German": "Zitat von Ann Example <ann@example.org>:",
    "Gnus": "In article <123@example.org>, ann@example.org writes:",
    "Czech, Thunderbird": "Dne 19. 11. 2026 v 14:07 Ann napsal(a):",
}


@pytest.mark.parametrize("line", MARKED_ONLY.values(), ids=MARKED_ONLY)
def test_a_line_with_an_address_above_marks_belongs_to_the_quotation(line: str) -> None:
    assert read(f"{NEW}\n\n{line}\n{HELLO}") == Parts(NEW, f"{line}\n{HELLO}")


def fields(sender: str, sent: str, to: str, subject: str) -> str:
    return f"{sender}: Ann <ann@example.org>\n{sent}: 19.11.2026 14:07\n{to}: Bob\n{subject}: Lamp"


BLOCKS = {
    "Spanish": fields("De", "Enviado el", "Para", "Asunto"),
    "Italian": fields("Da", "Inviato", "A", "Oggetto"),
    "Dutch": fields("Van", "Verzonden", "Aan", "Onderwerp"),
    "Portuguese": fields("De", "Enviada em", "Para", "Assunto"),
    "Polish": fields("Od", "Wysłano", "Do", "Temat"),
    "Swedish": fields("Från", "Skickat", "Till", "Ämne"),
    "Danish": fields("Fra", "Sendt", "Til", "Emne"),
    "Russian": fields("От", "Отправлено", "Кому", "Тема"),
    "Chinese": fields("发件人", "发送时间", "收件人", "主题"),
    "Korean": fields("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "names and an hour are enough": (
        "From: Ann Example\nSent: \u200eThursday\u200e, \u200eNovember\u200e \u200e19\u200e, "
        "\u200e2026 \u200e2\u200e:\u200e07\u200e \u200ePM\nTo: Bob Example"
    ),
    "forwarded, one field": "Begin forwarded message:\n\nFrom: Ann <ann@example.org>",
    "forwarded in Japanese, one field": "転送されたメッセージ：\n\n差出人: 佐藤 <sato@example.jp>",
    "Japanese with wide colons": (
        "差出人： 佐藤\n送信日時： 2026年11月19日 14:07\n宛先： サポート\n件名： 電灯"
    ),
    "wide blanks": "----------  Forwarded Message  ----------",
    "Spanish ruler": "-----Mensaje original-----",
    "Chinese ruler": "------------------ 原始邮件 ------------------",
    "Japanese ruler": "――――――元のメッセージ――――――",
    "a help desk": "##- Please type your reply above this line -##",
    "a German help desk": "--- Bitte oberhalb dieser Zeile antworten ---",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_a_program_begins_the_quotation(block: str) -> None:
    assert read(f"{NEW}\n\n{block}\n\n{PLAIN}") == Parts(NEW, f"{block}\n\n{PLAIN}")


PROSE = {
    "somebody else wrote": "On 19 November 2026 the driver wrote:\nnobody at home",
    "what your people wrote": (
        "On 19 Nov 2026 at 14:07 your driver wrote me this:\nnobody at home\n\nWhat now?"
    ),
    "what your people wrote, in German": (
        "Am 19.11.2026 um 14:07 schrieb mir Ihr Kollege:\nWir erstatten.\nWann?"
    ),
    "what somebody wrote, in Japanese": (
        "2026年11月19日 14:07に担当者が次のように書きました:\n返金します。"
    ),
    "a journey with its hour": "From: Kyoto\nTo: Osaka\nDate: 19 November 14:00\nHow much is it?",
    "a journey in Italian": "Da: Roma\nA: Milano\nData: lunedì 10:00\nQuanto costa?",
    "somebody to call": (
        "Bitte rufen Sie Ann <ann@example.org> am 19.11.2026 um 14:07 an:\n030 123"
    ),
    "a log": "On 2026-11-19 14:07 the log shows:\nerror 12\n\nPlease help.",
    "a list of tasks": "Schaltet am 19.11.2026 um 14:07 ab:\n- Lampe\n- Schalter",
    "above this line": "Please reply above this line of the table.\nI mean it.",
    "a parcel": "差出人不明の荷物が届きました。\n送信日時: 不明\n宛先: 私です\n件名: なし",
}


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_prose_with_the_same_words_is_left_alone(text: str) -> None:
    assert read(text) == Parts(text)


FAREWELLS = (
    *("Von meinem Mobilgerät gesendet", "Sent from my Alcatel Flash2", "Sent with Mailspring"),
    *("Sent from my cell, please excuse any typos.", "(Sent from mobile device)"),
    *("Enviado desde mi iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone"),
    *("Skickat från min iPhone", "Sendt fra min iPhone", "Wysłane z iPhone'a"),
    *("Отправлено из iPhone", "发自我的iPhone", "從我的 iPhone 傳送", "나의 iPhone에서 보냄"),
    *("Spark から送信", "docomoから送信", "auスマホから送信"),
)


@pytest.mark.parametrize("farewell", FAREWELLS)
def test_what_a_device_adds_in_other_languages_is_the_signature(farewell: str) -> None:
    assert read(f"{NEW}\n\n{farewell}") == Parts(NEW, "", farewell)


CARDS = {
    "colons": "::::::::::::::::::::\n佐藤太郎\nsato@example.jp\n::::::::::::::::::::",
    "slashes": "_/_/_/_/_/_/_/_/_/_/\n佐藤太郎\nsato@example.jp\n_/_/_/_/_/_/_/_/_/_/",
    "commas": "*:,.:*:,.:*:,.:*:,.:*\n佐藤太郎\nsato@example.jp\n*:,.:*:,.:*:,.:*:,.:*",
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_a_box_drawn_of_other_signs_is_the_signature(card: str) -> None:
    assert read(f"{NEW}\n\n{card}") == Parts(NEW, "", card)


def test_what_was_sent_from_elsewhere_is_no_signature() -> None:
    text = "The invoice was\nsent from my bank."

    assert read(text) == Parts(text)

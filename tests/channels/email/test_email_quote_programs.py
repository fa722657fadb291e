"""What mail programs put above a quotation, in the forms they have in three languages."""

import pytest

from channels.email.quotes import Parts, read

NEW = "Thank you.\n\nThe lamp still does not work."
HELLO = "> Hello,\n>\n> did the new bulb help?"
PLAIN = "Hello,\n\ndid the new bulb help?\n\nAnn"

ENGLISH = {
    "Gmail": f"On Thu, Nov 19, 2026 at 2:07 PM Ann <ann@example.org> wrote:\n\n{HELLO}",
    "Gmail, without name": f"On Thu, Nov 19, 2026 at 2:07 PM <ann@example.org> wrote:\n\n{HELLO}",
    "Gmail, broken before wrote": (
        "On Thu, Nov 19, 2026 at 2:07 PM Example Support Team <\n"
        f"a.very.long.address@support.example.org> wrote:\n\n{HELLO}"
    ),
    "Gmail, broken in the bracket": (
        f"On Thu, Nov 19, 2026 at 2:07 PM Example Support <ann@example.org\n> wrote:\n\n{HELLO}"
    ),
    "Gmail, forwarded": (
        "---------- Forwarded message ---------\n"
        "From: Ann <ann@example.org>\nDate: Thu, Nov 19, 2026 at 2:07 PM\n"
        f"Subject: Lamp\nTo: Bob <bob@example.org>\n\n\n{PLAIN}"
    ),
    "Apple Mail": f"> On Nov 19, 2026, at 2:07 PM, Ann <ann@example.org> wrote:\n> \n{HELLO}",
    "Apple Mail, without marks": (
        f"On Nov 19, 2026, at 2:07 PM, Ann <ann@example.org> wrote:\n\n{PLAIN}"
    ),
    "Apple Mail, day first": f"On 19 Nov 2026, at 14:07, Ann <ann@example.org> wrote:\n\n{HELLO}",
    "Apple Mail, forwarded": (
        "Begin forwarded message:\n\nFrom: Ann <ann@example.org>\nSubject: Lamp\n"
        f"Date: November 19, 2026 at 2:07:11 PM GMT+1\nTo: Bob <bob@example.org>\n\n{PLAIN}"
    ),
    "Apple Mail, forwarded with marks": (
        "Begin forwarded message:\n\n> From: Ann <ann@example.org>\n> Subject: Lamp\n"
        f"> Date: November 19, 2026 at 2:07:11 PM GMT+1\n> To: Bob <bob@example.org>\n> \n{HELLO}"
    ),
    "Thunderbird": f"On 11/19/26 14:07, Ann wrote:\n{HELLO}",
    "Thunderbird, forwarded": (
        "-------- Forwarded Message --------\nSubject: \tLamp\nDate: \tThu, 19 Nov 2026 14:07:11\n"
        f"From: \tAnn <ann@example.org>\nTo: \tbob@example.org\n\n\n\n{PLAIN}"
    ),
    "Outlook": (
        "From: Ann <ann@example.org> \nSent: Thursday, November 19, 2026 2:07 PM\n"
        f"To: Bob <bob@example.org>\nSubject: RE: Lamp\n\n{PLAIN}"
    ),
    "Outlook, many recipients": (
        "From: Ann <ann@example.org>\nSent: Thursday, November 19, 2026 2:07 PM\n"
        "To: Bob <bob@example.org>; Carl <carl@example.org>;\nDora <dora@example.org>\n"
        f"Cc: Emil <emil@example.org>\nSubject: RE: Lamp\nImportance: High\n\n{PLAIN}"
    ),
    "Outlook, a line above": (
        "________________________________\nFrom: Ann <ann@example.org>\n"
        f"Sent: Thursday, November 19, 2026 2:07 PM\nTo: Bob\nSubject: RE: Lamp\n\n{PLAIN}"
    ),
    "Outlook for Mac": (
        "From: Ann <ann@example.org>\nDate: Thursday, 19 November 2026 at 14:07\n"
        f"To: Bob <bob@example.org>\nSubject: Re: Lamp\n\n{PLAIN}"
    ),
    "Outlook, bold names": (
        "*From:* Ann <ann@example.org>\n*Sent:* Thursday, November 19, 2026 2:07 PM\n"
        f"*To:* Bob <bob@example.org>\n*Subject:* RE: Lamp\n\n{PLAIN}"
    ),
    "Outlook, old": f"-----Original Message-----\nFrom: Ann\nSent: today\n\n{PLAIN}",
    "Yahoo": (f"On Thursday, November 19, 2026, 2:07 PM, Ann <ann@example.org> wrote:\n\n{PLAIN}"),
    "Proton": (
        "On Thursday, November 19th, 2026 at 2:07 PM, Ann <ann@example.org> wrote:\n\n" + HELLO
    ),
    "Roundcube": f"On 2026-11-19 14:07, Ann wrote:\n{HELLO}",
    "Samsung": (
        "-------- Original message --------\nFrom: Ann <ann@example.org>\n"
        f"Date: 19/11/2026 14:07 (GMT+01:00)\nTo: bob@example.org\nSubject: Lamp\n\n{PLAIN}"
    ),
    "Spark": f"On 19 Nov 2026 at 14:07 +0100, Ann <ann@example.org>, wrote:\n{HELLO}",
    "Missive": (f"On November 19, 2026 at 2:07:11 PM, Ann (ann@example.org) wrote:\n\n{PLAIN}"),
    "date behind the name": (
        f"Ann <ann@example.org> wrote at Thursday, 19 November 2026 14:07:\n\n{HELLO}"
    ),
    "name alone": f"Ann Example wrote:\n{HELLO}",
    "bars for marks": "On 2026-11-19 14:07, Ann wrote:\n| Hello,\n| did it help?",
}
GERMAN = {
    "Gmail": f"Am Do., 19. Nov. 2026 um 14:07 Uhr schrieb Ann <ann@example.org>:\n\n{HELLO}",
    "Gmail, broken": (
        "Am Do., 19. Nov. 2026 um 14:07 Uhr schrieb Beispiel Kundendienst <\n"
        f"kundendienst@support.example.org>:\n\n{HELLO}"
    ),
    "Apple Mail": f"> Am 19.11.2026 um 14:07 schrieb Ann <ann@example.org>:\n> \n{HELLO}",
    "Apple Mail, without marks": (
        f"Am 19.11.2026 um 14:07 schrieb Ann <ann@example.org>:\n\n{PLAIN}"
    ),
    "Apple Mail, forwarded": (
        "Anfang der weitergeleiteten Nachricht:\n\nVon: Ann <ann@example.org>\nBetreff: Lampe\n"
        f"Datum: 19. November 2026 um 14:07:11 MEZ\nAn: Bob <bob@example.org>\n\n{PLAIN}"
    ),
    "Thunderbird": f"Am 19.11.26 um 14:07 schrieb Ann:\n{HELLO}",
    "Thunderbird, old": f"Ann schrieb am 19.11.2026 um 14:07:\n{HELLO}",
    "Thunderbird, forwarded": (
        "-------- Weitergeleitete Nachricht --------\nBetreff: \tLampe\n"
        f"Datum: \tThu, 19 Nov 2026 14:07:11 +0100\nVon: \tAnn <ann@example.org>\n\n{PLAIN}"
    ),
    "Outlook": (
        "Von: Ann <ann@example.org> \nGesendet: Donnerstag, 19. November 2026 14:07\n"
        f"An: Bob <bob@example.org>\nBetreff: AW: Lampe\n\n{PLAIN}"
    ),
    "Outlook, broken names": (
        "Von: Ann <ann@example.org>\nGesendet: Donnerstag, 19. November 2026 14:07\n"
        f"An: 'Bob' <bob@example.org>\nCc: Carl\nBetreff: AW: Lampe\nPriorität: Hoch\n\n{PLAIN}"
    ),
    "Outlook for Mac": (
        "Von: Ann <ann@example.org>\nDatum: Donnerstag, 19. November 2026 um 14:07\n"
        f"An: Bob <bob@example.org>\nBetreff: Re: Lampe\n\n{PLAIN}"
    ),
    "Outlook, old": f"-----Ursprüngliche Nachricht-----\nVon: Ann\nGesendet: heute\n\n{PLAIN}",
    "Outlook, a list over two lines": (
        "Von: Ann\nGesendet: Donnerstag, 19. November 2026 14:07\nAn: Bob; Carl;\n Dora\n"
        f"Cc: Emil\nBetreff: Lampe\n\n{PLAIN}"
    ),
    "Outlook, blank lines between": (
        "Von: Ann <ann@example.org>\n\nGesendet: Donnerstag, 19. November 2026 14:07\n\n"
        f"An: Bob\n\nBetreff: Lampe\n\n{PLAIN}"
    ),
    "Notes": (
        "Von:        Ann <ann@example.org>\nAn:        bob@example.org\n"
        f"Datum:        19.11.2026 14:07\nBetreff:        Lampe\n\n{PLAIN}"
    ),
    "Yahoo": (
        "Am Donnerstag, 19. November 2026 um 14:07:11 MEZ hat Ann <ann@example.org> "
        f"Folgendes geschrieben:\n\n{PLAIN}"
    ),
    "GMX": (
        'Gesendet: Donnerstag, 19. November 2026 um 14:07 Uhr\nVon: "Ann" <ann@example.org>\n'
        f"An: bob@example.org\nBetreff: Re: Lampe\n\n{PLAIN}"
    ),
    "GMX app": f"Am 19.11.26, 14:07 schrieb Ann <ann@example.org>:\n\n{PLAIN}",
    "T-Online": (
        "-----Original-Nachricht-----\nBetreff: Lampe\nDatum: 2026-11-19T14:07:11+0100\n"
        f'Von: "Ann" <ann@example.org>\nAn: "bob@example.org"\n\n{PLAIN}'
    ),
    "Roundcube": f"Am 2026-11-19 14:07, schrieb Ann:\n{HELLO}",
    "Proton": (
        f"Ann <ann@example.org> schrieb am Donnerstag, 19. November 2026 um 14:07:\n\n{HELLO}"
    ),
}
JAPANESE = {
    "Gmail": f"2026年11月19日(木) 14:07 サポート <support@example.com>:\n\n{HELLO}",
    "Gmail, broken": (
        f"2026年11月19日(木) 14:07 株式会社見本サポート窓口\n<support@example.com>:\n\n{HELLO}"
    ),
    "Gmail, forwarded": (
        "---------- Forwarded message ---------\nFrom: サポート <support@example.com>\n"
        f"Date: 2026年11月19日(木) 14:07\nSubject: ランプ\nTo: 佐藤\n\n{PLAIN}"
    ),
    "Apple Mail": f"> 2026/11/19 14:07、サポート <support@example.com>のメール：\n> \n{HELLO}",
    "Apple Mail, without marks": (
        f"2026/11/19 14:07、サポート <support@example.com>のメール:\n\n{PLAIN}"
    ),
    "Apple Mail, old": f"2026/11/19 14:07、サポート <support@example.com> のメール：\n\n{HELLO}",
    "Apple Mail, forwarded": (
        "転送されたメッセージ:\n\n差出人: サポート <support@example.com>\n件名: ランプ\n"
        f"日付: 2026年11月19日 14:07:11 JST\n宛先: 佐藤 <sato@example.jp>\n\n{PLAIN}"
    ),
    "Thunderbird": f"On 2026/11/19 14:07, サポート wrote:\n{HELLO}",
    "Thunderbird, wrote in Japanese": f"2026/11/19 14:07、サポート さんは書きました:\n{HELLO}",
    "Thunderbird, no date": f"サポート さんは書きました:\n{HELLO}",
    "Thunderbird, forwarded": (
        "---- 転送メッセージ ----\n件名: \tランプ\n日付: \tThu, 19 Nov 2026 14:07:11\n"
        f"差出人: \tサポート <support@example.com>\n宛先: \tsato@example.jp\n\n{PLAIN}"
    ),
    "Outlook": (
        "差出人: サポート <support@example.com> \n送信日時: 2026年11月19日木曜日 14:07\n"
        f"宛先: 佐藤 <sato@example.jp>\n件名: RE: ランプ\n\n{PLAIN}"
    ),
    "Outlook, copies": (
        "差出人: サポート <support@example.com>\n送信日時: 2026年11月19日 14:07\n"
        f"宛先: 佐藤\nCC: 鈴木\n件名: RE: ランプ\n重要度: 高\n\n{PLAIN}"
    ),
    "Outlook, full-width colons": (
        f"差出人：サポート\n送信日時：2026年11月19日\n宛先：佐藤\n件名：ランプ\n\n{PLAIN}"
    ),
    "Outlook mobile": (
        "________________________________\n差出人: サポート <support@example.com>\n"
        f"送信日時: Thursday, November 19, 2026 2:07:11 PM\n宛先: 佐藤\n件名: ランプ\n\n{PLAIN}"
    ),
    "Outlook, old": f"-----元のメッセージ-----\n差出人: サポート\n\n{PLAIN}",
    "Outlook Express": (
        "----- Original Message ----- \nFrom: サポート <support@example.com>\n"
        f"To: sato@example.jp\nSent: Thursday, November 19, 2026 2:07 PM\nSubject: x\n\n{HELLO}"
    ),
    "Becky!": (
        f"On Thu, 19 Nov 2026 14:07:11 +0900\nサポート <support@example.com> wrote:\n\n{HELLO}"
    ),
    "Yahoo": f"--- On Thu, 2026/11/19, Support <support@example.com> wrote:\n\n{HELLO}",
    "Yahoo, now": (f"2026/11/19(木) 14:07、サポート <support@example.com>さんのメール:\n\n{PLAIN}"),
    "Yahoo, quoted fields": (
        "----- Original Message -----\n> From: サポート <a@example.com>\n> To: sato@example.jp\n"
        f"> Date: 2026/11/19, Thu 14:07\n> Subject: ランプ\n> \n{HELLO}"
    ),
    "Gmail, with a comma": f"2026年11月19日(木) 14:07、サポート <support@example.com>:\n\n{HELLO}",
    "Apple Mail, afternoon": (
        f"2026/11/19 午後2:07、サポート <support@example.com>のメール:\n\n{PLAIN}"
    ),
    "Apple Mail, no address": f"2026/11/19 14:07、サポートのメール:\n\n{PLAIN}",
    "telephone": f"> 差出人：サポート\n> 件名：ランプ\n> \n{HELLO}",
    "in brackets": f"(2026/11/19 14:07), サポート wrote:\n{HELLO}",
    "Roundcube": f"2026-11-19 14:07 に サポート さんは書きました:\n{HELLO}",
    "full-width marks": "サポートさんは書きました:\n\uff1e 電球は\n\uff1e いかがですか。",
}
OTHERS = {
    "French": f"Le jeu. 19 nov. 2026 à 14:07, Ann <ann@example.org> a écrit :\n\n{HELLO}",
    "Spanish": f"El jue, 19 nov 2026 a las 14:07, Ann (<ann@example.org>) escribió:\n\n{HELLO}",
    "only marks": HELLO,
    "marks, then their signature": f"{HELLO}\n\n-- \nBob",
    "marks, then the footer of a list": f"{HELLO}\n_______________________\nThe list\nhttp://x.yz",
}
FORMS = {
    f"{language}: {program}": text
    for language, forms in {
        "en": ENGLISH,
        "de": GERMAN,
        "ja": JAPANESE,
        "other": OTHERS,
    }.items()
    for program, text in forms.items()
}


@pytest.mark.parametrize("quoted", FORMS.values(), ids=FORMS)
def test_what_programs_write_above_a_quotation_begins_it(quoted: str) -> None:
    assert read(f"{NEW}\n\n{quoted}") == Parts(NEW, quoted)


FAREWELLS = (
    "Sent from my iPhone",
    "Sent from my iPad",
    "Sent from my Galaxy",
    "Sent from Yahoo Mail for iPhone",
    "Sent from Mail for Windows",
    "Sent from Outlook for Android",
    "Sent with Proton Mail secure email.",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Get Outlook for Android <https://aka.ms/AAb9ysg>",
    "Von meinem iPhone gesendet",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "Gesendet von Outlook für Android",
    "Gesendet von Mail für Windows",
    "Outlook für iOS beziehen<https://aka.ms/o0ukef>",
    "Gesendet mit der GMX Mail App",
    "Gesendet mit der WEB.DE Mail App",
    "--\nDiese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.",
    "iPhoneから送信",
    "私のiPhoneから送信",
    "iPadから送信",
    "iOS 版 Outlook<https://aka.ms/o0ukef> を入手",
    "Outlook for Android<https://aka.ms/AAb9ysg> を入手",
    "iOS 版 Outlook を入手<https://aka.ms/o0ukef>",
    "Outlook for iOS を入手<https://aka.ms/o0ukef>",
    "Windows 版のメールから送信",
    "Yahoo!メールアプリから送信",
    "Envoyé de mon iPhone",
)


@pytest.mark.parametrize("farewell", FAREWELLS)
def test_what_a_telephone_adds_is_the_signature(farewell: str) -> None:
    assert read(f"{NEW}\n\n{farewell}\n\n{ENGLISH['Gmail']}") == Parts(
        NEW, ENGLISH["Gmail"], farewell
    )


FULL_WIDTH = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)})
CARDS = {
    "delimiter": "-- \nBob Example\nExample Ltd\n+44 20 7946 0000",
    "delimiter without its blank": "--\nBob Example",
    "delimiter, then a saying": "-- \nThe early bird\nhas never tasted coffee",
    "boxed": (
        "━━━━━━━━━━━━━━━━━━━━\n株式会社見本 営業部\n佐藤 太郎\n〒100-0001 東京都千代田区千代田1-1\n"
        "TEL：03-1234-5678 FAX：03-1234-5679\nsato@example.jp\n━━━━━━━━━━━━━━━━━━━━"
    ),
    "boxed by hyphens": (
        "-----------------------------\n佐藤太郎\n有限会社みほん\nTEL 03-1234-5678\n"
        "-----------------------------"
    ),
    "boxed by stars": "*-*-*-*-*-*-*-*-*-*\n佐藤 花子\nhanako@example.jp\n*-*-*-*-*-*-*-*-*-*",
    "boxed by full-width signs": (
        "==========\n佐藤 太郎\nTEL:03-1234-5678\n==========".translate(FULL_WIDTH)
    ),
    "boxed in two": (
        "─────────────\n(株)見本\n佐藤 太郎\n─────────────\n〒100-0001\n"
        "https://www.example.jp/\n─────────────"
    ),
    "a line above": (
        "=====================\n株式会社見本 営業部\n佐藤 太郎\n電話 03-1234-5678\nsato@example.jp"
    ),
    "German company": (
        "-- \nErika Muster\nMuster GmbH\nHauptstr. 1\n10115 Berlin\nAmtsgericht Berlin HRB 12345"
    ),
    "a card, and what the telephone adds": (
        "━━━━━━━━━━\n佐藤 太郎\nTEL 03-1234-5678\n━━━━━━━━━━\n\niPhoneから送信"
    ),
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_a_visiting_card_below_the_text_is_the_signature(card: str) -> None:
    assert read(f"{NEW}\n\n{card}") == Parts(NEW, "", card)
    assert read(f"{NEW}\n\n{card}\n\n{GERMAN['Outlook']}") == Parts(NEW, GERMAN["Outlook"], card)


CLOSINGS = {
    "German": (
        "Die Lampe ist defekt.\n\nMit freundlichen Grüßen\n\nErika Muster",
        (
            "Leiterin Einkauf\n\nMuster GmbH\nHauptstr. 1\n10115 Berlin\nTel.: +49 30 123456-0\n"
            "Geschäftsführer: Max Muster\nAmtsgericht Berlin HRB 12345"
        ),
    ),
    "English": (
        "The lamp is broken.\n\nKind regards,\nBob Example",
        "Sales Manager\nExample Ltd\nPhone: +44 20 7946 0000\nwww.example.com",
    ),
}


@pytest.mark.parametrize(("new", "card"), CLOSINGS.values(), ids=CLOSINGS)
def test_the_closing_and_the_name_stay_with_the_text(new: str, card: str) -> None:
    assert read(f"{new}\n\n{card}") == Parts(new, "", card)

"""Bytes in every encoding mails really come in, declared rightly, wrongly or not at all."""

import time

import pytest

from channels.email.charset import Decoded, codec_for, decode

KANJI = "お問い合わせの件、ご確認ください。"
ROW_13 = "①②㈱℡№"
HALF = "ｶﾌﾞｼｷｶﾞｲｼｬ"
GERMAN = "Größe für Tür – „groß“ 20 €"


def jis(text: str) -> bytes:
    """ISO-2022-JP with row 13 and half-width kana, written here because Python cannot."""
    out, mode = b"", b"\x1b(B"
    for char in text:
        code = char.encode("cp932")
        if len(code) == 2:
            lead, trail = code
            row = (lead - (0xC1 if lead >= 0xE0 else 0x81)) * 2 + 0x21 + (trail >= 0x9F)
            cell = trail - 0x7E if trail >= 0x9F else trail - 0x1F - (trail >= 0x80)
            wanted, piece = b"\x1b$B", bytes((row, cell))
        elif code[0] >= 0x80:
            wanted, piece = b"\x1b(I", bytes((code[0] & 0x7F,))
        else:
            wanted, piece = b"\x1b(B", code
        out, mode = out + (b"" if wanted == mode else wanted) + piece, wanted
    return out + (b"" if mode == b"\x1b(B" else b"\x1b(B")


def euc(text: str) -> bytes:
    """EUC-JP with row 13."""
    out = b""
    for char in text:
        body = jis(char)
        if body.startswith(b"\x1b$B"):
            out += bytes(byte | 0x80 for byte in body[3:5])
        elif body.startswith(b"\x1b(I"):
            out += b"\x8e" + bytes((body[3] | 0x80,))
        else:
            out += body
    return out


CASES = {
    "iso-2022-jp": (jis(KANJI), "ISO-2022-JP", KANJI),
    "iso-2022-jp, row 13": (jis(ROW_13), "iso-2022-jp", ROW_13),
    "iso-2022-jp, half-width kana": (jis(HALF), "iso-2022-jp", HALF),
    "iso-2022-jp, eight-bit kana": (HALF.encode("cp932"), "iso-2022-jp", HALF),
    "iso-2022-jp-ms": (jis(ROW_13 + KANJI), "iso-2022-jp-ms", ROW_13 + KANJI),
    "cp50220": (jis(ROW_13), "CP50220", ROW_13),
    "cp50221": (jis(HALF + KANJI), "cp50221", HALF + KANJI),
    "csISO2022JP": (jis(KANJI), "csISO2022JP", KANJI),
    "old JIS escapes": (jis(KANJI).replace(b"\x1b$B", b"\x1b$@"), "iso-2022-jp", KANJI),
    "roman escape": (jis(KANJI)[:-3] + b"\x1b(J ok", "iso-2022-jp", KANJI + " ok"),
    "no escape back at the line end": (
        (jis(KANJI)[:-3] + b"\r\nplain"),
        "iso-2022-jp",
        KANJI + "\r\nplain",
    ),
    "supplementary kanji": ("丂".encode("iso2022_jp_1"), "iso-2022-jp-1", "丂"),
    "shift_jis": (KANJI.encode("cp932"), "Shift_JIS", KANJI),
    "shift_jis, row 13": (ROW_13.encode("cp932"), "shift_jis", ROW_13),
    "shift_jis, IBM kanji": ("髙﨑".encode("cp932"), "SHIFT_JIS", "髙﨑"),
    "x-sjis": (KANJI.encode("cp932"), "x-sjis", KANJI),
    "windows-31j": (ROW_13.encode("cp932"), "Windows-31J", ROW_13),
    "MS_Kanji": (KANJI.encode("cp932"), "MS_Kanji", KANJI),
    "euc-jp": (euc(KANJI), "euc-jp", KANJI),
    "euc-jp, row 13": (euc(ROW_13), "EUC-JP", ROW_13),
    "euc-jp, half-width kana": (euc(HALF), "x-euc-jp", HALF),
    "euc-jp, three bytes": ("丂".encode("euc_jp"), "euc-jp", "丂"),
    "no charset, jis": (jis(KANJI), "", KANJI),
    "no charset, sjis": (KANJI.encode("cp932"), "", KANJI),
    "no charset, euc": (euc(KANJI), "", KANJI),
    "no charset, utf-8": (KANJI.encode(), "", KANJI),
    "no charset, short sjis": ("返金".encode("cp932"), "", "返金"),
    "no charset, short euc": ("返金希望".encode("euc_jp"), "", "返金希望"),
    "no charset, German": (GERMAN.encode("cp1252"), "", GERMAN),
    "us-ascii declared, jis": (jis(KANJI), "us-ascii", KANJI),
    "us-ascii declared, utf-8": (KANJI.encode(), "us-ascii", KANJI),
    "iso-8859-1 declared, jis": (jis(KANJI), "iso-8859-1", KANJI),
    "iso-8859-1 declared, sjis": (KANJI.encode("cp932"), "iso-8859-1", KANJI),
    "iso-8859-1 declared, cp1252": (GERMAN.encode("cp1252"), "iso-8859-1", GERMAN),
    "iso-8859-1 declared, utf-8": (GERMAN.encode(), "iso-8859-1", GERMAN),
    "utf-8 declared, cp1252": (GERMAN.encode("cp1252"), "utf-8", GERMAN),
    "utf-8 declared, sjis": (KANJI.encode("cp932"), "utf-8", KANJI),
    "utf-8 declared, jis": (jis(KANJI), "utf-8", KANJI),
    "iso-2022-jp declared, sjis": (KANJI.encode("cp932"), "iso-2022-jp", KANJI),
    "iso-2022-jp declared, euc": (euc(KANJI), "iso-2022-jp", KANJI),
    "iso-2022-jp declared, utf-8": (KANJI.encode(), "iso-2022-jp", KANJI),
    "windows-1251 declared, utf-8": ("Привет".encode(), "windows-1251", "Привет"),
    "windows-1251": ("Привет".encode("cp1251"), "windows-1251", "Привет"),
    "unknown label": (KANJI.encode(), "unknown-8bit", KANJI),
    "empty label in quotes": (GERMAN.encode("cp1252"), '""', GERMAN),
    "utf8mb4": (KANJI.encode(), "utf8mb4", KANJI),
    "utf-16 without a mark": (KANJI.encode("utf-16-le"), "utf-16", KANJI),
    "utf-16 with a mark": (KANJI.encode("utf-16"), "utf-16", KANJI),
    "utf-8 with a mark": (b"\xef\xbb\xbf" + KANJI.encode(), "iso-8859-1", KANJI),
    "utf-7": (b"Gr+APYA3w-e", "utf-7", "Größe"),
    "gb2312 with gb18030": ("镕".encode("gb18030"), "gb2312", "镕"),
    "ks_c_5601": ("안녕 똠".encode("cp949"), "ks_c_5601-1987", "안녕 똠"),
    "big5": ("電腦".encode("big5"), "big5", "電腦"),
    "iso-8859-2": ("Łódź".encode("iso8859_2"), "iso-8859-2", "Łódź"),
}


@pytest.mark.parametrize(("body", "label", "text"), CASES.values(), ids=CASES)
def test_text_is_what_the_sender_saw(body: bytes, label: str, text: str) -> None:
    assert decode(body, label) == Decoded(text)


@pytest.mark.parametrize(
    "text", ["Tür", "Café", "à bientôt", "naïve", "50 €", "ja – nein", "Ærø", "Ñandú", "Straße"]
)
def test_short_western_texts_without_a_charset_are_not_taken_for_japanese(text: str) -> None:
    assert decode(text.encode("cp1252")) == Decoded(text)


def test_what_cannot_be_told_is_marked() -> None:
    decoded = decode(b"abc\x81\xff\x8d\x90", "utf-8")

    assert decoded.suspect
    assert decoded.text.startswith("abc")


def test_codecs_that_run_code_or_are_no_charsets_are_not_used() -> None:
    names = ["idna", "punycode", "unicode_escape", "zip", "rot13", "hex", "x" * 500, "../etc"]

    assert [codec_for(name) for name in names] == [""] * len(names)


def test_a_megabyte_takes_no_time_worth_mentioning() -> None:
    text = KANJI * 20_000

    assert decode(jis(KANJI) * 20_000, "iso-2022-jp") == Decoded(text)
    assert decode(euc(KANJI) * 20_000, "") == Decoded(text)


GRUSS = "Sehr geehrte Damen und Herren, das Gerät läuft nicht. Grüße aus Köln und schöne Tage."
JAPANESE = "お世話になっております。山田です。先日注文した商品がまだ届いていません。"
CHINESE = "您好，我的订单还没有到，请帮我查一下。"
KOREAN = "안녕하세요. 주문한 상품이 아직 오지 않았습니다."
TAIWAN = "您好，我的訂單還沒有到，請幫我查一下。"
BROKEN = {
    "utf-8, a stray byte": (GRUSS.encode() + b"\xff.", "utf-8", GRUSS + "\ufffd."),
    "utf-8, cut in a character": (GRUSS.encode() + b"\xc3", "utf-8", GRUSS + "\ufffd"),
    "utf-8, French": (
        "Déjà payé, réponse reçue ".encode() + b"\xe9",
        "utf-8",
        "Déjà payé, réponse reçue \ufffd",
    ),
    "utf-8, Polish": ("Zażółć gęślą jaźń ".encode() + b"\xb3", "utf-8", "Zażółć gęślą jaźń \ufffd"),
    "utf-8, a quoted line of Latin-1": (
        GRUSS.encode() + b"\r\n> Gr\xfc\xdfe\r\n" + GRUSS.encode(),
        "utf-8",
        GRUSS + "\r\n> Gr\ufffd\ufffde\r\n" + GRUSS,
    ),
    "utf-8 that does not say so": (JAPANESE.encode()[:-1], "", JAPANESE[:-1] + "\ufffd"),
    "utf-8 called latin-1": (GRUSS.encode() + b"\xff", "iso-8859-1", GRUSS + "\ufffd"),
    "euc-jp, half a character": (
        JAPANESE.encode("euc_jp") + b"\xa4\r\n" + JAPANESE.encode("euc_jp"),
        "euc-jp",
        JAPANESE + "\ufffd\r\n" + JAPANESE,
    ),
    "shift_jis, a stray byte": (
        JAPANESE.encode("cp932") + b"\x82\r\n" + JAPANESE.encode("cp932"),
        "shift_jis",
        JAPANESE + "\ufffd\r\n" + JAPANESE,
    ),
    "gb2312, a stray byte": (CHINESE.encode("gbk") + b"\xff", "gb2312", CHINESE + "\ufffd"),
    "gb2312, cut short": (b"\xc4\xfa\xba\xc3\xa3", "gb2312", "您好\ufffd"),
    "euc-kr, half a character": (
        KOREAN.encode("euc_kr") + b"\xc7\r\n" + KOREAN.encode("euc_kr"),
        "euc-kr",
        KOREAN + "\ufffd\r\n" + KOREAN,
    ),
    "big5, half a character": (TAIWAN.encode("big5") + b"\xa7", "big5", TAIWAN + "\ufffd"),
    "iso-2022-jp, UTF-8 in between": (
        jis(JAPANESE) + "①～㈱".encode(),
        "iso-2022-jp",
        JAPANESE + "①～㈱",
    ),
    "iso-2022-jp, a stray byte": (
        b"\x1b$B" + jis(KANJI)[3:-3] + b"\xe3" + jis(KANJI)[3:],
        "iso-2022-jp",
        KANJI + "\ufffd" + KANJI,
    ),
}


@pytest.mark.parametrize(("body", "label", "text"), BROKEN.values(), ids=BROKEN)
def test_a_few_broken_bytes_spoil_themselves_alone(body: bytes, label: str, text: str) -> None:
    assert decode(body, label) == Decoded(text, suspect=True)


def test_emoji_in_halves_are_emoji() -> None:
    body = "Grüße ".encode() + b"\xed\xa0\xbd\xed\xb8\x80"

    assert decode(body, "utf-8") == Decoded("Grüße 😀")


def test_what_is_no_chinese_though_it_says_so_is_read_as_western_and_marked() -> None:
    body = GERMAN.encode("cp1252")

    assert decode(body, "gb2312") == Decoded(GERMAN, suspect=True)


@pytest.mark.parametrize("label", ["", "us-ascii", "iso-8859-1", "utf-8"])
@pytest.mark.parametrize("codec", ["big5", "gb2312"])
def test_chinese_that_does_not_say_so_is_marked(codec: str, label: str) -> None:
    said = "您好，我的訂單沒有到，請確認。" if codec == "big5" else "您好，我的订单没有到，请确认。"

    assert decode(said.encode(codec), label).suspect


SIGNS = {
    "a price list": "½ Pfund Käse 3,50 €, ¾ l Öl für £4, 20 m² für ±0, § 5 Abs. 2, ¼ Laib, ¥500",
    "shy hyphens": "Donau\xaddampf\xadschiff\xadfahrts\xadgesell\xadschafts\xadkapi\xadtän",
    "Spanish": "¡Hola! ¿Qué tal? ¡Adiós! ¿Cuándo llega mi pedido nº 5? El niño está aquí.",
    "wrong apostrophes": "Wie geht\xb4s? Ich hab\xb4s, für\xb4s Erste war\xb4s gut, so läuft\xb4s.",
    "Danish": "Kære alle, øl på åen er så rødt: blåbær, æbler og pærer, ærlig talt.",
}


@pytest.mark.parametrize("said", SIGNS.values(), ids=SIGNS)
def test_signs_of_the_west_are_no_chinese(said: str) -> None:
    assert decode(said.encode("cp1252"), "us-ascii") == Decoded(said)


@pytest.mark.parametrize("codec", ["utf-8", "euc-jp", "shift_jis", "gb2312", "iso-2022-jp"])
def test_megabytes_of_broken_characters_take_no_time_worth_mentioning(codec: str) -> None:
    whole = jis(KANJI) if codec == "iso-2022-jp" else "注文の商品".encode(codec)
    started = time.process_time()

    assert decode((whole + b"\x81\r\n\x1b$B") * 50_000, codec).suspect
    assert time.process_time() - started < 10

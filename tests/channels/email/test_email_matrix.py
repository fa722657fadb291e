"""Whole mails in every encoding and shape that Japanese and German customers' programs send."""

import base64
import quopri
from typing import Any

import pytest

from channels.contract import Raw, Unreadable
from channels.email import channel, mime
from channels.email.config import EmailConfig
from channels.email.ladder import LEAST, PLAIN, read
from channels.email.reading import Reading

JA = "株式会社の請求書をご確認ください。"
ROW_13 = "①㈱と②㈲"
KANA = "ｶﾌﾞｼｷ"
DE = "Größe für Tür – „groß“ 20 €"
JIS = JA.encode("iso2022_jp")
JIS_ROW_13 = b'\x1b$B-!-j$H-"-k\x1b(B'
JIS_KANA = b"\x1b(I6L^<7\x1b(B"


def mail(body: bytes, fields: str = "", head: bytes = b"") -> Reading:
    return read(b"From: a@b.test\r\nSubject: s\r\n" + head + fields.encode() + b"\r\n\r\n" + body)


def text(charset: str, encoding: str = "8bit") -> str:
    label = f"; charset={charset}" if charset else ""
    return f"Content-Type: text/plain{label}\r\nContent-Transfer-Encoding: {encoding}"


BODIES: dict[str, tuple[bytes, str, str]] = {
    "jis": (JIS, text("iso-2022-jp", "7bit"), JA),
    "jis in base64": (base64.encodebytes(JIS), text("ISO-2022-JP", "base64"), JA),
    "jis in quoted-printable": (
        quopri.encodestring(JIS),
        text("iso-2022-jp", "Quoted-Printable"),
        JA,
    ),
    "jis, row 13": (JIS_ROW_13, text("iso-2022-jp", "7bit"), ROW_13),
    "jis-ms": (JIS_ROW_13, text("iso-2022-jp-ms", "7bit"), ROW_13),
    "cp50220": (JIS_ROW_13, text("CP50220"), ROW_13),
    "cp50221": (JIS_KANA, text("cp50221"), KANA),
    "jis, half-width kana": (JIS_KANA, text("iso-2022-jp"), KANA),
    "jis, eight-bit kana": (KANA.encode("cp932"), text("iso-2022-jp"), KANA),
    "shift_jis": ((JA + ROW_13).encode("cp932"), text("Shift_JIS"), JA + ROW_13),
    "windows-31j": (ROW_13.encode("cp932"), text("windows-31j"), ROW_13),
    "x-sjis": (JA.encode("cp932"), text("x-sjis"), JA),
    "MS_Kanji": (JA.encode("cp932"), text("MS_Kanji"), JA),
    "euc-jp": (JA.encode("euc_jp"), text("euc-jp"), JA),
    "euc-jp, row 13": (b"\xad\xa1\xad\xea\xa4\xc8\xad\xa2\xad\xeb", text("EUC-JP"), ROW_13),
    "cp51932": (b"\xad\xa1\xad\xea\xa4\xc8\xad\xa2\xad\xeb", text("CP51932"), ROW_13),
    "no charset, jis": (JIS, "X-A: b", JA),
    "no charset, shift_jis": (JA.encode("cp932"), text(""), JA),
    "no charset, euc": (JA.encode("euc_jp"), text(""), JA),
    "us-ascii over jis": (JIS, text("us-ascii"), JA),
    "iso-8859-1 over shift_jis": (JA.encode("cp932"), text("iso-8859-1"), JA),
    "utf-8 over shift_jis": (JA.encode("cp932"), text("utf-8"), JA),
    "utf-8 over jis": (JIS, text("utf-8"), JA),
    "jis over utf-8": (JA.encode(), text("iso-2022-jp"), JA),
    "jis over shift_jis": (JA.encode("cp932"), text("iso-2022-jp"), JA),
    "unknown label": (JA.encode(), text("unknown-8bit"), JA),
    "empty label": (DE.encode("cp1252"), text('""'), DE),
    "utf8mb4": (JA.encode(), text("utf8mb4"), JA),
    "x-user-defined": (DE.encode("cp1252"), text("x-user-defined"), DE),
    "cp1252 as iso-8859-1": (DE.encode("cp1252"), text("iso-8859-1"), DE),
    "cp1252 as utf-8": (DE.encode("cp1252"), text("utf-8"), DE),
    "an apostrophe is no kanji": (b"I don\x92t know", text("iso-8859-1"), "I don’t know"),
    "gb2312": ("镕基".encode("gb18030"), text("gb2312"), "镕基"),
    "ks_c_5601": ("안녕 똠".encode("cp949"), text("ks_c_5601-1987"), "안녕 똠"),
    "HTML that says it itself": (
        b'<meta charset="Shift_JIS"><p>' + JA.encode("cp932"),
        "Content-Type: text/html",
        JA,
    ),
}


@pytest.mark.parametrize(("body", "fields", "expected"), BODIES.values(), ids=BODIES)
def test_a_body_is_what_its_writer_saw(body: bytes, fields: str, expected: str) -> None:
    found = mail(body, fields)

    assert (found.text.strip(), found.charset_suspect) == (expected, False)


def part(disposition: bytes, kind: bytes = b"application/pdf") -> bytes:
    return b"Content-Type: %s\r\nContent-Disposition: attachment; %s" % (kind, disposition)


NAME = "請求書 5.pdf"
JIS_NAME = "請求書".encode("iso2022_jp") + b" 5.pdf"
NAMES = {
    "2231": part(b"filename*=utf-8''%E8%AB%8B%E6%B1%82%E6%9B%B8%205.pdf"),
    "2231 in pieces, cut in a letter": part(
        b"filename*0*=utf-8''%E8%AB%8B%E6%B1%82%E6;\r\n filename*1*=%9B%B8%205;\r\n filename*2=.pdf"
    ),
    "2231 in shift_jis": part(b"filename*=Shift_JIS''%90%BF%8B%81%8F%91%205.pdf"),
    "2047": part(b'filename="=?utf-8?B?6KuL5rGC5pu4IDUucGRm?="'),
    "2047 in jis": part(b'filename="=?ISO-2022-JP?B?' + base64.b64encode(JIS_NAME) + b'?="'),
    "raw shift_jis": part(b'filename="' + NAME.encode("cp932") + b'"'),
    "raw jis": part(b'filename="' + JIS_NAME + b'"'),
    "raw utf-8": part(b'filename="' + NAME.encode() + b'"'),
    "unquoted, with a blank": part(b"filename=" + NAME.encode() + b"; size=5"),
    "only in the type": b"Content-Disposition: attachment\r\nContent-Type: application/pdf; name="
    b'"=?utf-8?B?6KuL5rGC5pu4IDUucGRm?="',
}


@pytest.mark.parametrize("fields", NAMES.values(), ids=NAMES)
def test_a_file_has_the_name_its_sender_gave_it(fields: bytes) -> None:
    body = b"--b\r\n\r\nhello\r\n--b\r\n" + fields + b"\r\n\r\n%PDF\r\n--b--"

    found = mail(body, "Content-Type: multipart/mixed; boundary=b")

    assert [(file.name, file.body) for file in found.files] == [(NAME, b"%PDF")]


SHAPES: dict[str, bytes] = {
    "of an mbox file": b"From a@b Mon Jan  1 2026\r\nFrom: a@b.test\r\nSubject: s\r\n\r\nhello",
    "with a byte order mark": b"\xef\xbb\xbfFrom: a@b.test\r\nSubject: s\r\n\r\nhello",
    "with a line of junk": b"--- Original ---\r\nFrom: a@b.test\r\nSubject: s\r\n\r\nhello",
    "with empty lines first": b"\r\n\nFrom: a@b.test\r\nSubject: s\r\n\r\nhello",
    "with CR only": b"From: a@b.test\rSubject: s\r\rhello",
    "with every kind of line": b"From: a@b.test\nSubject: s\r\n\nhello",
    "without the empty line": b"From: a@b.test\r\nSubject: s\r\nhello",
    "with blanks before colons": b"From : a@b.test\r\nSubject\t: s\r\n\r\nhello",
    "with junk among the fields": b"From: a@b.test\r\n!!!\r\nSubject: s\r\n\r\nhello",
    "with fields twice": b"From: a@b.test\r\nSubject: s\r\nFrom: c@d.e\r\nSubject: t\r\n\r\nhello",
    "with a type that is none": b"From: a@b.test\r\nSubject: s\r\nContent-Type: text\r\n\r\nhello",
    "with parts that are none": (
        b"From: a@b.test\r\nSubject: s\r\nContent-Type: multipart/mixed\r\n\r\nhello"
    ),
    "without the last boundary": (
        b"From: a@b.test\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhello"
    ),
    "with a boundary in blanks": (
        b'From: a@b.test\r\nSubject: s\r\nContent-Type: MULTIPART/Mixed; BOUNDARY = "b "\r\n\r\n'
        b"--b  \r\n\r\nhello\r\n--b--"
    ),
}


@pytest.mark.parametrize("raw", SHAPES.values(), ids=SHAPES)
def test_a_mail_of_any_shape_is_read(raw: bytes) -> None:
    found = read(raw)

    assert (found.sender[0].value, found.subject, found.text) == ("a@b.test", "s", "hello")


DATES = {
    "Fri, 20 Nov 2026 10:00:00 +0900": "2026-11-20T10:00:00+09:00",
    "Fri, 20 Nov 2026 10:00:00 +0900 (JST)": "2026-11-20T10:00:00+09:00",
    "20 Nov 2026 10:00 GMT": "2026-11-20T10:00:00+00:00",
    "Fri, 20 Nov 2026 10:00:00 -0000": "2026-11-20T10:00:00+00:00",
    "Fri, 20 Nov 2026 10(ten) : 00 : 00 -0330": "2026-11-20T10:00:00-03:30",
    "yesterday": None,
    "Mon, 30 Jun 3609 99:99:99 +0600": None,
}


@pytest.mark.parametrize(("said", "expected"), DATES.items(), ids=DATES)
def test_a_date_keeps_its_offset(said: str, expected: str | None) -> None:
    date = mail(b"x", f"Date: {said}").date

    assert (date.isoformat() if date else None) == expected


ADDRESSES: dict[bytes, list[tuple[str, str]]] = {
    b"a..b.@docomo.ne.jp": [("", "a..b.@docomo.ne.jp")],
    b"Team: a@b.test, =?utf-8?Q?M=C3=BCller?= <c@d.test>;": [
        ("", "a@b.test"),
        ("Müller", "c@d.test"),
    ],
    b"\x1b$B;3ED\x1b(B <y@x.test>": [("山田", "y@x.test")],
    b"Pete (a \\) chap) <pete(x)@silly . test>": [("Pete", "pete@silly.test")],
    b"a@b.test c@d.test": [("", "a@b.test"), ("", "c@d.test")],
    b"<a@b.test>a@b.test": [("", "a@b.test")],
    b"undisclosed-recipients:;": [],
}


@pytest.mark.parametrize(("raw", "expected"), ADDRESSES.items(), ids=map(repr, ADDRESSES))
def test_recipients_are_found(raw: bytes, expected: list[tuple[str, str]]) -> None:
    found = mail(b"x", head=b"To: " + raw + b"\r\n").to

    assert [(party.name, party.value) for party in found] == expected


def test_ids_are_read_folded_and_in_blanks() -> None:
    fields = "In-Reply-To: < a\r\n @b.test>\r\nReferences: <1@x>\r\n <2 @ x>,<3@x> junk"

    found = mail(b"x", fields)

    assert (found.in_reply_to, found.references) == (("a@b.test",), ("1@x", "2@x", "3@x"))


# Limits and what is left when they are reached


def words(found: Reading) -> list[str]:
    return [warning.partition(":")[0] for warning in found.warnings]


LIMITS: dict[str, tuple[bytes, bytes, list[str]]] = {
    "very many fields": (b"X: y\r\n" * 3000, b"\r\nhello", ["header fields cut"]),
    "a very long field": (b"X: " + b"y" * 100_000 + b"\r\n", b"\r\nhello", ["header fields cut"]),
    "a very large head": (b"X: yyyyyyyy\r\n" * 90_000, b"\r\nhello", ["header fields cut"]),
    "very many parts": (
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"\r\n--b\r\n\r\nhello"
        + b"\r\n--b\r\nContent-Type: image/x\r\n\r\nx" * 1500
        + b"\r\n--b--",
        ["parts cut", "files cut"],
    ),
    "a very long text": (b"", b"\r\nhello" + b"\r\nhello" * 300_000, ["text cut"]),
}


@pytest.mark.parametrize(("fields", "rest", "warnings"), LIMITS.values(), ids=LIMITS)
def test_what_is_too_much_is_cut_said_and_never_refused(
    fields: bytes, rest: bytes, warnings: list[str]
) -> None:
    found = read(b"From: a@b.test\r\nSubject: s\r\n" + fields + rest)

    assert (found.sender[0].value, found.subject, found.text[:5]) == ("a@b.test", "s", "hello")
    assert words(found) == warnings


def test_what_lies_too_deep_is_there_in_the_whole() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(mime.MAX_DEPTH + 10)
    )

    found = read(b"From: a@b.test\r\nSubject: s\r\n" + deep + b"\r\ninnermost\r\n")

    assert words(found) == ["parts cut"]
    assert b"innermost" in found.files[-1].body
    assert found.files[-1].name == "mail.eml"


RICH = (
    b"From: =?utf-8?q?M=C3=BCller?= <a@b.test>\r\nSubject: s\r\nMessage-ID: <1@b.test>\r\n"
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    b"\r\n\r\nGr=C3=B6=C3=9Fe\r\n--b--"
)


def test_on_the_second_rung_fields_and_plain_text_are_left() -> None:
    found = read(RICH, rung=PLAIN)

    assert (found.sender[0].name, found.text, found.html) == ("Müller", "Größe", "")
    assert [file.name for file in found.files] == ["mail.eml"]
    assert words(found) == ["structure"]


def test_on_the_last_rung_sender_and_subject_are_left() -> None:
    found = read(RICH, rung=LEAST)

    assert (found.sender[0].value, found.subject, found.message_id) == ("a@b.test", "s", "1@b.test")
    assert [(file.name, file.body) for file in found.files] == [("mail.eml", RICH)]
    assert words(found) == ["barely readable"]


@pytest.mark.parametrize("rung", [PLAIN, LEAST])
@pytest.mark.parametrize("raw", [b"", b"\r\n \x00", b"hello"])
def test_what_is_no_mail_is_none_on_any_rung(raw: bytes, rung: int) -> None:
    with pytest.raises(Unreadable):
        read(raw, rung=rung)


def test_a_mail_without_text_says_why() -> None:
    config: Any = EmailConfig(address="help@shop.test")
    raw = b"From: a@b.test\r\nContent-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n"

    (message,) = channel.parse(config, Raw("1", raw + b"Content-Type: x/y\r\n\r\nx\r\n--b--"))

    assert message.text == "[This mail is encrypted; what is in it cannot be read here.]"  # type: ignore[union-attr]

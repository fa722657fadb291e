"""Mails whose structure, encoding or fields are broken are read as they were meant."""

import base64
import binascii

import pytest

from channels.email.charset import Decoded, decode
from channels.email.ladder import read

HEAD = b"From: a@example.org\r\nSubject: s\r\nMessage-ID: <1@example.org>\r\n"
TWO = (
    b"--seen\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--seen\r\nContent-Type: text/html\r\n\r\n"
)
TWO += b"<p>second</p>\r\n--seen--\r\n"


@pytest.mark.parametrize(
    "declared",
    [
        b"multipart/mixed",
        b"multipart/mixed; boundary=other",
        b"multipart/mixed; boundary*=us-ascii''seen%21",
        b'multipart/mixed; boundary=""',
        b"multipart/mixed; boundary_=seen",
    ],
)
def test_parts_are_found_where_the_boundary_is_not_the_announced_one(declared: bytes) -> None:
    found = read(HEAD + b"Content-Type: " + declared + b"\r\n\r\n" + TWO)

    assert found.text == "first\n\nsecond"


def test_a_text_of_rulers_announced_as_parts_is_a_text() -> None:
    body = b"--\r\nHello\r\n-----\r\nmore\r\n--x--\r\n"

    found = read(HEAD + b"Content-Type: multipart/mixed\r\n\r\n" + body)

    assert found.text == "--\nHello\n-----\nmore\n--x--"


def test_an_empty_line_among_the_fields_does_not_end_them() -> None:
    broken = HEAD + b"\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>"

    assert read(broken).text == "Hello"


def test_a_text_may_begin_with_the_name_of_a_field() -> None:
    assert read(HEAD + b"\r\nContent-Type: I like it\r\n").text == "Content-Type: I like it"


def test_a_part_without_fields_may_begin_with_words_like_one() -> None:
    digest = b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\n"
    inner = b"Content-Type: text/plain\r\n\r\none\r\n"

    found = read(HEAD + digest + inner + b"--x--\r\n")

    assert [file.content_type for file in found.files] == ["message/rfc822"]


def test_a_named_text_is_shown_where_there_is_no_other() -> None:
    part = b'Content-Type: text/plain; name="a.txt"\r\nContent-Disposition: inline\r\n\r\nHello'

    found = read(HEAD + part)

    assert (found.text, [file.name for file in found.files]) == ("Hello", ["a.txt"])


CODED = base64.encodebytes("Grüße aus München".encode())
TEXTS = {
    "no base64 at all": (
        b"the lamp  is dark\r\nand cold today\r\n",
        "the lamp  is dark\nand cold today",
    ),
    "the footer of a list": (
        CODED + b"_____\r\nto leave: x@y.z\r\n",
        "Grüße aus München\n_____\nto leave: x@y.z",
    ),
    "a boundary of nobody": (
        CODED + b"--\r\n----=_1wy--\r\n",
        "Grüße aus München\n--\n----=_1wy--",
    ),
    "letters of noise": (CODED[:8] + b"\r\n\x00" + CODED[8:], "Grüße aus München"),
    "a foreign letter in it": (CODED[:9] + b"*" + CODED[9:], "Grüße aus München"),
    "a foreign letter further down": (
        base64.b64encode(b"The lamp is dark, ") + b"\r\nVG9k*YXkgYWdhaW4h\r\n",
        "The lamp is dark, Today again!",
    ),
    "one word": (b"Entschuldigung.\r\n", "Entschuldigung."),
}


@pytest.mark.parametrize(("body", "text"), TEXTS.values(), ids=TEXTS)
def test_what_is_no_base64_stays_as_it_is(body: bytes, text: str) -> None:
    mail = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n"

    assert read(mail + b"Content-Transfer-Encoding: base64\r\n\r\n" + body).text == text


def test_the_last_line_of_a_uuencoded_file_may_end_in_anything() -> None:
    coded = binascii.b2a_uu(b"lamp")
    line = coded[:7] + b"_X"  # bits that belong to no byte
    kind = b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: x-uuencode"
    whole = b"begin 644 a.zip\r\n" + line + b"\r\n`\r\nend\r\n"

    inside = read(HEAD + b"\r\nHello\r\n\r\n" + whole)
    alone = read(HEAD + kind + b"\r\n\r\n" + whole)

    assert (inside.text, [file.body for file in inside.files]) == ("Hello", [b"lamp"])
    assert [file.body for file in alone.files] == [b"lamp"]


RUSSIAN = "Это письмо без кодировки"
CHARSETS = {
    "Russian of KOI8": (RUSSIAN.encode("koi8-r"), "", RUSSIAN, False),
    "Russian of Windows": (RUSSIAN.encode("cp1251"), "iso-8859-1", RUSSIAN, False),
    "UTF-8 that says Big5": ("您好！今天好吗？".encode(), "big5", "您好！今天好吗？", False),
    "UTF-8 that says GBK": ("你好，我们公司".encode(), "gb2312", "你好，我们公司", False),
    "EUC that says Shift_JIS": (
        "お世話になっております。".encode("euc_jp"),
        "shift_jis",
        "お世話になっております。",
        False,
    ),
    "Chinese that says nothing": ("你好，我们公司".encode("gbk"), "", "ÄãºÃ£¬ÎÒÃÇ¹«Ë¾", True),
    "capital umlauts": ("ÜBER GRÖSSE ÄÖ".encode("cp1252"), "", "ÜBER GRÖSSE ÄÖ", False),
    "UTF-16 in the other order": ("Hi あいう".encode("utf-16-be"), "utf-16", "Hi あいう", False),
    "HZ": ("你好".encode("hz"), "hz-gb-2312", "你好", False),
    "Korean in escapes": ("안녕".encode("iso2022_kr"), "iso-2022-kr", "안녕", False),
    "Hebrew, as mails order it": ("שלום".encode("iso8859_8"), "iso-8859-8-i", "שלום", False),
    "half-width kana": ("ﾃｽﾄｼﾏｼﾀﾓﾉ".encode("cp932"), "shift_jis", "ﾃｽﾄｼﾏｼﾀﾓﾉ", False),
    "a plus in UTF-7": (
        b"+AD4- one +\n2+2 x@y+z.org\n",
        "utf-7",
        "> one +\n2+2 x@y+z.org\n",
        False,
    ),
}


@pytest.mark.parametrize(("body", "label", "text", "suspect"), CHARSETS.values(), ids=CHARSETS)
def test_a_wrong_or_missing_charset_is_seen_through_or_marked(
    body: bytes, label: str, text: str, suspect: bool
) -> None:
    assert decode(body, label) == Decoded(text, suspect)


SENDERS = {
    "a comma in a bare name": ("Doe, Dr., Ann <ann@x.org>", [("Doe, Dr., Ann", "ann@x.org")]),
    "a comma in quotes": ('"A, B" <a@x.org>, C <c@x.org>', [("A, B", "a@x.org"), ("C", "c@x.org")]),
    "a name and nobody's address": ("local, bob@x.org", [("", "bob@x.org")]),
    "an empty field above": ("\r\nFrom: b@x.org", [("", "b@x.org")]),
    "controls in it": ("A\0nn\x01 <an\0n@x.org>", [("Ann", "ann@x.org")]),
    "no brackets": ("Ann B ann@x.org", [("Ann B", "ann@x.org")]),
    "encoded along with the name": ("=?utf-8?B?QW5uIDxhbm5AeC5vcmc+?=", [("Ann", "ann@x.org")]),
}


@pytest.mark.parametrize(("value", "expected"), SENDERS.values(), ids=SENDERS)
def test_a_sender_has_a_name_however_it_is_written(
    value: str, expected: list[tuple[str, str]]
) -> None:
    mail = f"From: {value}\r\nSubject: s\r\n\r\nHello".encode()

    assert [(party.name, party.value) for party in read(mail).sender] == expected


def test_the_type_that_is_written_the_wrong_way_round_is_a_text() -> None:
    assert read(HEAD + b"Content-Type: plain/text\r\n\r\nHello").text == "Hello"


def test_a_missing_comma_joins_no_two_people() -> None:
    mail = b"From: Ann B <ann@x.org> Bob <bob@x.org> <bob@x.org>\r\nSubject: s\r\n\r\nHello"

    found = [(party.name, party.value) for party in read(mail).sender]

    assert found == [("Ann B", "ann@x.org"), ("Bob", "bob@x.org")]

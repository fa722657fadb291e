"""Header fields and addresses as programs write them."""

import base64
import time

import pytest

from channels.contract import Party
from channels.email.addresses import normal, parties, sendable
from channels.email.headers import base64_bytes, text_of, valued


def raw(text: str, encoding: str) -> str:
    """Bytes of a header as the parser hands them on."""
    return text.encode(encoding).decode("ascii", "surrogateescape")


def word(body: bytes, label: str) -> str:
    return f"=?{label}?B?{base64.b64encode(body).decode()}?="


JIS = "請求書".encode("iso2022_jp")
TEXTS = {
    "plain": ("Hello  there", "Hello there"),
    "folded": ("one\r\n two", "one two"),
    "B": (word("カスタマー".encode(), "utf-8"), "カスタマー"),
    "neighbours": ("=?utf-8?B?44Kr44K5?=\r\n =?utf-8?B?44K/44Oe44O8?=", "カスタマー"),
    "character cut in two": ("=?utf-8?B?44Kr44I=?= =?utf-8?B?uQ==?=", "カス"),
    "escape cut in two": (
        f"{word(JIS[:5], 'iso-2022-jp')} {word(JIS[5:], 'ISO-2022-JP')}",
        "請求書",
    ),
    "no reset": (word(JIS[:-3], "iso-2022-jp"), "請求書"),
    "words joined to text": ("Re:=?utf-8?q?=C3=A4?=x", "Re:äx"),
    "words without a gap": ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
    "different charsets": ("=?utf-8?q?=C3=A4?= =?iso-8859-1?q?=E4?=", "ää"),
    "Q with blanks": ("=?utf-8?Q?a b_c?=", "a b c"),
    "missing padding": ("=?utf-8?B?YQ?=", "a"),
    "language": ("=?utf-8*ja?Q?=E3=81=82?=", "あ"),
    "unknown charset": ("=?x-none?Q?abc?=", "abc"),
    "cp932 as shift_jis": (word("①㈱".encode("cp932"), "shift_jis"), "①㈱"),
    "raw utf-8": (raw("ご注文", "utf-8"), "ご注文"),
    "raw sjis": (raw("件名テスト", "cp932"), "件名テスト"),
    "raw jis": ("請求書".encode("iso2022_jp").decode("ascii"), "請求書"),
    "raw latin": (raw("Grüße", "cp1252"), "Grüße"),
    "no word": ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
    "line break hidden in a word": ("=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
}


@pytest.mark.parametrize(("value", "text"), TEXTS.values(), ids=TEXTS)
def test_a_field_is_one_decoded_line(value: str, text: str) -> None:
    assert text_of(value) == text


NAMES = {
    "quoted": ('attachment; filename="a b.pdf"', "a b.pdf"),
    "unquoted with blanks": ("attachment; filename=My file.pdf; size=3", "My file.pdf"),
    "semicolon in quotes": ('attachment; filename="a;b.pdf"', "a;b.pdf"),
    "escaped quote": (r'attachment; filename="a\"b.pdf"', 'a"b.pdf'),
    "windows path": (r'attachment; filename="C:\x\y.pdf"', r"C:\x\y.pdf"),
    "2231": ("attachment; filename*=utf-8''%E8%AB%8B.pdf", "請.pdf"),
    "2231 in two, cut in a character": (
        "a; filename*0*=utf-8''%E8%AB; filename*1*=%8B.pdf",
        "請.pdf",
    ),
    "2231 jis": ("a; filename*=iso-2022-jp'ja'%1B%24B%40A5a%3Dq%1B%28B.pdf", "請求書.pdf"),
    "2231 in sjis": ("a; filename*=shift_jis''%90%BF.pdf", "請.pdf"),
    "continued, plain": ('a; filename*0="one "; filename*1="two.pdf"', "one two.pdf"),
    "out of order": ("a; filename*1=b.pdf; filename*0=a", "ab.pdf"),
    "encoded word": ('a; filename="=?utf-8?B?6KuL?=.pdf"', "請.pdf"),
    "raw sjis with a backslash in it": (
        'a; filename="' + raw("表示.pdf", "cp932") + '"',
        "表示.pdf",
    ),
    "raw jis": ('a; filename="' + JIS.decode("ascii") + '.pdf"', "請求書.pdf"),
    "raw utf-8": ('a; filename="' + raw("領収書.pdf", "utf-8") + '"', "領収書.pdf"),
    "given twice": ("a; filename=one.pdf; filename=two.pdf", "one.pdf"),
    "never closed": ('a; filename="one.pdf', "one.pdf"),
}


@pytest.mark.parametrize(("value", "name"), NAMES.values(), ids=NAMES)
def test_a_file_name_is_read_however_it_is_written(value: str, name: str) -> None:
    assert valued(value).parameters["filename"] == name


def test_the_value_is_lower_case_without_blanks() -> None:
    assert valued(' Text / HTML ; Charset="UTF-8"').value == "text/html"
    assert valued("").parameters == {}


@pytest.mark.parametrize(
    ("coded", "body"),
    [
        (b"SGVsbG8=", b"Hello"),
        (b"SGVsbG8", b"Hello"),
        (b"SGVs\r\nbG8=\r\n", b"Hello"),
        (b"SGVs!*bG8=", b"Hello"),
        (b"SGVsbG8=IHlvdQ==", b"Hello you"),
        (b"SGVsbG8A=B", b"Hello\x00"),
        (b"====", b""),
        (b"S", b""),
    ],
)
def test_base64_is_read_as_far_as_it_goes(coded: bytes, body: bytes) -> None:
    assert base64_bytes(coded) == body


def party(value: str, name: str = "") -> Party:
    return Party("email", value, name)


ADDRESSES = {
    "bare": ("a@b.de", [party("a@b.de")]),
    "several": ('"Doe, John" <J@EX.com>, b@c.d', [party("J@ex.com", "Doe, John"), party("b@c.d")]),
    "semicolons": ("a@b.c; d@e.f", [party("a@b.c"), party("d@e.f")]),
    "comment as name": ("a@b.c (Anna)", [party("a@b.c", "Anna")]),
    "comment inside": ("A <b(x)@c.d(y)>", [party("b@c.d", "A")]),
    "group": ("team: a@b.c, d@e.f;, g@h.i", [party("a@b.c"), party("d@e.f"), party("g@h.i")]),
    "nobody": ("undisclosed-recipients:;", []),
    "empty": ("<>", []),
    "no address": ("root", []),
    "comma in a word": ("=?utf-8?Q?Doe,_John?= <j@x.y>", [party("j@x.y", "Doe, John")]),
    "word in quotes": ('"=?utf-8?Q?M=C3=BCller?=" <m@x.y>', [party("m@x.y", "Müller")]),
    "comma in jis": (
        "=?iso-2022-jp?B?GyRCOzNFRBsoQiwgGyRCQkBPOhsoQg==?= <y@x.jp>",
        [party("y@x.jp", "山田, 太郎")],
    ),
    "raw jis with quotes and commas in its bytes": (
        "「請求書」、、".encode("iso2022_jp").decode("ascii") + " <y@x.jp>",
        [party("y@x.jp", "「請求書」、、")],
    ),
    "dots of Japanese phones": ("a..b.@docomo.ne.jp", [party("a..b.@docomo.ne.jp")]),
    "apostrophe": ("O'Brien <o'brien@x.ie>", [party("o'brien@x.ie", "O'Brien")]),
    "idn": ("x@münchen.de", [party("x@xn--mnchen-3ya.de")]),
    "utf-8 local part": (raw("jörg@x.de", "utf-8"), [party("jörg@x.de")]),
    "quoted local part": ('"a b"@x.y', [party('"a b"@x.y')]),
    "name is the address": ("a@b.c <a@b.c>", [party("a@b.c")]),
    "mailto": ("<mailto:a@b.c>", [party("a@b.c")]),
    "unclosed": ('"Ann <a@b.c>', [party("a@b.c", "Ann")]),
    "no bracket at the end": ("Ann <a@b.c", [party("a@b.c", "Ann")]),
    "number as domain": ("a@[192.0.2.1]", [party("a@[192.0.2.1]")]),
}


@pytest.mark.parametrize(("value", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_addresses_are_found_however_they_are_written(value: str, expected: list[Party]) -> None:
    assert list(parties(value)) == expected


def test_hostile_fields_take_no_time_and_no_memory() -> None:
    assert len(parties("x@y.z," * 20_000)) == 1000
    assert parties('"' * 50_000) == ()
    assert parties("(" * 50_000) == ()
    assert parties("<" * 50_000) == ()
    assert parties("@" * 50_000) == ()
    assert valued("a/b;" + "c=d;" * 50_000).value == "a/b"
    assert text_of("=?utf-8?q?" * 6000).startswith("=?utf-8")


def test_a_domain_is_compared_as_it_looks_on_the_wire() -> None:
    assert normal("Ann@EXAMPLE.com.") == "Ann@example.com"


@pytest.mark.parametrize("address", ["a", "a@", "@b", "a b@c", "a@b\r\nRCPT TO:<c@d>", "ü@x.y", ""])
def test_what_could_add_a_command_is_not_sendable(address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        sendable(address)


@pytest.mark.parametrize("often", ["to: a@b.test ", "a <b> c <d> "], ids=["colons", "brackets"])
def test_a_field_full_of_what_ends_no_address_takes_no_time_worth_mentioning(often: str) -> None:
    started = time.process_time()

    found = parties(often * (60_000 // len(often)))

    assert len(found) == (500 if "@" in often else 0)
    assert time.process_time() - started < 0.4

"""Call logs as files: every encoding, dialect and language, and the same ids each time."""

# ruff: noqa: RUF001  (signs that look alike are what is tested)

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import BadRow, Direction, Ignored, InboundMessage, Party, Raw, Unreadable
from channels.phone import channel, log_file
from channels.phone.config import PhoneConfig
from tests.channels.phone.logs import arrivals, bad_rows, messages, shared, with_fixtures

JAPAN = PhoneConfig(region="JP", time_zone="Asia/Tokyo", language="ja")
GERMANY = PhoneConfig(region="DE", time_zone="Europe/Berlin", language="de")
NOWHERE = PhoneConfig()

JAPANESE = """\
日時,発信者,着信,方向,時間,結果,メモ
2026/4/1 9:05,０９０－１２３４－５６７８,0312345678,着信,0:03:12,応答,㈱髙橋商店 ①配送の件～至急
2026/04/01 09:10,非通知,0312345678,着信,0:00:00,不在,"""
GERMAN = """\
Datum;Rufnummer;Richtung;Dauer;Kosten;Notiz
01.04.2026 09:05;0151 23456789;eingehend;00:03:12;0,12;"Grüße; Rückruf für Müßig & Söhne"
01.04.2026 09:10;Anonym;eingehend;00:00:00;0,00;"=HYPERLINK(""x"")"
"""
ENGLISH = """\
Call ID|Start time|From|To|Direction|Talk time|Status|Agent e-mail|Notes
A-1|4/1/2026 9:05 AM|(650) 253-0000|100|Inbound|192|Answered|ann@example.com|"Where is
my order?"
A-2|4/1/2026 1:10 PM|100|+44 20 7946 0018|Outbound|0|No answer|ann@example.com|
A-3|4/1/2026 1:15 PM|100|101|Internal|5|Answered||
"""

BY_A_PROGRAM = '[{"call_id":"c-1","party":"+4930901820","started_at":"2026-04-01T09:05:00Z"}]'


def senders(config: PhoneConfig, text: str) -> list[Party]:
    found = messages(config, text.encode())
    return [message.sender for message in found if isinstance(message, InboundMessage)]


def test_a_japanese_log_is_read_whole() -> None:
    first, second = messages(JAPAN, JAPANESE.encode("cp932"))

    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert first == InboundMessage(
        external_id=first.external_id,
        sender=Party("phone", "+819012345678"),
        sent_at=datetime(2026, 4, 1, 0, 5, tzinfo=UTC),
        text="㈱髙橋商店 ①配送の件～至急",
        reply_text="㈱髙橋商店 ①配送の件～至急",
        subject="+819012345678 からの電話",
        is_call=True,
        seconds=192,
    )
    assert (second.sender.kind, second.text) == ("phone-anonymous", "不在着信です。")


def test_a_german_log_is_read_whole() -> None:
    first, second = messages(GERMANY, GERMAN.encode("cp1252"))

    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert first == InboundMessage(
        external_id=first.external_id,
        sender=Party("phone", "+4915123456789"),
        sent_at=datetime(2026, 4, 1, 7, 5, tzinfo=UTC),
        text="Grüße; Rückruf für Müßig & Söhne",
        reply_text="Grüße; Rückruf für Müßig & Söhne",
        subject="Anruf von +4915123456789",
        is_call=True,
        seconds=192,
    )
    assert (second.sender.kind, second.text) == ("phone-anonymous", '=HYPERLINK("x")')


def test_an_english_log_is_read_whole() -> None:
    config = PhoneConfig(region="US", time_zone="America/New_York")

    assert messages(config, ENGLISH.encode()) == [
        InboundMessage(
            external_id="A-1",
            sender=Party("phone", "+16502530000"),
            sent_at=datetime(2026, 4, 1, 13, 5, tzinfo=UTC),
            text="Where is\nmy order?",
            reply_text="Where is\nmy order?",
            subject="Call from +16502530000",
            is_call=True,
            seconds=192,
            logged_by="ann@example.com",
        ),
        InboundMessage(
            external_id="A-2",
            sender=Party("phone", "+442079460018"),
            sent_at=datetime(2026, 4, 1, 17, 10, tzinfo=UTC),
            text="Called, but nobody answered.",
            subject="Call to +442079460018",
            direction=Direction.OUTBOUND,
            is_call=True,
            seconds=0,
            logged_by="ann@example.com",
        ),
        Ignored("a call between two extensions"),
    ]


@pytest.mark.parametrize(
    ("text", "config", "encodings"),
    [
        (JAPANESE, JAPAN, ["utf-8", "utf-8-sig", "utf-16", "cp932"]),
        (GERMAN, GERMANY, ["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    ],
    ids=["japanese", "german"],
)
def test_the_encoding_changes_nothing(text: str, config: PhoneConfig, encodings: list[str]) -> None:
    read = [arrivals(config, text.encode(encoding)) for encoding in encodings]

    assert read == [read[0]] * len(encodings)
    assert len(read[0]) == 2


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("declared", [True, False])
def test_the_dialect_changes_nothing(line_end: str, delimiter: str, declared: bool) -> None:
    table = [
        ["Date", "Number", "Notes", ""],
        ["2026-04-01 09:05", "+4930901820", '"a, b; c | d"', ""],
        ["2026-04-01 09:06", "+4930901821", "plain", ""],
    ]
    lines = [f"sep={delimiter}"] * declared + [delimiter.join(row) for row in table]

    first, second = messages(NOWHERE, line_end.join(lines).encode())

    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert [(first.text, first.sender.value), (second.text, second.sender.value)] == [
        ("a, b; c | d", "+4930901820"),
        ("plain", "+4930901821"),
    ]


def test_euc_jp_is_read_when_told_so_and_not_made_up_otherwise() -> None:
    body = JAPANESE.replace("㈱髙", "高").replace("①", "").replace("～", "").replace("－", "")
    told = PhoneConfig(region="JP", time_zone="Asia/Tokyo", encoding="euc_jp")

    assert len(arrivals(told, body.encode("euc_jp"))) == 2
    assert [line for line, _ in bad_rows(body.encode("euc_jp"), JAPAN)] == [1]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Größe und Übergabe: Straße, Schlüssel, Äpfel, Öl für 5 €", "cp1252"),
        ("Müller\nJäger\nSchröder\nWeiß\nGöß\nBäcker Süß", "cp1252"),
        ("Très déçu, livraison à Orléans manquée, être remboursé", "cp1252"),
        ("返品をお願いします。株式会社髙﨑、①番の件", "cp932"),
        ("カタログ請求 東京都港区", "cp932"),
        ("ﾃﾝﾜｼﾃｸﾀﾞｻｲ 鈴木 様より連絡あり", "cp932"),
    ],
)
def test_japanese_and_western_text_are_told_apart(text: str, encoding: str) -> None:
    body = f'Date,Number,Notes\n2026-04-01 09:05,+4930901820,"{text}"\n'.encode(encoding)

    [message] = messages(NOWHERE, body)

    assert isinstance(message, InboundMessage)
    assert message.text == text


def test_reading_the_same_file_twice_gives_the_same_ids() -> None:
    for config, text in ((JAPAN, JAPANESE), (GERMANY, GERMAN)):
        first, second = arrivals(config, text.encode()), arrivals(config, text.encode())

        assert first == second
        assert len({raw.external_id for raw in first}) == 2


def test_the_same_call_in_a_longer_log_keeps_its_id() -> None:
    head, row = GERMAN.splitlines()[:2]
    longer = f"{head};Standort\n02.04.2026 10:00;110;eingehend;00:00:05;0,00;x;A\n{row};B\n"

    assert arrivals(GERMANY, longer.encode())[1].external_id == (
        arrivals(GERMANY, GERMAN.encode())[0].external_id
    )


def test_an_arrival_keeps_its_row_for_whoever_wants_to_compare() -> None:
    [first, _] = arrivals(GERMANY, GERMAN.encode())

    assert json.loads(first.body)["row"] == {
        "Datum": "01.04.2026 09:05",
        "Rufnummer": "0151 23456789",
        "Richtung": "eingehend",
        "Dauer": "00:03:12",
        "Kosten": "0,12",
        "Notiz": "Grüße; Rückruf für Müßig & Söhne",
    }


def test_a_title_above_the_headings_is_passed_over() -> None:
    text = "Anrufe April\n\nDatum;Rufnummer\n01.04.2026 09:05;030 901820\n"

    assert senders(GERMANY, text) == [Party("phone", "+4930901820")]


def test_date_and_time_in_two_columns_are_put_together() -> None:
    with_time = "日付,時間,電話番号\n2026/4/1,9:05,0312345678\n"
    with_clock = "日付,時刻,時間,電話番号\n2026/4/1,9:05,3:12,0312345678\n"

    assert [
        (message.sent_at, message.seconds)
        for text in (with_time, with_clock)
        for message in messages(JAPAN, text.encode())
        if isinstance(message, InboundMessage)
    ] == [
        (datetime(2026, 4, 1, 0, 5, tzinfo=UTC), None),
        (datetime(2026, 4, 1, 0, 5, tzinfo=UTC), 192),
    ]


def test_minutes_are_minutes_when_the_heading_says_so() -> None:
    text = "Date,Number,Duration (min)\n2026-04-01 09:05,+4930901820,3\n"

    [message] = messages(NOWHERE, text.encode())

    assert isinstance(message, InboundMessage)
    assert message.seconds == 180


def test_slashes_follow_the_column_then_the_country() -> None:
    def day(config: PhoneConfig, *dates: str) -> list[datetime]:
        text = "Date,Number\n" + "".join(f"{date},+4930901820\n" for date in dates)
        found = messages(config, text.encode())
        return [message.sent_at for message in found if isinstance(message, InboundMessage)]

    april, january = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((4, 1), (1, 4)))
    assert day(NOWHERE, "1/4/2026", "13/4/2026")[0] == april
    assert day(NOWHERE, "1/4/2026", "4/13/2026")[0] == january
    assert day(PhoneConfig(region="US"), "1/4/2026") == [january]
    assert day(PhoneConfig(region="GB"), "1/4/2026") == [april]
    words = (
        "no date tells whether the day or the month comes first: set the country of the inbox, "
        "or write dates as 2026-04-01"
    )
    assert bad_rows("Date,Number\n1/4/2026,+4930901820\n") == [(1, words)]


def test_a_bad_row_is_named_by_its_line_and_the_others_are_read() -> None:
    text = (
        "sep=;\n"
        "Date;Number;Direction;Duration;Notes\n"
        '2026-04-01 09:05;+4930901820;in;5;"two\nlines"\n'
        "soon;+4930901821;in;5;\n"
        "2026-04-01 09:05;+4930901822;sideways;5;\n"
        "2026-04-01 09:05;9.01E+11;in;5;\n"
        "2026-04-01 09:05;+4930901824;in;long;\n"
        "2026-04-01 09:05;+4930901825;in;5;;;more\n"
        "2026-04-01 09:05;+4930901826;in;900000;\n"
        "2026-04-01 09:05\n"
        ";;;;\n"
        ";+4930901827;in;5;\n"
    )

    assert bad_rows(text) == [
        (5, "not a date: soon"),
        (6, "not a direction: sideways"),
        (7, "the number 9.01E+11 lost its digits in a spreadsheet"),
        (8, "not a duration: long"),
        (9, "more cells than headings"),
        (10, "seconds: Input should be less than or equal to 604800"),
        (13, "no date"),
    ]
    read = [item for item in channel.read_file(NOWHERE, text.encode()) if isinstance(item, Raw)]
    assert len(read) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b\n1,2\n", "no headings for the time of a call and its number; found: a, b"),
        (b"Date,Notes\n2026-04-01,x\n", "no headings for the time of a call and its number"),
        (b"\xff\xfe\x00\xd8", "cannot be read as text: byte 3 is not utf-16"),
        (b"\x81\x81\x8d\xff\xa0", "cannot be read as text: neither UTF-8 nor"),
    ],
)
def test_a_file_that_is_no_log_is_refused_as_a_whole(body: bytes, words: str) -> None:
    [(line, said)] = bad_rows(body)

    assert line == 1
    assert said.startswith(words)


def test_a_quote_nobody_closes_is_named_where_it_begins() -> None:
    text = 'Date,Number,Notes\n2026-04-01,+4930901820,x\n2026-04-02,+4930901820,"' + "y\n" * 90_000

    assert bad_rows(text) == [
        (3, "a quote is opened here and not closed, or a cell is far too long")
    ]


def test_only_so_many_rows_are_read_at_a_time() -> None:
    csv = "Date,Number,Notes\n" + "2026-04-01 09:05,+4930901820,x\n" * 12
    lines = '{"party":"+4930901820","started_at":"2026-04-01T09:05:00Z"}\n' * 12

    assert log_file.MOST_ROWS == 100_000
    for text, line in ((csv, 12), (lines, 11)):
        found = log_file.read(NOWHERE, text.encode(), most_rows=10)
        assert [type(item) for item in found] == [Raw] * 10 + [BadRow]
        assert found[-1] == BadRow(line, "too many calls for one file: split it")


def test_a_row_of_far_too_many_cells_is_named() -> None:
    text = "Date,Number\n2026-04-01,+4930901820\n" + "," * 200 + "\n"

    assert bad_rows(text) == [(3, "more than 200 columns")]


def test_too_large_a_file_is_refused_unread() -> None:
    assert bad_rows(b"x" * (25 * 1024 * 1024 + 1)) == [(1, "larger than 25 MB: split the file")]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_file_gives_arrivals_or_bad_rows(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([JAPANESE, GERMAN, ENGLISH, BY_A_PROGRAM]))
    body = bytearray(text.encode(data.draw(st.sampled_from(["utf-8", "utf-16", "utf-7"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\n", b"\x00", b"9" * 30, b"E+9"])
        )

    for item in channel.read_file(JAPAN, bytes(body)):
        if isinstance(item, Raw):
            with contextlib.suppress(Unreadable):
                assert channel.parse(JAPAN, item)
        else:
            assert item.words


@with_fixtures
@pytest.mark.parametrize(
    ("config", "names"),
    [
        (JAPAN, ["calls_cp932.csv", "calls_utf16le_tab.txt", "calls_utf8_bom.csv"]),
        (GERMANY, ["anrufe_cp1252_semicolon.csv", "anrufe_utf8_sep.csv"]),
    ],
    ids=["japanese", "german"],
)
def test_the_shared_logs_read_the_same_in_every_encoding(
    config: PhoneConfig, names: list[str]
) -> None:
    read = [messages(config, shared(f"csv-encodings/{name}")) for name in names]

    assert read == [read[0]] * len(names)
    assert [
        (message.sender.kind, message.seconds)
        for message in read[0]
        if isinstance(message, InboundMessage)
    ] in (
        [("phone", 192), ("phone-anonymous", 0)],
        [("phone-local", 192), ("phone-anonymous", 0)],  # the German one is a digit short
    )


@with_fixtures
def test_the_shared_log_in_euc_jp_is_read_when_told_so() -> None:
    told = PhoneConfig(region="JP", encoding="euc_jp")

    assert len(arrivals(told, shared("csv-encodings/calls_eucjp.csv"))) == 2

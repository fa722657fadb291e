"""Whatever bytes come: reading never raises, and what is written well is read back the same."""

import base64
import binascii
import contextlib
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Party, Unreadable
from channels.email import charset, invitation, ladder, rtf, secured, tnef, uuencoded
from channels.email.addresses import parties
from channels.email.headers import base64_bytes, decode_words, text_of, valued
from channels.email.hygiene import Kind
from channels.email.reading import date_of, ids

LABELS = (
    "",
    "utf-8",
    "iso-2022-jp",
    "shift_jis",
    "euc-jp",
    "us-ascii",
    "iso-8859-1",
    "utf-16",
    "x",
)
# What one line can hold, and what no mail program would write into a name.
WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters='"\\<>()@,;:=?'), min_size=1
)
JAPANESE = st.text(st.sampled_from("請求書のご確認をお願いします①㈱ー髙ｶﾞABC 123"), min_size=1)
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *'"<>(),;:@\\=?.[]',
            " ",
            "\t",
            "\r\n ",
            "=?utf-8?q?",
            "?=",
            "=?iso-2022-jp?B?",
            "a@b.c",
            "\x1b$B",
            "\x1b(B",
            "��",
            "é",
            "undisclosed:",
            "filename*0*=",
            "utf-8''%E8",
        ]
    ),
    max_size=60,
).map("".join)
NO_LIMIT = settings(deadline=None, max_examples=200)


@NO_LIMIT
@given(FRAGMENTS)
def test_no_field_makes_it_fall(raw: str) -> None:
    for read in (text_of, parties, valued, decode_words, ids, date_of):
        read(raw)
    f"{text_of(raw)}{[party.name for party in parties(raw)]}".encode()


@NO_LIMIT
@given(st.binary(max_size=400), st.sampled_from(LABELS))
def test_no_bytes_make_it_fall(body: bytes, label: str) -> None:
    charset.decode(body, label).text.encode("utf-8", "surrogatepass")
    base64_bytes(body)
    rtf.Rtf(body).read()
    secured.signed_content(body)
    invitation.summary(body.decode("latin-1"))
    uuencoded.taken_out(body.decode("latin-1"))
    with contextlib.suppress(tnef.Broken):
        tnef.unpacked(b"\x78\x9f\x3e\x22\x01\x00" + body)


HEAD = b"From: a@b.test\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n"
LINES = st.lists(
    st.sampled_from(
        [
            b"--b",
            b"--b--",
            b"",
            b"x",
            b"Content-Type: multipart/alternative; boundary=c",
            b"--c",
            b"Content-Type: message/rfc822",
            b"Content-Type: text/html; charset=utf-7",
            b"<p>x",
            b"Content-Transfer-Encoding: base64",
            b"Content-Disposition: attachment; filename=a",
            b":",
            b"Content-Type: application/ms-tnef",
            b"begin 644 a",
            b"\xff\x00\x1b$B",
            b"From a",
            b" f",
        ]
    ),
    max_size=40,
).map(b"\r\n".join)


@NO_LIMIT
@given(LINES, st.sampled_from([b"", HEAD]))
def test_no_mail_makes_it_fall_on_any_rung(lines: bytes, head: bytes) -> None:
    for rung in (ladder.FULL, ladder.PLAIN, ladder.LEAST):
        try:
            found = ladder.read(head + lines, rung=rung)
        except Unreadable:
            assert not head
            continue
        assert isinstance(found.kind, Kind)
        assert not head or (found.sender[0].value, found.subject) == ("a@b.test", "s")
        f"{found.text}{found.html}{found.subject}".encode()


@NO_LIMIT
@given(JAPANESE, st.integers(1, 40), st.sampled_from(["utf-8", "cp932"]))
def test_words_cut_anywhere_are_joined(text: str, step: int, codec: str) -> None:
    body = text.encode(codec)
    label = {"cp932": "shift_jis"}.get(codec, codec)
    words = [
        f"=?{label}?B?{base64.b64encode(body[at : at + step]).decode()}?="
        for at in range(0, len(body), step)
    ]

    assert decode_words("\r\n ".join(words)) == text


@NO_LIMIT
@given(WORDS, st.from_regex(r"[a-z0-9.+_-]{1,20}@[a-z0-9-]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_a_name_and_an_address_are_read_back(name: str, address: str) -> None:
    word = f"=?utf-8?B?{base64.b64encode(name.encode()).decode()}?="

    assert parties(f"{word} <{address}>, x@y.z") == (
        Party("email", address, "" if name.lower() == address else name.strip("'")),
        Party("email", "x@y.z"),
    )


@NO_LIMIT
@given(st.lists(JAPANESE, min_size=1, max_size=5))
def test_a_file_name_in_pieces_is_read_back(pieces: list[str]) -> None:
    coded = [quote(piece, safe="") for piece in pieces]
    fields = "".join(
        f"; filename*{number}*={'' if number else chr(117) + 'tf-8' + chr(39) * 2}{piece}"
        for number, piece in enumerate(coded)
    )
    whole = " ".join("".join(pieces).split())

    assert valued(f"attachment{fields}").parameters["filename"] == whole


@NO_LIMIT
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 4, 14 * 4),
)
def test_a_date_is_read_back(moment: datetime, quarters: int) -> None:
    zone = timezone(timedelta(minutes=15 * quarters))
    date = moment.replace(microsecond=0, tzinfo=zone)

    read = date_of(format_datetime(date))

    assert read == date
    assert read is not None
    assert read.astimezone(UTC) == date


@NO_LIMIT
@given(st.binary(max_size=300))
def test_a_uuencoded_file_is_read_back(body: bytes) -> None:
    coded = "".join(binascii.b2a_uu(body[at : at + 45]).decode() for at in range(0, len(body), 45))

    text, files = uuencoded.taken_out(f"before\nbegin 644 a.bin\n{coded}`\nend\nafter")

    assert (text, [file.body for file in files]) == ("before\n\nafter", [body])

"""What is wrapped inside a mail: winmail.dat, uuencode, mails in mails, invitations, signatures."""

import base64
import binascii
import contextlib
import struct
import uuid

import pytest

from channels.contract import InboundFile
from channels.email import invitation, rtf, secured, tnef, uuencoded
from channels.email.attached import readable
from channels.email.ladder import read
from channels.email.reading import Reading

HEAD = b"From: a@example.org\r\nSubject: s\r\nMessage-ID: <1@example.org>\r\n"


def mixed(*parts: bytes, kind: bytes = b"mixed") -> Reading:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return read(HEAD + b"Content-Type: multipart/%s; boundary=b\r\n\r\n" % kind + body + b"--b--")


def attached(kind: str, name: str, body: bytes, more: str = "") -> bytes:
    fields = (
        f"Content-Type: {kind}; name={name}{more}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename={name}\r\n\r\n"
    )
    return fields.encode() + base64.encodebytes(body)


def names(found: Reading) -> list[str]:
    return [file.name for file in found.files]


# winmail.dat


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(value)) + value + b"\x00\x00"


def variable(kind: int, name: int, value: bytes) -> bytes:
    padded = value + bytes(-len(value) % 4)
    return struct.pack("<HHII", kind, name, 1, len(value)) + padded


def winmail(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def properties(*items: bytes) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(items)


FILE = (
    attribute(2, 0x9002, b"\x01\x00"),
    attribute(2, 0x8010, b"INVOIC~1.PDF\x00"),
    attribute(2, 0x800F, b"%PDF-1"),
    attribute(
        2,
        0x9005,
        properties(
            struct.pack("<HHI", 3, 0x3705, 1),
            struct.pack("<HH", 0x1F, 0x8001)
            + bytes(16)
            + struct.pack("<II", 0, 7)
            + struct.pack("<II", 1, 4)
            + "x\0".encode("utf-16-le"),
            variable(0x1F, 0x3707, "請求書 Nr. 5.pdf\0".encode("utf-16-le")),
        ),
    ),
)
OUTLOOK_HTML = b"<html><body>Gr\xfc\xdfe <b>bold</b></body></html>"


def test_a_winmail_dat_gives_its_files_and_stays_itself() -> None:
    body = winmail(attribute(1, 0x9007, struct.pack("<II", 1252, 0)), *FILE)

    found = mixed(b"\r\nhello", attached("application/ms-tnef", "winmail.dat", body))

    assert found.text == "hello"
    assert found.files == (
        InboundFile("winmail.dat", "application/ms-tnef", body),
        InboundFile("請求書 Nr. 5.pdf", "application/pdf", b"%PDF-1"),
    )


def test_its_text_is_shown_only_when_the_mail_has_none() -> None:
    inside = attribute(1, 0x9003, properties(variable(0x102, 0x1013, OUTLOOK_HTML)))
    part = attached("application/octet-stream", "winmail.dat", winmail(inside))

    assert mixed(b"\r\nhello", part).text == "hello"
    assert mixed(part).text == "Grüße bold"
    assert "<b>bold</b>" in mixed(part).html


def test_a_broken_winmail_dat_is_a_plain_file() -> None:
    body = winmail()[:6] + b"\x01\x02"

    found = mixed(b"\r\nhello", attached("application/ms-tnef", "winmail.dat", body))

    assert (found.text, names(found)) == ("hello", ["winmail.dat"])
    assert [words.partition(":")[0] for words in found.warnings] == ["winmail"]


@pytest.mark.parametrize("cut", range(6, 200, 7))
def test_a_winmail_dat_cut_anywhere_is_no_crash(cut: int) -> None:
    inside = attribute(1, 0x9003, properties(variable(0x102, 0x1013, OUTLOOK_HTML)))
    with contextlib.suppress(tnef.Broken):  # any other exception fails the test
        tnef.unpacked(winmail(*FILE, inside)[:cut])


def packed(text: bytes) -> bytes:
    """Compressed RTF that was not worth compressing."""
    return struct.pack("<IIII", len(text) + 12, len(text), 0x414C454D, 0) + text


def test_compressed_rtf_is_read() -> None:
    # The example of the specification: letters, then references into what came before.
    body = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )

    assert rtf.decompressed(body) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


RTFS = {
    "plain": (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}Gr\'fc\'dfe\par next}",
        "Grüße\nnext",
    ),
    "unicode": (rb"{\rtf1\ansi\uc1 \u-30005 ?\u26360 ?}", "請書"),
    "Japanese code page": (rb"{\rtf1\ansi\ansicpg932 \'90\'bf\'8b\'81}", "請求"),
    "HTML": (
        (
            rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Hi {\*\htmltag <b>}you"
            rb"{\*\htmltag </b>}\htmlrtf\par}\htmlrtf0{\*\htmltag </p>}{\*\mhtmltag <x>}}"
        ),
        "<p>Hi <b>you</b></p>",
    ),
}


@pytest.mark.parametrize(("body", "text"), RTFS.values(), ids=RTFS)
def test_rtf_is_text_again(body: bytes, text: str) -> None:
    words = rtf.Rtf(rtf.decompressed(packed(body))).read()

    assert words == rtf.Words(text, is_html=b"fromhtml" in body)


# uuencode


def uu(body: bytes, name: str = "a b.bin") -> str:
    lines = [binascii.b2a_uu(body[at : at + 45]).decode() for at in range(0, len(body), 45)]
    return f"begin 644 {name}\n" + "".join(lines) + "`\nend\n"


def test_a_uuencoded_file_is_taken_out_of_the_text() -> None:
    body = bytes(range(256))
    text = f"before\n\n{uu(body)}\nafter"

    found = read(HEAD + b"\r\n" + text.encode())

    assert found.text == "before\n\nafter"
    assert found.files == (InboundFile("a b.bin", "application/octet-stream", body),)


@pytest.mark.parametrize(
    "text",
    ["Let us\nbegin 100 days early\nand end it.", "begin 644 x.txt\nDear Ann, süß\nend", "begin"],
)
def test_prose_that_begins_is_left_alone(text: str) -> None:
    assert uuencoded.taken_out(text) == (text, [])


# mails in mails


def test_a_mail_in_a_mail_is_called_by_its_subject() -> None:
    inner = b"Subject: =?utf-8?b?6KuL5rGC5pu4?= / 5\r\n\r\nx"

    found = mixed(b"\r\nsee below", b"Content-Type: message/rfc822\r\n\r\n" + inner)

    assert (found.text, names(found)) == ("see below", ["請求書 - 5.eml"])
    assert found.files[0].body == inner


def test_a_mail_that_is_only_another_mail_shows_it_as_a_file() -> None:
    found = read(HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx")

    assert (found.subject, names(found)) == ("s", ["inner.eml"])


def test_the_mails_of_a_digest_are_files() -> None:
    found = mixed(b"\r\nSubject: one\r\n\r\nx", b"\r\nSubject: two\r\n\r\ny", kind=b"digest")

    assert (found.text, names(found)) == ("", ["one.eml", "two.eml"])


def test_what_attached_mails_say_can_be_searched() -> None:
    inner = "From: 山田 <y@x.test>\r\nSubject: 請求書\r\n\r\n鰻重の件です".encode()
    found = mixed(b"\r\nsee below", *[b"Content-Type: message/rfc822\r\n\r\n" + inner] * 7)

    words = [file.words for file in readable(found, b"the whole", read)]

    assert words == ["請求書\n山田\ny@x.test\n鰻重の件です"] * 5 + [""] * 2


def test_what_a_report_brings_back_is_no_words_of_its_sender() -> None:
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.test\r\n\r\n"
    failed = b"Final-Recipient: rfc822; y@x.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    back = b"Content-Type: message/rfc822\r\n\r\nSubject: ours\r\n\r\nour answer"
    found = mixed(b"\r\ngone", status + failed, back, kind=b"report; report-type=delivery-status")

    assert found.report is not None
    assert [file.words for file in readable(found, b"", read) if file.words] == []


# invitations

EVENT = """\
BEGIN:VCALENDAR\r
METHOD:{method}\r
BEGIN:VTIMEZONE\r
TZID:Asia/Tokyo\r
BEGIN:STANDARD\r
DTSTART:19700101T000000\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1@example.org\r
SUMMARY:打ち合わせ\\, Raum 5\r
DTSTART;TZID=Asia/Tokyo:20261121T100000\r
DTEND;TZID=Asia/Tokyo:20261121T113000\r
LOCATION:Osaka\\nRoom 5\r
ORGANIZER;CN="Yamada, Taro":mailto:yamada@example.org\r
ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED;RSVP=TRUE;X-LONG=a-long-parameter-that-is\r
 -folded:MAILTO:ann@example.org\r
ATTENDEE:mailto:bob@example.org\r
{more}END:VEVENT\r
END:VCALENDAR\r
"""
INVITED = """\
Invitation: 打ち合わせ, Raum 5
When: 2026-11-21 10:00–11:30 Asia/Tokyo
Where: Osaka Room 5
Organiser: Yamada, Taro <yamada@example.org>
With: Ann <ann@example.org> (accepts), bob@example.org"""


def event(method: str = "REQUEST", more: str = "") -> str:
    return EVENT.format(method=method, more=more)


def test_an_invitation_is_a_file_and_some_lines_and_from_a_person() -> None:
    plain = b"Content-Type: text/plain\r\n\r\nPlease come."
    part = b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + event().encode()

    found = mixed(plain, part, kind=b"alternative")

    assert found.text == f"Please come.\n\n{INVITED}"
    assert (names(found), found.kind, found.kind.machine) == (["invitation.ics"], "calendar", "")


EVENTS = {
    "cancelled": (event("CANCEL"), "Cancelled: 打ち合わせ, Raum 5"),
    "cancelled by its state": (event(more="STATUS:CANCELLED\r\n"), "Cancelled: 打ち合わせ, Raum 5"),
    "changed": (event(more="SEQUENCE:2\r\n"), "Invitation, changed: 打ち合わせ, Raum 5"),
    "answered": (event("REPLY"), "Answer to an invitation: 打ち合わせ, Raum 5"),
}


@pytest.mark.parametrize(("text", "first"), EVENTS.values(), ids=EVENTS)
def test_what_became_of_an_invitation_is_said(text: str, first: str) -> None:
    assert invitation.summary(text).splitlines()[0] == first


TIMES = {
    "in UTC": ("DTSTART:20261121T100000Z\r\nDTEND:20261121T110000Z", "2026-11-21 10:00–11:00 UTC"),
    "for days": (
        "DTSTART;VALUE=DATE:20261121\r\nDTEND;VALUE=DATE:20261123",
        "2026-11-21 to 2026-11-22 (all day)",
    ),
    "for a day": ("DTSTART;VALUE=DATE:20261121", "2026-11-21 (all day)"),
    "with a length": (
        "DTSTART:20261121T100000\r\nDURATION:PT1H30M",
        "2026-11-21 10:00–11:30 (their time)",
    ),
    "over night": (
        "DTSTART:20261121T220000Z\r\nDTEND:20261122T020000Z",
        "2026-11-21 22:00 to 2026-11-22 02:00 UTC",
    ),
    "nonsense": ("DTSTART:20269999T990000", "20269999T990000"),
}


@pytest.mark.parametrize(("lines", "when"), TIMES.values(), ids=TIMES)
def test_when_it_is(lines: str, when: str) -> None:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n{lines}\r\nEND:VEVENT\r\n"

    assert invitation.summary(text) == f"Event: x\nWhen: {when}"


def test_a_calendar_file_of_a_person_is_their_mail() -> None:
    found = mixed(b"\r\nhello", attached("text/calendar", "x.ics", event("PUBLISH").encode()))

    assert (found.kind, names(found)) == ("human", ["x.ics"])
    assert found.text.startswith("hello\n\nEvent: ")


def test_a_calendar_of_nothing_says_nothing() -> None:
    assert invitation.summary("BEGIN:VCALENDAR\r\nEND:VCALENDAR") == ""
    assert invitation.summary("\x00" * 1000) == ""


# signatures and encryption


def der(tag: int, *values: bytes) -> bytes:
    body = b"".join(values)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


SIGNED_DATA, DATA = bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010701")
ENVELOPED = bytes.fromhex("2a864886f70d010703")
INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "Größe".encode()


def opaque(content: bytes) -> bytes:
    wrapped = der(0x30, der(6, DATA), der(0xA0, content))
    return der(0x30, der(6, SIGNED_DATA), der(0xA0, der(0x30, der(2, b"\x01"), der(0x31), wrapped)))


def streamed(content: bytes) -> bytes:
    """The same as programs write it that do not know the length beforehand."""
    pieces = b"".join(der(4, content[at : at + 10]) for at in range(0, len(content), 10))
    octets = b"\x24\x80" + pieces + b"\x00\x00"
    wrapped = b"\x30\x80" + der(6, DATA) + b"\xa0\x80" + octets + b"\x00\x00\x00\x00"
    inner = b"\x30\x80" + der(2, b"\x01") + der(0x31) + wrapped + b"\x00\x00"
    return b"\x30\x80" + der(6, SIGNED_DATA) + b"\xa0\x80" + inner + b"\x00\x00\x00\x00"


@pytest.mark.parametrize("body", [opaque(der(4, INNER)), streamed(INNER)], ids=["whole", "pieces"])
def test_a_signed_mail_in_an_envelope_is_read_and_never_called_genuine(body: bytes) -> None:
    fields = (
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )

    found = read(HEAD + fields + base64.encodebytes(body))

    assert (found.text, names(found)) == ("Größe", ["smime.p7m"])
    assert found.files[0].body == body
    assert found.warnings == (secured.SIGNED,)


SECURED = {
    "encrypted S/MIME": (
        b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(der(0x30, der(6, ENVELOPED), der(0xA0, der(0x30)))),
        secured.ENCRYPTED,
        ["smime.p7m"],
    ),
    "encrypted PGP": (
        (
            b"Content-Type: multipart/encrypted; protocol=application/pgp-encrypted; "
            b"boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
            b"--b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\nxx\r\n--b--"
        ),
        secured.ENCRYPTED,
        ["pgp.txt", "encrypted.asc"],
    ),
    "signed": (
        (
            b"Content-Type: multipart/signed; protocol=application/pgp-signature; "
            b"boundary=b\r\n\r\n"
            b"--b\r\n\r\nhello\r\n--b\r\n"
            b"Content-Type: application/pgp-signature\r\n\r\nxx\r\n--b--"
        ),
        secured.SIGNED,
        ["signature.asc"],
    ),
    "PGP in the text": (
        b"\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nxx\r\n-----END PGP MESSAGE-----\r\n",
        secured.ENCRYPTED,
        [],
    ),
    "signed in the text": (
        b"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhello\r\n",
        secured.SIGNED,
        [],
    ),
}


@pytest.mark.parametrize(("body", "warning", "files"), SECURED.values(), ids=SECURED)
def test_what_is_signed_or_encrypted_is_said_and_kept(
    body: bytes, warning: str, files: list[str]
) -> None:
    found = read(HEAD + body)

    assert (found.warnings, names(found)) == ((warning,), files)


@pytest.mark.parametrize("body", [b"", b"\x30", b"\x30\x80", b"0" * 1000, uuid.UUID(int=7).bytes])
def test_what_is_no_signature_has_no_content(body: bytes) -> None:
    assert secured.signed_content(body) is None

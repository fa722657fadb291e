"""`mail show`: everything that is understood of a mail, as JSON or as a page."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.cli import main

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """A command sets it for its process, which is ours here."""
    before = os.umask(0o022)
    yield
    os.umask(before)


ANSWER = b"""\
From: =?utf-8?q?M=C3=BCller=2C_Anna?= <anna@example.org>
To: Help <help@shop.test>, second@shop.test
Cc: c@d.test
Reply-To: private@example.org
Subject: =?iso-2022-jp?B?GyRCQEE1YT1xGyhC?= Re: order
Message-ID: <2@example.org>
In-Reply-To: <1@shop.test> (my letter)
References: <0@shop.test>
 <1@shop.test>
Date: Fri, 20 Nov 2026 10:00:00 +0900
Content-Type: multipart/mixed; boundary=b

--b

Where is my order number 5 please?

On Thu, 19 Nov 2026, help@shop.test wrote:
> Thanks for your order.
--b
Content-Type: image/png
Content-Disposition: attachment; filename="a b.png"
Content-Transfer-Encoding: base64

AAEC
--b--
"""


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["mail", "show", *arguments]) == 0
    return capsys.readouterr().out


def lines(capsys: pytest.CaptureFixture[str], *paths: Path) -> list[dict[str, object]]:
    out = show(capsys, "--json", *map(str, paths))
    return [json.loads(line) for line in out.splitlines()]


def test_a_mail_is_one_line_with_everything_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answer.eml"
    path.write_bytes(ANSWER)

    (found,) = lines(capsys, path)

    assert found == {
        "subject": "請求書 Re: order",
        "from": [{"name": "Müller, Anna", "address": "anna@example.org"}],
        "to": [
            {"name": "Help", "address": "help@shop.test"},
            {"name": "", "address": "second@shop.test"},
        ],
        "cc": [{"name": "", "address": "c@d.test"}],
        "reply_to": [{"name": "", "address": "private@example.org"}],
        "message_id": "2@example.org",
        "in_reply_to": "1@shop.test",
        "references": ["0@shop.test", "1@shop.test"],
        "date": "2026-11-20T10:00:00+09:00",
        "text": "Where is my order number 5 please?\n\nOn Thu, 19 Nov 2026, help@shop.test wrote:\n"
        "> Thanks for your order.",
        "html": "",
        "reply_text": "Where is my order number 5 please?",
        "quoted_text": "On Thu, 19 Nov 2026, help@shop.test wrote:\n> Thanks for your order.",
        "signature": "",
        "attachments": [
            {
                "name": "a b.png",
                "type": "image/png",
                "size": 3,
                "sha256": hashlib.sha256(b"\x00\x01\x02").hexdigest(),
                "inline": False,
            }
        ],
        "class": "human",
        "bounce": None,
        "language": "en",
        "charset_suspect": False,
        "warnings": [],
    }


def test_two_files_of_one_name_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.eml"
    part = b"--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n"
    path.write_bytes(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 2)

    (found,) = lines(capsys, path)

    names = [file["name"] for file in cast("list[dict[str, str]]", found["attachments"])]
    assert names == ["a.png", "a (2).png"]


def test_what_the_mail_does_not_say_is_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bare.eml"
    path.write_bytes(b"Subject: s\r\nDate: yesterday\r\n\r\nhello")

    (found,) = lines(capsys, path)

    said = {name: found[name] for name in ("from", "message_id", "in_reply_to", "date", "bounce")}
    assert said == {
        "from": [],
        "message_id": None,
        "in_reply_to": None,
        "date": None,
        "bounce": None,
    }


def test_a_bounce_tells_of_each_recipient(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = lines(capsys, HERE / "fixtures" / "bounce.eml")

    assert (found["class"], found["bounce"]) == (
        "bounce_hard",
        {
            "recipients": [
                {
                    "address": "nobody@example.net",
                    "action": "failed",
                    "status": "5.1.1",
                    "hard": True,
                }
            ],
            "original_message_id": "t.tok-99.41.0123abcd@example.com",
        },
    )


def test_a_file_that_cannot_be_read_is_a_line_too_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, empty, good = tmp_path / "no.eml", tmp_path / "empty.eml", tmp_path / "good.eml"
    empty.write_bytes(b"\r\n")
    good.write_bytes(ANSWER)

    one, two, three, four = lines(capsys, missing, empty, tmp_path, good)

    assert one == {"file": str(missing), "error": "No such file or directory"}
    assert two == {
        "file": str(empty),
        "error": "This mail is empty: the server delivered no bytes.",
    }
    assert three == {"file": str(tmp_path), "error": "Is a directory"}
    assert four["message_id"] == "2@example.org"


def test_a_person_reads_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "answer.eml"
    path.write_bytes(ANSWER + b"\x1b[31m")

    assert show(capsys, str(path)) == (
        f"== {path}\n"
        "Subject      請求書 Re: order\n"
        "From         Müller, Anna <anna@example.org>\n"
        "To           Help <help@shop.test>, second@shop.test\n"
        "Cc           c@d.test\n"
        "Reply-To     private@example.org\n"
        "Date         2026-11-20T10:00:00+09:00\n"
        "Message-ID   2@example.org\n"
        "In-Reply-To  1@shop.test\n"
        "References   0@shop.test 1@shop.test\n"
        "Class        human\n"
        "Language     en\n"
        "File         a b.png (image/png, 3 bytes, beside the text)\n"
        "\n"
        "Where is my order number 5 please?\n"
        "-- quoted\n"
        "On Thu, 19 Nov 2026, help@shop.test wrote:\n"
        "> Thanks for your order.\n"
    )


def test_a_bounce_and_a_missing_file_read_as_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = show(capsys, str(HERE / "fixtures" / "bounce.eml"), str(tmp_path / "no.eml"))

    assert "Class        bounce_hard\n" in out
    assert "             nobody@example.net: failed, 5.1.1, for good\n" in out
    assert out.endswith(f"\n\n== {tmp_path / 'no.eml'}\n!! No such file or directory\n")


def test_it_needs_neither_settings_nor_a_data_folder() -> None:
    """Wrong settings and a folder nobody may write to are no hindrance."""
    settings = {"SETTEN_PORT": "no number", "SETTEN_DATA_DIR": "/proc/none", "LC_ALL": "C"}

    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "mail", "show", "--json", "-"],
        input=ANSWER,
        capture_output=True,
        check=True,
        cwd=HERE.parents[2],
        env={**os.environ, **settings},
    )

    assert json.load(io.BytesIO(done.stdout))["subject"] == "請求書 Re: order"

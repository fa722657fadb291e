"""Labelled texts as spreadsheets and people write them: read rightly, or refused by line."""

import codecs
from pathlib import Path

import pytest

from classifier import tables
from classifier.tables import BadFile, Example

ROWS = [Example("Where is my parcel?", "ship", "en"), Example("荷物はどこですか", "ship", "ja")]
PLAIN = "text,label,lang\nWhere is my parcel?,ship,en\n荷物はどこですか,ship,ja\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("cp932"),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        ("\r\n\n" + PLAIN).encode(),
        ("sep=;\r\n" + PLAIN.replace(",", ";")).encode("utf-8-sig"),
        PLAIN.replace("text,label,lang", " Text , LABEL,Lang").encode(),
        PLAIN.replace(",ship,", ", ship ,").replace(",ja", ", JA").encode(),
        PLAIN.replace("\n", ",,\n").encode(),
        (PLAIN + ",,\n\n").encode(),
    ],
    ids=range(12),
)
def test_a_file_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)

    assert tables.read(file) == ROWS


def test_what_encoding_was_guessed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(PLAIN.encode("cp932"))
    told: list[str] = []

    tables.read(file, tell=told.append)

    assert told == ["mine.csv is no UTF-8 and was read as Shift_JIS."]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,x\nparcel late, thanks,x\n", "line 3: 3 cells under 2 headings"),
        ("\ntext,label\na,x\nparcel late, thanks,x\n", "line 4: 3 cells under 2 headings"),
        ('text,label\na,x\n"b,x\nc,x\n', "line 3: a quote begins or ends where none may"),
        ('text,label\na,x\n"b,x\nc,x\n"d",x\n', "line 3: a quote begins or ends"),
        ('text,label\na,x\n"b,x\nc,x\nd",x\ne,x\n', "line 3: a quote is not closed"),
        ('text,label,lang\na,x,en\n"b,x,en\nd",x,en\n', "line 3: a quote is not closed"),
        ("text,label,label\na,x,y\n", "has the column label twice"),
        ("Größe,label\na,x\n", "lacks the column text"),
    ],
    ids=range(8),
)
def test_what_would_give_wrong_figures_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(BadFile, match=message):
        tables.read(file)


@pytest.mark.parametrize(
    ("content", "tried"),
    [
        ("text,label\nDie Tür schließt nicht, grün,x\n".encode("cp1252"), "with kana in it"),
        ("text,label\n返品希望,返品\n".encode("cp932"), "with kana in it"),
        (codecs.BOM_UTF16_LE + b"text,label\n\x00\xd8", "begins as UTF-16 and is broken"),
    ],
    ids=["cp1252", "Shift_JIS without kana", "broken UTF-16"],
)
def test_what_was_tried_of_a_file_that_cannot_be_read_is_said(
    tmp_path: Path, content: bytes, tried: str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)

    with pytest.raises(BadFile, match=f"mine.csv .*{tried}.*Save it as UTF-8"):
        tables.read(file)


def test_a_mail_of_several_lines_is_one_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text('text,label\n"Hello,\n\nit is ""late"", again\nBye",x\n', encoding="utf-8")

    assert [each.text for each in tables.read(file)] == ['Hello,\n\nit is "late", again\nBye']


def test_a_line_of_a_text_may_look_like_a_row(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    text = "Hello,\nplease look at this,delivery\nIt is late.\nThanks"
    with file.open("w", encoding="utf-8", newline="") as made:
        tables.write(made, [Example(text, "delivery", "en"), Example("b", "other", "en")])

    assert [one.text for one in tables.read(file)] == [text, "b"]

"""Previews, cleaned HTML and Markdown, marked words, initials."""

import pytest

from app.domain import text
from app.domain.text import Piece


def test_preview_is_one_line_and_ends_in_an_ellipsis_when_cut() -> None:
    assert text.preview("Hello\n\n  there   you") == "Hello there you"
    assert text.preview("a" * 20, 10) == "aaaaaaaaa…"


def test_markdown_keeps_html_as_text_and_links_harmless() -> None:
    made = text.markdown(
        "**b** <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](http://t/z)"
    )

    assert made == (
        "<p><strong>b</strong> &lt;img src=x onerror=alert(1)&gt; [x](javascript:alert(1)) "
        '!<a href="http://t/z" rel="noopener">y</a></p>\n'
    )


def test_an_address_in_markdown_is_a_link_and_keeps_its_underscores() -> None:
    made = text.markdown("Siehe https://shop.test/a__b__/_c_/d. [hier](https://shop.test/_e_)")

    assert made == (
        '<p>Siehe <a href="https://shop.test/a__b__/_c_/d" rel="noopener">'
        "https://shop.test/a__b__/_c_/d</a>. "
        '<a href="https://shop.test/_e_" rel="noopener">hier</a></p>\n'
    )


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ("<script>alert(1)</script><b onclick=x()>hi</b>", "<b>hi</b>"),
        ('<img src="https://track.er/x.gif">', "<img>"),
        ('<img src="cid:a">', '<img src="data:image/png;base64,AA">'),
        ('<img src="cid:other">', "<img>"),
        (
            '<p style="color:red;position:fixed;background:url(https://t/x)">x</p>',
            '<p style="color:red">x</p>',
        ),
        ("<style>@import url(https://t/x)</style>y", "y"),
        ('<form action="https://evil"><input name="p">z</form>', "z"),
        ('<a href="javascript:x()">l</a>', '<a rel="noopener noreferrer">l</a>'),
        ('<iframe src="https://evil"></iframe><base href="https://evil">', ""),
        ('<svg><a xlink:href="javascript:x()">s</a></svg>', ""),
    ],
)  # fmt: skip
def test_mail_html_keeps_nothing_that_runs_or_loads(html: str, cleaned: str) -> None:
    assert text.mail_html(html, {"cid:a": "data:image/png;base64,AA"}) == cleaned


@pytest.mark.parametrize("tag", ["<div>", "<b><i>", "<table><tr><td>", "<p><font color=red>"])
def test_too_many_tags_in_tags_are_left_out(tag: str) -> None:
    found = text.mail_html(f"Hello {tag * 3000} world &lt;b&gt; 1 < 2", {})

    assert " ".join(found.split()) == "Hello world &lt;b&gt; 1 &lt; 2"


@pytest.mark.parametrize("tag", ["<p>", "<li>", "<br>", "<div></div>", "<b>x</b></i>"])
def test_many_tags_beside_each_other_are_an_ordinary_mail(tag: str) -> None:
    assert text.mail_html(f"{tag * 2000}<u>Hello</u>", {}).count("<u>Hello</u>") == 1


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://www.shop.test/a", True),
        ("mailto:a@b.test", True),
        ("tel:+4930123", True),
        ("https://desk.test/settings", False),
        ("HTTPS://Desk.test.:8443/settings", False),
        ("https://a@desk.test/", False),
        ("//desk.test/settings", False),
        ("//elsewhere.test/", False),  # as whose it is taken depends on ours
        ("/settings", False),
        ("?view=open", False),
        ("https:/settings", False),
        ("https:settings", False),
        ("http://[", False),
    ],
)
def test_a_mail_links_to_nothing_of_ours(address: str, kept: bool) -> None:
    found = text.mail_html(f'<a href="{address}">x</a>', {}, {"desk.test"})

    assert ("href" in found, ">x</a>" in found) == (kept, True)


def test_pieces_set_links_and_reasons_apart() -> None:
    found = text.pieces("見て https://example.jp/a。先週届いたばかり", ["届いた", "ない"])

    assert found == [
        Piece("plain", "見て "),
        Piece("link", "https://example.jp/a"),
        Piece("plain", "。先週"),
        Piece("mark", "届いた"),
        Piece("plain", "ばかり"),
    ]


MARKED = [
    ("no words", "It is broken.", (), (), "It is broken."),
    ("one for it", "It is broken.", ("broken",), (), "It is [broken]."),
    ("one against it", "It is broken.", (), ("is",), "It <is> broken."),
    ("what is both speaks for it", "It is broken.", ("is",), ("is",), "It [is] broken."),
    ("inside a word is not where it stands", "Artist of art", ("art",), (), "Artist of [art]"),
    ("only inside a word", "Artists party", ("art",), (), "Artists party"),
    ("umlauts are letters", "für Tür ür", ("ür",), (), "für Tür [ür]"),
    ("a script without blanks", "電源が入りません", ("電源", "入り"), (), "[電源]が[入り]ません"),
    ("beside another script", "USBが壊れ", ("壊れ", "USB"), (), "[USB]が[壊れ]"),
]


@pytest.mark.parametrize("case", MARKED, ids=lambda case: case[0])
def test_words_are_marked(case: tuple[str, str, tuple[str, ...], tuple[str, ...], str]) -> None:
    _, written, marks, against, shown = case

    found = text.pieces(written, marks, against)

    looks = {"plain": "{}", "mark": "[{}]", "against": "<{}>"}
    assert "".join(looks[piece.kind].format(piece.text) for piece in found) == shown


def test_pieces_never_make_a_link_of_another_scheme() -> None:
    assert text.pieces("javascript:alert(1)") == [Piece("plain", "javascript:alert(1)")]


def test_paragraphs_are_what_blank_lines_set_apart() -> None:
    assert text.paragraphs("\na\nb\n\n\u3000\nc\n") == ["a\nb", "c"]


@pytest.mark.parametrize(
    ("name", "short"),
    [("高橋 由美", "高"), ("Lena Vogt", "LV"), ("ann@shop.test", "AS"), ("", "?"), ("  ", "?")],
)
def test_initials_fit_the_script_of_the_name(name: str, short: str) -> None:
    assert text.initials(name) == short


@pytest.mark.parametrize(
    ("new", "whole", "judged"),
    [
        ("", "The lid does not close.", "The lid does not close."),
        ("FYI", "FYI\n\n> The lid does not close.", "FYI\n\n> The lid does not close."),
        (
            "ご参考まで。",
            "ご参考まで。\n> 蓋が閉まりません。",
            "ご参考まで。\n> 蓋が閉まりません。",
        ),
        ("x" * 40, "x" * 40 + "\n> Our answer.", "x" * 40),
        ("Thank you!", "", "Thank you!"),
    ],
)
def test_what_only_hands_on_is_judged_by_what_it_hands_on(
    new: str, whole: str, judged: str
) -> None:
    assert text.inquiry(new, whole) == judged
    assert text.judged("Lid", new, whole) == f"Lid\n{judged}"


@pytest.mark.parametrize(
    ("notes", "whole"),
    [("The lid does not close.", "The lid does not close."), ("", "Missed call.")],
)
def test_a_call_is_judged_by_its_notes_alone(notes: str, whole: str) -> None:
    assert text.judged("Call from +49 30 1234567", notes, whole, call=True) == notes

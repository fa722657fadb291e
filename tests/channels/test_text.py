"""HTML from outside as text a person can read."""

import time

import pytest

from channels.text import clean, html_to_text

PAGES = {
    "paragraphs": ("<p>one</p><p>two</p>", "one\n\ntwo"),
    "breaks": ("one<br>two", "one\ntwo"),
    "no gaps in Japanese": ("<p>返金を<b>お願い</b>します</p>", "返金をお願いします"),
    "list": ("<ul><li>one</li><li>two</li></ul>", "  * one\n  * two"),
    "entities": ("a &amp; b&nbsp;&lt;c&gt; &#8364;", "a & b <c> €"),
    "white on what a style sheet colours": (
        '<style>.b{background:#007}</style>Hello <a class="b" style="color:#fff">Track it</a>',
        "Hello Track it",
    ),
    "nothing hidden": ("<style>p{}</style><script>x</script><title>t</title>shown", "shown"),
    "capitals and blanks": ("<STYLE type=x>p{}</Style >shown", "shown"),
    "what is never closed stays": ("<p>a<!-- b</p><p>c</p>", "a<!-- b\n\nc"),
    "comments": ("a<!-- b -->c<!--[if mso]>d<![endif]-->e", "ace"),
    "xml declaration": ('<?xml version="1.0" encoding="utf-8"?><p>a</p>', "a"),
    "nothing": ("", ""),
    "only tags": ("<div><p></p></div>", ""),
    "only a comment": ("<!-- x -->", ""),
    "no markup": ("a < b > c", "a < b > c"),
    "broken": ("<p>one<div>two</p></table>", "one\n\ntwo"),
    "nul": ("a\x00b", "ab"),
    "deeper than is parsed": ("<p>one" + "<div></b>" * 260 + "two<p>three", "one two three"),
    "a tag never closed in each line": ("<font>line<br>\n" * 300, "line\n" * 299 + "line"),
    "many paragraphs never closed": ("<p>one" * 300, "one\n\n" * 299 + "one"),
}


@pytest.mark.parametrize(("page", "text"), PAGES.values(), ids=PAGES)
def test_a_page_reads_as_a_person_would(page: str, text: str) -> None:
    assert html_to_text(page) == text


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "x",
        "<a href='y'>x</a>" * 100_000,
        "<table><tr><td>" * 5000 + "x",
        "<!-- x" * 100_000,
        "<script>x" * 50_000,
        "<" * 500_000,
        "&" * 500_000,
        "<style " * 100_000,
        "<script>" * 4_999 + "a" * 1_900_000 + "</p>",
        "<script>a" * 100_000 + "</style >",
        "-->" + "<!--" * 4_999 + "a" * 1_900_000,
        "]>" + "<![" * 4_999 + "a" * 1_900_000,
        "<?" * 900_000,
        "<br " * 100_000,
    ],
)
def test_hostile_markup_ends_in_time(page: str) -> None:
    start = time.process_time()

    html_to_text(page)

    assert time.process_time() - start < 10


def test_what_databases_do_not_take_is_removed() -> None:
    assert clean("a\x00b\ud800c\r\nd\re\x0bf\ufeff") == "abc\nd\nef"

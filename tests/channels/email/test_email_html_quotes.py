"""What mail programs write into the HTML shows where a quotation begins in the text."""

import pytest

from channels.email.quotes import Parts, read
from channels.text import html_to_text

NEW = "<div>Thank you.</div><div><br></div><div>It is still broken.</div>"
OLD = "<div>Hello,</div><div>did the new bulb help?</div>"
SHOWN = "Thank you.\n\nIt is still broken."

# None of these has words above the quotation that the text alone would show it by.
PROGRAMS = {
    "Gmail": f'<div class="gmail_quote"><blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "Gmail, another language": (
        f'<div class="gmail_quote"><div class="gmail_attr">Ann napsal(a):</div>{OLD}</div>'
    ),
    "Outlook": (
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f"<p><b>Van:</b> Ann<br><b>Verzonden:</b> vandaag</p></div>{OLD}</div>"
    ),
    "Outlook on the web": (
        f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">Ann</div>{OLD}'
    ),
    "Outlook, answered by Outlook": f'<div id="x_divRplyFwdMsg">Ann</div>{OLD}',
    "Outlook for telephones": f'<div id="ms-outlook-mobile-reference-message">{OLD}</div>',
    "Outlook for Mac": f'<div id="mail-editor-reference-message-container">{OLD}</div>',
    "Apple Mail": f'<br><blockquote type="cite">{OLD}</blockquote>',
    "Thunderbird": (
        f'<div class="moz-cite-prefix">Ann:</div><blockquote type="cite">{OLD}</blockquote>'
    ),
    "Thunderbird, forwarded": f'<div class="moz-forward-container">{OLD}</div>',
    "Yahoo": f'<div id="yahoo_quoted_12" class="yahoo_quoted">{OLD}</div>',
    "Proton": f'<div class="protonmail_quote">{OLD}</div>',
    "Zoho": f'<div class="zmail_extra"><blockquote>{OLD}</blockquote></div>',
    "Zimbra": (f'<hr data-marker="__DIVIDER__"><div data-marker="__QUOTED_TEXT__">{OLD}</div>'),
}


def page(body: str) -> str:
    return (
        "<html><head><style>.gmail_quote { color: red }</style></head>"
        f'<body><div class="WordSection1">{body}</body></html>'
    )


@pytest.mark.parametrize("quotation", PROGRAMS.values(), ids=PROGRAMS)
def test_the_quotation_is_told_by_the_html(quotation: str) -> None:
    html = page(NEW + quotation)
    text = html_to_text(html)

    parts = read(text, html)

    assert (parts.new, parts.signature) == (SHOWN, "")
    assert f"{parts.new}\n{parts.quoted}".split() == text.split()
    assert "did the new bulb help?" in parts.quoted


def test_the_place_is_found_in_a_text_that_says_a_little_more() -> None:
    html = page(f'<div>See <a href="https://a.example/">here</a></div>{PROGRAMS["Gmail"]}')
    text = "See here <https://a.example/>\n\n\nHello,\ndid the new bulb help?"

    assert read(text, html) == Parts(
        "See here <https://a.example/>", "Hello,\ndid the new bulb help?"
    )


def test_a_text_that_says_something_else_is_left_whole() -> None:
    html = page(NEW + PROGRAMS["Gmail"])

    assert read("Your mail program shows no HTML.", html) == Parts(
        "Your mail program shows no HTML."
    )


SIGNATURES = {
    "Gmail": '<div class="gmail_signature">Bob<br>the lamp man</div>',
    "Apple Mail": '<div id="AppleMailSignature">Bob<br>the lamp man</div>',
    "Thunderbird": '<div class="moz-signature">Bob<br>the lamp man</div>',
    "Outlook for telephones": '<div id="ms-outlook-mobile-signature">Bob<br>the lamp man</div>',
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_the_signature_is_told_by_the_html(signature: str) -> None:
    alone = page(NEW + signature)
    answer = page(NEW + signature + PROGRAMS["Gmail"])

    assert read(html_to_text(alone), alone) == Parts(SHOWN, "", "Bob\nthe lamp man")
    assert read(html_to_text(answer), answer) == Parts(
        SHOWN, "Hello,\ndid the new bulb help?", "Bob\nthe lamp man"
    )


ATTRIBUTION = "<div>On Thu, Nov 19, 2026 at 2:07 PM Ann &lt;ann@example.org&gt; wrote:</div>"
WHOLE = {
    "answers between the blocks": (
        "<div>See below</div>"
        f"{ATTRIBUTION}<blockquote type=cite>Which colour?</blockquote><p>Blue.</p>"
        "<blockquote type=cite>Which size?</blockquote><p>XL</p>"
    ),
    "answer below": (
        f"<p>Hello</p>{ATTRIBUTION}<blockquote type=cite>Which colour?</blockquote><p>Blue.</p>"
    ),
    "only a quotation": PROGRAMS["Gmail"],
    "a quotation of a book": "<p>It says</p><blockquote>Fragile</blockquote><p>and broke.</p>",
    "a line above": f'{NEW}<div style="border-top:solid #E1E1E1 1.0pt">{OLD}</div>',
    "a hook in the words": f"{NEW}<p>What is gmail_quote?</p>",
}


@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_what_cannot_be_told_apart_is_shown_whole(body: str) -> None:
    html = page(body)
    text = html_to_text(html)

    assert read(text, html) == Parts(text)

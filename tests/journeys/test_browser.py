"""What an agent sees: the inbox fills by itself, keys work, nothing breaks the strict policy."""

import logging
import re
import smtplib
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.mails import GERMAN, JAPANESE, mail
from tests.servers.browser import chromium, watched
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import SmtpSink

log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def signed_in(browser: Browser, setten: Setten) -> Page:
    """A browser of its own, signed in as the administrator."""
    page = browser.new_context(base_url=f"http://127.0.0.1:{setten.port}").new_page()
    page.goto("/sign-in")
    page.locator("#email").fill("ann@example.com")
    page.locator("#password").fill("correct horse battery")
    page.locator("form button.primary").click()
    page.wait_for_url(re.compile("/inbox"))
    return page


def test_mail_appears_by_itself_and_is_worked_by_keyboard(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink, browser: Browser
) -> None:
    setten.serve()
    setten.set_up()
    setten.add_mailbox(dovecot.port, sink.port)
    # The first mail shows that the mailbox is connected; the second is the one that is timed.
    dovecot.drop("support", mail("b0", GERMAN, subject="Vorab", sender="vorab@example.de"))
    until(setten.tickets, "first ticket")
    page = signed_in(browser, setten)
    complaints = watched(page)
    page.goto("/inbox?view=open")
    expect(page.locator("a.row")).to_have_count(1)
    page.mouse.move(5, 5)

    dropped = time.monotonic()
    dovecot.drop(
        "support",
        mail(
            "b1",
            JAPANESE,
            subject="ケトルの蓋",
            sender="yumi@example.jp",
            name="高橋 由美",
            charset="iso-2022-jp",
        ),
    )
    row = page.locator("a.row", has_text="高橋 由美")
    expect(row).to_be_visible(timeout=30_000)
    seen_after = time.monotonic() - dropped
    row.click()
    expect(page.locator("[data-thread]")).to_contain_text("返品か交換をお願いします。")

    page.locator("body").press("r")
    page.keyboard.type("交換品を本日発送いたします。")
    page.keyboard.press("Control+Enter")
    until(lambda: sink.received, "answer at the customer's server")
    expect(page.locator("[data-thread]")).to_contain_text("交換品を本日発送いたします。")

    page.goto("/inbox?view=waiting")
    page.locator("a.row", has_text="高橋 由美").click()
    page.wait_for_url(re.compile("/tickets/"))
    page.locator("body").press("e")
    until(
        lambda: (
            [t["status"] for t in setten.tickets() if t["subject"] == "ケトルの蓋"] == ["resolved"]
        ),
        "resolved ticket",
    )
    assert complaints == []
    log.info("a dropped mail was on the screen", extra={"seconds": round(seen_after, 1)})
    # The mailbox is looked at every 60 s when it does not push: sooner means that it pushed.
    assert seen_after < 30


def test_second_browser_sees_a_change_without_asking(setten: Setten, browser: Browser) -> None:
    setten.serve()
    setten.set_up()
    page = signed_in(browser, setten)
    page.goto("/inbox?view=open")
    page.mouse.move(5, 5)
    with page.expect_response(re.compile("/live")):
        page.reload()
    with smtplib.SMTP("127.0.0.1", setten.mail_port) as talk:
        raw = mail("l1", to="hello@localhost")
        talk.sendmail("amelia@example.co.uk", ["hello@localhost"], raw)

    row = page.locator("a.row", has_text="Amelia Brook")
    expect(row).to_be_visible(timeout=30_000)
    ref = setten.tickets()[0]["ref"]
    other = signed_in(browser, setten)
    other.goto(f"/tickets/{ref}")

    began = time.monotonic()
    setten.put(f"/api/tickets/{ref}/stage", {"label": "C"})
    expect(row.locator(".chip.person")).to_be_visible(timeout=10_000)
    seconds = round(time.monotonic() - began, 1)
    log.info("a change was on the other screen", extra={"seconds": seconds})


def test_what_a_mail_brings_along_runs_nothing_and_loads_nothing(
    setten: Setten, browser: Browser
) -> None:
    setten.serve()
    setten.set_up()
    hostile = (
        b"From: Mallory <mallory@example.net>\r\nTo: hello@localhost\r\nSubject: Look\r\n"
        b"Message-ID: <h1@example.net>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        b"<h1>Hello</h1><script>document.title='owned'</script>"
        b'<img src="http://127.0.0.1:9/pixel.png" onerror="document.title=1">'
        b'<a href="javascript:alert(1)">click</a><form action="/sign-out"><button>x</button></form>'
    )
    until(lambda: _taken(setten, hostile), "mail taken")
    ref = until(setten.tickets, "ticket")[0]["ref"]
    page = signed_in(browser, setten)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/tickets/{ref}")
    laid_out = page.locator("[data-thread] details", has=page.locator("iframe"))
    if laid_out.count():
        laid_out.first.evaluate("node => { node.open = true }")
        inside = page.frame_locator("[data-thread] iframe")
        expect(inside.locator("h1")).to_have_text("Hello")
        assert inside.locator("form, script").count() == 0
    assert "owned" not in page.title()
    strange = [url for url in asked if not url.startswith(f"http://127.0.0.1:{setten.port}/")]
    assert strange == []


def _taken(setten: Setten, raw: bytes) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", setten.mail_port, timeout=5) as talk:
            return talk.sendmail("mallory@example.net", ["hello@localhost"], raw) == {}
    except OSError:
        return False

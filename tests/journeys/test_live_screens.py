"""What comes to screens that are open already: alarms, and what there is to teach the model."""

import re
import smtplib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core import clock
from app.services import changes
from app.services.access import SYSTEM
from app.store.database import Database
from app.store.tables import Surge
from tests.journeys.mails import GERMAN, JAPANESE, mail
from tests.servers.browser import chromium, watched
from tests.servers.setten import Setten, until

SOON = 15_000  # milliseconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(setten: Setten, browser: Browser) -> Page:
    """Signed in as the administrator, with samples to look at."""
    setten.serve()
    until(lambda: "Test mail" in setten.log, "inboxes to begin with")
    setten.set_up(start="samples")
    page = browser.new_context(base_url=f"http://127.0.0.1:{setten.port}").new_page()
    page.goto("/sign-in")
    page.locator("#email").fill("ann@example.com")
    page.locator("#password").fill("correct horse battery")
    page.locator("form button.primary").click()
    page.wait_for_url(re.compile("/inbox"))
    return page


def raise_alarm(setten: Setten) -> None:
    """As the worker does it when unusually many write."""
    database = Database("", setten.data / "setten.sqlite3")
    since = clock.now() - timedelta(hours=1)
    with database.transaction() as session:
        session.add(Surge(since=since, found_at=clock.now(), count=9, expected=2.0))
        changes.record(session, SYSTEM, None, "surge_began", surge=1, count=9)
    database.close()


def test_an_alarm_stands_above_the_list_without_asking(setten: Setten, page: Page) -> None:
    complaints = watched(page)
    with page.expect_response(re.compile("/live")):
        page.goto("/inbox?view=open")
    expect(page.locator(".alarm")).to_have_count(0)

    raise_alarm(setten)

    expect(page.locator(".alarm")).to_contain_text("9 inquiries since", timeout=SOON)
    page.locator(".alarm button").click()
    expect(page.locator(".alarm")).to_have_count(0)
    assert complaints == []


def test_what_comes_and_what_others_said_is_on_the_page_that_teaches(
    setten: Setten, page: Page
) -> None:
    complaints = watched(page)
    with page.expect_response(re.compile("/live")):
        page.goto("/teach")
    page.mouse.move(1, 1)
    rows, progress = page.locator("ol.teach > li"), page.locator(".taught p").first
    expect(page.locator("#lessons .empty")).to_be_visible()
    with smtplib.SMTP("127.0.0.1", setten.mail_port) as talk:
        for name, text in (("lid", JAPANESE), ("bill", GERMAN)):
            sender = f"{name}@example.com"
            raw = mail(name, text, subject=name, sender=sender, to="hello@localhost")
            talk.sendmail(sender, ["hello@localhost"], raw)
    expect(rows).to_have_count(2, timeout=SOON)
    refs = {row["subject"]: row["ref"] for row in setten.tickets() if not row["sample"]}

    # Somebody is at the rows: none moves, and what is done grows pale.
    rows.filter(has_text="bill").locator("a.row").focus()
    setten.put(f"/api/tickets/{refs['lid']}/stage", {"label": "C"})
    setten.put(f"/api/tickets/{refs['lid']}/topic", {"label": "delivery"})

    expect(page.locator(f"li.gone[data-ref='{refs['lid']}']")).to_be_visible(timeout=SOON)
    expect(progress).to_contain_text("1 of 100 labelled")
    expect(rows).to_have_count(2)
    # Nobody is any more: what is left stands there alone.
    page.locator("a.row:focus").evaluate("row => row.blur()")
    setten.put(f"/api/tickets/{refs['bill']}/stage", {"label": "D"})

    expect(rows).to_have_count(1, timeout=SOON)
    expect(progress).to_contain_text("2 of 100 labelled")
    assert complaints == []

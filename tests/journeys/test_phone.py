"""What an agent holds in one hand: everything can be hit, and the newest words stay in sight."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.servers.browser import chromium
from tests.servers.setten import Setten, until

LEAST = 40  # pixels that a thumb needs
PHONE = ViewportSize(width=390, height=740)
PAGES = ("/inbox?view=open", "/teach", "/set-aside", "/settings/triage", "/profile")

SMALL = """(least) => {
  const about = (one) => {
    const { width, height } = one.getBoundingClientRect();
    const words = one.innerText || one.value || one.getAttribute("aria-label");
    return `${words}: ${Math.round(width)} by ${Math.round(height)}`;
  };
  const hit = (one) => (one.matches("[type=checkbox], [type=radio]") ? one.closest("label") : one);
  return [...document.querySelectorAll("button, .btn, summary, select, textarea, input, a.row")]
    .map(hit)
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".vh"))
    .filter((one) => one.getBoundingClientRect().height < least)
    .map(about);
}"""

SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(setten: Setten, browser: Browser) -> Page:
    """A phone, signed in as the administrator, with samples to look at."""
    setten.serve()
    until(lambda: "Test mail" in setten.log, "inboxes to begin with")
    setten.set_up(start="samples")
    phone = browser.new_context(
        base_url=f"http://127.0.0.1:{setten.port}",
        viewport=PHONE,
        has_touch=True,
        is_mobile=True,
    ).new_page()
    phone.goto("/sign-in")
    phone.locator("#email").fill("ann@example.com")
    phone.locator("#password").fill("correct horse battery")
    phone.locator("form button.primary").click()
    phone.wait_for_url(re.compile("/inbox"))
    return phone


def test_everything_can_be_hit_and_the_newest_words_stay_in_sight(
    setten: Setten, page: Page
) -> None:
    rows = setten.tickets()
    flagged = next(row["ref"] for row in rows if row["complaint"] and row["language"] == "de")
    found = {}
    for path in (*PAGES, f"/tickets/{flagged}"):
        page.goto(path)
        found[path] = (page.evaluate(SMALL, LEAST), page.evaluate(SIDEWAYS))

    assert found == {path: ([], 0) for path in found}
    # Opened: what is long scrolls in its own place, and takes none from what was said.
    page.locator(".above summary[data-key=w]").click()
    thread, composer = page.locator("[data-thread]"), page.locator(".composer")
    boxes = [one.bounding_box() for one in (thread, composer)]
    assert all(boxes)
    room, answer = (box for box in boxes if box)
    assert room["height"] >= PHONE["height"] * 0.29
    assert answer["y"] + answer["height"] <= PHONE["height"] + 1


def test_a_menu_lies_on_the_screen_whatever_it_hangs_on(setten: Setten, page: Page) -> None:
    page.goto(f"/tickets/{setten.tickets()[0]['ref']}")
    menus = page.locator(".conv details.menu")

    for at in range(menus.count()):
        menu = menus.nth(at)
        if not menu.is_visible():
            continue
        menu.locator("summary").click()
        box = menu.locator(".pop").bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= PHONE["width"]) == (True, True)
        assert box["y"] + box["height"] <= PHONE["height"]
        page.keyboard.press("Escape")
        expect(menu.locator(".pop")).to_be_hidden()

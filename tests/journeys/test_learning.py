"""What an agent says with one key is learned: by the whole of Setten, on a handful of samples."""

import re
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.mails import mail
from tests.servers.browser import chromium, watched
from tests.servers.few_samples import plant
from tests.servers.setten import PASSWORD, Setten, until

pytestmark = [pytest.mark.chromium, pytest.mark.faults]

# Four customers of a maker of coffee mills, who want to know what a service costs.
COFFEE = (
    "古いコーヒーミルを使っています。刃を研いでもらえますか。",
    "十年前のコーヒーミルを使っています。刃を研いでもらえますか。",
    "父のコーヒーミルを使っています。刃を研いでもらえますか。",
    "コーヒーミルを毎日使っています。刃を研いでもらえますか。",
)
# What of a message may be marked is a whole word: no run of such letters is cut.
_RUNS = (r"[\u30a1-\u30fe]", r"[A-Za-z0-9]")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def setten(tmp_path: Path) -> Iterator[Setten]:
    tree = plant(tmp_path / "tree")
    installation = Setten(tmp_path / "data", {"SETTEN_TRIAGE": "plain"}, tree=tree)
    yield installation
    installation.stop()


def filed(setten: Setten, number: int) -> str:
    """The ticket of an inquiry that comes now, once the model has said something of it."""
    raw = mail(
        f"coffee{number}",
        COFFEE[number],
        subject="ミルの刃",
        sender=f"customer{number}@example.jp",
        name="佐藤 葵",
        to="hello@localhost",
    )
    known = {row["ref"] for row in setten.tickets()}
    until(lambda: _taken(setten, raw), "mail taken")
    new = until(lambda: {row["ref"] for row in setten.tickets()} - known, "ticket")
    ref: str = new.pop()
    until(lambda: setten.get(f"/api/tickets/{ref}")["triage"]["asked"], "guess of the model")
    return ref


def _taken(setten: Setten, raw: bytes) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", setten.mail_port, timeout=5) as talk:
            return talk.sendmail("customer@example.jp", ["hello@localhost"], raw) == {}
    except OSError:
        return False


def guesses(page: Page) -> list[tuple[str, str]]:
    """The topics the model offers, best first: the key, and what it stands for."""
    found: list[tuple[str, str]] = page.locator("button[name=topic][data-key]").evaluate_all(
        "found => found.map((one) => [one.dataset.key, one.value])"
    )
    return [(key, label) for key, label in found]


def test_a_wrong_tag_corrected_by_one_key_changes_the_next_inquiry(
    setten: Setten, browser: Browser
) -> None:
    setten.serve()
    setten.set_up(language="ja")
    setten.client.post("/profile/look", data={"language": "ja", "theme": "light"})
    page = browser.new_context(base_url=f"http://127.0.0.1:{setten.port}").new_page()
    complaints = watched(page)
    page.goto("/sign-in")
    page.locator("#email").fill("ann@example.com")
    page.locator("#password").fill(PASSWORD)
    page.locator("form button.primary").click()
    page.wait_for_url(re.compile("/inbox"))

    wrong, right = "", ""
    for number in range(3):
        page.goto(f"/tickets/{filed(setten, number)}")
        offered = guesses(page)
        wrong, right = wrong or offered[0][1], right or offered[1][1]
        key = next(key for key, label in offered if label == right)
        if number == 0:
            _reasons_are_readable(page, COFFEE[0])
        page.locator("body").press(key)
        expect(page.locator(".triage .chip.person")).to_have_count(1)

    page.goto("/settings/triage")
    page.get_by_role("button", name="今すぐ学習する").click()
    until(lambda: '"message": "model trained"' in setten.log, "version", ceiling=120)
    [version] = setten.get("/api/models")["versions"]
    assert (version["state"], version["learned"]["topic"]) == ("champion", 3)
    page.reload()
    expect(page.locator("#versions .chip.person")).to_have_text("回答中")
    answers = f'"message": "a model answers", "model": "{version["name"]}"'
    until(lambda: answers in setten.log, "new model")

    page.goto(f"/tickets/{filed(setten, 3)}")
    assert (wrong != right, guesses(page)[0]) == (True, ("4", right))
    assert complaints == []


def _reasons_are_readable(page: Page, message: str) -> None:
    """Japanese words of the message itself, whole, in it and beside it, on a Japanese page."""
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.locator("body").press("w")
    beside = page.locator(".triage mark").all_inner_texts()
    inside = page.locator("[data-thread] mark").all_inner_texts()
    assert beside
    assert inside
    said = f"ミルの刃\n{message}"
    for mark in {*beside, *inside}:
        at = said.index(mark)
        before, after = said[at - 1 : at], said[at + len(mark) :][:1]
        for run in _RUNS:
            assert not (re.match(run, before) and re.match(run, mark[0])), mark
            assert not (re.match(run, after) and re.match(run, mark[-1])), mark
    shown = page.locator(".triage").inner_text()
    assert "\ufffd" not in shown
    assert re.findall(r"\w+[:=]\w+|words?_|chars?_", shown) == []

"""An administrator tries a mailbox in the form: findings appear, and what was typed stays."""

import imaplib
import re

import pytest
from playwright.sync_api import expect

from channels.email.folders import mutf7
from tests.journeys.test_browser import signed_in
from tests.servers.browser import chromium, watched
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten

pytestmark = [pytest.mark.chromium, pytest.mark.dovecot]


def test_a_connection_is_tried_without_leaving_the_form(setten: Setten, dovecot: Dovecot) -> None:
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as other:
        other.login("support", "secret")
        other.create(mutf7("お問い合わせ"))
    setten.serve()
    setten.set_up()
    with chromium() as browser:
        page = signed_in(browser, setten)
        complaints = watched(page)
        page.goto("/settings/inboxes/new/email")
        page.locator("#f-sender_name").fill("Shop")
        page.locator("#f-address").fill("someone@gmail.com")
        page.locator("#f-address").press("Tab")
        expect(page.locator("#preset")).to_have_value("gmail")
        expect(page.locator("#f-imap_host")).to_have_value("imap.gmail.com")
        expect(page.locator("#f-imap_host")).to_be_hidden()
        page.locator("#preset").select_option("other")
        expect(page.locator("#f-imap_host")).to_have_value("")
        expect(page.locator("#f-sender_name")).to_have_value("Shop")
        for name, value in {
            "address": "support@shop.test",
            "imap_host": "localhost",
            "imap_port": str(dovecot.port_tls),
            "imap_username": "support",
            "imap_password": "wrong",
            "catch_tls_ca": str(dovecot.ca),
        }.items():
            page.locator(f"#f-{name}").fill(value)

        page.locator("[data-try]").click()
        expect(page.locator("#connection li")).to_have_count(4)
        expect(page.locator("#connection li").last).to_contain_text("refused the user name")
        page.locator("#f-imap_password").fill("secret")
        page.locator("[data-try]").click()
        expect(page.locator("#connection li")).to_have_count(5)

        expect(page.locator("#f-imap_password")).to_have_value("secret")
        expect(page.locator("#connection li .bad")).to_have_count(0)
        options = page.locator("#folders option")
        assert [one.get_attribute("value") for one in options.all()] == ["INBOX", "お問い合わせ"]
        page.locator("form button.primary").click()
        # The page takes what was done out of its address at once: nobody sees that for sure.
        expect(page).to_have_url(re.compile(r"/settings(\?did=saved)?$"))
        expect(page.get_by_text("support@shop.test")).to_be_visible()
        assert complaints == []

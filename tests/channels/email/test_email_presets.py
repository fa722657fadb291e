"""What is said of providers: the page and the form say the same, and nothing is called tried."""

import re

from channels.email.presets import PRESETS
from channels.form import Preset
from tests.documents import read


def servers(one: Preset) -> str:
    """As the table of the page writes them."""
    incoming, outgoing = one.values.get("imap_host"), one.values.get("smtp_host")
    if incoming is None:
        return "one for each customer"
    if incoming == "127.0.0.1":
        return "Bridge on this machine, {imap_port} and {smtp_port}".format(**one.values)
    both = incoming if incoming == outgoing else f"{incoming}, {outgoing}"
    return f"{both} (587)" if one.values["smtp_port"] == "587" else both


def test_the_page_names_every_provider_and_none_is_said_to_be_tried() -> None:
    page, known = read("docs/mailbox.md"), PRESETS[1:]

    rows = re.findall(r"^\| [^|`]+: `([a-z0-9-]+)` \| ([^|]+) \|", page, re.MULTILINE)
    assert rows == [(one.key, servers(one)) for one in known]
    assert [one.key for one in known if one.tried] == []
    assert "**None of it was tried: nobody had an account.**" in page
    assert {f"read on {one.as_of}" in page for one in known} == {True}
    assert f"the settings for {len(known)} providers with none of" in read("README.md")

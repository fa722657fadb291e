"""Mails that are signed in their text: what was written is seen, the lines of PGP around it not."""

import pytest

from channels.contract import InboundMessage, Raw
from channels.email import armour, secured
from channels.email.parse import parse
from tests.channels.email.test_email_parse import CONFIG

SIGNATURE = """\
-----BEGIN PGP SIGNATURE-----
Version: GnuPG v2

iQEzBAEBCAAdFiEE0nZx3mUOyZQ1q2T0bV7m0v8yQ0kFAmcR3wAACgkQbV7m0v8y
=xY1z
-----END PGP SIGNATURE-----"""

WRITTEN = """\
Guten Tag,

bitte ändern Sie meine Adresse:
- Lindenweg 4
- 20099 Hamburg

--
Jonas Weber

Am 20.11.2026 schrieb Ann:
> Wie lautet die neue Adresse?"""


def signed(text: str, *, fields: str = "Hash: SHA512\n", signature: str = SIGNATURE) -> str:
    escaped = "\n".join(f"- {line}" if line[:1] == "-" else line for line in text.split("\n"))
    return f"-----BEGIN PGP SIGNED MESSAGE-----\n{fields}\n{escaped}\n{signature}\n"


def read(text: str) -> InboundMessage:
    head = "From: jonas@example.de\nTo: support@example.com\nSubject: Adresse\n"
    kind = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    found = parse(CONFIG, Raw("x", f"{head}{kind}{text}".replace("\n", "\r\n").encode()))
    assert isinstance(found, InboundMessage)
    return found


def test_a_signed_text_is_seen_as_it_was_written_and_kept_whole() -> None:
    whole = signed(WRITTEN)

    found = read(whole)

    assert found.reply_text.splitlines() == WRITTEN.splitlines()[:5]
    assert found.signature == "--\nJonas Weber"
    assert found.quoted_text.splitlines() == WRITTEN.splitlines()[-2:]
    assert found.text.strip() == whole.strip()
    assert found.warnings == (secured.SIGNED,)


def test_without_quotation_only_the_lines_of_pgp_are_left_out() -> None:
    found = read(signed("Danke!"))

    assert (found.reply_text, found.signature, found.quoted_text) == ("Danke!", "", "")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (signed("One", fields=""), "One"),
        (signed("One", signature=""), "One"),  # cut off
        (f"Above\n{signed('One')}Below", "Above\nOne\nBelow"),  # a list adds its own words
        (signed("One", signature=SIGNATURE.rpartition("\n")[0]), "One"),
    ],
    ids=["no fields", "no signature", "words around it", "no end"],
)
def test_lines_of_pgp_are_known_however_few(text: str, seen: str) -> None:
    assert armour.without(text).strip() == seen


@pytest.mark.parametrize(
    "text",
    [
        "Nothing of the kind.",
        f"> {signed('quoted')}",
        signed("One", fields="Hash: SHA1\nPay to another account.\n"),
        signed("One", signature=SIGNATURE.replace("iQEz", "Pay to another account. ")),
        f"I wrote {signed('One')}",
    ],
    ids=["none", "quoted", "words among the fields", "words in the signature", "in a sentence"],
)
def test_words_of_people_are_never_left_out(text: str) -> None:
    assert armour.without(text) == text

"""Templates and catalogues: every page compiles, speaks three languages and holds no script."""

import re
from contextvars import copy_context

import pytest
from jinja2 import nodes

from app.web import speech, stored_words
from app.web.speech import Voice
from app.web.templating import TEMPLATES, environment
from tests.web import catalogues
from tests.web.catalogues import (
    LANGUAGES,
    Found,
    extracted,
    ids_of,
    stored,
    strings_of,
)

NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))

# What is the same in every language: our name, keys, signs between words.
_NO_WORDS = {"Setten", "接点", "Ctrl", "Z", "j", "k", "o", "e", "x", "y", "z", "m", "u", "s", "w"}
_PLACE = re.compile(r"%\((\w+)\)")


@pytest.fixture(scope="module")
def messages() -> Found:
    return extracted()


def source(name: str) -> str:
    return (TEMPLATES / name).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles(name: str) -> None:
    assert environment().get_template(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_template_holds_no_script_no_style_and_nothing_unescaped(name: str) -> None:
    text = source(name)

    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=\"", text) == []
    assert re.findall(r"\|\s*safe\b|autoescape false|https?://[a-z]", text) == []


@pytest.mark.parametrize("name", NAMES)
def test_template_translates_by_name_only_what_it_says_itself(name: str) -> None:
    # What `_()` is given counts as safe HTML: a stored sentence goes through `translated`.
    calls = environment().parse(source(name)).find_all(nodes.Call)
    given = [
        call.args[0]
        for call in calls
        if isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "ngettext"}
    ]

    assert [one for one in given if not isinstance(one, nodes.Const)] == []


@pytest.mark.parametrize("name", NAMES)
def test_template_has_no_visible_words_outside_the_catalogues(name: str) -> None:
    parsed = environment().parse(source(name))
    written = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\x00"
        for output in parsed.find_all(nodes.Output)
        for part in output.nodes
    )
    shown = re.sub(r"<[^<>]*>", " ", re.sub(r"\x00", "", written))
    spoken = re.findall(
        r"(?:aria-label|title|placeholder|alt)=\"([^\"\x00{]*[A-Za-z][^\"\x00]*)\"", written
    )

    words = set(re.findall(r"[^\W\d_]+", re.sub(r"&\w+;", " ", shown)))

    assert words - _NO_WORDS == set()
    assert spoken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_holds_every_message_and_no_other(messages: Found, language: str) -> None:
    catalogue = stored(language)

    known = {message.id for message in catalogue if message.id}
    # An id with a plural comes back as a list or a tuple.
    known = {tuple(one) if isinstance(one, list) else one for one in known}

    assert set(messages) - known == set()
    assert known - set(messages) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_translated_whole(language: str) -> None:
    missing = [
        message.id
        for message in stored(language)
        if message.id and (message.fuzzy or not all(strings_of(message)))
    ]

    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_fills_the_same_places(language: str) -> None:
    wrong = []
    for message in stored(language):
        if not message.id:
            continue
        wanted = {place for one in ids_of(message) for place in _PLACE.findall(one)}
        wrong += [one for one in strings_of(message) if set(_PLACE.findall(one)) != wanted]

    assert wrong == []


@pytest.mark.parametrize(
    ("stored", "german"),
    [
        (
            "The customer was asked less than 30 days ago.",
            "Die Kundin oder der Kunde wurde vor weniger als 30 Tagen gefragt.",
        ),
        (
            "Not sent: no outgoing server is set up for a.b@kanzlei.example.",
            "Nicht gesendet: Für a.b@kanzlei.example ist kein Postausgangsserver eingerichtet.",
        ),
        (
            "Given up after 5 days: 450 4.2.1 busy: 7 %",
            "Nach 5 Tagen aufgegeben: 450 4.2.1 busy: 7 %",
        ),
        (
            "imap.a.example has no folder Alte Post that can be opened. It said: NO such",
            "imap.a.example hat keinen Ordner Alte Post, der sich öffnen lässt. Antwort: NO such",
        ),
        ("sender.value: Field required (and 2 more)", "sender.value: Angabe fehlt (und 2 weitere)"),
        ("552 5.2.2 Mailbox full", "552 5.2.2 Mailbox full"),
    ],
)
def test_a_stored_sentence_is_said_around_what_varies(stored: str, german: str) -> None:
    def said() -> str:
        speech.speak(Voice("de"))
        return stored_words.say_stored(stored)

    assert copy_context().run(said) == german


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_has_no_percent_sign_a_page_stumbles_over(language: str) -> None:
    wrong = [
        one
        for message in stored(language)
        if message.id and "%" not in "".join(ids_of(message))
        for one in strings_of(message)
        if "%" in one
    ]

    assert wrong == []


def test_catalogues_are_found_where_pages_look_for_them() -> None:
    assert [catalogues.path_of(language).is_file() for language in LANGUAGES] == [True, True]

"""The labelling guide: every category explained at readable length in every language."""

import pytest

from classifier import guide
from classifier.corpus import LANGUAGES
from classifier.guide import KEYS, BadGuide
from classifier.language import detect
from classifier.taxonomy import STAGE_KEYS, TOPIC_KEYS

WHOLE = "# Title\n\n" + "\n".join(f"## {key}\n\nAbout {key}.\n" for key in KEYS)
# Characters of a section; Japanese says the same in less than half.
BOUNDS = {
    "en": {"stage": (500, 900), "topic": (300, 700)},
    "ja": {"stage": (200, 420), "topic": (100, 320)},
    "de": {"stage": (500, 950), "topic": (300, 750)},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_is_explained_at_readable_length(language: str) -> None:
    sections = guide.load(language)

    assert tuple(sections) == KEYS
    kinds = dict.fromkeys(STAGE_KEYS, "stage") | dict.fromkeys(TOPIC_KEYS, "topic")
    outside = {
        key: len(sections[key])
        for key, kind in kinds.items()
        if not BOUNDS[language][kind][0] <= len(sections[key]) <= BOUNDS[language][kind][1]
    }
    assert outside == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_is_written_in_its_language(language: str) -> None:
    found = {key: detect(text) for key, text in guide.load(language).items()}

    assert found == dict.fromkeys(KEYS, language)


def test_parse_cuts_at_the_headings() -> None:
    assert guide.parse(WHOLE, name="x") == {key: f"About {key}." for key in KEYS}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x: its headings must be general, A, B"),
        (WHOLE.replace("## oos\n", ""), "x: its headings must be general, A, B"),
        (WHOLE + "## A\n\nAgain.\n", "x: its headings must be general, A, B"),
        (WHOLE.replace("About L.", ""), "x: L says nothing"),
    ],
)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(BadGuide, match=message):
        guide.parse(text, name="x")


def test_a_language_without_a_guide() -> None:
    with pytest.raises(BadGuide, match=r"guide/fr\.md is missing"):
        guide.load("fr")

"""Courtesy, numbers and signatures alone are nothing to guess from; one short word is."""

import pytest

from classifier import corpus, features
from classifier.contract import Decision, Why
from classifier.courtesy import says_something
from classifier.model import Model


def says(text: str) -> bool:
    cleaned = features.clean(text).text
    return says_something(cleaned, features.tokens(cleaned))


NOTHING = (
    *("12345", "1", "info@example.com", "0171 2345678", "2024-11-05 14:30", "https://shop.test/x"),
    *("OK", "Okay, danke!", "Re:\nThank you very much!", "👍", "A-4711", "AB12", "12:30 Uhr"),
    "こんにちは。お世話になっております。",
    "いつも大変お世話になっております。よろしくお願いいたします。",
    "了解しました。ありがとうございました。\n\niPhoneから送信",
    "Hallo!\n\nVon meinem iPhone gesendet",
    "Sehr geehrte Damen und Herren,\nvielen Dank im Voraus.\nMit freundlichen Grüßen",
    "Good morning,\nbest regards\n\nSent from my iPhone",
)
SHORT = (
    *("Preis?", "返品したい", "refund", "キャンセル", "Wann?", "wo?", "why", "いつ届く", "靴"),
    *(
        "まだ？",
        "至急",
        "Kündigung",
        "not received",
        "解約お願いします",
        "TV kaputt",
        "택배",
        "Hilfe",
    ),
    "Sent from the wrong warehouse",
    "Von meinem Konto abgebucht",
    "お願いがあります",
)


def test_nothing_is_left_of_courtesy_numbers_and_signatures() -> None:
    assert [text for text in NOTHING if says(text)] == []


def test_something_is_left_of_the_shortest_inquiry() -> None:
    assert [text for text in SHORT if not says(text)] == []
    assert [one.text for one in corpus.load()[::5] if not says(one.text)] == []


@pytest.mark.parametrize("text", NOTHING)
def test_no_head_and_no_flag_guesses_from_it(small_model: Model, text: str) -> None:
    said = small_model.predict(text)

    for head in (said.stage, said.topic):
        assert (head.label, head.decision, head.why) == (None, Decision.ABSTAIN, Why.EMPTY)
    assert [flag.raised for flag in said.flags] == [False, False]


@pytest.mark.parametrize("text", SHORT)
def test_a_short_inquiry_is_not_taken_for_nothing(small_model: Model, text: str) -> None:
    said = small_model.predict(text)

    # Kana, kanji or Hangul of which the small model knows nothing are another matter.
    known = len(small_model.vocabulary.look(text).columns) or small_model.encoder.width
    assert (said.stage.why is Why.EMPTY) == (not known)

"""Flags: which samples have them, when one is raised, and what is then said."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from classifier import calibration, corpus, fitting
from classifier.alarms import called_urgent, marks
from classifier.contract import Basis, FlagPrediction
from classifier.corpus import LANGUAGES, BadCorpus, key_of
from classifier.encoders import Nothing
from classifier.fusion import Row
from classifier.material import Text
from classifier.model import Identity, Model
from classifier.taxonomy import FLAGS

GOOD = '{"key": "0a", "flags": ["urgent"]}'


def taught(*, flagged: int, others: int) -> Model:
    """One that has seen so many texts with smoke, and so many about colours."""
    texts = [Text(f"Smoke comes out of the n{n}x", f"a{n}", "en") for n in range(flagged)]
    texts += [Text(f"Which colours has the n{n}x", f"b{n}", "en") for n in range(others)]
    rows = [
        Row(place, "yes" if place < flagged else "no", human=True) for place in range(len(texts))
    ]
    identity = Identity("x", len(texts))
    return fitting.fit_model(
        texts,
        {"stage": rows, "topic": rows},
        identity,
        Nothing(),
        flags={"urgent": rows, "complaint": rows[:9]},
    )


@pytest.fixture(scope="module")
def smoke() -> Model:
    return taught(flagged=60, others=60)


def test_every_flag_is_that_of_a_sample_and_each_language_has_sixty() -> None:
    samples, flags = corpus.load(), corpus.load_flags()

    assert set(flags) <= {key_of(sample.text) for sample in samples}
    counts = Counter((flag, sample.language) for sample in samples for flag in sample.flags)
    assert sum(counts.values()) == sum(map(len, flags.values()))
    assert {one: n for one, n in counts.items() if n < 60} == {}
    assert set(counts) == {(flag, language) for flag in FLAGS for language in LANGUAGES}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x, line 1: not JSON"),
        ("[]", "x, line 1: needs exactly the keys flags, key"),
        (GOOD.replace("urgent", "angry"), "x, line 1: flags must be some of urgent, complaint"),
        (GOOD.replace('["urgent"]', "[]"), "x, line 1: flags must be some of urgent, complaint"),
        (f"{GOOD}\n{GOOD}", "x, line 2: the key 0a again"),
    ],
)
def test_a_bad_line_is_named(text: str, message: str) -> None:
    with pytest.raises(BadCorpus) as caught:
        corpus.parse_flags(text, name="x")

    assert str(caught.value).startswith(message)


def test_a_flag_is_raised_with_the_words_that_speak_for_it(smoke: Model) -> None:
    one, other = (
        smoke.predict(text, language="en").flags[0]
        for text in ("Smoke comes out of the kettle", "Which colours has the kettle")
    )

    assert (one.name, one.raised, one.said, one.basis) == ("urgent", True, "", Basis.OWN)
    assert one.probability > 0.8
    assert "smoke" in one.reasons[0].text.casefold()
    assert (other.raised, other.reasons) == (False, ())
    assert other.probability < 0.2


def test_what_all_rows_say_alike_is_never_said(smoke: Model) -> None:
    complaint = smoke.predict("Smoke comes out of the kettle", language="en").flags[1]

    assert complaint == FlagPrediction("complaint", raised=False, probability=0.5)


def test_too_few_to_be_sure_of_are_not_enough_to_raise_it() -> None:
    few = taught(flagged=12, others=100)

    assert few.flags["urgent"].limits == {"": calibration.NEVER, "en": calibration.NEVER}


def test_without_a_word_nothing_is_said(smoke: Model) -> None:
    assert [one.raised for one in smoke.predict("!!! ???", language="en").flags] == [False, False]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("URGENT: no hot water\nPlease ring.", "URGENT"),
        ("Order 17, needed asap", "asap"),
        ("Dringend: Aufzug steht", "Dringend"),
        ("Es eilt! Bitte um Rückruf", "eilt"),
        ("【至急】出荷の件", "至急"),
        ("緊急のお願い", "緊急"),
        ("Not urgent, but", ""),
        ("This isn't urgent", ""),
        ("Urgent-care leaflet", ""),
        ("Nicht dringend: Dachrinne", ""),
        ("Eilt nicht, Dachrinne", ""),
        ("Unaufdringendes Angebot", ""),
        ("緊急ではありません", ""),
        ("緊急停止ボタンの場所", ""),
        ("A question\nIt is urgent.", ""),
        ("urgent " * 40, ""),
        ("", ""),
    ],
)
def test_the_senders_own_word_in_the_subject(text: str, word: str) -> None:
    assert called_urgent(text) == word


def test_a_line_through_scores_is_that_of_a_regression() -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(2_000, 2))
    likely = calibration.logistic(columns @ np.array([1.5, 0.8]) - 1.5)
    truth = (random.random(2_000) < likely).astype(np.intp)

    weights, offset = calibration.fit_line(columns, truth)

    plain = LogisticRegression(C=1e6).fit(columns, truth)
    assert [*weights, offset] == pytest.approx([*plain.coef_[0], *plain.intercept_], abs=0.05)
    assert calibration.fit_line(columns, np.ones_like(truth)) == ([1.0, 1.0], 0.0)


@pytest.mark.parametrize(
    ("flag", "text", "words"),
    [
        (
            "urgent",
            "Tomorrow at nine, so it is URGENT; tomorrow!",
            ["Tomorrow", "URGENT", "tomorrow"],
        ),
        ("urgent", "Bitte noch heute, es ist nicht dringend.", ["noch heute"]),
        ("urgent", "本日中にお願いします。緊急ではありません。緊急停止ボタン", ["本日中"]),
        ("urgent", "The tomorrows of urgent-care", []),
        ("complaint", "Das ist eine Frechheit. So geht's nicht!", ["Frechheit", "So geht's"]),
        ("complaint", "Ich laufe beschwerdefrei, keine Beschwerde", []),
        ("complaint", "苦情ではないのですが、不満はありません", []),
        ("complaint", "責任者の方から謝罪を", ["責任者", "謝罪"]),
        ("complaint", "It's the third time, I'm not angry", ["third time"]),
    ],
)
def test_words_that_tell_of_a_flag(flag: str, text: str, words: list[str]) -> None:
    assert marks(flag, text) == words

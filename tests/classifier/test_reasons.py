"""Reasons are words a person would mark, taken from the text as it came."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

from classifier.contract import Reason
from classifier.features import clean, tokens
from classifier.reasons import Pushes, strongest, telling


class Push(NamedTuple):
    weight: float
    places: Sequence[tuple[int, int]]


def explain(text: str, *features: Push) -> tuple[Reason, ...]:
    cleaned = clean(text)
    parts = [(push.weight / len(push.places), *place) for push in features for place in push.places]
    weights, starts, ends = zip(*parts, strict=True)
    pushes = Pushes(np.array(weights), np.array(starts), np.array(ends))
    reasons = strongest(text, cleaned, telling(tokens(cleaned.text)), pushes)
    return tuple(Reason(reason.text, round(reason.weight, 6)) for reason in reasons)


def test_pieces_of_a_word_add_up_to_the_word() -> None:
    reasons = explain("Broken kettle", Push(1.0, [(0, 3)]), Push(0.5, [(3, 6)]))

    assert reasons == (Reason("Broken", 1.5),)


def test_strong_neighbours_are_one_phrase() -> None:
    reasons = explain(
        "please Cancel Order 12, invoice", Push(1.0, [(7, 13)]), Push(0.8, [(14, 19)])
    )

    assert reasons == (Reason("Cancel Order", 1.8),)


def test_a_word_said_twice_is_one_reason() -> None:
    reasons = explain("Refund! My refund!", Push(1.0, [(0, 6), (11, 17)]))

    assert reasons == (Reason("Refund", 1.0),)


def test_small_words_numbers_and_addresses_are_no_reasons() -> None:
    text = "the 4711 ann@example.com"

    assert explain(text, Push(1.0, [(0, 3)]), Push(2.0, [(4, 8)]), Push(3.0, [(10, 15)])) == ()


def test_what_pushed_against_is_no_reason() -> None:
    assert explain("broken kettle", Push(-1.0, [(0, 6)])) == ()


def test_at_most_five_and_none_far_weaker_than_the_first() -> None:
    text = "alpha, bravo, gamma, delta, omega, sigma, kappa"
    starts = range(0, 49, 7)
    pushes = [Push(7.0 - i, [(start, start + 5)]) for i, start in enumerate(starts)]
    pushes[1] = Push(0.5, [(7, 12)])

    assert [reason.text for reason in explain(text, *pushes)] == [
        "alpha",
        "gamma",
        "delta",
        "omega",
        "sigma",
    ]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("商品を返品したいのですが", ("返品したい", "商品")),
        ("まだ届きません", ("まだ届きません",)),
        ("ﾊﾟｽﾜｰﾄﾞを忘れました", ("ﾊﾟｽﾜｰﾄﾞ", "忘れました")),
        ("修理についてお願いします", ("修理",)),
    ],
)
def test_japanese_reasons_are_words_not_characters(text: str, whole: tuple[str, ...]) -> None:
    length = len(clean(text).text)
    pushes = [Push(1.0, [(place, place + 1)]) for place in range(length)]

    assert {reason.text for reason in explain(text, *pushes)} == set(whole)

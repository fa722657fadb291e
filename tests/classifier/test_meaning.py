"""Vectors as they are stored: bytes of half precision that outlive the model."""

import numpy as np
import pytest

from classifier import features, meaning
from classifier.contract import UNSURE
from classifier.encoders import Nothing
from classifier.model import Model

ASKED = "The kettle is broken and will not switch on any more."


def cosine(one: bytes, other: bytes) -> float:
    first, second = meaning.unpacked([one, other])
    return float(first @ second)


def test_a_prediction_says_what_the_text_means(small_model: Model) -> None:
    said = small_model.predict(ASKED)
    again = small_model.predict(ASKED.upper())
    other = small_model.predict("Was kostet der Versand nach Österreich?")

    assert len(said.vector) == 1024  # 512 numbers
    assert said.space == meaning.space_of(small_model.encoder)
    assert cosine(said.vector, again.vector) > 0.9 > cosine(said.vector, other.vector)


def test_nothing_said_means_nothing(small_model: Model) -> None:
    assert [small_model.predict(text).vector for text in ("", " \n", "\u3000")] == [b""] * 3
    assert (UNSURE.vector, UNSURE.space) == (b"", "")


def test_without_an_encoder_the_vector_does_not_depend_on_the_model() -> None:
    vector = meaning.of_pieces(features.clean(ASKED).text)

    assert meaning.space_of(Nothing()) == "pieces-1.2"
    assert np.round(np.linalg.norm(vector), 5) == 1.0
    # Stored vectors were made by these very sums: other numbers are another space.
    strongest = np.flatnonzero(np.abs(vector) > 0.14)
    assert strongest.tolist() == [85, 180, 283, 309, 368, 508]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a", 1),  # with a blank at both sides
        ("a b", 2),
        ("ab", 3),
        ("電源", 4),
        ("電源が", 8),
        ("はい", 3),  # at the edges only: inside a run it is grammar
        ("!?", 0),
    ],
)
def test_pieces_stay_within_words(text: str, expected: int) -> None:
    assert len(meaning.pieces(meaning.codes(text))) == expected

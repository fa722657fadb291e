"""The words that are stored: short enough for their columns, and the same as the taxonomy's."""

from enum import StrEnum

import pytest

from app.domain import words
from classifier import taxonomy

SETS = [one for one in vars(words).values() if isinstance(one, type) and issubclass(one, StrEnum)]


@pytest.mark.parametrize("closed_set", [one for one in SETS if one is not StrEnum])
def test_words_fit_their_columns_and_are_what_they_are_called(closed_set: type[StrEnum]) -> None:
    assert [word.value for word in closed_set] == [word.name.lower() for word in closed_set]
    assert max(len(word) for word in closed_set) <= 24


def test_the_anchors_are_the_classifiers() -> None:
    assert taxonomy.STAGE_KEYS == words.ANCHORS

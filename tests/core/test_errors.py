"""Every kind has a code of its own and carries words for a person and data for a program."""

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound, SettenError, TooMany


def test_every_kind_has_a_code_of_its_own() -> None:
    kinds = (SettenError, Invalid, NotFound, NotAllowed, Conflict, TooMany)

    assert [kind.code for kind in kinds] == [
        "error",
        "invalid",
        "not_found",
        "not_allowed",
        "conflict",
        "too_many",
    ]


def test_words_and_data_travel_with_it() -> None:
    error = Conflict("It changed meanwhile.", newer=[7])

    assert (str(error), error.message, error.data) == (
        "It changed meanwhile.",
        "It changed meanwhile.",
        {"newer": [7]},
    )

"""Groups of inquiries that mean the same: which there are, what is typical, and their names."""

from collections.abc import Sequence

import numpy as np
import pytest

from classifier import clusters, meaning
from classifier.clusters import Inquiry
from classifier.masking import Names
from classifier.nearest import Vectors, unit

# Of each matter, words that differ from text to text and words that do not.
_GIFTS = (
    "Can you do gift wrapping for my mother's birthday?",
    "I would like gift wrapping with a red ribbon, please",
    "Is there gift wrapping for order 4711?",
    "Gift wrapping: which paper can I choose?",
    "Do you offer Gift Wrapping for two cups",
    "What does gift wrapping cost extra",
    "Please add gift wrapping and a card",
    "The gift wrapping of last year was lovely, again please",
)
_GESCHENKE = (
    "Bieten Sie auch Geschenkverpackung an, Frau Weber?",
    "Geschenkverpackung für zwei Tassen bitte, Frau Weber",
    "Was kostet eine Geschenkverpackung",
    "Frau Weber, ich hätte gern eine Geschenkverpackung mit Schleife",
)
_のし = (
    "熨斗を付けてギフト包装をお願いできますか。",
    "田中様 ギフト包装は可能でしょうか。",
    "内祝いなのでギフト包装を希望します。",
    "田中様、ギフト包装の料金を教えてください。",
)


def inquiries(
    texts: Sequence[str], language: str, customers: int = 99, name: str = ""
) -> list[Inquiry]:
    return [
        Inquiry(text, f"{language}{number % customers}", language, name)
        for number, text in enumerate(texts)
    ]


def spread(*sizes: int) -> Vectors:
    """So many vectors around a direction of its own each, all close to it."""
    rows = np.zeros((sum(sizes), 16), dtype=np.float32)
    place = 0
    for matter, size in enumerate(sizes):
        for number in range(size):
            rows[place, matter] = 1.0
            rows[place, 8 + number % 8] = 0.3 + 0.05 * (number % 3)
            place += 1
    return unit(rows)


def names(found: clusters.Found) -> list[dict[str, str]]:
    return [dict(group.names) for group in found.groups]


def test_what_means_the_same_is_a_group_whatever_its_words() -> None:
    asked = inquiries([f"text {number}" for number in range(25)], "en")

    found = clusters.find(asked, spread(9, 5, 8, 1, 2))

    assert [sorted(group.places) for group in found.groups] == [
        list(range(9)),
        list(range(14, 22)),
    ]
    assert found.largest == 9


def test_what_is_left_is_grouped_once_more_and_not_as_closely() -> None:
    rows = np.zeros((17, 32), dtype=np.float32)
    rows[:9, 0] = rows[9:, 1] = 1.0
    for place in range(9, 17):
        rows[place, 8 + place] = 1.2  # so that two of them are 0.59 apart
    asked = inquiries(["text"] * 17, "en")

    both = clusters.find(asked, unit(rows))
    close = clusters.find(asked, unit(rows), clusters.APART[:1])

    assert [len(group.places) for group in both.groups] == [9, 8]
    assert [len(group.places) for group in close.groups] == [9]


def test_no_more_are_proposed_than_one_can_look_at() -> None:
    asked = inquiries(["text"] * 96, "en")
    rows = np.repeat(np.eye(12, dtype=np.float32), 8, axis=0)

    assert len(clusters.find(asked, rows).groups) == clusters.GROUPS


@pytest.mark.parametrize(
    ("size", "customers", "groups", "largest"),
    [(8, 3, 1, 8), (7, 7, 0, 7), (20, 2, 0, 20), (1, 1, 0, 1), (0, 1, 0, 0)],
)
def test_a_group_has_eight_inquiries_of_three_customers(
    size: int, customers: int, groups: int, largest: int
) -> None:
    asked = inquiries(["text"] * size, "en", customers)

    found = clusters.find(asked, spread(size))

    assert (len(found.groups), found.largest) == (groups, largest)


def test_typical_are_those_in_the_middle_one_of_each_customer_first() -> None:
    vectors = spread(8)
    vectors[3] = unit(vectors.mean(axis=0, keepdims=True))[0]
    asked = inquiries(["text"] * 8, "en", 3)

    [group] = clusters.find(asked, vectors).groups

    assert (group.places[0], group.typical[0], len(group.typical)) == (3, 3, 5)
    assert {asked[place].customer for place in group.typical} == {"en0", "en1", "en2"}


def test_group_is_called_by_the_words_only_it_has() -> None:
    others = ["Where is my order, please?", "I have a question about my order of last year"] * 4
    asked = inquiries(_GIFTS, "en") + inquiries(others, "en")

    found = clusters.find(asked, spread(8, *[1] * 8))

    assert names(found) == [{"en": "Gift wrapping"}]


def test_group_in_several_languages_has_a_name_in_each() -> None:
    asked = inquiries(_GIFTS[:4], "en") + inquiries(_GESCHENKE, "de") + inquiries(_のし, "ja")

    found = clusters.find(asked, spread(12))

    assert names(found) == [
        {"en": "Gift wrapping", "de": "Geschenkverpackung", "ja": "ギフト・包装"}
    ]


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["Frau Weber", "Hallo Weber", "Liebe Weber", "an Herrn Weber"] * 2, ""),
        (["Weber"] * 8, "Anna Weber"),
        (["anna.weber@customers.test", "+49 30 901820", "4711", "https://weber.test"] * 2, ""),
        (["田中様", "田中さん"] * 4, ""),
        (["高橋由美です"] * 8, "高橋 由美"),
        (["Hello, thank you", "please and thanks"] * 4, ""),
    ],
)
def test_no_person_number_or_courtesy_becomes_a_name(texts: Sequence[str], name: str) -> None:
    customers = clusters.find(inquiries(texts, "de", name=name), spread(8))
    ours = clusters.find(
        inquiries(texts, "de"),
        spread(8),
        ours=Names(frozenset(), others=frozenset({name})),
    )

    assert (names(customers), names(ours)) == ([{}], [{}])


def test_word_of_two_customers_is_not_told() -> None:
    asked = inquiries(["Projekt Nordlicht"] * 8, "de", 2) + inquiries(["Katze"] * 3, "en", 3)

    found = clusters.find(asked, spread(11))

    assert names(found) == [{"en": "Katze"}]


def test_half_a_word_is_no_name() -> None:
    long = "to " * 199 + "Gravur and more"  # cut behind “Gra”

    found = clusters.find(inquiries([long] * 8, "de"), spread(8))

    assert names(found) == [{}]


def test_without_an_encoder_letters_are_compared() -> None:
    other = ["Rechnung fehlt", "Where is my parcel", "Passwort vergessen", "Kette zu kurz"]
    asked = inquiries([*_GIFTS, *other], "en")
    vectors = np.stack([meaning.of_pieces(one.text.lower()) for one in asked])

    found = clusters.find(asked, vectors, clusters.apart_in("pieces-1.2"))

    assert [sorted(group.places) for group in found.groups] == [list(range(8))]

"""Near duplicates: what is nearly the same text, and what only asks the same."""

import pytest

from classifier import likeness

GERMAN = (
    "Guten Tag, seit heute Morgen kann ich mich nicht mehr im Kundenportal anmelden. Nach der "
    "Eingabe des Passworts erscheint nur eine weiße Seite. Bestellnummer 4711. Viele Grüße"
)
GERMAN_AGAIN = (
    "Hallo, seit heute Morgen kann ich mich nicht mehr im Kundenportal anmelden. Nach Eingabe "
    "des Passworts erscheint nur eine weisse Seite. Bestellnummer 0815. Viele Grüße, K. Brandt"
)
GERMAN_OTHER = (
    "Guten Tag, seit gestern Abend wartet unser Büro auf die Lieferung der Stühle. Der Fahrer "
    "hat angerufen und ist dann nicht gekommen. Bestellnummer 4712. Viele Grüße"
)
ENGLISH = "Since this morning the portal shows a blank page after I enter my password."
ENGLISH_AGAIN = "since this morning the Portal shows a blank page after I entered my password!!"
ENGLISH_SAME_QUESTION = "I cannot log in any more, there is nothing but white on the screen."
JAPANESE = "今朝からマイページにログインできません。パスワードを入れると画面が真っ白になります。"
JAPANESE_AGAIN = (
    "今朝からﾏｲﾍﾟｰｼﾞにログインできません。パスワードを入れると画面が真っ白になるのですが。"
)
JAPANESE_OTHER = "今朝注文した荷物はいつ届きますか。お届け先を会社に変えたいのですが、できますか。"
ALL = [
    GERMAN, ENGLISH, JAPANESE_AGAIN, GERMAN_OTHER, GERMAN_AGAIN, ENGLISH_SAME_QUESTION,
    JAPANESE, JAPANESE_OTHER, ENGLISH_AGAIN, "",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        (GERMAN, ALL, [0, 4]),
        (ENGLISH, ALL, [1, 8]),
        (JAPANESE, ALL, [2, 6]),
        (GERMAN_OTHER, ALL, [3]),
        (ENGLISH_SAME_QUESTION, ALL, [5]),
        (JAPANESE_OTHER, ALL, [7]),
        ("", ALL, []),
        ("?!", ["", "?!"], []),
        (GERMAN, [], []),
        (GERMAN, [GERMAN] * 2, [0, 1]),
        ("yes", ["no", "yes"], [1]),
    ],
)
def test_which_others_are_nearly_the_same(
    text: str, others: list[str], expected: list[int]
) -> None:
    assert likeness.copies(text, others) == expected


def test_a_thousand_copies_are_found_and_only_the_beginning_of_a_text_counts() -> None:
    texts = [f"{GERMAN} {number}" for number in range(1000)]

    assert likeness.copies(texts[0], texts) == list(range(1000))
    assert likeness.copies(GERMAN * 40 + "x" * 1_000_000, [GERMAN * 40 + "y" * 1_000_000]) == [0]


@pytest.mark.parametrize(
    ("texts", "writers", "together"),
    [
        ([GERMAN, GERMAN_AGAIN, GERMAN_OTHER], "abc", "aac"),
        ([ENGLISH, JAPANESE, ENGLISH_AGAIN, JAPANESE_AGAIN], "abcd", "abab"),
        ([ENGLISH, ENGLISH_SAME_QUESTION, JAPANESE, JAPANESE_OTHER], "abcd", "abcd"),
        # Whoever copied one text belongs together in all they wrote.
        ([GERMAN, JAPANESE, ENGLISH, GERMAN], "abbb", "aaaa"),
        (["", "", "?"], "abc", "abc"),
        ([], "", ""),
    ],
    ids=range(6),
)
def test_writers_of_nearly_the_same_text_belong_together(
    texts: list[str], writers: str, together: str
) -> None:
    assert "".join(likeness.families(texts, list(writers))) == together

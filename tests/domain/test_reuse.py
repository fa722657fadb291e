"""An answer is used again without whom it was written to."""

import pytest

from app.domain.reuse import without_person


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        (
            "Sehr geehrte Frau Dr. Müller-Lüdenscheidt,\n\ndrehen Sie den Deckel nach links.",
            ["Erika Müller-Lüdenscheidt"],
            "drehen Sie den Deckel nach links.",
        ),
        (
            "Hallo Erika, vielen Dank! Die Bestellung 2026-117-0042 geht morgen an Erika Müller.",
            ["Erika Müller"],
            "vielen Dank! Die Bestellung … geht morgen an ….",
        ),
        ("Guten Tag\nBitte senden Sie es zurück.", [], "Bitte senden Sie es zurück."),
        ("Dear Mr. Hill:\nTurn it left.", ["Hill"], "Turn it left."),
        ("Hi!\nWrite to bob@hill.test.", ["bob@hill.test"], "Write to …."),
        ("Hills are high, said Hill.", ["Bob Hill"], "Hills are high, said …."),
        ("Hiking boots are back in June.", [], "Hiking boots are back in June."),
        (
            "高橋 由美 様\n\nお問い合わせありがとうございます。高橋様のご注文は発送済みです。",
            ["高橋 由美"],
            "お問い合わせありがとうございます。…様のご注文は発送済みです。",
        ),
        (
            "株式会社山田商店 御中\n佐藤様\nいつもお世話になっております。",
            ["佐藤", "株式会社山田商店"],
            "いつもお世話になっております。",
        ),
        ("佐藤様、蓋は左に回してください。", ["佐藤"], "蓋は左に回してください。"),
        (
            "See https://shop.test/help/123456789 or call 030 1234567.",
            [],
            "See https://shop.test/help/123456789 or call ….",
        ),
        ("It costs 12,50 € until 24.12.2026.", [], "It costs 12,50 € until 24.12.2026."),
        ("", ["Hill"], ""),
    ],
)
def test_what_is_left_of_an_answer(text: str, names: list[str], expected: str) -> None:
    assert without_person(text, names) == expected


def test_a_name_below_an_answer_is_not_signed_again() -> None:
    said = "Turn it left.\n\nKind regards\nAnn Bell"

    assert without_person(said, [], "Ann Bell") == "Turn it left.\n\nKind regards"
    assert without_person(said, [], "Leo Field") == said
